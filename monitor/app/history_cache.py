"""The history of completed blocks beside the readings: loaded once, added to, renewed daily."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Optional

from monitor.model.blocks import Block, real_blocks
from monitor.model.history import CompletedBlock, History, merged
from monitor.model.official import OfficialLimits, final_percent
from monitor.model.reading import Reading
from monitor.store.history import add_to_history, history_path, load_history

HISTORY_AGE = timedelta(hours=24)
"""How often the whole history is read again: the highest block changes rarely."""

HISTORY_RETRY = timedelta(hours=1)
"""How long a failed read is not repeated: reading the whole history costs seconds of CPU."""


class HistoryCache:
    """The completed blocks of the data directories that the last reading was of."""

    def __init__(self, state_dir: Path, clock: Callable[[], datetime]) -> None:
        self.history: Optional[History] = None
        self.error: Optional[str] = None
        self._state_dir = state_dir
        self._clock = clock
        self._path: Optional[Path] = None
        self._tried_at: Optional[datetime] = None
        self._offered: Sequence[CompletedBlock] = ()

    def update(self, reading: Reading, official: OfficialLimits) -> None:
        """Load the history that belongs to a reading, and add the blocks that have ended since."""
        path = history_path(self._state_dir, reading.data_dirs, reading.ccusage_version)
        if path != self._path:
            self._path, self.history, self._tried_at = path, load_history(path), None
            self._offered = ()
        known = self.history
        if known is None or known.read_at is None:
            return
        ended = [b for b in real_blocks(reading.blocks) if b.end <= reading.read_at]
        completed = _with_percents(ended, official, reading.read_at)
        new = [item for item in completed if not _is_known(item, known)]
        if not new or new == self._offered:
            return  # `merged` may have refused them once: not at every poll again
        self._offered = new
        stored = add_to_history(path, new, None)
        # Where nothing can be stored, what is known by now must not be lost either.
        both = merged(known.completed, stored.completed)
        self.history = History(both, stored.read_at or known.read_at)

    def is_due(self, reading: Reading) -> bool:
        """Return whether the whole history should be read: never read, a day old, or incomplete."""
        now = self._clock()
        if self._tried_at is not None and timedelta() <= now - self._tried_at < HISTORY_RETRY:
            return False
        read_at = self.history.read_at if self.history else None
        if read_at is None or not timedelta() <= now - read_at <= HISTORY_AGE:
            return True
        return _may_lack_blocks(reading, read_at)

    def begin(self) -> None:
        """Note that the whole history is being read now."""
        self._tried_at = self._clock()

    def add_all(self, blocks: Sequence[Block], official: OfficialLimits) -> None:
        """Add the completed blocks of a full scan."""
        assert self._path is not None  # noqa: S101 - a reading comes before a full scan
        now = self._clock()
        ended = [b for b in real_blocks(blocks) if b.end <= now]
        self.error = None
        self.history = add_to_history(self._path, _with_percents(ended, official, now), now)


def _may_lack_blocks(reading: Reading, read_at: datetime) -> bool:
    """Return whether blocks may have ended unseen between a full scan and the window's start."""
    first = next(iter(real_blocks(reading.blocks)), None)
    return reading.scan == "window" and first is not None and first.start > read_at


def _with_percents(
    blocks: Sequence[Block], official: OfficialLimits, now: datetime
) -> list[CompletedBlock]:
    """Return completed blocks, each with its final official percentage where that is known."""
    return [
        replace(CompletedBlock(b), official_percent=final_percent(official, b, now)) for b in blocks
    ]


def _is_known(new: CompletedBlock, history: History) -> bool:
    """Return whether the history already has all that is known of a block."""
    block = new.block
    return any(
        stored.block.start == block.start
        and stored.block.tokens.counted >= block.tokens.counted
        and new.official_percent in (None, stored.official_percent)
        for stored in reversed(history.completed)
    )
