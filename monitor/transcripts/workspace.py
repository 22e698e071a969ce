"""Lend a private directory to one process, and remove those that killed processes left."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Optional

from monitor.store.json_file import NO_LOCKS
from monitor.store.paths import cache_dir, private_dir, temporary_dir

ALIVE = "alive"
YOUNG_SECONDS = 60.0
"""A younger directory may not have its lock yet."""

UNLOCKED_SECONDS = 24 * 3600.0
"""How long a directory is left alone where no lock can tell whether its process lives."""

LEAST_BYTES, LEAST_FILES = 2**20, 100
"""A disk with less room is used only if there is no other."""


@contextmanager
def workspace(data_dirs: Sequence[Path]) -> Iterator[Path]:
    """Lend a private directory; remove it afterwards. Raises OSError if none can be made.

    It is on the file system of the data if possible, since hard links need that. Nothing is ever
    written into Claude's own directories.
    """
    path, alive = _make(data_dirs)
    try:
        yield path
    finally:
        alive.close()
        _remove(path)


def _make(data_dirs: Sequence[Path]) -> tuple[Path, IO[str]]:
    """Make the directory where that works: a disk may be full. Raises OSError."""
    problem = OSError("no private directory can be made, neither in the cache nor in the temp dir")
    for base in _bases(data_dirs):
        _sweep(base)
        path = base / f"run-{os.urandom(6).hex()}"
        try:
            path.mkdir(0o700)
            return path, _hold(path / ALIVE)
        except OSError as error:
            problem = error
            _remove(path)
        except BaseException:  # a signal
            _remove(path)
            raise
    raise problem


def _remove(path: Path) -> None:
    """Remove a directory, also if a signal interrupts that: with many links it takes a while."""
    try:
        _remove_all(path)
    except BaseException:
        _remove_all(path)
        raise


def _remove_all(path: Path) -> None:
    """Remove a directory; a poll that is just ending may still put a link into it."""
    for _ in range(5):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
        time.sleep(0.02)


def _bases(data_dirs: Sequence[Path]) -> list[Path]:
    """Return the usable bases: first those with room, of these first those on the data's disk."""
    wanted = next((_device(path) for path in data_dirs if _device(path) is not None), None)
    usable = [path for path in (_cache_base(), _temporary_base()) if path is not None]

    def rank(path: Path) -> tuple[bool, bool]:
        return not _has_room(path), wanted is not None and _device(path) != wanted

    return sorted(usable, key=rank)


def _cache_base() -> Optional[Path]:
    try:
        base = private_dir(cache_dir() / "run")
        return base if os.access(base, os.W_OK) else None
    except OSError:
        return None


def _temporary_base() -> Optional[Path]:
    try:
        return temporary_dir()
    except OSError:
        return None


def _has_room(path: Path) -> bool:
    """Return whether the links of a window fit on the disk; True where that is not known."""
    try:
        info = os.statvfs(path)
    except (AttributeError, OSError):  # Windows has no such function
        return True
    has_files = info.f_files == 0 or info.f_favail >= LEAST_FILES  # btrfs has no such number
    return has_files and info.f_bavail * info.f_frsize >= LEAST_BYTES


def _device(path: Path) -> Optional[int]:
    try:
        return path.stat().st_dev
    except OSError:
        return None


def _hold(path: Path) -> IO[str]:
    """Open and lock a file; the lock ends with the process, however that ends.

    Raises OSError, also if the disk is full.
    """
    file = path.open("w")
    try:
        file.write("alive\n")
        file.flush()
    except OSError:
        file.close()
        raise
    # On Windows an open file cannot be deleted, which serves as the lock. Without locks, other
    # processes sweep the directory when it is a day old: then a poll makes it anew.
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _sweep(base: Path) -> None:
    for path in base.glob("run-*"):
        try:
            if time.time() - path.stat().st_mtime > YOUNG_SECONDS and not _is_held(path / ALIVE):
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue


def _is_held(path: Path) -> bool:
    try:
        import fcntl
    except ImportError:
        return _cannot_delete(path)
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except FileNotFoundError:
        return False
    except OSError as error:
        has_locks = error.errno not in NO_LOCKS
        return has_locks or time.time() - path.stat().st_mtime < UNLOCKED_SECONDS


def _cannot_delete(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
        return False
    except OSError:
        return True
