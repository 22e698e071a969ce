"""Store which transcripts the history has counted, so that a later read takes only what is new."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Optional

from monitor.model.slices import Span
from monitor.store.json_file import load, save


class CountedFile(NamedTuple):
    """A transcript as it was when it was counted.

    `name` is a hash of its path, `ending` of its last bytes, and `mtime` is in seconds. `span` is
    None if it holds no answer.
    """

    name: str
    size: int
    inode: str
    mtime: float
    ending: str = ""
    span: Optional[Span] = None


@dataclass(frozen=True)
class CountedFiles:
    """The transcripts that the history counts, and by which `program` they were counted."""

    program: str = ""
    files: tuple[CountedFile, ...] = ()


def counted_path(history: Path) -> Path:
    """Return the file that belongs to a history."""
    return history.with_name(history.name.replace("history-", "counted-", 1))


def load_counted(history: Path) -> CountedFiles:
    """Return what belongs to a history; nothing if there is no such file that can be read."""
    return load(counted_path(history), CountedFiles) or CountedFiles()


def save_counted(history: Path, counted: CountedFiles) -> None:
    """Store what belongs to a history. If that fails, more is read again the next time."""
    with suppress(OSError):
        save(counted_path(history), counted)
