"""What the tests of the whole program share: a fake ccusage, data, terminals, what is left behind.

The fake is a small shell script named ccusage at the process border. What it prints is in files
beside it, so that a test can change it while the monitor runs.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

from tests.pseudo_terminal import ROOT, Terminal
from tests.waiting import until

MONITOR = (sys.executable, str(ROOT / "ccusage_monitor.py"))
HOUR = timedelta(hours=1)
MODEL = "claude-sonnet-4-20250514"

NODE_TRACE = """\
file:///usr/lib/node_modules/ccusage/dist/index.js:3436
\t\tthrow new TypeError(`Cannot read properties of undefined`);
\t\t      ^

TypeError: Cannot read properties of undefined (reading 'a')
    at getPaths (file:///usr/lib/node_modules/ccusage/dist/index.js:3436:9)

Node.js v20.20.2
"""

# All that the program may ever send: colours, cursor addresses, and the modes of a live screen.
OURS = re.compile(
    r"\x1b\[(?:[0-9;]*m|\d+;\d+H|999H|J|\?(?:1049|25|7|2004|2026)[hl])",
)
# C0 but for the newline, DEL, C1, and the marks that reorder text.
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def stamp(when: datetime) -> str:
    """Write a time as ccusage does."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(timezone.utc)


def a_block(start: datetime, counted: int = 2_000, **changes: Any) -> dict[str, Any]:
    """Make one block as ccusage prints it, five hours long; `changes` replaces keys."""
    last = min(start + timedelta(hours=4, minutes=30), now() - timedelta(seconds=5))
    block = {
        "id": stamp(start),
        "startTime": stamp(start),
        "endTime": stamp(start + 5 * HOUR),
        "actualEndTime": stamp(max(start, last)),
        "isActive": start <= now() < start + 5 * HOUR,
        "isGap": False,
        "entries": 12,
        "tokenCounts": {
            "inputTokens": counted // 10,
            "outputTokens": counted - counted // 10,
            "cacheCreationInputTokens": 5_000,
            "cacheReadInputTokens": 90_000,
        },
        "totalTokens": counted + 95_000,
        "costUSD": 1.25,
        "models": [MODEL],
        "burnRate": None,
        "projection": None,
    }
    return {**block, **changes}


def a_model(name: str, counted: int) -> dict[str, Any]:
    """Make what a model has used, as ccusage's daily report has it."""
    tokens = {"inputTokens": counted // 10, "outputTokens": counted - counted // 10}
    cache = {"cacheCreationTokens": 5_000, "cacheReadTokens": 90_000}
    return {"modelName": name, **tokens, **cache, "cost": 1.25}


def active_start(ago: timedelta = 2 * HOUR) -> datetime:
    """Return the start of a block under way: on the hour, so long ago or a little longer."""
    return (now() - ago).replace(minute=0, second=0, microsecond=0)


def active(counted: int = 2_000, **changes: Any) -> list[dict[str, Any]]:
    """Make the blocks of a history with one that has ended and one under way."""
    return [a_block(now() - 30 * HOUR, 900), a_block(active_start(), counted, **changes)]


class Fake:
    """An executable named ccusage that prints what the test last told it to."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.bin = home / "bin"
        self.path = self.bin / "ccusage"
        self.data = home / "claude"
        self.bin.mkdir(parents=True)
        (self.data / "projects" / "p").mkdir(parents=True)
        self.transcript = self.data / "projects" / "p" / "s.jsonl"
        self.changed()
        self.reports(active())
        self.splits(session_0={MODEL: 2_000})

    def splits(self, **sessions: Mapping[str, int]) -> None:
        """Say from now on what each model has used in each session; `session_0` is the first."""
        projects = {
            name.replace("_", "-"): [
                {
                    "date": "2026-06-10",
                    "modelBreakdowns": [a_model(*used) for used in models.items()],
                }
            ]
            for name, models in sessions.items()
        }
        self._put("split", json.dumps({"projects": projects}))

    def reports(self, blocks: Sequence[Mapping[str, Any]], version: str = "20.0.24") -> None:
        """Print this report from now on."""
        self.prints(json.dumps({"blocks": list(blocks)}), version)

    def prints(self, text: str, version: str = "20.0.24", err: str = "", code: int = 0) -> None:
        """Print this text as a report from now on."""
        self._put("report", text)
        self._put("stderr", err)
        self.does(f'cat "$HERE/report"; cat "$HERE/stderr" >&2; exit {code}', version)

    def does(self, script: str, version: str = "20.0.24") -> None:
        """Do this from now on when asked for a report."""
        self._put("version", version)
        lines = (
            "#!/bin/sh",
            f"HERE={shlex.quote(str(self.home))}",
            'case "$*" in *--version*) cat "$HERE/version"; exit;; esac',
            'case "$*" in *--breakdown*) echo run >>"$HERE/splits"; cat "$HERE/split"; exit;; esac',
            'echo run >>"$HERE/runs"',
            script,
        )
        self._put("bin/ccusage", "\n".join(lines) + "\n")

    def hangs(self) -> None:
        """Hang for ever from now on, as its own child does; both leave their process ids."""
        self.does('sleep 1000 & echo $! $$ >>"$HERE/pids"; wait')

    def changed(self) -> None:
        """Add to the data, so that the next look runs ccusage."""
        with self.transcript.open("a", encoding="utf-8") as file:
            file.write("{}\n")

    def runs(self) -> int:
        """Return how often a report was asked for."""
        return len(self._lines("runs"))

    def pids(self) -> list[int]:
        """Return the ids of every process that hung."""
        return [int(word) for line in self._lines("pids") for word in line.split()]

    def _lines(self, name: str) -> list[str]:
        path = self.home / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def _put(self, name: str, text: str) -> None:
        path = self.home / name
        new = path.with_name(path.name + ".new")
        new.write_text(text, encoding="utf-8", errors="surrogateescape")
        new.chmod(0o755)
        new.replace(path)  # in one step: it may be running


def wait_for_words(terminal: Terminal, pattern: str) -> None:
    """Wait for words on the screen, wherever its lines are broken."""

    def shown() -> object:
        return re.search(pattern, " ".join(terminal.text().split()))

    try:
        until(shown, f"{pattern!r} on the screen")
    except AssertionError as error:
        raise AssertionError(f"{error}:\n{terminal.text()}") from None


def wait_for_history(terminal: Terminal, home: Path) -> None:
    """Wait until the monitor has read the history too: the last of what it does at its start."""

    def is_read() -> bool:
        terminal.pump(0)
        files = home.rglob("history-*.json")  # one without the time has only the limits hit
        return any('"read_at":"' in file.read_text(encoding="utf-8") for file in files)

    until(is_read, "the history is read")


def private_files(home: Path) -> list[Path]:
    """Return what is left of the private directories that runs make below a home."""
    return [*home.rglob("run-*"), *home.rglob("ccusage-monitor-demo-*")]


@contextmanager
def live(fake: Optional[Fake], *options: object, **terminal: Any) -> Iterator[Terminal]:
    """Lend a terminal in which the monitor runs, on a fake ccusage and its data or with options."""
    words = ("--ccusage", fake.path, "--claude-dir", fake.data) if fake else ()
    argv = [*MONITOR, *map(str, words), "--refresh", "1", *map(str, options)]
    with Terminal(argv, **terminal) as running:
        yield running


def planted(tmp_path: Path, source: str) -> dict[str, str]:
    """Return the environment in which `source` runs before the program does."""
    plant = tmp_path / "plant"
    plant.mkdir(exist_ok=True)
    (plant / "sitecustomize.py").write_text(source, encoding="utf-8")
    return {"PYTHONPATH": f"{plant}{os.pathsep}{ROOT}"}


NO_HOME = """
import os, pwd
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
    os.environ.pop(name, None)
"""
"""A `planted` user whom the system does not know, as in a container."""


def assert_only_ours(raw: bytes, *, live_screen: bool = False) -> None:
    """Every control character of an output belongs to a sequence of the program's own."""
    plain = OURS.sub("", raw.decode("utf-8"))
    if live_screen:  # the terminal itself turns a newline into two characters
        plain = plain.replace("\r\n", "\n")
    found = CONTROLS.search(plain)
    assert found is None, f"{found!r} in {plain[max(0, found.start() - 60) : found.end() + 30]!r}"
