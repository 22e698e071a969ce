"""Keep the few small files this program writes: atomic, private, versioned."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Optional

from monitor.store.paths import private_dir

VERSION = 1
MAX_BYTES = 64 * 2**20
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def load(path: Path) -> Optional[dict[str, Any]]:
    """Read a state file; None when there is none that can be understood.

    One that cannot is set aside as `<name>.unreadable`, never overwritten or deleted.
    """
    try:
        flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(path, os.O_RDONLY | flags)
        with os.fdopen(descriptor, encoding="utf-8") as file:
            data = json.loads(file.read(MAX_BYTES))
    except OSError:
        return None
    except (ValueError, RecursionError):
        _set_aside(path)
        return None
    if not isinstance(data, dict) or data.get("version") != VERSION:
        _set_aside(path)
        return None
    return data


def digest(text: str) -> str:
    """Return 16 digits that stand for a text in a file's name: told apart, not protected."""
    data = text.encode("utf-8", "surrogateescape")
    return f"{zlib.crc32(data):08x}{zlib.adler32(data):08x}"


def save(path: Path, data: dict[str, Any]) -> None:
    """Replace a state file in one step: a reader sees the old one or the new. Raises OSError."""
    private_dir(path.parent)
    text = json.dumps({"version": VERSION, **data}, separators=(",", ":"))
    replace_file(path, text.encode("utf-8", "surrogateescape"))


def replace_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a file anew and rename it over the old name. Raises OSError; then nothing has changed.

    A planted symbolic link of that name is replaced, not followed.
    """
    # The tempfile module would cost the status line a tenth of its time.
    name = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    descriptor = os.open(name, NEW_FILE, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        if mode != 0o600:
            name.chmod(mode)
        name.replace(path)
    except BaseException:
        name.unlink()
        raise


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a state file while it is read, changed and saved. Raises OSError.

    Where the platform has no such lock the last writer wins, with a whole file all the same.
    """
    private_dir(path.parent)
    try:
        import fcntl
    except ImportError:
        yield
        return
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(path.with_name(f".{path.name}.lock"), flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _set_aside(path: Path) -> None:
    with suppress(OSError):  # in a read-only directory it stays as it is, and is not used
        path.replace(path.with_name(f"{path.name}.unreadable"))
