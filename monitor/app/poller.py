"""Poll the usage: read what has changed, in a thread if wanted, and keep the newest result."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Optional

from monitor.app.breakdown import BlockBreakdowns, BreakdownReader
from monitor.app.exits import as_monitor_error
from monitor.app.history_cache import HistoryCache
from monitor.app.history_reader import HistoryReader
from monitor.app.official import OfficialSource
from monitor.app.pacing import REST, Pace
from monitor.app.reader import Reader
from monitor.clock import utc_now
from monitor.config.settings import STATUS_LINE_ONLY, OfficialOptions
from monitor.errors import MonitorError, NoDataError
from monitor.model.blocks import SESSION, Block, active_block
from monitor.model.breakdown import Breakdown, Part
from monitor.model.history import History
from monitor.model.official import OfficialLimits
from monitor.model.plans import Rules
from monitor.model.reading import DataSize, Reading
from monitor.model.usage import Usage, measure
from monitor.store.paths import directory_fault
from monitor.store.reading import ReadingFile, load_reading
from monitor.transcripts.limit_hits import FIRST_SPAN, RECENT_SPAN, HitSearch
from monitor.transcripts.watcher import Watcher

NOT_STORED = "What was read last could not be stored. See `ccusage-monitor doctor`."

SPLIT_TRIES = 3
"""How often a breakdown is read again while messages come in between."""

POLL_BETWEEN_SLICES = timedelta(seconds=1)
"""After how long a poll interrupts a long read of the history, slice by slice."""

FIRST_RETRY, LAST_RETRY = 3.0, 60.0
"""Seconds before the next poll after a failed one; doubled at each failure."""


@dataclass(frozen=True)
class PollResult:
    """What is known after a poll; `error` says why there is no reading, or only an older one."""

    reading: Optional[Reading] = None
    history: Optional[History] = None
    error: Optional[MonitorError] = None
    official: OfficialLimits = field(default_factory=OfficialLimits)
    history_error: Optional[str] = None
    store_error: Optional[str] = None
    breakdown: Optional[Breakdown] = None

    def measured(self, rules: Rules, now: datetime) -> Optional[Usage]:
        """Return the usage at `now`; None while there is no reading."""
        if self.reading is None:
            return None
        return measure(self.reading, self._noted_history, rules, now, self.official)

    # Once per poll, not per frame: a history remembers what it has worked out.
    @cached_property
    def _noted_history(self) -> History:
        """The history, with what is wrong with it."""
        history = self.history or History()
        return replace(history, error=self.history_error, store_error=self.store_error)


class Poller:
    """Polls when `poll` is called, or again and again after `start`.

    `result` is replaced as a whole by each poll; take it once per turn. `pollers` run at once; one
    that is not shown polls more seldom while the system tells of changes.
    """

    def __init__(
        self,
        reader: Reader,
        state_dir: Path,
        clock: Callable[[], datetime] = utc_now,
        official: OfficialOptions = STATUS_LINE_ONLY,
        pollers: int = 1,
    ) -> None:
        self.reader = reader
        self.is_shown = True
        self._pollers = pollers
        self.official = OfficialSource(official, reader.runner.workdir, state_dir, clock)
        self.result = PollResult()
        self._state_dir = state_dir
        self._clock = clock
        self._watcher = Watcher(reader.options.claude_dirs, pollers)
        self._history = HistoryCache(state_dir, clock)
        self._slices = HistoryReader(reader, self._history)
        self._file = ReadingFile(state_dir)
        self._hits = HitSearch()
        self._breakdowns = BreakdownReader(reader)
        self.block_breakdowns = BlockBreakdowns(self._breakdowns)
        self._is_first = True
        self._history_read_at: Optional[datetime] = None
        self._thread: Optional[_PollThread] = None

    @property
    def spacing(self) -> int:
        """After how many refreshes the next poll comes, if no notice does."""
        return self._pollers if not self.is_shown and self._watcher.fault is None else 1

    @property
    def size(self) -> DataSize:
        """How much there is to read, as of the last poll."""
        return self._watcher.size

    def poll(self, *, series: bool = True) -> PollResult:
        """Poll once. A failed poll keeps the last good reading, marked stale, and the error.

        Without `series` a first frame comes in half the time; the next poll completes it.
        """
        before = self.result
        try:
            reading = self._read(self._clock(), series=series)
        except (MonitorError, OSError) as error:
            self.reader.forget()
            self._watcher.forget()
            self.result = self._failed(as_monitor_error(error))
            return self.result
        official = self.official.load(reading.source.data_dirs)
        self._history.add_ended(reading, official)
        reading = self._history.corrected(reading)
        history, error_text = self._history.history, self._history.error
        fault = _store_error(self._state_dir) or (None if self._history.is_stored else NOT_STORED)
        self.result = PollResult(
            reading, history, None, official, error_text, fault, before.breakdown
        )
        # A reading without the limits reached in it would mislead other processes: they poll then.
        if not reading.is_partial and self._history.is_stored:
            self._file.store(reading, is_confirmed=_is_same(before.reading, reading))
        return self.result

    def ask_official(self, *, force: bool = False) -> PollResult:
        """Ask Claude Code for the official limits, if that is chosen and due."""
        before = self.result
        reading = before.reading if before.error is None else None
        if reading is not None and self.official.ask(reading, before.history, force=force):
            self.result = replace(before, official=self.official.load(reading.source.data_dirs))
        return self.result

    def read_breakdown(self) -> PollResult:
        """Split the active block by project, model and session, if that is wanted and due."""
        before = self.result
        block = self._active_block()
        if block and before.reading and self.block_breakdowns.is_due(before.breakdown, block):
            transcripts = self._watcher.transcripts
            breakdown = self.block_breakdowns.read(transcripts, before.reading, block)
            self.result = replace(before, breakdown=breakdown)
        return self.result

    def split_block(self) -> Optional[Breakdown]:
        """Split the active block; None without one. Raises MonitorError or OSError.

        If a message has come since the last poll, poll again, so that the rows add up.
        """
        breakdown = None
        for _ in range(SPLIT_TRIES):
            block, reading = self._active_block(), self.result.reading
            if block is None or reading is None:
                return None
            breakdown = self._breakdowns.of_block(self._watcher.transcripts, reading, block)
            if not breakdown.missing:
                break
            self.poll()
        return breakdown

    def split_since(self, span: str, start: datetime, zone: tzinfo, note: str = "") -> Breakdown:
        """Split what was used from `start` on, read from the whole history.

        `start` (UTC) is a whole hour, or a midnight of `zone`. Raises MonitorError or OSError.
        """
        parts = self._breakdowns.since(self._watcher.transcripts, start, zone)
        return Breakdown(span, start, self._clock(), parts, note=note)

    def split_days(self, first: date, zone: tzinfo) -> tuple[Part, ...]:
        """Split what was used on each day, as `BreakdownReader.by_day`."""
        return self._breakdowns.by_day(self._watcher.transcripts, first, zone)

    def split_agents(self, start: datetime, zone: tzinfo) -> Breakdown:
        """Split what all agents have used from `start` on. Raises MonitorError."""
        parts = self._breakdowns.by_agent(start, zone)
        return Breakdown("today", start, self._clock(), parts)

    def is_history_due(self) -> bool:
        """Return whether the whole history should be read; False after a failed poll."""
        result = self.result
        return (
            result.reading is not None
            and result.error is None
            and self._history.is_due(result.reading)
        )

    def read_history(self, on_slice: Callable[[PollResult], None] = lambda _: None) -> PollResult:
        """Read what is not read yet of the history, all of it; call `on_slice` after each slice.

        After a failure, `history_error` says why; the rest is read by a later call.
        """
        result = self.read_slice()
        while self._history.round and not (result.history_error or result.error):
            on_slice(result)
            result = self.read_slice()
        return result

    def read_slice(self) -> PollResult:
        """Read a slice of the history, store it, and check the window's reading against it.

        After a failure, `history_error` says why; the slice is read again by a later call.
        """
        before = self.result
        assert before.reading is not None  # noqa: S101 - is_history_due() is true
        self._history.begin()
        try:
            scan = self._slices.read_next(self._watcher.transcripts, before.official, self._clock())
        except (MonitorError, OSError) as error:
            self._history.error = as_monitor_error(error).reason
            self.result = replace(before, history_error=self._history.error)
            return self.result
        history = self._history.history
        self._history_read_at = history.read_at if history else None
        if not scan.is_newest and self._clock() - before.reading.read_at < POLL_BETWEEN_SLICES:
            self.result = replace(before, history=self._history.history, history_error=None)
            return self.result
        result, whole = self.poll(), active_block(scan.blocks, self._clock())
        if (
            scan.is_newest
            and result.error is None
            and not _agree(before.reading, whole, result.reading, self._clock())
        ):
            self._history.distrust_window(whole.end if whole else self._clock() + SESSION)
            result = self.poll()
        return result

    def claim_history(self) -> bool:
        """Return whether this process may have the history read; others may not for an hour."""
        return self._history.claim()

    def read_hours(self) -> tuple[Block, ...]:
        """Read the whole history cut into clock hours. Raises MonitorError or OSError."""
        return self.reader.read_all(self._watcher.transcripts, "--session-length", "1")

    def start(self, refresh: float, on_change: Callable[[], None]) -> None:
        """Poll in a thread: every `refresh` seconds, and sooner where the system tells of changes.

        Call `on_change` when the result is another.
        """
        if self.result.reading is None:
            self.result = PollResult()  # an error of an earlier start is not this one's
        self._thread = _PollThread(self, refresh, on_change)
        self._thread.start()

    def poll_now(self) -> None:
        """Do not wait for the next refresh."""
        if self._thread is not None:
            self._thread.poll_now()

    def interrupt(self) -> None:
        """End the programs that are running."""
        self.reader.stop()
        self.official.stop()

    def stop(self) -> None:
        """End the programs that are running, and the thread."""
        self.interrupt()
        if self._thread is not None:
            self._thread.stop()
        self._watcher.close()

    def listen(self, on_notice: Callable[[], None]) -> None:
        """Call `on_notice` in another thread when the system tells of changes, until `stop`."""
        self._watcher.listen(on_notice)

    def resume(self) -> None:
        """Allow programs to run again after `stop`."""
        self.reader.runner.resume()
        self.official.resume()

    def fail(self, error: Exception) -> PollResult:
        """Take an unexpected error for a failed poll, so that the screen does not freeze."""
        self.result = self._failed(as_monitor_error(error))
        return self.result

    def _read(self, now: datetime, *, series: bool) -> Reading:
        replaced = self.reader.forget_replaced()
        command = self.reader.command()  # first of all: a user without ccusage is offered one
        changed = self._watcher.poll() or replaced
        self._history.load([str(root) for root in self._watcher.roots], command.version)
        changed = self._is_read_elsewhere() or changed
        last = None if self.result.error else self.result.reading
        is_first = self._is_first
        if is_first:
            last = self._stored_reading()
            self._is_first, changed = False, last is None
        if last is None or changed or self._is_outdated(last, now):
            whole = self._history.distrusts_window(now)
            last = self.reader.read(self._watcher.transcripts, now, last, whole=whole)
        else:
            last = replace(last, read_at=now)
        if changed or is_first:
            self._search_hits(now)
        return self.reader.with_series(last, now) if series and last.is_partial else last

    def _is_read_elsewhere(self) -> bool:
        """Return whether another process has read the history; a wide window follows then.

        It may hold the original of a copied session, which this process's narrow one lacks.
        """
        history = self._history.history
        read_at, before = history.read_at if history else None, self._history_read_at
        self._history_read_at = read_at
        if read_at == before or self._is_first:
            return False
        self.reader.widen_window()
        return True

    def _active_block(self) -> Optional[Block]:
        """Return the active block of the last poll; None if that has failed."""
        reading = self.result.reading if self.result.error is None else None
        return active_block(reading.blocks, self._clock()) if reading else None

    def _search_hits(self, now: datetime) -> None:
        known = self._history.history
        since = known.searched_at if known and known.searched_at else now - FIRST_SPAN
        oldest = min(since, now - RECENT_SPAN)
        hits = self._hits.search(self._watcher.transcripts.files, oldest)
        self._history.add_hits(hits, now)

    def _stored_reading(self) -> Optional[Reading]:
        """Return what another process has read, if nothing has changed since."""
        options, transcripts = self.reader.options, self._watcher.transcripts
        if options.full_scan:
            return None
        data_dirs = [str(root) for root in transcripts.roots]
        stored = load_reading(self._state_dir, data_dirs, options.key)
        return self.reader.still_true(stored, transcripts) if stored else None

    def _is_outdated(self, last: Reading, now: datetime) -> bool:
        """Return whether unchanged files mean something else now.

        The active block has ended, one that was in the future has begun, the clock was put back, or
        the window is no longer trusted.
        """
        if now < last.read_at or (
            last.source.scan == "window" and self._history.distrusts_window(now)
        ):
            return True
        return active_block(last.blocks, now) != active_block(last.blocks, last.read_at)

    def _failed(self, error: MonitorError) -> PollResult:
        """Keep the last good reading as stale; official limits do not depend on ccusage."""
        last, official = self.result.reading, self.result.official
        if last is not None:
            last = replace(last, error=error.reason)
            official = self.official.load(last.source.data_dirs)
        return replace(self.result, reading=last, error=error, official=official)


class _PollThread:
    """Polls in a thread of its own, so that a slow ccusage never freezes the screen."""

    def __init__(self, poller: Poller, refresh: float, on_change: Callable[[], None]) -> None:
        self._poller = poller
        self._refresh = refresh
        self._on_change = on_change
        self._wanted = threading.Event()
        self._is_asked = self._stopped = False
        self._noticed_at: Optional[float] = None
        self._pace = Pace()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def poll_now(self) -> None:
        self._is_asked = True
        self._wanted.set()

    def notice(self) -> None:
        """Poll as soon as the cost of the last polls allows it."""
        self._noticed_at = time.monotonic()
        self._wanted.set()

    def stop(self) -> None:
        """End the thread; do not wait long for a stubborn one.

        A poll under way fails at once, and must not write into a directory that is removed.
        """
        self._stopped = True
        self.poll_now()
        if self._thread.is_alive():  # not if Ctrl+C came before it had started
            self._thread.join(1.0)

    def _run(self) -> None:
        self._poller.listen(self.notice)
        while not self._stopped:
            began, seconds = time.monotonic(), None
            try:
                seconds = self._poll()
            except Exception as error:  # noqa: BLE001 - a bug of ours must not freeze the screen
                self._announce(self._poller.result, self._poller.fail(error))
            self._wait(self._rest(time.monotonic() - began if seconds is None else seconds))

    def _wait(self, longest: float) -> None:
        """Wait for the next poll: until the time is over, for a notice, or for `poll_now`."""
        until = time.monotonic() + longest
        while not self._is_asked:
            heard = self._noticed_at if not self._failures else None
            due = until if heard is None else min(until, self._pace.due(heard))
            if due <= time.monotonic():
                break
            self._wanted.wait(due - time.monotonic())
            self._wanted.clear()
        self._is_asked, self._noticed_at = False, None

    def _poll(self) -> float:
        """Poll, and read history and breakdown if they are due; return the seconds of the poll.

        The time for the others is left out, so that they do not delay the next poll.
        """
        poller = self._poller
        if poller.result.reading is None:
            # The first frame need not wait for the series of events.
            self._announce(poller.result, poller.poll(series=False))
            if poller.result.error is not None:
                return 0.0
        began, cpu = time.monotonic(), _cpu_seconds()
        self._announce(poller.result, poller.poll())
        ended = time.monotonic()
        seconds = ended - began
        self._pace.polled(ended, seconds, _cpu_seconds() - cpu)
        if not self._stopped:
            self._announce(poller.result, poller.ask_official())
        while not self._stopped and poller.is_history_due():
            self._announce(poller.result, poller.read_slice())
        if not self._stopped:
            self._announce(poller.result, poller.read_breakdown())
        return seconds

    def _announce(self, before: PollResult, result: PollResult) -> None:
        if result.error is None or result.error is not before.error:  # else it is the same failure
            self._failures = self._failures + 1 if result.error else 0
        same_rest = replace(before, reading=result.reading) == result
        if not (same_rest and _is_same(before.reading, result.reading)):
            self._on_change()

    def _rest(self, seconds: float) -> float:
        # To look whether there is a directory now costs nothing.
        if self._failures and not isinstance(self._poller.result.error, NoDataError):
            retry = min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(self._failures - 1, 10))
            return max(retry, REST * seconds)
        return max(self._refresh * self._poller.spacing, REST * seconds)


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and of the programs that it has run."""
    return sum(os.times()[:4])


def _is_same(before: Optional[Reading], reading: Optional[Reading]) -> bool:
    """Return whether two readings differ in nothing but the time of the poll."""
    if before is None or reading is None:
        return False
    return replace(before, read_at=reading.read_at) == reading


def _store_error(directory: Path) -> Optional[str]:
    fault = directory_fault(directory)
    return f"{fault.reason} {fault.advice}" if fault else None


def _agree(
    before: Reading, whole: Optional[Block], after: Optional[Reading], now: datetime
) -> bool:
    """Return whether a full scan fits between the window's readings before and after it."""
    old, new = active_block(before.blocks, now), active_block(after.blocks if after else (), now)
    if whole is None:
        # A first message may have come after the scan; one that came before it must be in it.
        return old is None or new is None
    if new is None:
        return False
    floor = old.tokens.counted if old and old.start == whole.start else 0
    return whole.start == new.start and floor <= whole.tokens.counted <= new.tokens.counted
