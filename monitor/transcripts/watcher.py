"""Notice changes among the transcripts, for at most 1 % of a core.

Each poll checks the files that were written to within three days. It also checks the directories,
which show files that were added, removed or replaced; with thousands of directories only now and
then. If an older file is written to again (a resumed session), the next walk over all files notices
it: after about 15 s with 4,000 files, after 90 s with 100,000.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.model.reading import DataSize, Unreadable
from monitor.transcripts.data_dirs import data_dirs
from monitor.transcripts.files import (
    Folder,
    TranscriptFile,
    read_folder,
    stat_path,
    updated,
    walk,
    walk_below,
)
from monitor.transcripts.unreadable import find_unreadable

USUAL_SHARE, MAX_PAUSE, MIN_SHARE = 1000, 30.0, 100
"""After a walk the next one waits 1,000 times as long as it took, at most 30 seconds, but always at
least 100 times as long. The check of all directories waits in the same way."""

RECENT_SECONDS = 3 * 24 * 3600.0
"""Files that were written to within this time are checked at each poll."""


@dataclass(frozen=True)
class Transcripts:
    """The transcripts below some data directories."""

    roots: tuple[Path, ...]
    files: Sequence[TranscriptFile]
    size: DataSize
    unreadable: tuple[Unreadable, ...] = ()


class Watcher:
    """Watches the transcripts of the data directories that ccusage would use."""

    def __init__(self, claude_dirs: Sequence[Path]) -> None:
        self._claude_dirs = claude_dirs
        self._tree = _Tree(())

    @property
    def size(self) -> DataSize:
        """How much there is to read, as of the last poll."""
        return self._tree.size

    @property
    def roots(self) -> tuple[Path, ...]:
        """The data directories, as of the last poll."""
        return self._tree.roots

    @property
    def transcripts(self) -> Transcripts:
        """The transcripts as of the last poll."""
        tree = self._tree
        return Transcripts(tree.roots, tree.files(), tree.size, tree.unreadable)

    def poll(self) -> bool:
        """Return whether anything has changed since the last poll. Everything is new at the first.

        Raises MonitorError if there is no data directory.
        """
        roots = data_dirs(self._claude_dirs, os.environ)
        is_new = roots != self._tree.roots
        if is_new:
            self._tree = _Tree(roots)
        return self._tree.poll() or is_new

    def forget(self) -> None:
        """Forget everything, so that the next poll reports a change."""
        self._tree = _Tree(self._tree.roots)


class _Tree:
    """The directories below some roots, and the files in them."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.roots = tuple(roots)
        self.size = DataSize()
        self.unreadable: tuple[Unreadable, ...] = ()
        self._folders: dict[tuple[int, str], Folder] = {}
        self._recent: list[tuple[Folder, TranscriptFile]] = []
        self._walk = _SpacedAction(self._walk_all)
        self._folder_check = _SpacedAction(self._check_folders)

    def files(self) -> list[TranscriptFile]:
        """Return every file, as of the last poll."""
        return [file for folder in self._folders.values() for file in folder.files.values()]

    def poll(self) -> bool:
        """Return whether a file was added, removed or changed."""
        if self._walk.is_due():
            changed = self._walk.run()
            self._index_files()  # the folders are new objects, even if they hold the same
            return changed
        changed = self._check_recent_files()
        if self._folder_check.is_due():
            changed = self._folder_check.run() or changed
        if changed:
            self._index_files()
        return changed

    def _walk_all(self) -> bool:
        before = self._folders
        self._folders = {(f.place.root, f.place.path): f for f in walk(self.roots)}
        return _contents(before) != _contents(self._folders)

    def _check_folders(self) -> bool:
        changed = False
        for key, folder in list(self._folders.items()):
            if _mtime(folder.place.path) != folder.mtime:
                fresh = read_folder(folder.place)
                if fresh.files == folder.files:
                    fresh = fresh._replace(files=folder.files)  # the dict that _recent refers to
                self._folders[key] = fresh
                changed = self._walk_new_folders(fresh) or changed or fresh.files != folder.files
        return changed

    def _walk_new_folders(self, folder: Folder) -> bool:
        changed = False
        for place in folder.inner:
            if (place.root, place.path) not in self._folders:
                for new in walk_below(place):
                    self._folders[place.root, new.place.path] = new
                    changed = changed or bool(new.files)
        return changed

    def _check_recent_files(self) -> bool:
        changed = False
        for index, (folder, known) in enumerate(self._recent):
            try:
                present = updated(known, stat_path(known.path))
            except OSError:
                changed = folder.files.pop(known.path, None) is not None or changed
                continue
            if present != known:
                folder.files[known.path] = present
                self._recent[index] = (folder, present)
                changed = True
        return changed

    def _index_files(self) -> None:
        oldest = time.time() - RECENT_SECONDS
        pairs = ((d, f) for d in self._folders.values() for f in d.files.values())
        self._recent = [(folder, file) for folder, file in pairs if file.mtime >= oldest]
        files = self.files()
        self.size = DataSize(len(files), sum(file.size for file in files))
        self.unreadable = tuple(find_unreadable(self.roots, self._folders.values()))


class _SpacedAction:
    """An action that is due again after a pause many times as long as it took."""

    def __init__(self, action: Callable[[], bool]) -> None:
        self._action = action
        self._next = 0.0

    def is_due(self) -> bool:
        return time.monotonic() >= self._next

    def run(self) -> bool:
        began = time.monotonic()
        changed = self._action()
        ended = time.monotonic()
        self._next = ended + pause_after(ended - began)
        return changed


def pause_after(seconds: float) -> float:
    """Return the seconds to wait after an action that took so many.

    >>> pause_after(0.01), pause_after(0.1), pause_after(0.5)
    (10.0, 30.0, 50.0)
    """
    return max(MIN_SHARE * seconds, min(USUAL_SHARE * seconds, MAX_PAUSE))


def _contents(
    folders: dict[tuple[int, str], Folder],
) -> dict[tuple[int, str], dict[str, TranscriptFile]]:
    return {key: folder.files for key, folder in folders.items() if folder.files}


def _mtime(path: str) -> int:
    try:
        return stat_path(path).st_mtime_ns
    except OSError:
        return -1
