"""Write a usage series as JSON: the input of forecast.py and build_forecast_table.py.

    python benchmarks/usage_series.py [--claude-dir DIR]... [--ccusage CMD] > series.json
    python benchmarks/usage_series.py --simulate DAYS [--seed N] > series.json

The first reads your own history through ccusage; without --claude-dir, the one that ccusage finds.
The second makes days of bursts and pauses; one seed makes one series. A series is a list of rows,
one for each message (or for the messages of about two seconds):

    [epoch seconds, input, output, cache creation, cache read, messages]

All but the first are counts, of tokens and of messages. A series holds no text and no names.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from monitor.ccusage.report import parse_report
from monitor.errors import MonitorError
from monitor.model.blocks import SESSION, Event, real_blocks

MESSAGE_HOURS = "0.0005"  # a --session-length that cuts the history into its messages
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIRST_DAY = datetime(2026, 3, 2, tzinfo=timezone.utc)

Row = tuple[float, int, int, int, int, int]


@dataclass(frozen=True)
class UsageBlock:
    """The events of one five-hour block, oldest first."""

    start: datetime
    events: tuple[Event, ...]

    @property
    def end(self) -> datetime:
        return self.start + SESSION

    @property
    def final(self) -> int:
        """Counted tokens at the block's end."""
        return sum(event.tokens for event in self.events)


def load(path: Path) -> list[Event]:
    """Return the events of a series, oldest first. Exits with one line if the file is none."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        events = [
            Event(datetime.fromtimestamp(row[0], timezone.utc), row[1] + row[2]) for row in rows
        ]
        return sorted(events, key=lambda event: event.at)
    except (OSError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        sys.exit(f"{path} holds no usage series ({error}); see benchmarks/usage_series.py --help.")


def cut_into_blocks(events: Sequence[Event]) -> list[UsageBlock]:
    """Cut events into blocks by ccusage's rule.

    A block starts at the full hour (UTC) of its first message. A new one starts with a message more
    than five hours after that start, or after the message before.
    """
    groups: list[list[Event]] = []
    for event in events:
        group = groups[-1] if groups else None
        if group and max(event.at - group[-1].at, event.at - full_hour(group[0])) <= SESSION:
            group.append(event)
        else:
            groups.append([event])
    return [UsageBlock(full_hour(group[0]), tuple(group)) for group in groups]


def full_hour(event: Event) -> datetime:
    return event.at.replace(minute=0, second=0, microsecond=0)


def completed_blocks(path: Path) -> list[UsageBlock]:
    """Return the blocks of a series but the last, which may not have ended when it was taken."""
    blocks = cut_into_blocks(load(path))[:-1]
    if len(blocks) < 2:
        sys.exit(f"{path}: too little usage. At least two completed blocks are needed.")
    return blocks


def from_ccusage(command: str, dirs: Sequence[str]) -> Iterator[Row]:
    """Read a history through ccusage. Exits with one line if that fails."""
    environment = {**os.environ, "CLAUDE_CONFIG_DIR": ",".join(dirs)} if dirs else None
    words = [*shlex.split(command), "blocks", "--json", "--offline"]
    words += ["--session-length", MESSAGE_HOURS]
    try:
        done = subprocess.run(words, env=environment, capture_output=True, check=True)
        pieces = real_blocks(parse_report(done.stdout.decode("utf-8")))
    except (OSError, MonitorError, subprocess.CalledProcessError) as error:
        sys.exit(f"ccusage could not be read ({error}). Run that command yourself to see why.")
    for piece in pieces:
        at, tokens = piece.last_activity or piece.start, piece.tokens
        counts = (tokens.input, tokens.output, tokens.cache_creation, tokens.cache_read)
        yield (at.timestamp(), *counts, piece.entries)


def simulate(days: int, seed: int) -> Iterator[Row]:
    """Make a working day each day: bursts of answers every 24 seconds or so, and pauses."""
    rng = random.Random(seed)
    for day in range(days):
        at = FIRST_DAY + timedelta(days=day, hours=rng.uniform(8, 12))
        evening = at + HOUR * rng.lognormvariate(0.8, 0.8)
        while at < evening:
            burst_end = at + MINUTE * rng.expovariate(1 / 20)
            while at < burst_end:
                output = round(rng.lognormvariate(4.5, 1.3)) or 1
                yield (at.timestamp(), 8, output, rng.randrange(3_000), rng.randrange(60_000), 1)
                at += MINUTE * rng.expovariate(1 / 0.4)
            at += MINUTE * rng.lognormvariate(2.5, 1.0)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--claude-dir", action="append", default=[], metavar="DIR")
    parser.add_argument("--ccusage", default="ccusage", metavar="CMD")
    parser.add_argument("--simulate", type=int, metavar="DAYS")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    if options.simulate is not None:
        rows = simulate(options.simulate, options.seed)
    else:
        rows = from_ccusage(options.ccusage, options.claude_dir)
    print("[" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "]")


if __name__ == "__main__":
    main()
