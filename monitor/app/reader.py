"""Read usage: run ccusage on the transcripts that matter, and make a Reading of its reports."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Optional

from monitor.ccusage.find import find
from monitor.ccusage.report import parse_events, parse_report
from monitor.ccusage.runner import CcusageRunner, Command
from monitor.config.settings import DataOptions
from monitor.model.blocks import SESSION, Block, Event, active_block, series, unpriced_models
from monitor.model.reading import Reading, Source
from monitor.store.json_file import digest
from monitor.transcripts.data_dirs import missing_dirs, projects_of
from monitor.transcripts.files import TranscriptFile, stat_path
from monitor.transcripts.linked_files import (
    FIRST_SPAN,
    MARGIN,
    LinkedFiles,
    after_last_pause,
    exact_part,
    select,
    widened,
)
from monitor.transcripts.watcher import Transcripts

EVENT_HOURS = "0.02"
"""`--session-length` that cuts the history into single messages, or those of about a minute."""

EVENTS_EVERY = timedelta(seconds=60)
"""How often the series of events is read; in between, each increase is added as one event."""

WINDOW_SECONDS = 20.0
FULL_SECONDS = 60.0
FULL_SECONDS_PER_GB = 60.0
"""Time limits of a ccusage run; a slow machine with ccusage 17 reads 1 GB in about 10 s."""

LARGE_BYTES = 80 * 2**20
"""From so many bytes on, ccusage is told to save memory, which takes it a little more CPU."""

SPAN_KEPT = timedelta(hours=6)
"""How long a widened window is used before a narrow one is tried again."""

Run = Callable[[Sequence[Path], float], tuple[Block, ...]]
"""Runs ccusage on data directories, with a time limit in seconds."""


class Reader:
    """Reads usage with one ccusage; remembers what makes the next read cheaper.

    Readers that share a `turn` run one ccusage at a time.
    """

    def __init__(
        self,
        options: DataOptions,
        workdir: Path,
        cache_dir: Path,
        turn: Optional[threading.Lock] = None,
    ) -> None:
        self.options = options
        self.runner = CcusageRunner(workdir, online=options.online, turn=turn)
        self._cache_dir = cache_dir
        self._command: Optional[Command] = None
        self._stamp: Optional[tuple[int, ...]] = None
        self._roots: tuple[Path, ...] = ()
        self._window = _WindowScan(workdir / "window", self._run_blocks)
        self._series = _SeriesScan(workdir / "series")
        self._slice: Optional[LinkedFiles] = None

    def command(self) -> Command:
        """Return the ccusage in use. Raises CcusageNotFoundError, or MonitorError."""
        if self._command is None:
            self._command = find(self.options.ccusage, self._cache_dir, self.runner)
            self._stamp = _stamp_of(self._command)
        return self._command

    def forget_replaced(self) -> bool:
        """Return whether another ccusage is in the place of the one in use; forget that then.

        While there is none in its place, as in the middle of an update, it stays in use.
        """
        stamp = _stamp_of(self._command) if self._command else None
        if stamp in (None, self._stamp):
            return False
        self.forget()
        return True

    def read(
        self,
        transcripts: Transcripts,
        now: datetime,
        last: Optional[Reading],
        *,
        whole: bool = False,
    ) -> Reading:
        """Run ccusage; `last` is the reading before this one, whose series is brought up to date.

        `whole`: hand it all transcripts, not a window of them.
        The reading is `partial` if its series has to be read anew: `with_series` does that.
        Raises MonitorError or OSError.
        """
        if transcripts.roots != self._roots:
            self._roots, last = transcripts.roots, None
            self._reset_scans()
        whole = whole or self.options.full_scan
        exact = None if whole else self._window.blocks(transcripts, now)
        blocks = exact if exact is not None else self.read_all(transcripts)
        since = None if exact is None else self._window.since
        block = active_block(blocks, now)
        events = self._series.continued(block, last, now) if block else None
        if block and events is None:
            files = None if whole else select(transcripts.files, block.start)
            self._series.prepare(files, len(self._roots), self.usable_dirs())
        unpriced = unpriced_models(blocks).union(last.unpriced_models if last else ())
        return Reading(
            blocks,
            now,
            self._source(transcripts, since),
            events,
            tuple(sorted(unpriced)),
            is_partial=block is not None and events is None,
        )

    def with_series(self, reading: Reading, now: datetime) -> Reading:
        """Return a partial reading completed with the series of the active block's events.

        The events are None if they do not add up to the block. Raises MonitorError.
        """
        block = active_block(reading.blocks, now)
        if block is None:
            return replace(reading, events=None, is_partial=False)
        seconds = full_seconds(reading.source.size.bytes)
        text = self._run_text(self._series.dirs, seconds, "--session-length", EVENT_HOURS)
        self._series.read_at = now
        pieces, unpriced = parse_events(text, block.start)
        return replace(
            reading,
            events=series(block, pieces),
            unpriced_models=tuple(sorted(unpriced.union(reading.unpriced_models))),
            is_partial=False,
        )

    def read_all(self, transcripts: Transcripts, *extra: str) -> tuple[Block, ...]:
        """Read the whole history. Raises MonitorError or OSError."""
        return self._run_large(self.usable_dirs(), transcripts.size.bytes, *extra)

    def read_files(
        self, files: Sequence[TranscriptFile], markers: Sequence[datetime] = ()
    ) -> Optional[tuple[Block, ...]]:
        """Read the history in some transcripts only; None where they cannot be linked.

        `markers` are the times of messages without tokens that are added. Raises MonitorError.
        """
        if not files:
            return ()
        try:
            if self._slice is None:
                home = self.runner.workdir / "slice"
                self._slice = LinkedFiles(home, len(self._roots))
            self._slice.sync(files)
            self._slice.mark(markers)
        except OSError:
            return None
        return self._run_large(self._slice.dirs, sum(file.size for file in files))

    def unlink_files(self) -> None:
        """Remove the links of the last slice: they keep what Claude Code has deleted."""
        with suppress(OSError):
            if self._slice is not None:
                self._slice.sync(())
                self._slice.mark(())

    def still_true(self, stored: Reading, transcripts: Transcripts) -> Optional[Reading]:
        """Return a stored reading if the program and the files are the same; else None."""
        self._roots = transcripts.roots
        source = self._source(transcripts, stored.source.since)
        is_same = source.fingerprint is not None and source.fingerprint == stored.source.fingerprint
        return replace(stored, source=source) if is_same else None

    def forget(self) -> None:
        """Start afresh after an error: ccusage may be another one, a private file may be lost."""
        self._command = None
        self._reset_scans()

    def widen_window(self) -> None:
        """Begin with a wide window at the next read."""
        self._window.reset()

    def stop(self) -> None:
        """End the ccusage that is running, from any thread."""
        self.runner.stop()

    def _reset_scans(self) -> None:
        self._window.reset()
        self._series.reset()
        self._slice = None

    def _source(self, transcripts: Transcripts, since: Optional[datetime]) -> Source:
        return Source(
            ccusage_version=self.command().version,
            data_dirs=tuple(map(str, self._roots)),
            missing_dirs=tuple(map(str, missing_dirs(self.options.claude_dirs))),
            scan="window" if since else "full",
            since=since,
            size=transcripts.size,
            options_key=self.options.key,
            fingerprint=self._fingerprint(transcripts.files, since),
            unreadable=transcripts.unreadable,
        )

    def _fingerprint(
        self, files: Sequence[TranscriptFile], since: Optional[datetime]
    ) -> Optional[str]:
        """Return a hash of the program and the files; None for a program that may change unseen."""
        command = self.command()
        if not command.packaged:
            return None
        stats = [(word, stat_path(word)) for word in command.argv]
        program = [(word, info.st_size, info.st_mtime_ns) for word, info in stats]
        chosen = sorted(select(files, since))
        return digest(repr((command.version, program, self.options.online, chosen)))

    def usable_dirs(self) -> tuple[Path, ...]:
        """Return the data directories that ccusage accepts; an empty one if there is none."""
        # Unlike pathlib's, this is no error where permissions hide the answer.
        usable = tuple(root for root in self._roots if os.path.isdir(projects_of(root)))  # noqa: PTH112
        return usable or self._window.empty_dirs(len(self._roots))

    def _run_blocks(self, dirs: Sequence[Path], seconds: float, *extra: str) -> tuple[Block, ...]:
        return parse_report(self._run_text(dirs, seconds, *extra))

    def _run_large(self, dirs: Sequence[Path], size: int, *extra: str) -> tuple[Block, ...]:
        """Run ccusage on so many bytes."""
        text = self.runner.blocks(
            self.command(),
            dirs,
            *extra,
            limit_seconds=full_seconds(size),
            saves_memory=size > LARGE_BYTES,
        )
        return parse_report(text)

    def _run_text(self, dirs: Sequence[Path], seconds: float, *extra: str) -> str:
        return self.runner.blocks(self.command(), dirs, *extra, limit_seconds=seconds)


class _WindowScan:
    """Reads the blocks of the last hours from a window of linked files."""

    def __init__(self, home: Path, run: Run) -> None:
        self.since: Optional[datetime] = None
        self._home = home
        self._run = run
        self._links: Optional[LinkedFiles] = None
        self._begun_at: Optional[datetime] = None
        self._before: tuple[Block, ...] = ()

    def blocks(self, transcripts: Transcripts, now: datetime) -> Optional[tuple[Block, ...]]:
        """Widen the window until its blocks are exact; None if only the whole history will do.

        The next window begins at the newest pause: what was before that has ended, and is kept.
        """
        # A clock that was put back leaves the span in the future: start again then too.
        if self._begun_at is None or not timedelta() <= now - self._begun_at <= SPAN_KEPT:
            self.since, self._begun_at, self._before = now - FIRST_SPAN, now, ()
        while self.since is not None:
            chosen = select(transcripts.files, self.since)
            if len(chosen) == len(transcripts.files):
                break
            links = self._linked_files(len(transcripts.roots))
            try:
                links.sync(chosen)
            except OSError:
                return None
            exact = exact_part(self._run(links.dirs, WINDOW_SECONDS), self.since, now)
            if exact is not None:
                exact = (*self._before, *exact)
                self._narrow(exact, now)
                return exact
            self.since, self._before = now - widened(now - self.since), ()
        self.since = None
        return None

    def empty_dirs(self, roots: int) -> tuple[Path, ...]:
        """Return data directories without any transcript."""
        links = self._linked_files(roots)
        links.sync(())
        return links.dirs

    def _narrow(self, exact: tuple[Block, ...], now: datetime) -> None:
        start = after_last_pause(exact, now)
        self.since = max(self.since or now, start - SESSION - MARGIN)
        self._before = tuple(block for block in exact if block.start < start)

    def reset(self) -> None:
        """Make the directory of links anew at the next use, and begin with a wide window."""
        self._links = self._begun_at = None

    def _linked_files(self, roots: int) -> LinkedFiles:
        if self._links is None:
            self._links = LinkedFiles(self._home, roots)
        return self._links


class _SeriesScan:
    """Chooses the files that hold the active block's messages.

    Dividing 1 GB into single messages takes ccusage 2 GB of memory.
    """

    def __init__(self, home: Path) -> None:
        self.dirs: Sequence[Path] = ()
        self.read_at: Optional[datetime] = None
        self._home = home
        self._links: Optional[LinkedFiles] = None

    def continued(
        self, block: Block, last: Optional[Reading], now: datetime
    ) -> Optional[tuple[Event, ...]]:
        """Extend the last series to the block's count; return None if it must be read again."""
        known = last.events if last else None
        before = active_block(last.blocks, now) if last else None
        if before is not None and not set(block.models) <= set(before.models):
            return None  # only the series shows whether a new model has a price
        is_fresh = self.read_at is not None and now - self.read_at < EVENTS_EVERY
        return series(block, known) if known and is_fresh and known[0].at >= block.start else None

    def prepare(
        self, files: Optional[Sequence[TranscriptFile]], roots: int, all_dirs: Sequence[Path]
    ) -> None:
        """Link the files that hold the block; without them, or where links fail, take all."""
        self.dirs = all_dirs
        if files is None:
            return
        try:
            if self._links is None:
                self._links = LinkedFiles(self._home, roots)
            self._links.sync(files)
        except OSError:
            return
        self.dirs = self._links.dirs

    def reset(self) -> None:
        """Make the directory of links anew at the next use, and read the series."""
        self._links, self.read_at = None, None


def _stamp_of(command: Command) -> Optional[tuple[int, ...]]:
    """Return what tells the file of a program from another one, also behind a link of its name."""
    try:
        info = stat_path(command.shown)
    except (OSError, ValueError):  # a command line has no file
        return None
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def full_seconds(size: int) -> float:
    """Return the time limit of a ccusage run on so many bytes."""
    return FULL_SECONDS + FULL_SECONDS_PER_GB * size / 2**30
