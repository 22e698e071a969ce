"""The history of completed blocks beside the readings: loaded once, added to, renewed daily."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Optional

from monitor.model.blocks import (
    SESSION,
    Block,
    active_block,
    real_blocks,
    unpriced_models,
    with_known_cost,
)
from monitor.model.history import CompletedBlock, History, as_checked, with_scan, with_seen
from monitor.model.limit_hits import LimitHit, with_hits
from monitor.model.official import OfficialLimits, final_percent
from monitor.model.reading import Reading
from monitor.model.slices import EARLIEST, Interval, Round
from monitor.store.history import change_history, claim, history_path, load_history
from monitor.store.json_file import file_stamp

HISTORY_AGE = timedelta(hours=24)
"""How often the whole history is read again: the highest block changes rarely."""

HISTORY_RETRY = timedelta(hours=1)
"""How long a failed read is not repeated: reading the whole history costs seconds of CPU."""


SEARCH_NOTED = timedelta(minutes=10)
"""How often it is stored that the transcripts were searched: a new start searches what is newer."""

Change = Callable[[History], History]


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
        self._unsaved: list[Change] = []

    @property
    def is_stored(self) -> bool:
        """Whether other processes can learn all that this one knows."""
        return not self._unsaved

    def load(self, data_dirs: Sequence[str], ccusage_version: Optional[str]) -> None:
        """Load the history of these data directories, if that is another one, or was changed."""
        path = history_path(self._state_dir, data_dirs, ccusage_version)
        if path != self._path:
            self._path, self._stamp, self._tried_at = path, None, None
            self.history, self._unsaved = None, []
        self.reload()

    def reload(self) -> None:
        """Load the history if another process has changed it."""
        stamp = file_stamp(self._path)
        if stamp is not None and stamp != self._stamp:
            self.history, self._stamp = load_history(self._path), stamp
            if self._unsaved:
                self.history = self._with_unsaved(self.history or History())

    @property
    def path(self) -> Path:
        """The file of the history."""
        return self._path

    @property
    def round(self) -> Optional[Round]:
        """The read of the history in slices that is under way, in this process or another one."""
        stored = self._stored_round
        return stored if stored and stored.is_possible else None

    @property
    def _stored_round(self) -> Optional[Round]:
        return self.history.round if self.history else None

    @property
    def counted_until(self) -> Optional[datetime]:
        """Until when the last read has counted all that was there; None if there was none.

        A block that was active then has to be counted again.
        """
        running = self.round
        if self.history is None or running != self._stored_round:
            return None
        at = running.began_at if running else self.history.read_at
        return at - SESSION if at and at >= EARLIEST else None

    def distrusts_window(self, now: datetime) -> bool:
        """Return whether a full scan of any process has contradicted the window."""
        return self.history is not None and self.history.distrusts_window(now)

    def add_ended(self, reading: Reading, official: OfficialLimits) -> None:
        """Add the blocks of a reading that have ended; not before a first full scan."""
        known = self.history
        if known is None or known.read_at is None:
            return
        unpriced = reading.unpriced_models
        completed = _completed(reading.blocks, official, unpriced, reading.read_at)
        active = active_block(reading.blocks, reading.read_at)
        is_full = reading.source.scan == "full"
        join = partial(with_scan, active=active) if is_full else with_seen
        if join(known.completed, completed) != known.completed:
            self._change(
                lambda stored: replace(stored, completed=join(stored.completed, completed))
            )

    def corrected(self, reading: Reading) -> Reading:
        """Return the reading of a window with the counts of full scans where there are some."""
        if self.history is None or reading.source.scan == "full":
            return reading
        return replace(reading, blocks=as_checked(reading.blocks, self.history, reading.read_at))

    def add_hits(self, hits: Sequence[LimitHit], now: datetime) -> None:
        """Add the hits that a search up to `now` has found; note now and then that it was made."""
        known = self.history or History()
        is_noted = known.searched_at is not None and now - known.searched_at < SEARCH_NOTED
        if is_noted and with_hits(known.hits, hits, now) == known.hits:
            return
        self._change(
            lambda stored: replace(stored, hits=with_hits(stored.hits, hits, now), searched_at=now)
        )

    def is_due(self, reading: Reading) -> bool:
        """Return whether the whole history should be read: never read, a day old, or incomplete."""
        now = self._clock()
        if self._tried_at is not None and timedelta() <= now - self._tried_at < HISTORY_RETRY:
            return False
        if self._stored_round is not None:
            return True
        read_at = self.history.read_at if self.history else None
        if read_at is None or not timedelta() <= now - read_at <= HISTORY_AGE:
            return True
        return _may_lack_blocks(reading, read_at)

    def begin(self) -> None:
        """Note that the whole history is being read now."""
        self._tried_at = self._clock()

    def go_on(self) -> None:
        """Note that a part of a slice was read: the next one is due at once."""
        self._tried_at = None

    def claim(self) -> bool:
        """Return whether this process may have the history read by another one, once an hour."""
        self.begin()
        return claim(self._path, HISTORY_RETRY)

    def add_scan(self, blocks: Sequence[Block], official: OfficialLimits) -> None:
        """Replace what a full scan covers."""
        now = self._clock()
        completed = _completed(blocks, official, unpriced_models(blocks), now)
        active = active_block(blocks, now)
        self.error = None
        self._change(
            lambda stored: replace(
                stored,
                completed=with_scan(stored.completed, completed, active),
                read_at=now,
                distrusted_until=_still_distrusted(stored, now),
                round=None,
                unpriced=(),
            )
        )

    def begin_round(self, wanted: Round, *, is_whole: bool) -> Round:
        """Store that a read in slices begins; return the one that another process has just begun.

        A whole one also finds out anew which models have no price.
        """

        def begin(stored: History) -> History:
            other = stored.round
            if other is not None and other != known and other.began_at <= wanted.began_at:
                return stored
            return replace(stored, round=wanted, unpriced=() if is_whole else stored.unpriced)

        known = self._stored_round
        self._change(begin)
        return self.round or wanted

    def add_slice(
        self, blocks: Sequence[Block], cut: Optional[datetime], of: Round, official: OfficialLimits
    ) -> None:
        """Replace what a slice covers: it was read from the end of all that is to do to `cut`."""
        now, interval = self._clock(), of.todo[0]
        active = active_block(blocks, now)
        self.error = None

        def add(stored: History) -> History:
            unpriced = unpriced_models(blocks).union(stored.unpriced)
            scanned = _completed(blocks, official, unpriced, now)
            covered = Interval(cut, interval.until)
            completed = with_scan(stored.completed, scanned, active, covered)
            changed = replace(
                stored,
                completed=tuple(_priced(item, unpriced) for item in completed),
                distrusted_until=_still_distrusted(stored, now),
                unpriced=tuple(sorted(unpriced)),
            )
            if stored.round is None or stored.round.began_at != of.began_at:
                return changed  # another process has finished, or begun anew
            left = stored.round.without(interval, cut)
            if left.todo:
                return replace(changed, round=left)
            return replace(changed, round=None, read_at=left.began_at)

        self._change(add)
        self._tried_at = None if self.round else self._tried_at

    def distrust_window(self, until: datetime) -> None:
        """Let all processes read everything until then: a full scan has contradicted the window."""
        self._change(lambda stored: replace(stored, distrusted_until=until))

    def _change(self, change: Change) -> None:
        """Change the history; what could not be stored is stored with the next change."""
        self._unsaved.append(change)
        try:
            self.history = change_history(self._path, self._with_unsaved)
            self._stamp, self._unsaved = file_stamp(self._path), []
        except OSError:
            # A read-only or full home costs the memory of past blocks, not what this process knows.
            self.history = change(self.history or History())

    def _with_unsaved(self, history: History) -> History:
        for change in self._unsaved:
            history = change(history)
        return history


def _priced(item: CompletedBlock, unpriced: Collection[str]) -> CompletedBlock:
    block = with_known_cost(item.block, unpriced)
    return item if block is item.block else replace(item, block=block)


def _may_lack_blocks(reading: Reading, read_at: datetime) -> bool:
    """Return whether blocks may have ended unseen between a full scan and the window's start."""
    first = next(iter(real_blocks(reading.blocks)), None)
    return reading.source.scan == "window" and first is not None and first.start > read_at


def _still_distrusted(stored: History, now: datetime) -> Optional[datetime]:
    """Return until when the window is not used; a wrong clock may have set a time far ahead."""
    until = stored.distrusted_until
    return until if until is not None and until - now <= SESSION else None


def _completed(
    blocks: Sequence[Block], official: OfficialLimits, unpriced: Collection[str], now: datetime
) -> list[CompletedBlock]:
    """Return the blocks that have ended, with cost and final official percentage where known."""
    ended = (block for block in real_blocks(blocks) if block.end <= now)
    return [
        CompletedBlock(with_known_cost(block, unpriced), final_percent(official, block, now))
        for block in ended
    ]
