"""Keep the few small files this program writes: atomic, private, versioned, one record each.

A dataclass becomes a JSON object with the names of its fields, a NamedTuple a list. The annotations
of the fields say what is accepted; `load` is strict, since a file may be damaged or planted.

There are libraries for this. But the fastest to import, msgspec, would make the status line a tenth
slower, cattrs and mashumaro a third, pydantic more.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import stat
import time
import zlib
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar, Union, get_args, get_origin, get_type_hints

from monitor.store.paths import open_at_once, private_dir

VERSION = 2
MAX_BYTES = 64 * 2**20
UNFINISHED = "[0-9a-f]" * 12
"""What `replace_file` adds to the name of a file that is not complete yet, as a pattern."""

ABANDONED_SECONDS = 3600.0
"""No write takes this long: an unfinished file of this age is one that a killed process left."""

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

MAX_NUMBER = 10**15
"""Tokens, bytes, dollars, percent: no number in these files is negative, or comes near this."""

NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
"""What a file system without locks answers, such as NFS without its lock service."""

FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What data of an unexpected shape may raise."""

Record = TypeVar("Record", bound=Hashable)
Raw = dict[str, Any]
Upgrade = Callable[[Raw], Raw]
Decoder = Callable[[Any], Any]


class NewerFileError(OSError):
    """A newer version of this program has written the file, which is left alone."""


def load(path: Path, kind: type[Record], upgrade: Upgrade = lambda raw: raw) -> Optional[Record]:
    """Read the record of a file; None if there is none, or none that can be used.

    `upgrade` turns the data of a file of version 1 into the present shape. A file that cannot be
    used is set aside as `<name>.unreadable`, never overwritten or deleted.
    """
    try:
        return load_to_change(path, kind, upgrade)
    except NewerFileError:
        return None


def load_to_change(
    path: Path, kind: type[Record], upgrade: Upgrade = lambda raw: raw
) -> Optional[Record]:
    """Read a record as `load` does, to save a changed one. Raises NewerFileError."""
    try:
        with open(path, encoding="utf-8", opener=_open_planted) as file:
            raw = json.loads(file.read(MAX_BYTES))
        version = _number(_checked(raw["version"], int))
        if version == 0:
            raise ValueError("version 0")
        if version <= VERSION:
            record: Record = _decoder(kind)(upgrade(raw) if version == 1 else raw)
            return record
    except OSError:
        return None
    except FAULTS:
        _set_aside(path)
        return None
    raise NewerFileError(errno.EEXIST, "a newer version's file", str(path))


@dataclass(frozen=True)
class AnyRecord:
    """What every file of this program holds."""

    version: int


def check_changeable(path: Path) -> None:
    """Raise OSError if the record of a file cannot be changed: it is locked, or a newer one."""
    with locked(path, 1.0):
        load_to_change(path, AnyRecord)


def file_stamp(path: Path) -> Optional[tuple[int, int]]:
    """Return inode and mtime of a file, which tell whether another process has changed it."""
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_ino, info.st_mtime_ns


def save(path: Path, record: object, *, durable: bool = False) -> None:
    """Replace a file in one step: a reader sees the old record or the new. Raises OSError.

    `durable` costs some milliseconds, and is for what cannot be made again.
    """
    private_dir(path.parent)
    if _is_old(path):
        _sweep(path.parent)
    content = {"version": VERSION, **_plain(record)}
    text = json.dumps(content, separators=(",", ":"), default=_plain)
    replace_file(path, text.encode("utf-8", "surrogateescape"), durable=durable)


def digest(text: str) -> str:
    """Return a short hash for use in file names; not cryptographic."""
    data = text.encode("utf-8", "surrogateescape")
    return f"{zlib.crc32(data):08x}{zlib.adler32(data):08x}"


