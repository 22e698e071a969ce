"""Notice changes among the transcripts, for at most 1 % of a core.

Where the system tells what has changed, a poll looks at that alone. Only a walk over all files,
once a minute, finds what nobody has told: a file that is also written to under a name elsewhere.
Several accounts take turns with it.

Otherwise each poll checks the files that were written to within three days. It also checks the
directories, which show files that were added, removed or replaced; with thousands of directories
only now and then. If an older file is written to again (a resumed session), the next walk over all
files notices it: after about 15 s with 4,000 files, after 90 s with 100,000.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from monitor.model.reading import DataSize, Unreadable
from monitor.transcripts.data_dirs import data_dirs, projects_of
from monitor.transcripts.files import (
    Folder,
    Place,
    TranscriptFile,
    read_entry,
    read_folder,
    stat_path,
    updated,
    walk,
    walk_below,
)
from monitor.transcripts.notices import Notices
from monitor.transcripts.unreadable import find_unreadable

USUAL_SHARE, MAX_PAUSE, MIN_SHARE = 1000, 30.0, 100
"""After a walk the next one waits 1,000 times as long as it took, at most 30 seconds, but always at
least 100 times as long. The check of all directories waits in the same way."""

NOTICED_PAUSE = 60.0
"""Seconds between two walks at least, where the system tells what has changed."""

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
    """Watches the transcripts of the data directories that ccusage would use.

    Several `watchers` that run at once walk no more often together than one would alone.
    """

    def __init__(self, claude_dirs: Sequence[Path], watchers: int = 1) -> None:
        self._claude_dirs = claude_dirs
        self._watchers = watchers
        self._notices: Optional[Notices] = None
        self._tops: tuple[object, ...] = ()
        self._tree = _Tree((), None, watchers)

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

    @property
    def folders(self) -> int:
        """How many directories there are, as of the last poll."""
        return self._tree.folders

    @property
    def fault(self) -> Optional[str]:
        """Why the system does not tell of changes; None if it does since `listen`."""
        return self._notices.fault if self._notices else "nobody listens"

    def listen(self, on_notice: Callable[[], None]) -> None:
        """Call `on_notice` in another thread when there is something to poll for, until `close`.

        Polls are still needed now and then: not every change is told.
        """
        self.close()
        self._notices = Notices(on_notice)
        self.forget()

    def close(self) -> None:
        """Listen no longer."""
        if self._notices is not None:
            self._notices.close()

    def poll(self) -> bool:
        """Return whether anything has changed since the last poll. Everything is new at the first.

        Raises MonitorError if there is no data directory.
        """
        roots = data_dirs(self._claude_dirs, os.environ)
        # Nobody tells that a directory above those that are watched was replaced.
        tops = self._tops if self.fault else tuple(map(_top, roots))
        is_new = (roots, tops) != (self._tree.roots, self._tops)
        if is_new:
            self._tree, self._tops = _Tree(roots, self._notices, self._watchers), tops
        return self._tree.poll() or is_new

    def forget(self) -> None:
        """Forget everything, so that the next poll reports a change."""
        self._tree = _Tree(self._tree.roots, self._notices, self._watchers)


class _Tree:
    """The directories below some roots, and the files in them."""

    def __init__(
        self, roots: Sequence[Path], notices: Optional[Notices] = None, watchers: int = 1
    ) -> None:
        self.roots = tuple(roots)
        self.size = DataSize()
        self.unreadable: tuple[Unreadable, ...] = ()
        self._notices = notices
        self._watchers = watchers
        self._is_indexed = False
        self._folders: dict[tuple[int, str], Folder] = {}
        self._recent: list[tuple[Folder, TranscriptFile]] = []
        self._walk = _SpacedAction(self._walk_all, watchers)
        self._folder_check = _SpacedAction(self._check_folders, watchers)

    @property
    def folders(self) -> int:
        """How many directories there are."""
        return len(self._folders)

    def files(self) -> list[TranscriptFile]:
        """Return every file, as of the last poll."""
        return [file for folder in self._folders.values() for file in folder.files.values()]

    def poll(self) -> bool:
        """Return whether a file was added, removed or changed."""
        notices = self._listening()
        touched = notices.take() if notices else set()
        if touched is None or self._walk.is_due():
            changed = self._walk.run()
            if self._listening():
                self._walk.put_off(NOTICED_PAUSE * self._watchers)
            self._index_files()  # the folders are new objects, even if they hold the same
            return changed
        changed = self._check_recent_files(linked_only=notices is not None)
        if notices is None and self._folder_check.is_due():
            changed = self._folder_check.run() or changed
        self._is_indexed = not changed
        changed = self._check_touched(touched) or changed
        if not self._is_indexed:
            self._index_files()
        return changed

    def _listening(self) -> Optional[Notices]:
        """Return what the system tells; None if it does not, or no longer."""
        return self._notices if self._notices and self._notices.fault is None else None

    def _watch(self, path: str) -> None:
        if self._notices:
            self._notices.watch(path)

    def _walk_all(self) -> bool:
        before = self._folders
        self._folders = {(f.place.root, f.place.path): f for f in walk(self.roots, self._watch)}
        if self._notices:
            self._notices.keep({path for _, path in self._folders})
        return _contents(before) != _contents(self._folders)

    def _check_touched(self, paths: Iterable[str]) -> bool:
        changed = False
        for path in paths:
            for root in range(len(self.roots)):
                changed = self._drop(root, path) or changed
                folder = self._folders.get((root, os.path.dirname(path)))  # noqa: PTH120
                changed = (folder is not None and self._check_entry(folder, path)) or changed
        return changed

    def _drop(self, root: int, path: str) -> bool:
        """Forget a directory, and all below it; return whether there was one of that path.

        It may be gone, or another one: its entry in the directory above tells that.
        """
        if (root, path) not in self._folders:
            return False
        self._is_indexed = False
        for key in [key for key in self._folders if _is_in(key, root, path)]:
            del self._folders[key]
            if self._notices:
                self._notices.unwatch(key[1])
        return True

    def _check_entry(self, folder: Folder, path: str) -> bool:
        """Look at an entry of a directory; return whether transcripts have changed."""
        entry, known = read_entry(path, folder.place), folder.files.pop(path, None)
        if isinstance(entry, TranscriptFile):
            folder.files[path] = entry
            if known and _is_as_recent(known, entry):  # nearly always: a message was added
                self.size = self.size._replace(bytes=self.size.bytes + entry.size - known.size)
                return entry != known
        self._is_indexed = False
        if isinstance(entry, TranscriptFile):
            return True
        if isinstance(entry, Place) and entry.is_link:
            self._walk.hasten()  # a link leads anywhere: only a walk tells what is new behind it
        elif isinstance(entry, Place):
            return self._walk_new_folder(entry) or known is not None
        return known is not None

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
        new = [place for place in folder.inner if (place.root, place.path) not in self._folders]
        return sum(map(self._walk_new_folder, new)) > 0

    def _walk_new_folder(self, place: Place) -> bool:
        changed = False
        for new in walk_below(place, self._watch):
            self._folders[place.root, new.place.path] = new
            changed = changed or bool(new.files)
        return changed

    def _check_recent_files(self, *, linked_only: bool) -> bool:
        """Look at the recent files; of those behind a link, nobody tells what happens to them."""
        changed = False
        for index, (folder, known) in enumerate(self._recent):
            if linked_only and not known.is_link:
                continue
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

    def __init__(self, action: Callable[[], bool], sharers: int = 1) -> None:
        self._action = action
        self._sharers = sharers
        self._next = 0.0

    def is_due(self) -> bool:
        return time.monotonic() >= self._next

    def hasten(self) -> None:
        self._next = 0.0

    def put_off(self, seconds: float) -> None:
        self._next = max(self._next, time.monotonic() + seconds)

    def run(self) -> bool:
        began = time.monotonic()
        changed = self._action()
        ended = time.monotonic()
        self._next = ended + self._sharers * pause_after(ended - began)
        return changed


def pause_after(seconds: float) -> float:
    """Return the seconds to wait after an action that took so many.

    >>> pause_after(0.01), pause_after(0.1), pause_after(0.5)
    (10.0, 30.0, 50.0)
    """
    return max(MIN_SHARE * seconds, min(USUAL_SHARE * seconds, MAX_PAUSE))


def _is_as_recent(before: TranscriptFile, file: TranscriptFile) -> bool:
    """Return whether a recent file is the same one but for its length and time."""
    is_same = file._replace(size=before.size, mtime=before.mtime) == before
    return is_same and before.mtime >= time.time() - RECENT_SECONDS


def _is_in(key: tuple[int, str], root: int, path: str) -> bool:
    """Return whether the key of a directory is that of `path`, or of one below it."""
    return key[0] == root and f"{key[1]}{os.sep}".startswith(f"{path}{os.sep}")


def _top(root: Path) -> object:
    """Return what tells the directory of a root's transcripts from another one in its place."""
    path = os.path.realpath(projects_of(root))
    try:
        info = stat_path(path)
    except OSError:
        return path
    return path, info.st_dev, info.st_ino


def _contents(
    folders: dict[tuple[int, str], Folder],
) -> dict[tuple[int, str], dict[str, TranscriptFile]]:
    return {key: folder.files for key, folder in folders.items() if folder.files}


def _mtime(path: str) -> int:
    try:
        return stat_path(path).st_mtime_ns
    except OSError:
        return -1
