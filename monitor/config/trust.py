"""Say how to mend a settings file that others can change: it must not start programs."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

STARTS_PROGRAMS = frozenset({"ccusage", "claude", "alert_command"})
"""The parameters that name a program to start."""


def how_to_mend(path: Path, info: os.stat_result) -> Optional[str]:
    """Return the command after which only the user and root can change a file; None if it is so.

    `info` is about the opened file: another may have taken its place meanwhile. Windows has no
    such owners and modes, and is not checked. Raises OSError.
    """
    if not hasattr(os, "getuid"):
        return None
    path = path.absolute()
    is_foreign = info.st_uid not in (0, os.getuid())
    writable = [path] if _others_can_write(info) else []
    writable += [folder for folder in dict.fromkeys(_directories(path)) if _is_open(folder)]
    commands = [("chown root", [path] if is_foreign else []), ("chmod go-w", writable)]
    parts = [f"{name} {shlex.join(map(str, paths))}" for name, paths in commands if paths]
    return " && ".join(parts) or None


def _directories(path: Path) -> Iterator[Path]:
    """Yield every directory that decides which file a path leads to, those of its links too."""
    for place in (*reversed(path.parents), path):
        yield place.parent
        if place.is_symlink():
            yield from _directories(place.parent / place.readlink())


def _is_open(folder: Path) -> bool:
    """Return whether others can replace what is in a directory; a sticky bit keeps them from it."""
    info = folder.stat()
    return _others_can_write(info) and not info.st_mode & stat.S_ISVTX


def _others_can_write(info: os.stat_result) -> bool:
    """Return whether the group or others can write; a group of the user alone does not count.

    Where each user has such a group, editors make files that it can write (umask 002).
    """
    if info.st_mode & 0o002:
        return True
    return bool(info.st_mode & 0o020) and not _is_private_group(info.st_gid)


def _is_private_group(group: int) -> bool:
    import grp
    import pwd

    try:
        user, found = pwd.getpwuid(os.getuid()), grp.getgrgid(group)
    except KeyError:
        return False
    alone = user.pw_gid == group and found.gr_name == user.pw_name
    return alone and set(found.gr_mem) <= {user.pw_name}
