"""The history of completed blocks beside the readings: loaded once, added to, renewed daily."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Optional

from monitor.model.blocks import SESSION, Block, real_blocks
from monitor.model.history import CompletedBlock, History, with_scan, with_seen
from monitor.model.official import OfficialLimits, final_percent
from monitor.model.reading import Reading
from monitor.store.history import change_history, claim, history_path, history_stamp, load_history

HISTORY_AGE = timedelta(hours=24)
"""How often the whole history is read again: the highest block changes rarely."""

HISTORY_RETRY = timedelta(hours=1)
"""How long a failed read is not repeated: reading the whole history costs seconds of CPU."""


class HistoryCache:
    """The completed blocks of the data directories that are read, as all processes know them."""

    def __init__(self, state_dir: Path, clock: Callable[[], datetime]) -> None:
        self.history: Optional[History] = None
        self.error: Optional[str] = None
        self._state_dir = state_dir
        self._clock = clock
        self._path = Path()
        self._stamp: Optional[tuple[int, int]] = None
        self._tried_at: Optional[datetime] = None
        self._offered: Sequence[CompletedBlock] = ()

    def load(self, data_dirs: Sequence[str], ccusage_version: Optional[str]) -> None:
        """Load the history of these data directories, if that is another one, or was changed."""
        path = history_path(self._state_dir, data_dirs, ccusage_version)
        if path != self._path:
            self._path, self._stamp, self._tried_at = path, None, None
            self.history, self._offered = None, ()
        stamp = history_stamp(path)
        if stamp is not None and stamp != self._stamp:
            self.history, self._stamp = load_history(path), stamp

    def distrusts_window(self, now: datetime) -> bool:
        """Return whether a full scan of any process has contradicted the window."""
        return self.history is not None and self.history.distrusts_window(now)

    def add_ended(self, reading: Reading, official: OfficialLimits) -> None:
        """Add the blocks of a reading that have ended; not before a first full scan."""
        known = self.history
        if known is None or known.read_at is None:
            return
        ended = [b for b in real_blocks(reading.blocks) if b.end <= reading.read_at]
        completed = _with_percents(ended, official, reading.read_at)
        new = [item for item in completed if not _is_known(item, known)]
        if not new or new == self._offered:
            return  # they may have been refused once: not at every poll again
        self._offered = new
        self._change(lambda stored: replace(stored, completed=with_seen(stored.completed, new)))

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

    def claim(self) -> bool:
        """Return whether this process may have the history read by another one, once an hour."""
        self.begin()
        return claim(self._path, HISTORY_RETRY)

    def add_scan(self, blocks: Sequence[Block], official: OfficialLimits) -> None:
        """Replace what a full scan covers."""
        now = self._clock()
        ended = [b for b in real_blocks(blocks) if b.end <= now]
        completed = _with_percents(ended, official, now)
        self.error = None
        self._change(
            lambda stored: History(
                with_scan(stored.completed, completed), now, _still_distrusted(stored, now)
            )
        )

    def distrust_window(self, until: datetime) -> None:
        """Let all processes read everything until then: a full scan has contradicted the window."""
        self._change(lambda stored: replace(stored, distrusted_until=until))

    def _change(self, change: Callable[[History], History]) -> None:
        try:
            self.history = change_history(self._path, change)
            self._stamp = history_stamp(self._path)
        except OSError:
            # A read-only or full home costs the memory of past blocks, not what this process knows.
            self.history = change(self.history or History())


def _may_lack_blocks(reading: Reading, read_at: datetime) -> bool:
    """Return whether blocks may have ended unseen between a full scan and the window's start."""
    first = next(iter(real_blocks(reading.blocks)), None)
    return reading.source.scan == "window" and first is not None and first.start > read_at


def _still_distrusted(stored: History, now: datetime) -> Optional[datetime]:
    """Return until when the window is not used; a wrong clock may have set a time far ahead."""
    until = stored.distrusted_until
    return until if until is not None and until - now <= SESSION else None


def _with_percents(
    blocks: Sequence[Block], official: OfficialLimits, now: datetime
) -> list[CompletedBlock]:
    """Return completed blocks, each with its final official percentage where that is known."""
    return [CompletedBlock(block, final_percent(official, block, now)) for block in blocks]


def _is_known(new: CompletedBlock, history: History) -> bool:
    """Return whether the history already has all that is known of a block."""
    block = new.block
    return any(
        stored.block.start == block.start
        and (stored.is_checked or stored.block.tokens.counted >= block.tokens.counted)
        and new.official_percent in (None, stored.official_percent)
        for stored in reversed(history.completed)
    )
