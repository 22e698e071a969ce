"""A fake ccusage with made transcripts, and a poller on them, for the tests of this folder.

The fake logs its calls and prints the report that a test has put in place.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from monitor.app.poller import Poller
from monitor.app.reader import Reader
from monitor.config.settings import DataOptions
from monitor.model.blocks import Block
from monitor.model.reading import Reading
from monitor.store.reading import ReadingFile, reading_path

NOW = datetime(2026, 6, 10, 18, 30, tzinfo=timezone.utc)
START = datetime(2026, 6, 10, 16, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)

FAKE = """#!{python}
import json, os, sys, time
here = {here!r}
if "--version" in sys.argv:
    print("{version}")
    sys.exit()
if "--breakdown" in sys.argv:
    sys.argv += ["--session-length", "split"]
length = sys.argv[sys.argv.index("--session-length") + 1] if "--session-length" in sys.argv else "5"
tops = [os.path.join(d, "projects") for d in os.environ["CLAUDE_CONFIG_DIR"].split(",")]
found = sorted(f for top in tops for _, _, names in os.walk(top) for f in names)
running = os.path.join(here, "running")
if os.path.exists(running):
    open(os.path.join(here, "two-at-once"), "w").close()
open(running, "w").close()
with open(os.path.join(here, "calls"), "a") as log:
    log.write(json.dumps([length, found, os.environ["CLAUDE_CONFIG_DIR"]]) + "\\n")
time.sleep({sleep})
os.remove(running)
report = os.path.join(here, "report-" + length)
if not os.path.exists(report):
    report = os.path.join(here, "report-5")
print(open(report).read())
"""


def stamp(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def raw_block(start: datetime, last: datetime, tokens: int, hours: float = 5) -> dict[str, Any]:
    counts = dict.fromkeys(("inputTokens", "cacheCreationInputTokens", "cacheReadInputTokens"), 0)
    return {
        "id": stamp(start),
        "startTime": stamp(start),
        "endTime": stamp(start + hours * HOUR),
        "actualEndTime": stamp(last),
        "isActive": last + 5 * HOUR > NOW,
        "isGap": False,
        "entries": 3,
        "tokenCounts": {**counts, "outputTokens": tokens},
        "costUSD": 1.5,
        "models": [],
    }


BUSY = [raw_block(NOW - n * HOUR, NOW - (n - 4) * HOUR, 5) for n in range(1600, 4, -4)]
"""Weeks without a silence."""


class Fake:
    """A ccusage that says what it is told to, and what it was asked."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.path = home / "ccusage"
        self.write()

    def write(self, *, version: str = "20.0.24", sleep: float = 0) -> None:
        text = FAKE.format(
            python=sys.executable, here=str(self._home), version=version, sleep=sleep
        )
        self.path.write_text(text)
        self.path.chmod(0o755)

    def says(self, *blocks: dict[str, Any], length: str = "5") -> None:
        (self._home / f"report-{length}").write_text(json.dumps({"blocks": blocks}))

    def splits(self, **tokens: int) -> None:
        """Say what was used in each session; `session_0` is the first."""
        zero = dict.fromkeys(("inputTokens", "cacheCreationTokens", "cacheReadTokens"), 0)
        projects = {
            name.replace("_", "-"): [
                {
                    "date": "2026-06-10",
                    "modelBreakdowns": [
                        {"modelName": "m", **zero, "outputTokens": used, "cost": 1}
                    ],
                }
            ]
            for name, used in tokens.items()
        }
        (self._home / "report-split").write_text(json.dumps({"projects": projects}))

    def breaks(self) -> None:
        (self._home / "report-5").write_text("no report")

    def calls(self) -> list[list[Any]]:
        """Return what was asked since the last time: length, files handed over, directories."""
        log = self._home / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    def ran_two_at_once(self) -> bool:
        return (self._home / "two-at-once").exists()


def transcript(root: Path, name: str, when: datetime) -> Path:
    path = root / "projects" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")
    os.utime(path, (when.timestamp(), when.timestamp()))
    return path


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Polled:
    """A poller whose clock each poll sets, and whose errors are raised."""

    def __init__(self, reader: Reader, state: Path) -> None:
        self.reader = reader
        self._clock = Clock()
        self._poller = Poller(reader, state, self._clock)

    def poll(self, now: datetime, *, series: bool = True) -> Reading:
        self._clock.now = now
        result = self._poller.poll(series=series)
        if result.error is not None:
            raise result.error
        assert result.reading is not None
        return result.reading

    def read_all(self) -> Sequence[Block]:
        return self.reader.read_all(self._poller._watcher.transcripts)

    def hours(self) -> Sequence[Block]:
        return self._poller.read_hours()


def reader_of(fake: Fake, tmp_path: Path, roots: Sequence[Path], **options: Any) -> Reader:
    (tmp_path / "work").mkdir(exist_ok=True)
    chosen = DataOptions(ccusage=str(fake.path), claude_dirs=tuple(roots), **options)
    return Reader(chosen, tmp_path / "work", tmp_path / "cache")


def polled(fake: Fake, tmp_path: Path, roots: Sequence[Path], **options: Any) -> Polled:
    return Polled(reader_of(fake, tmp_path, roots, **options), tmp_path / "polled")


def touch(root: Path, when: datetime = NOW, name: str = "p/new.jsonl") -> None:
    path = root / "projects" / name
    path.write_text(path.read_text() + "{}\n")
    os.utime(path, (when.timestamp(), when.timestamp()))


def lengths(calls: list[list[Any]]) -> list[str]:
    return [call[0] for call in calls]


def store(reading: Reading, state: Path) -> Path:
    """Store a reading as another process does; return the file."""
    ReadingFile(state).store(reading, is_confirmed=False)
    return reading_path(state, reading.source.data_dirs, reading.source.options_key)
