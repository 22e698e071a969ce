"""Notice what changes among the transcripts, at a price of at most 1 % of a core.

Files written to within three days are asked about at every look. Directories, which tell of files
that came, went or were replaced, are too unless there are thousands. An older file that is written
to again (a session resumed) shows when all are walked: some 15 s later with 4,000 files, 90 s later
with 100,000.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from monitor.model.reading import DataSize
from monitor.transcripts.data_dirs import (
    DataFile,
    Folder,
    ask,
    described,
    read_folder,
    walk,
    walk_below,
)

USUAL_SHARE, LONGEST_SECONDS, LEAST_SHARE = 1000, 30.0, 100
"""Walking all files, and asking about all directories, each wait 1,000 times what they took, but no
longer than 30 seconds unless that would cost more than a hundredth of a core."""

HOT_SECONDS = 3 * 24 * 3600.0


class Files:
    """The transcripts below some data directories; `look` brings them up to date."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)
        self._folders: dict[tuple[int, str], Folder] = {}
        self._hot: list[tuple[Folder, DataFile]] = []
        self._walks = _Spaced(self._walk)
        self._folder_looks = _Spaced(self._look_at_folders)
        self.size = DataSize()

    def all(self) -> list[DataFile]:
        """Return every file as last seen."""
        return [file for folder in self._folders.values() for file in folder.files.values()]

    def look(self) -> bool:
        """Return whether anything has changed since the last look (or was there at the first)."""
        if self._walks.is_due():
            changed = self._walks.run()
            self._take_stock()  # there are new folders, even if they hold the same
            return changed
        changed = self._look_at_hot()
        if self._folder_looks.is_due():
            changed = self._folder_looks.run() or changed
        if changed:
            self._take_stock()
        return changed

    def _walk(self) -> bool:
        before = self._folders
        self._folders = {(f.place.root, f.place.path): f for f in walk(self._roots)}
        return _contents(before) != _contents(self._folders)

    def _look_at_folders(self) -> bool:
        changed = False
        for key, folder in list(self._folders.items()):
            if _mtime(folder.place.path) != folder.mtime:
                fresh = read_folder(folder.place)
                if fresh.files == folder.files:
                    fresh = fresh._replace(files=folder.files)  # that which the hot files are in
                self._folders[key] = fresh
                changed = self._walk_new_ones(fresh) or changed or fresh.files != folder.files
        return changed

    def _walk_new_ones(self, folder: Folder) -> bool:
        changed = False
        for place in folder.inner:
            if (place.root, place.path) not in self._folders:
                for found in walk_below(place):
                    self._folders[place.root, found.place.path] = found
                    changed = changed or bool(found.files)
        return changed

    def _look_at_hot(self) -> bool:
        changed = False
        for index, (folder, known) in enumerate(self._hot):
            try:
                seen = described(known, ask(known.path))
            except OSError:
                changed = folder.files.pop(known.path, None) is not None or changed
                continue
            if seen != known:
                folder.files[known.path] = seen
                self._hot[index] = (folder, seen)
                changed = True
        return changed

    def _take_stock(self) -> None:
        oldest = time.time() - HOT_SECONDS
        pairs = ((d, f) for d in self._folders.values() for f in d.files.values())
        self._hot = [(folder, file) for folder, file in pairs if file.mtime >= oldest]
        files = self.all()
        self.size = DataSize(len(files), sum(file.size for file in files))


class _Spaced:
    """Something done again only when many times as long as it took has passed."""

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


def pause_after(took: float) -> float:
    """Return how many seconds to wait after something that took that long.

    >>> pause_after(0.01), pause_after(0.1), pause_after(0.5)
    (10.0, 30.0, 50.0)
    """
    return max(LEAST_SHARE * took, min(USUAL_SHARE * took, LONGEST_SECONDS))


def _contents(folders: dict[tuple[int, str], Folder]) -> dict[tuple[int, str], dict[str, DataFile]]:
    return {key: folder.files for key, folder in folders.items() if folder.files}


def _mtime(path: str) -> int:
    try:
        return ask(path).st_mtime_ns
    except OSError:
        return -1
