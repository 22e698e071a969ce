"""The record of one reading of ccusage, and of what it was read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Optional

from monitor.model.blocks import Block, Event

FULLY_COUNTING = 19
"""From this major version on ccusage counts the output tokens of a streamed answer fully."""


class DataSize(NamedTuple):
    """How much usage data there is to read."""

    files: int = 0
    bytes: int = 0


class Unreadable(NamedTuple):
    """A transcript or directory that cannot be read, its owner ("" if not known), and a remedy.

    The remedy is a command line that makes it readable.
    """

    path: str
    owner: str
    remedy: str


@dataclass(frozen=True)
class Source:
    """What a reading was made from: which ccusage, which data, and which part of it.

    `scan` is `full`, or `window`: only files modified from `since` (UTC) on. `options_key` stands
    for the options that change the numbers, and `fingerprint` for the program and the files: two
    readings with the same one are the same. `missing_dirs` were named by the user and do not exist;
    `unreadable` are transcripts and directories whose usage is missing.
    """

    ccusage_version: Optional[str] = None
    data_dirs: tuple[str, ...] = ()
    missing_dirs: tuple[str, ...] = ()
    scan: str = "full"
    since: Optional[datetime] = None
    size: DataSize = field(default_factory=DataSize)
    options_key: str = ""
    fingerprint: Optional[str] = None
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True)
class Reading:
    """What ccusage reported at `read_at` (UTC).

    `blocks` are exact from the newest pause of five hours on. `events` is the series of counted
    tokens of the active block; None if it could not be read, or `is_partial` and the next poll
    reads it. `unpriced_models` are those that ccusage has no price for, as far as seen. `error`
    says why a later poll failed: then this reading is stale.
    """

    blocks: tuple[Block, ...]
    read_at: datetime
    source: Source = field(default_factory=Source)
    events: Optional[tuple[Event, ...]] = None
    unpriced_models: tuple[str, ...] = ()
    is_partial: bool = False
    error: Optional[str] = None

    @property
    def is_stale(self) -> bool:
        """Whether a later poll has failed."""
        return self.error is not None


def undercounts(version: Optional[str]) -> bool:
    """Return whether this ccusage counts the first line of a streamed answer, not the largest.

    The same block then has another number, so the two ways must never meet in one history.
    """
    major = (version or "").split(".")[0]
    return major.isdecimal() and int(major) < FULLY_COUNTING
