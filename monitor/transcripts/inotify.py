"""Call inotify, which tells what changes in directories; only Linux has it."""

from __future__ import annotations

import errno
import os
import struct
from typing import Any, NamedTuple

ATTRIB, MODIFY = 0x4, 0x2
MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF = 0x400, 0x800
OVERFLOW, IGNORED, IS_DIR = 0x4000, 0x8000, 0x40000000
ONLY_DIR = 0x01000000
"""As in <sys/inotify.h>."""

WANTED = (
    (ATTRIB | MODIFY | MOVED_FROM | MOVED_TO | CREATE | DELETE)
    | (DELETE_SELF | MOVE_SELF | ONLY_DIR)
)  # fmt: skip

READ_BYTES = 2**16
HEAD = struct.Struct("iIII")


class Event(NamedTuple):
    """What has happened in the directory of a watch; `name` is "" if to the directory itself."""

    watch: int
    mask: int
    name: str


class Inotify:
    """One inotify instance: up to some ten thousand watches, and their events."""

    def __init__(self) -> None:
        """Open the instance. Raises OSError if the system has none, or no more of them."""
        self._libc = _libc()
        # O_NONBLOCK and O_CLOEXEC have the values of IN_NONBLOCK and IN_CLOEXEC.
        self._descriptor = self._call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        """Return the descriptor, which is ready to be read when there are events."""
        return self._descriptor

    def add(self, path: str) -> int:
        """Watch a directory; return the number of its watch, the same for the same directory.

        Raises OSError.
        """
        return self._call("inotify_add_watch", self._descriptor, os.fsencode(path), WANTED)

    def remove(self, watch: int) -> None:
        """End a watch; nothing happens if the system has ended it already."""
        self._libc.inotify_rm_watch(self._descriptor, watch)

    def read(self) -> list[Event]:
        """Return the events that have not been read yet. Raises OSError."""
        events: list[Event] = []
        while True:
            try:
                events += _parsed(os.read(self._descriptor, READ_BYTES))
            except BlockingIOError:
                return events

    def close(self) -> None:
        """End all watches."""
        os.close(self._descriptor)

    def _call(self, name: str, *values: Any) -> int:
        import ctypes

        result = int(getattr(self._libc, name)(*values))
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


def _libc() -> Any:
    """Return the C library that Python itself uses. Raises OSError if it has no inotify."""
    try:
        import ctypes  # takes 4 ms, and only the live monitor needs it

        libc = ctypes.CDLL(None, use_errno=True)
        libc.inotify_init1, libc.inotify_add_watch, libc.inotify_rm_watch  # noqa: B018
    except (AttributeError, ImportError, TypeError) as error:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from error
    return libc


def _parsed(data: bytes) -> list[Event]:
    events, at = [], 0
    while at < len(data):
        watch, mask, _, length = HEAD.unpack_from(data, at)
        at += HEAD.size + length
        name = data[at - length : at].rstrip(b"\0")
        events.append(Event(watch, mask, os.fsdecode(name)))
    return events
