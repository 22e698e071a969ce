"""Where the files of this program are: settings, state, cache, and paths as the user types them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import NamedTuple, Optional

APP = "ccusage-monitor"


def config_dir() -> Path:
    """Return the directory of the settings file (the platform's config directory)."""
    return _user_dir("config") or temporary_dir() / "config"


def settings_path() -> Path:
    """Return where the settings file is unless `--config` names one."""
    return config_dir() / "config.toml"


def state_dir() -> Path:
    """Return the directory for what this program remembers (the platform's state directory)."""
    return _user_dir("state") or temporary_dir() / "state"


def cache_dir() -> Path:
    """Return the directory for what can be made again (the platform's cache directory)."""
    return _user_dir("cache") or temporary_dir() / "cache"


def has_home() -> bool:
    """Return whether the user has a place for files; in a container, an unknown user has none."""
    return _user_dir("state") is not None


def temporary_dir() -> Path:
    """Return this user's private directory in the temporary directory.

    Raises OSError if it cannot be made, or somebody else has made one of its name.
    """
    import tempfile  # slow to load, and seldom needed

    # The user's id keeps users of a shared /tmp apart.
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    return private_dir(Path(tempfile.gettempdir()) / f"{APP}-{owner}")


def private_dir(path: Path) -> Path:
    """Make `path` a directory of ours that nobody else can look into. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = path.lstat()
    ours = not hasattr(os, "getuid") or info.st_uid == os.getuid()
    if not stat.S_ISDIR(info.st_mode) or not ours:
        raise PermissionError(errno.EACCES, "it is not a directory of yours", str(path))
    if stat.S_IMODE(info.st_mode) & 0o077:
        path.chmod(0o700)
    return path


class DirectoryFault(NamedTuple):
    """Why a directory of ours cannot be used, and what to do about it."""

    reason: str
    advice: str


def directory_fault(path: Path) -> Optional[DirectoryFault]:
    """Return why nothing can be stored in a directory of ours; None if all is well."""
    try:
        private_dir(path)
        if os.access(path, os.W_OK | os.X_OK):
            return None
        advice = "Make it writable, or set XDG_STATE_HOME to a directory of yours."
        return DirectoryFault(f"{path} cannot be written to: nothing is stored.", advice)
    except OSError as error:
        return _why_not_ours(path, error)


def _why_not_ours(path: Path, error: OSError) -> DirectoryFault:
    where = Path(str(error.filename or path))
    if where.is_symlink():
        advice = "Replace it by a directory, or set XDG_STATE_HOME to a directory of yours."
        return DirectoryFault(f"{where} is a symbolic link: nothing is stored.", advice)
    owner = _other_owner(where)
    if owner is not None:
        advice = f"Run: sudo chown -R $(id -un) '{where}'"
        return DirectoryFault(f"{where} belongs to {owner}: nothing is stored.", advice)
    advice = "Set HOME or XDG_STATE_HOME to a directory of yours."
    return DirectoryFault(f"{where} cannot be used ({error.strerror}): nothing is stored.", advice)


def _other_owner(path: Path) -> Optional[str]:
    try:
        return None if path.stat().st_uid == os.getuid() else path.owner()
    except (OSError, AttributeError):
        return None
    except KeyError:
        return f"user {path.stat().st_uid}"


def expand_user(name: object) -> Path:
    """Return a path with its `~` expanded; one of an unknown user, or without a home, as it is."""
    return Path(os.path.expanduser(str(name)))  # noqa: PTH111 - pathlib's raises for such a one


def open_at_once(name: str, flags: int) -> int:
    """Open a file, as an `opener` of `open`; if it is a pipe, wait for nobody who writes to it."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _user_dir(kind: str) -> Optional[Path]:
    """Return the platform's directory for `config`, `state` or `cache`; None without a home."""
    import platformdirs

    try:
        path: Path = getattr(platformdirs, f"user_{kind}_path")(APP, appauthor=False)
    except RuntimeError:
        return None
    return path if path.is_absolute() else None  # older versions return "~/.cache" as it is
