"""Find Claude's data directories and look at the files in them, without reading any."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from monitor.source.ccusage import CcusageError

ADVICE = "Start Claude Code once, name its directory with --claude-dir, or try --demo."


class DataFile(NamedTuple):
    """A transcript as the file system describes it; `relative` is below `projects` of its root."""

    path: str
    root: int
    relative: str
    size: int
    mtime: float
    inode: int
    device: int
    is_link: bool


def data_dirs(explicit: Sequence[Path], environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the existing data directories that ccusage itself would use.

    `--claude-dir`, else CLAUDE_CONFIG_DIR (a comma-separated list), else both default places.
    Raises CcusageError when none of them is there.
    """
    wanted = list(explicit) or _from_environment(environ) or _defaults(environ)
    found = tuple(dict.fromkeys(path.expanduser().absolute() for path in wanted))
    there = tuple(path for path in found if path.is_dir())
    if not explicit and not _from_environment(environ):
        # As ccusage does: of the default places only those that Claude Code has written to.
        there = tuple(path for path in there if projects_of(path).is_dir()) or there[:1]
    if not there:
        raise CcusageError(f"No Claude data directory: {_list(found)} not found.", ADVICE)
    return there


def projects_of(root: Path) -> Path:
    """Return where the transcripts of a data directory are.

    ccusage 20 also takes the `projects` directory itself for a data directory.
    """
    inner = root / "projects"
    return root if root.name == "projects" and not inner.is_dir() else inner


def scan(roots: Sequence[Path]) -> list[DataFile]:
    """List every transcript below the data directories; what cannot be read is left out."""
    files: list[DataFile] = []
    for index, root in enumerate(roots):
        top = os.path.realpath(projects_of(root))
        files.extend(_walk(top, len(top) + 1, index, set()))
    return files


def _walk(folder: str, cut: int, root: int, seen: set[tuple[int, int]]) -> Iterator[DataFile]:
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:
        return
    for entry in entries:
        try:
            if entry.name.endswith(".jsonl") and entry.is_file():
                yield _data_file(entry, cut, root)
            elif entry.is_dir() and _is_new(entry, seen):
                yield from _walk(entry.path, cut, root, seen)
        except OSError:
            continue


def _data_file(entry: os.DirEntry[str], cut: int, root: int) -> DataFile:
    info = entry.stat()
    return DataFile(
        path=entry.path,
        root=root,
        relative=entry.path[cut:],
        size=info.st_size,
        mtime=info.st_mtime,
        inode=info.st_ino,
        device=info.st_dev,
        is_link=entry.is_symlink(),
    )


def _is_new(entry: os.DirEntry[str], seen: set[tuple[int, int]]) -> bool:
    """Whether a directory was not walked yet: links to directories can form circles."""
    if not entry.is_symlink():
        return True
    info = entry.stat()
    mark = (info.st_dev, info.st_ino)
    if mark in seen:
        return False
    seen.add(mark)
    return True


def _from_environment(environ: Mapping[str, str]) -> list[Path]:
    named = environ.get("CLAUDE_CONFIG_DIR", "").split(",")
    return [Path(name.strip()) for name in named if name.strip()]


def _defaults(environ: Mapping[str, str]) -> list[Path]:
    config = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return [Path(config) / "claude", Path("~/.claude")]


def _list(paths: Sequence[Path]) -> str:
    return " and ".join(str(path) for path in paths)
