"""Lend a private directory to one process, and remove those that killed processes left."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Optional

from monitor.store.paths import cache_dir, private_dir, temporary_dir

ALIVE = "alive"
YOUNG_SECONDS = 60.0
"""A younger directory may not have its lock yet."""


@contextmanager
def workspace(data_dirs: Sequence[Path]) -> Iterator[Path]:
    """Lend a private directory; remove it afterwards. Raises OSError if none can be made.

    It is on the file system of the data if possible, since hard links need that. Nothing is ever
    written into Claude's own directories.
    """
    base = _base(data_dirs)
    _sweep(base)
    path = base / f"run-{os.urandom(6).hex()}"
    path.mkdir(0o700)
    alive = _hold(path / ALIVE)
    try:
        yield path
    finally:
        alive.close()
        _remove(path)


def _remove(path: Path) -> None:
    """Remove a directory; a poll that is just ending may still put a link into it."""
    for _ in range(5):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
        time.sleep(0.02)


def _base(data_dirs: Sequence[Path]) -> Path:
    wanted = next((_device(path) for path in data_dirs if _device(path) is not None), None)
    made = [path for path in (_cache_base(), _temporary_base()) if path is not None]
    for path in made:
        if wanted is None or _device(path) == wanted:
            return path
    if not made:
        raise OSError("no private directory can be made, neither in the cache nor in the temp dir")
    return made[0]


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


def _device(path: Path) -> Optional[int]:
    try:
        return path.stat().st_dev
    except OSError:
        return None


def _hold(path: Path) -> IO[str]:
    """Open and lock a file; the lock ends with the process, however that ends."""
    file = path.open("w")
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
    except ImportError:
        pass  # on Windows an open file cannot be deleted, which serves as the lock
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
    except OSError:
        return True


def _cannot_delete(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
        return False
    except OSError:
        return True