def replace_file(
    path: Path, data: bytes, mode: Optional[int] = 0o600, *, durable: bool = False
) -> None:
    """Replace a file in one step. Raises OSError; then nothing has changed.

    A planted symbolic link of that name is replaced, not followed. Without a `mode` the umask
    decides. A `durable` file is on the disk before it takes its place: after a power failure some
    file systems would show an empty one there.
    """
    # The tempfile module would cost the status line a tenth of its time.
    name = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    descriptor = os.open(name, NEW_FILE, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(descriptor)
        if mode not in (None, 0o600):
            name.chmod(mode)
        name.replace(path)
    except BaseException:
        name.unlink()
        raise


def mode_of(path: Path) -> Optional[int]:
    """Return the permissions of an existing file, for the one that replaces it; None without it."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


@contextmanager
def locked(path: Path, seconds: float = 5.0) -> Iterator[None]:
    """Hold the lock of a state file while it is read, changed and saved.

    Where the file system has no locks the last writer wins, with a whole file all the same. Raises
    OSError if another process holds the lock for longer than `seconds`: it may be stopped.
    """
    private_dir(path.parent)
    try:
        import fcntl
    except ImportError:
        yield
        return
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(path.with_name(f".{path.name}.lock"), flags, 0o600)
    until = time.monotonic() + seconds
    try:
        while not _take_lock(lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)):
            if time.monotonic() > until:
                raise BlockingIOError(errno.EAGAIN, "another process holds the lock", str(path))
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _take_lock(lock: Callable[[], None]) -> bool:
    """Return False while another process holds the lock; True too where there are no locks."""
    try:
        lock()
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return True


def _set_aside(path: Path) -> None:
    """Rename a file to the first free one of `<name>.unreadable`, `<name>.unreadable.2`, ..."""
    names = (f"{path.name}.unreadable{'' if n == 1 else f'.{n}'}" for n in itertools.count(1))
    free = next(name for name in names if not os.path.lexists(path.with_name(name)))
    with suppress(OSError):  # in a read-only directory it stays as it is, and is not used
        path.replace(path.with_name(free))


def _sweep(directory: Path) -> None:
    """Delete what killed processes left unfinished in a state directory: nobody else's files."""
    for path in directory.glob(f".*.json.{UNFINISHED}"):
        with suppress(OSError):
            if stat.S_ISREG(path.lstat().st_mode) and _is_old(path):
                path.unlink()


def _is_old(path: Path) -> bool:
    """Return whether a file was not written to for an hour, or is not there."""
    try:
        return time.time() - path.lstat().st_mtime > ABANDONED_SECONDS
    except OSError:
        return True


def _open_planted(name: str, flags: int) -> int:
    """Open a file that somebody may have planted: follow no link, wait for no pipe."""
    return open_at_once(name, flags | getattr(os, "O_NOFOLLOW", 0))


def _plain(value: Any) -> Any:
    """Return in JSON's types what the encoder does not know: a time, a mapping or a record.

    Of a record the fields that have their default are left out.
    """
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    pairs = ((field, getattr(value, field.name)) for field in fields(value))
    return {field.name: item for field, item in pairs if item != field.default}


@cache
def _decoder(kind: Any) -> Decoder:
    """Return the function that turns JSON's types into this type, or raises one of FAULTS."""
    if kind in PLAIN:
        return PLAIN[kind]
    origin, args = get_origin(kind), get_args(kind)
    if origin is Union:
        some = _decoder(args[0])
        return lambda raw: None if raw is None else some(raw)
    if origin is tuple:
        item = _decoder(args[0])
        return lambda raw: tuple([item(value) for value in _checked(raw, list)])
    if origin is not None:
        item = _decoder(args[1])
        return lambda raw: {key: item(value) for key, value in _checked(raw, dict).items()}
    return _object_decoder(kind) if is_dataclass(kind) else _list_decoder(kind)


def _object_decoder(kind: Any) -> Decoder:
    hints = get_type_hints(kind)
    needed = {f.name for f in fields(kind) if f.default is f.default_factory is MISSING}
    decoders = {field.name: _decoder(hints[field.name]) for field in fields(kind)}

    def decode(raw: Any) -> Any:
        if not needed <= _checked(raw, dict).keys():
            raise ValueError(f"{needed - raw.keys()} is missing")
        return kind(**{name: of(raw[name]) for name, of in decoders.items() if name in raw})

    return decode


def _list_decoder(kind: Any) -> Decoder:
    decoders = [_decoder(hint) for hint in get_type_hints(kind).values()]

    def decode(raw: Any) -> Any:
        if len(_checked(raw, list)) > len(decoders):
            raise ValueError(f"more than {len(decoders)} values")
        return kind(*[of(value) for of, value in zip(decoders, raw)])

    return decode


def _checked(raw: Any, kind: type) -> Any:
    if type(raw) is not kind:
        raise TypeError(f"{raw!r} is no {kind.__name__}")
    return raw


def _number(raw: Any) -> Any:
    if not 0 <= raw <= MAX_NUMBER:  # not true of NaN either
        raise ValueError(f"{raw!r} is not from 0 to {MAX_NUMBER}")
    return raw


def _time(raw: Any) -> datetime:
    when = datetime.fromisoformat(raw)
    if when.tzinfo is None:
        raise ValueError(f"{raw!r} has no time zone")
    return when if when.tzinfo is timezone.utc else when.astimezone(timezone.utc)


PLAIN: dict[Any, Decoder] = {
    bool: lambda raw: _checked(raw, bool),
    str: lambda raw: _checked(raw, str),
    int: lambda raw: _number(_checked(raw, int)),
    float: lambda raw: float(_number(raw if type(raw) is int else _checked(raw, float))),
    datetime: _time,
}
"""The decoders of the types without parts."""
