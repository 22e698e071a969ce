"""Where the files of this program are: state, cache, and paths as the user types them."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def state_dir() -> Path:
    """Return where this program keeps what it has learned (the platform's state directory)."""
    from platformdirs import user_state_path

    return user_state_path("ccusage-monitor", appauthor=False)


def cache_dir() -> Path:
    """Return where what can be fetched or made again is kept (the platform's cache directory)."""
    from platformdirs import user_cache_path

    return user_cache_path("ccusage-monitor", appauthor=False)


def private_dir(path: Path) -> Path:
    """Make `path` a directory of ours that nobody else can look into. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = path.lstat()
    ours = not hasattr(os, "getuid") or info.st_uid == os.getuid()
    if not stat.S_ISDIR(info.st_mode) or not ours:
        raise PermissionError(f"{path} is not a directory of yours")
    if stat.S_IMODE(info.st_mode) & 0o077:
        path.chmod(0o700)
    return path


def expand_user(name: object) -> Path:
    """Return a path with its `~` expanded; one of an unknown user, or without a home, as it is."""
    return Path(os.path.expanduser(str(name)))  # noqa: PTH111 - pathlib's raises for such a one
