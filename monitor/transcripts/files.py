"""List the transcripts below data directories, without reading any."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple, Optional, Union

from monitor.transcripts.data_dirs import projects_of

SETTLED_SECONDS = 2.5
"""A directory that changed more recently may change again unseen: FAT stores times in 2 s."""

Before = Callable[[str], None]
"""Called with the path of a directory before it is read."""


class TranscriptFile(NamedTuple):
    """A transcript as the file system describes it; `relative` is below `projects` of its root.

    `access` is its mode, user and group: a change of them can make it readable. `is_link` is true
    if a symbolic link leads to it, or to a directory above it; ccusage 20 follows none.
    """

    path: str
    root: int
    relative: str
    size: int
    mtime: float
    inode: int
    device: int
    access: tuple[int, int, int]
    is_link: bool


class Place(NamedTuple):
    """A directory of a root; the first `cut` characters of its paths are those of `projects`."""

    path: str
    root: int
    cut: int
    is_link: bool


class Folder(NamedTuple):
    """The content of a directory; `mtime` (ns) is None while the same time may hide a change.

    It is not readable if it, or something in it, may not be looked at.
    """

    place: Place
    mtime: Optional[int]
    files: dict[str, TranscriptFile]
    inner: tuple[Place, ...]
    is_readable: bool = True


def scan(roots: Sequence[Path]) -> list[TranscriptFile]:
    """List every transcript below the data directories; unreadable directories are left out."""
    return [file for folder in walk(roots) for file in folder.files.values()]


def walk(roots: Sequence[Path], before: Optional[Before] = None) -> Iterator[Folder]:
    """Read the `projects` of each data directory, and every directory below it."""
    for index, root in enumerate(roots):
        top = os.path.realpath(projects_of(root))
        yield from walk_below(Place(top, index, len(top) + 1, is_link=False), before)


def walk_below(place: Place, before: Optional[Before] = None) -> Iterator[Folder]:
    """Read one directory and every directory below it; each linked directory once."""
    waiting, seen = [place], set[tuple[int, int]]()
    while waiting:
        place = waiting.pop()
        if before:
            before(place.path)
        folder = read_folder(place)
        yield folder
        waiting += [inner for inner in folder.inner if not inner.is_link or _is_new(inner, seen)]


def read_folder(place: Place) -> Folder:
    """Read one directory; an unreadable one counts as empty."""
    files: dict[str, TranscriptFile] = {}
    inner: list[Place] = []
    try:
        mtime = _settled(stat_path(place.path))
        with os.scandir(place.path) as entries:
            added = [_add_entry(entry, place, files, inner) for entry in entries]
    except OSError as error:
        return Folder(place, None, files, tuple(inner), not isinstance(error, PermissionError))
    return Folder(place, mtime, files, tuple(inner), all(added))


def read_entry(path: str, above: Place) -> Union[TranscriptFile, Place, None]:
    """Look at one entry of a directory; None if it is gone, or no transcript and no directory."""
    try:
        is_link, info = above.is_link or os.path.islink(path), stat_path(path)  # noqa: PTH114
    except OSError:
        return None
    if path.endswith(".jsonl") and S_ISREG(info.st_mode):
        relative = path[above.cut :]
        return TranscriptFile(path, above.root, relative, *_stat_fields(info), is_link)
    return Place(path, above.root, above.cut, is_link) if S_ISDIR(info.st_mode) else None


def stat_path(path: str) -> os.stat_result:
    """Return the status of a path; links are followed. Raises OSError."""
    return os.stat(path)  # noqa: PTH116 - a Path for each of 100,000 files costs more than this


def updated(file: TranscriptFile, info: os.stat_result) -> TranscriptFile:
    """Return the file with the values of `info`."""
    return TranscriptFile(file.path, file.root, file.relative, *_stat_fields(info), file.is_link)


def _stat_fields(info: os.stat_result) -> tuple[int, float, int, int, tuple[int, int, int]]:
    access = (info.st_mode, info.st_uid, info.st_gid)
    return info.st_size, info.st_mtime, info.st_ino, info.st_dev, access


def _add_entry(
    entry: os.DirEntry[str], place: Place, files: dict[str, TranscriptFile], inner: list[Place]
) -> bool:
    """Add an entry of a directory; return False if permissions keep it from being looked at."""
    try:
        path, is_link = entry.path, place.is_link or entry.is_symlink()
        if entry.name.endswith(".jsonl") and entry.is_file():
            fields = _stat_fields(entry.stat())
            files[path] = TranscriptFile(path, place.root, path[place.cut :], *fields, is_link)
        elif entry.is_dir():
            inner.append(Place(path, place.root, place.cut, is_link))
    except OSError as error:
        return not isinstance(error, PermissionError)
    return True


def _settled(info: os.stat_result) -> Optional[int]:
    return info.st_mtime_ns if time.time() - info.st_mtime > SETTLED_SECONDS else None


def _is_new(place: Place, seen: set[tuple[int, int]]) -> bool:
    """Return whether a linked directory was not read yet: links can form circles."""
    try:
        info = stat_path(place.path)
    except OSError:
        return False
    identity = (info.st_dev, info.st_ino)
    if identity in seen:
        return False
    seen.add(identity)
    return True
