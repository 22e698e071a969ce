"""One look: has anything changed? Then run ccusage, and make a Reading of what it says."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Optional

from monitor.ccusage.find import find
from monitor.ccusage.runner import CcusageError, Command, Runner
from monitor.model.blocks import (
    Block,
    Event,
    ReportError,
    active_block,
    parse_events,
    parse_report,
    series,
)
from monitor.model.reading import DataSize, Reading
from monitor.store.json_file import digest
from monitor.transcripts.data_dirs import DataFile, ask, data_dirs, missing_dirs, projects_of
from monitor.transcripts.linked_files import FIRST_SPAN, LinkedFiles, exact_part, select, widened
from monitor.transcripts.watcher import Files

EVENT_HOURS = "0.02"
"""`--session-length` that cuts the history into single messages, or those of about a minute."""

EVENTS_EVERY = timedelta(seconds=60)
"""Between two reads of the series, what each look counts more is added to it."""

WINDOW_SECONDS = 20.0
FULL_SECONDS = 60.0
FULL_SECONDS_PER_GB = 60.0
"""Time limits of a ccusage run; a slow machine with ccusage 17 reads 1 GB in some 10 s."""

SPAN_KEPT = timedelta(hours=6)
"""How long a widened window is kept before a narrow one is tried again."""


@dataclass(frozen=True)
class Source:
    """Where to read: what the user chose that the source needs."""

    ccusage: Optional[str] = None
    claude_dirs: tuple[Path, ...] = ()
    online: bool = False
    full_scan: bool = False

    @property
    def options_key(self) -> str:
        """What else than the data decides on the numbers: readings of one kind are not mixed."""
        return repr((self.ccusage, self.online, self.full_scan))


Kept = Callable[[Sequence[str]], Optional[Reading]]


class Reader:
    """Poller at the data with one ccusage at a time; keeps what the next look can build on.

    `kept` returns what another monitor has read of the data directories: where nothing has changed
    since, a first look need not run ccusage either.
    """

    def __init__(
        self, source: Source, workdir: Path, cache_dir: Path, kept: Optional[Kept] = None
    ) -> None:
        self.runner = Runner(workdir, online=source.online)
        self.size = DataSize()
        self._source = source
        self._workdir = workdir
        self._cache_dir = cache_dir
        self._kept = None if source.full_scan else kept
        self._command: Optional[Command] = None
        self._window: Optional[LinkedFiles] = None
        self._narrow: Optional[LinkedFiles] = None
        self._roots: tuple[Path, ...] = ()
        self._files = Files(())
        self._last: Optional[Reading] = None
        self._series_dirs: Sequence[Path] = ()
        self._series_due = False
        self._since: Optional[datetime] = None
        self._since_at: Optional[datetime] = None
        self._series_at: Optional[datetime] = None
        self._full_until: Optional[datetime] = None

    def poll(self, now: datetime, *, series: bool = True) -> Reading:
        """Return the present reading; runs ccusage only when a file has changed.

        Without `series` a first reading may lack its events, and is there in half the time; the
        next look with it adds them. Raises CcusageError when no reading can be had; the next look
        starts afresh.
        """
        try:
            self._found()  # first of all: whoever has no ccusage yet is offered one
            changed = self._look_at_files()
            if self._kept is not None:
                self._last = self._still_true(self._kept)
                self._kept, changed = None, self._last is None
            if self._last is None or changed or self._rolled_over(now):
                self._last = self._read(self._files.all(), now)
            else:
                self._last = replace(self._last, read_at=now)
            if series and self._series_due:
                events = self._series(self._last.blocks, now)
                self._last = replace(self._last, events=events, partial=False)
            return self._last
        except (CcusageError, ReportError, OSError) as error:
            # Another ccusage may stand there next time, and a private file may have been lost.
            self._command = self._window = self._narrow = self._last = None
            self._files = Files(self._roots)
            raise _as_ccusage_error(error) from error

    def full_scan(self) -> tuple[Block, ...]:
        """Read the whole history. Raises CcusageError."""
        return self._whole()

    def hours(self) -> tuple[Block, ...]:
        """Read the whole history cut into clock hours, as blocks begin. Raises CcusageError."""
        return self._whole("--session-length", "1")

    def _whole(self, *extra: str) -> tuple[Block, ...]:
        try:
            return self._report(self._full_dirs(), self._full_seconds(), *extra)
        except (ReportError, OSError) as error:
            raise _as_ccusage_error(error) from error

    def distrust_window(self, until: datetime) -> None:
        """Read everything at each look until then: a full scan has contradicted the window."""
        self._full_until = until
        self._last = None

    def stop(self) -> None:
        """End the ccusage that is running, from any thread."""
        self.runner.stop()

    def _look_at_files(self) -> bool:
        roots = data_dirs(self._source.claude_dirs, os.environ)
        if roots != self._roots:
            self._roots, self._files = roots, Files(roots)
            self._window = self._narrow = self._last = None
        changed = self._files.look()
        self.size = self._files.size
        return changed

    def _still_true(self, kept: Kept) -> Optional[Reading]:
        known = kept([str(path) for path in self._roots])
        if (
            known is None
            or known.fingerprint is None
            or known.fingerprint != self._fingerprint(known.since)
        ):
            return None
        return replace(known, size=self.size, **self._whence())

    def _whence(self) -> dict[str, Any]:
        missing = missing_dirs(self._source.claude_dirs)
        return {
            "options_key": self._source.options_key,
            "data_dirs": tuple(map(str, self._roots)),
            "missing_dirs": tuple(map(str, missing)),
        }

    def _fingerprint(self, since: Optional[datetime]) -> Optional[str]:
        """Return what stands for the program and the files; None for one that we do not know."""
        command = self._found()
        if not command.packaged:
            return None
        asked = [(word, ask(word)) for word in command.argv]
        program = [(word, info.st_size, info.st_mtime_ns) for word, info in asked]
        files = sorted(select(self._files.all(), since))
        return digest(repr((command.version, program, self._source.online, files)))

    def _read(self, files: Sequence[DataFile], now: datetime) -> Reading:
        whole = self._source.full_scan or (self._full_until is not None and now < self._full_until)
        found = None if whole else self._read_window(files, now)
        blocks = found if found is not None else self._read_full()
        block = active_block(blocks, now)
        events = self._known_series(block, now) if block else None
        self._series_due = block is not None and events is None
        if block and events is None:
            self._series_dirs = self._full_dirs() if whole else self._narrow_dirs(files, block)
        return Reading(
            blocks=blocks,
            read_at=now,
            ccusage_version=self._found().version,
            **self._whence(),
            scan="full" if found is None else "window",
            events=events,
            partial=self._series_due,
            size=self.size,
            since=None if found is None else self._since,
            fingerprint=self._fingerprint(None if found is None else self._since),
        )

    def _read_window(self, files: Sequence[DataFile], now: datetime) -> Optional[tuple[Block, ...]]:
        """Read the files that can matter; None when only all of them will do."""
        # Also when the clock was put back: nothing of the future may decide on the window.
        if self._since_at is None or not timedelta() <= now - self._since_at <= SPAN_KEPT:
            self._since, self._since_at = now - FIRST_SPAN, now
        while self._since is not None:
            chosen = select(files, self._since)
            if len(chosen) == len(files):
                break
            try:
                self._linked().sync(chosen)
            except OSError:
                return None
            blocks = self._report(self._linked().dirs, WINDOW_SECONDS)
            exact = exact_part(blocks, self._since, now)
            if exact is not None:
                return exact
            self._since = now - widened(now - self._since)
        self._since = None
        return None

    def _read_full(self) -> tuple[Block, ...]:
        return self._report(self._full_dirs(), self._full_seconds())

    def _full_seconds(self) -> float:
        return FULL_SECONDS + FULL_SECONDS_PER_GB * self.size.bytes / 2**30

    def _known_series(self, block: Block, now: datetime) -> Optional[tuple[Event, ...]]:
        """Bring the last series up to what the block counts; None when it must be read again."""
        known = self._last.events if self._last else None
        fresh = self._series_at is not None and now - self._series_at < EVENTS_EVERY
        return series(block, known) if known and fresh and known[0].at >= block.start else None

    def _series(self, blocks: Sequence[Block], now: datetime) -> Optional[tuple[Event, ...]]:
        """Read the active block's series."""
        self._series_due, self._series_at = False, now
        block = active_block(blocks, now)
        if block is None:
            return None
        seconds = self._full_seconds()
        text = self._run(self._series_dirs, seconds, "--session-length", EVENT_HOURS)
        return series(block, parse_events(text, block.start))

    def _narrow_dirs(self, files: Sequence[DataFile], block: Block) -> Sequence[Path]:
        """Return a window for the block's own messages, cut finely: of a GB that costs 2 GB."""
        if self._narrow is None:
            self._narrow = LinkedFiles(self._workdir / "series", len(self._roots))
        try:
            self._narrow.sync(select(files, block.start))
        except OSError:
            return self._full_dirs()
        return self._narrow.dirs

    def _rolled_over(self, now: datetime) -> bool:
        """Whether a block that was active at the last look has ended since, or was to.

        Or the clock was put back: what had ended then may be active now.
        """
        if self._last is None:
            return False
        if now < self._last.read_at:
            return True
        before = active_block(self._last.blocks, self._last.read_at)
        return before is not None and active_block(self._last.blocks, now) is None

    def _report(self, dirs: Sequence[Path], seconds: float, *extra: str) -> tuple[Block, ...]:
        return parse_report(self._run(dirs, seconds, *extra))

    def _run(self, dirs: Sequence[Path], seconds: float, *extra: str) -> str:
        return self.runner.blocks(self._found(), dirs, *extra, limit_seconds=seconds)

    def _found(self) -> Command:
        if self._command is None:
            self._command = find(self._source.ccusage, self._cache_dir, self.runner)
        return self._command

    def _linked(self) -> LinkedFiles:
        if self._window is None:
            self._window = LinkedFiles(self._workdir / "window", len(self._roots))
        return self._window

    def _full_dirs(self) -> tuple[Path, ...]:
        usable = tuple(root for root in self._roots if projects_of(root).is_dir())
        if not usable:
            self._linked().sync(())
        return usable or self._linked().dirs


def _as_ccusage_error(error: Exception) -> CcusageError:
    if isinstance(error, CcusageError):
        return error
    if isinstance(error, ReportError):
        return CcusageError(
            f"ccusage printed no report: {error}.",
            "Try another version of ccusage (--ccusage), and see `ccusage-monitor doctor`.",
        )
    return CcusageError(f"A file could not be used: {error}.", "See `ccusage-monitor doctor`.")
