"""The record of one look at ccusage: what the source hands to the model."""

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


@dataclass(frozen=True)
class Reading:
    """What ccusage said at one look. Times are UTC.

    `blocks` are exact from the newest silence of five hours on; `events` is the series of counted
    tokens of the active block, None when it could not be had.
    """

    blocks: tuple[Block, ...]
    read_at: datetime
    ccusage_version: Optional[str] = None
    data_dirs: tuple[str, ...] = ()
    missing_dirs: tuple[str, ...] = ()
    """Data directories that the user named and that are not there."""
    scan: str = "full"
    events: Optional[tuple[Event, ...]] = None
    size: DataSize = field(default_factory=DataSize)
    partial: bool = False
    """Whether the series is still to come: the next look brings it."""
    history_error: Optional[str] = None
    """Why the whole history could not be read, when that was tried."""
    options_key: str = ""
    """What else than the data decided on the numbers: which ccusage, and its options."""
    since: Optional[datetime] = None
    """What was modified before it was not handed to ccusage; None: it got everything."""
    fingerprint: Optional[str] = None
    """Stands for the program and the files that this came from: the same say the same."""
    stale: bool = False
    error: Optional[str] = None


def undercounts(version: Optional[str]) -> bool:
    """Whether this ccusage keeps the first line of a streamed answer, not the largest count.

    It is another number for the same block, so the two ways must never meet in one history.
    """
    major = (version or "").split(".")[0]
    return major.isdecimal() and int(major) < FULLY_COUNTING
