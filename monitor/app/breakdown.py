"""Read who used it: one run of ccusage on the files that matter, split into sessions."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone, tzinfo
from pathlib import Path
from typing import Optional

from monitor.app.exits import as_monitor_error
from monitor.app.reader import Reader, full_seconds
from monitor.ccusage.breakdown_report import ModelUsage, parse_agents, parse_breakdown
from monitor.errors import MonitorError
from monitor.model.blocks import Block
from monitor.model.breakdown import BLOCK, Breakdown, Part, short_project, zone_day
from monitor.model.reading import Reading
from monitor.store.paths import expand_user
from monitor.transcripts.files import TranscriptFile
from monitor.transcripts.linked_files import select
from monitor.transcripts.project_paths import encoded, project_path
from monitor.transcripts.session_links import SessionLinks, session_of
from monitor.transcripts.watcher import Transcripts

REST = 10.0
"""After a read that took t seconds, the next one waits at least this many times t."""

NO_ZONE = "Name a time zone with --timezone, such as Asia/Kolkata."


class BreakdownReader:
    """Reads breakdowns with the ccusage of a Reader."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._home = reader.runner.workdir / "sessions"
        self._links: Optional[SessionLinks] = None
        self._roots: tuple[Path, ...] = ()
        self._labels: dict[str, str] = {}
        self._user_home = expand_user("~")

    def of_block(self, transcripts: Transcripts, reading: Reading, block: Block) -> Breakdown:
        """Split the active block, as the reading has it. Raises MonitorError or OSError."""
        is_full = reading.source.scan == "full"
        files = transcripts.files if is_full else select(transcripts.files, block.start)
        parts = self._parts(transcripts, files, *_since(block.start, timezone.utc))
        return Breakdown(BLOCK, block.start, block.end, parts, block)

    def since(self, transcripts: Transcripts, start: datetime, zone: tzinfo) -> tuple[Part, ...]:
        """Split what was used from `start` on, read from the whole history.

        `start` (UTC) is a whole hour, or a midnight of `zone`. Raises MonitorError or OSError.
        """
        return self._parts(transcripts, transcripts.files, *_since(start, zone))

    def by_day(self, transcripts: Transcripts, first: date, zone: tzinfo) -> tuple[Part, ...]:
        """Split what was used on each day from `first` on, by the clocks of `zone`.

        Raises MonitorError or OSError.
        """
        name = getattr(zone, "zone", None) or "UTC"
        words = ("--timezone", str(name), "--since", f"{first:%Y%m%d}")
        return self._parts(transcripts, transcripts.files, *words)

    def by_agent(self, start: datetime, zone: tzinfo) -> tuple[Part, ...]:
        """Split what all agents have used since `start`, as above. Raises MonitorError."""
        dirs = self._reader.usable_dirs()
        runner, command = self._reader.runner, self._reader.command()
        usages = parse_agents(runner.agents(command, dirs, *_since(start, zone)))
        return tuple(
            Part(usage.model, usage.tokens, usage.cost_usd, agent=usage.group) for usage in usages
        )

    def reset(self) -> None:
        """Make the directory of links anew at the next use."""
        self._links = None

    def _parts(
        self, transcripts: Transcripts, files: Sequence[TranscriptFile], *options: str
    ) -> tuple[Part, ...]:
        if not files:
            return ()
        if self._links is None or transcripts.roots != self._roots:
            self._links, self._roots = (
                SessionLinks(self._home, len(transcripts.roots)),
                transcripts.roots,
            )
        groups = self._links.sync(files)
        seconds = full_seconds(sum(file.size for file in files))
        text = self._reader.runner.daily(
            self._reader.command(),
            self._links.dirs,
            *options,
            limit_seconds=seconds,
        )
        return tuple(self._part(usage, groups) for usage in parse_breakdown(text))

    def _part(self, usage: ModelUsage, groups: Mapping[str, Sequence[TranscriptFile]]) -> Part:
        files = groups.get(usage.group)
        if not files:
            reason = f"ccusage names a project that it was not given: {usage.group}."
            raise MonitorError(reason, "Try another version of ccusage (--ccusage).")
        session = session_of(files[0])
        written = max(file.mtime for file in files)
        return Part(
            usage.model,
            usage.tokens,
            usage.cost_usd,
            data_dir=self._with_tilde(str(self._roots[session.root])),
            project=session.project,
            label=self._label(session.project),
            session=session.name,
            last_activity=datetime.fromtimestamp(written, timezone.utc),
            day=usage.day,
        )

    def _label(self, project: str) -> str:
        """Return the directory of a project, or a shorter name; what was found is remembered."""
        if project not in self._labels:
            path = project_path(project, self._user_home)
            short = short_project(project, encoded(str(self._user_home)))
            self._labels[project] = self._with_tilde(str(path)) if path else short
        return self._labels[project]

    def _with_tilde(self, path: str) -> str:
        """Write a path below the user's home as `~/work/api`."""
        home = str(self._user_home)
        is_below = f"{path}{os.sep}".startswith(f"{home}{os.sep}")
        return f"~{path[len(home) :]}" if is_below else path


class BlockBreakdowns:
    """Decides when the active block is split again: after changes, and not too often.

    `pause` is how many seconds lie between two reads at least; None while nobody wants to see it.
    """

    def __init__(self, reader: BreakdownReader) -> None:
        self.pause: Optional[float] = None
        self._reader = reader
        self._read_at: Optional[float] = None
        self._seconds = 0.0

    def is_due(self, known: Optional[Breakdown], block: Optional[Block]) -> bool:
        """Return whether the block should be split: it is not as the known breakdown has it."""
        if self.pause is None or block is None or (known is not None and known.block == block):
            return False
        pause = max(self.pause, REST * self._seconds)
        return self._read_at is None or time.monotonic() - self._read_at >= pause

    def read(self, transcripts: Transcripts, reading: Reading, block: Block) -> Breakdown:
        """Split the block; a failure is told by the result."""
        self._read_at = time.monotonic()
        try:
            return self._reader.of_block(transcripts, reading, block)
        except (MonitorError, OSError) as error:
            self._reader.reset()
            reason = as_monitor_error(error).reason
            return Breakdown(BLOCK, block.start, block.end, block=block, error=reason)
        finally:
            self._seconds = time.monotonic() - self._read_at


def _since(start: datetime, zone: tzinfo) -> tuple[str, ...]:
    """Return the options that let ccusage begin at `start`. Raises MonitorError."""
    found = zone_day(start, zone)
    if found is None:
        raise MonitorError(f"ccusage knows no zone whose day begins at {start:%H:%M} UTC.", NO_ZONE)
    name, day = found
    # Beside --config, ccusage 16 to 18 ignore the short form -z.
    return ("--timezone", name, "--since", day)
