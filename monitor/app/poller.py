"""One look after another: the reading, the history kept beside it, and what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Optional

from monitor.app.reader import Reader
from monitor.ccusage.runner import CcusageError
from monitor.model.blocks import SESSION, Block, active_block, real_blocks
from monitor.model.history import CompletedBlock, History, merged
from monitor.model.official import OfficialLimits, final_percent
from monitor.model.plans import CUSTOM_MAX
from monitor.model.reading import Reading
from monitor.model.usage import Rules, Usage, measure
from monitor.store.history import add_to_history, history_path, load_history
from monitor.store.official import load_official
from monitor.store.reading import Saved, confirm_last, load_last, save_last

HISTORY_AGE = timedelta(hours=24)
"""How often the whole history is read again: the highest block changes rarely."""

HISTORY_RETRY = timedelta(hours=1)
"""Reading the whole history costs seconds of CPU: one that failed is not tried again at once."""


@dataclass(frozen=True)
class PollResult:
    """What is known after a look; `error` is why there is no reading, or only an older one."""

    reading: Optional[Reading] = None
    history: Optional[History] = None
    error: Optional[CcusageError] = None
    official: Optional[OfficialLimits] = None
    history_error: Optional[str] = None


class Poller:
    """Poller through one Reader, and keeps the last good reading and the history."""

    def __init__(self, reader: Reader, state_dir: Path, clock: Callable[[], datetime]) -> None:
        self.reader = reader
        self._state_dir = state_dir
        self._clock = clock
        self._seen = PollResult()
        self._path: Optional[Path] = None
        self._history_error: Optional[str] = None
        self._shared: Optional[Reading] = None
        self._saved: Saved = None
        self._tried_at: Optional[datetime] = None
        self._offered: Sequence[CompletedBlock] = ()

    @property
    def seen(self) -> PollResult:
        """What the last look brought."""
        return self._seen

    def poll(self, *, series: bool = True) -> PollResult:
        """Look once. A failed look gives the last good reading, marked stale, and the error.

        Without `series` a first frame is there in half the time, and the next look completes it.
        """
        try:
            reading = self.reader.poll(self._clock(), series=series)
        except CcusageError as error:
            self._seen = self._with_official(failed(self._seen, error))
            return self._seen
        official = load_official(self._state_dir, reading.data_dirs)
        history = self._history_beside(reading, official)
        self._seen = PollResult(reading, history, None, official, self._history_error)
        if not reading.partial:
            self._share(reading)
        return self._seen

    def wants_history(self) -> bool:
        """Whether the whole history has not been read for a day, or never, or may have a hole."""
        history = self._seen.history
        if self._seen.reading is None or self._seen.error is not None:
            return False
        now = self._clock()
        if self._tried_at is not None and timedelta() <= now - self._tried_at < HISTORY_RETRY:
            return False
        read_at = history.read_at if history else None
        if read_at is None or not timedelta() <= now - read_at <= HISTORY_AGE:
            return True
        return _may_lack_blocks(self._seen.reading, read_at)

    def read_history(self) -> PollResult:
        """Read the whole history, keep it, and check the window against it.

        A failure is said as a warning; the history is read again at a later look.
        """
        before = self._seen.reading
        assert before is not None and self._path is not None  # noqa: S101 - wants_history() is true
        self._tried_at = self._clock()
        try:
            blocks = self.reader.full_scan()
        except CcusageError as error:
            self._history_error = error.reason
            self._seen = replace(self._seen, history_error=error.reason)
            return self._seen
        self._history_error = None
        ended = [CompletedBlock(b) for b in real_blocks(blocks) if b.end <= self._clock()]
        completed = _with_percents(ended, self._seen.official, self._clock())
        history = add_to_history(self._path, completed, self._clock())
        seen = self.poll()
        self._seen = replace(seen, history=history)
        whole = active_block(blocks, self._clock())
        if seen.error is None and not _agree(before, whole, seen.reading, self._clock()):
            self.reader.distrust_window(whole.end if whole else self._clock() + SESSION)
            self._seen = replace(self.poll(), history=history)
        return self._seen

    def _with_official(self, seen: PollResult) -> PollResult:
        """Take in what the status line captured since: it does not depend on ccusage."""
        if seen.reading is None:
            return seen
        return replace(seen, official=load_official(self._state_dir, seen.reading.data_dirs))

    def _share(self, reading: Reading) -> None:
        """Keep the reading for whoever would otherwise run ccusage again."""
        shared = self._shared
        if shared is not None and replace(reading, read_at=shared.read_at) == shared:
            self._saved = confirm_last(self._state_dir, reading, self._saved)
        else:
            self._shared, self._saved = reading, save_last(self._state_dir, reading)

    def _history_beside(
        self, reading: Reading, official: Optional[OfficialLimits]
    ) -> Optional[History]:
        path = history_path(self._state_dir, reading.data_dirs, reading.ccusage_version)
        known = self._seen.history
        if path != self._path:
            self._path, known, self._tried_at = path, load_history(path), None
            self._offered = ()
        if known is None or known.read_at is None:
            return known
        new = [b for b in _completed(reading, official) if not _is_known(b, known)]
        if not new or new == self._offered:
            return known  # `merged` may have refused them once: not at every look again
        self._offered = new
        kept = add_to_history(path, new, None)
        # Where nothing can be kept, what is known by now must not be lost either.
        return History(merged(known.completed, kept.completed), kept.read_at or known.read_at)


def failed(seen: PollResult, error: CcusageError) -> PollResult:
    """Return what is left of what was known when a look fails: the last good reading, stale."""
    old = seen.reading
    stale = replace(old, stale=True, error=error.reason) if old else None
    return replace(seen, reading=stale, error=error)


def needs_history(rules: Rules, usage: Usage) -> bool:
    """Whether the limit depends on blocks that only the history has."""
    if rules.token_limit is not None or usage.reading.scan == "full":
        return False
    passed_pro = rules.plan == "pro" and usage.exceeded
    return rules.plan == CUSTOM_MAX or passed_pro


def measured(seen: PollResult, rules: Rules, now: datetime) -> Usage:
    """Measure what was seen; there must be a reading."""
    assert seen.reading is not None  # noqa: S101 - callers have checked
    reading = replace(seen.reading, history_error=seen.history_error)
    return measure(reading, seen.history, rules, now, seen.official)


def kept_usage(
    state_dir: Path,
    data_dirs: Sequence[str],
    rules: Rules,
    now: datetime,
    options_key: Optional[str] = None,
) -> Optional[Usage]:
    """Measure the last reading that a monitor kept (of one kind); None when there is none."""
    last = load_last(state_dir, data_dirs, options_key)
    if last is None:
        return None
    history = load_history(history_path(state_dir, data_dirs, last.ccusage_version))
    return measured(
        PollResult(last, history, official=load_official(state_dir, data_dirs)), rules, now
    )


def _may_lack_blocks(reading: Reading, read_at: datetime) -> bool:
    """Whether blocks may have ended unseen between a full scan and what a window shows."""
    first = next(iter(real_blocks(reading.blocks)), None)
    return reading.scan == "window" and first is not None and first.start > read_at


def _completed(reading: Reading, official: Optional[OfficialLimits]) -> list[CompletedBlock]:
    ended = [b for b in real_blocks(reading.blocks) if b.end <= reading.read_at]
    return _with_percents([CompletedBlock(b) for b in ended], official, reading.read_at)


def _with_percents(
    completed: Sequence[CompletedBlock], official: Optional[OfficialLimits], now: datetime
) -> list[CompletedBlock]:
    """Put the final official percentage beside each block of which it is known."""
    percents = [final_percent(official, item.block, now) for item in completed]
    return [replace(item, official_percent=p) for item, p in zip(completed, percents)]


def _is_known(new: CompletedBlock, history: History) -> bool:
    """Whether the history has all that is known of a block."""
    block = new.block
    return any(
        kept.block.start == block.start
        and kept.block.tokens.counted >= block.tokens.counted
        and new.official_percent in (None, kept.official_percent)
        for kept in reversed(history.completed)
    )


def _agree(
    before: Reading, whole: Optional[Block], after: Optional[Reading], now: datetime
) -> bool:
    """Whether a full scan fits between the window's readings before and after it."""
    old, new = active_block(before.blocks, now), active_block(after.blocks if after else (), now)
    if whole is None:
        # A first message may have come after the scan; one that came before it must be in it.
        return old is None or new is None
    if new is None:
        return False
    floor = old.tokens.counted if old and old.start == whole.start else 0
    return whole.start == new.start and floor <= whole.tokens.counted <= new.tokens.counted
