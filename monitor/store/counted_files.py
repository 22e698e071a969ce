"""Store which transcripts the history has counted, so that a later read takes only what is new."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple, Optional

from monitor.model.slices import Span
from monitor.store.json_file import FAULTS, load, save


class CountedFile(NamedTuple):
    """A transcript as it was when it was counted.

    `name` is a hash of its path, `ending` of its last bytes, and `mtime` is in seconds. `span` is
    None if it holds no answer. None of the texts has a blank.
    """

    name: str
    size: int
    inode: int
    mtime: float
    ending: str = ""
    span: Optional[Span] = None


class CountedFiles(NamedTuple):
    """The transcripts that the history counts, and by which `program` they were counted."""

    program: str = ""
    files: tuple[CountedFile, ...] = ()


@dataclass(frozen=True)
class _Stored:
    """As it is stored: a line for each file, since a million values would take seconds."""

    program: str
    lines: tuple[str, ...]


def counted_path(history: Path) -> Path:
    """Return the file that belongs to a history."""
    return history.with_name(history.name.replace("history-", "counted-", 1))


def load_counted(history: Path) -> CountedFiles:
    """Return what belongs to a history; nothing if there is no such file that can be read."""
    stored = load(counted_path(history), _Stored)
    return CountedFiles(stored.program, tuple(_parsed(stored.lines))) if stored else CountedFiles()


def save_counted(history: Path, counted: CountedFiles) -> None:
    """Store what belongs to a history. If that fails, more is read again the next time."""
    with suppress(OSError):
        save(counted_path(history), _Stored(counted.program, tuple(map(_line, counted.files))))


def _line(file: CountedFile) -> str:
    """Write a file as a line. Times are seconds since 1970."""
    span = file.span
    times = (int(span.first.timestamp()), int(span.last.timestamp()), span.origin) if span else ()
    return " ".join(map(str, (*file[:4], file.ending, *times)))


def _parsed(lines: Iterable[str]) -> Iterable[CountedFile]:
    """Read lines; a file whose line is damaged is not known."""
    for line in lines:
        with suppress(*FAULTS):
            name, size, inode, mtime, ending, *times = line.split(" ")
            span = Span(_time(times[0]), _time(times[1]), times[2]) if times else None
            yield CountedFile(name, int(size), int(inode), float(mtime), ending, span)


def _time(text: str) -> datetime:
    return datetime.fromtimestamp(int(text), timezone.utc)
