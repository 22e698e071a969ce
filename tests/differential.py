"""Compare the whole program with the real ccusage while a random history changes.

    python -m tests.differential --minutes 20 --version 20.0.24 --seed 1

Each made history has one `--json --follow` that runs all the time. After each change, it and fresh
starts in the same state directory must say what `ccusage blocks --json` says of all transcripts.
Most read their history in slices of a few kilobytes, and so in many.
The first difference ends the run with exit code 1, and prints the command that repeats it.
POSIX: the running process is stopped for the moment of a change.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Optional

from monitor.clock import utc_now
from monitor.model.plans import PLAN_TOKENS
from monitor.store.history import change_history, load_history
from monitor.transcripts.watcher import MAX_PAUSE
from tests.real_ccusage import ROOT, install, report, with_node
from tests.waiting import PATIENCE
from tests.world import KINDS, LOSES, PATTERNS, PLACES, Change, Stretch, World

MORE_KINDS = ("stream", "stream", "break", "touch")
MISLEADING = ("lie", "copy_as_in_2025", "antedate")
"""Changes that only the daily read of everything notices; often it is read whole from then on."""

ONE_WRITE = frozenset({"work", "subagent", "resume", "delete"})
"""Changes without a state in between that could be read: they may come at any moment."""

TAILS = (0, 1, 1, 30, 60, 120, 120, 200, 299, 301, 361, 1800)
AGES = (0, 0, 2, 59, 250, 299, 301, 361, 420)
CHANGES = 14
"""How often each history changes; only the last few changes can mislead."""

PRO = PLAN_TOKENS["pro"]
DAY = timedelta(hours=25)
SLICES = (2_000, 5_000, 10_000, 20_000, 2**26)
"""Bytes of a slice; with the last one a made history is read whole."""

START = """
import sys
from monitor.app import history_reader
history_reader.SLICE_BYTES = history_reader.PART_BYTES = int(sys.argv.pop(1))
from monitor.cli import main
sys.exit(main())
"""
"""How the program is started; its first argument are the bytes of a slice."""

LATEST = timedelta(seconds=MAX_PAUSE + 10)
"""How late the watcher may notice that an old file was written to (see its docstring)."""

FORMAT = "{status}|{used}|{limit}|{reset}"


# --- what ccusage says


@dataclass(frozen=True)
class Completed:
    """A block that has ended."""

    start: datetime
    end: datetime
    counted: int

    def overlaps(self, other: Completed) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Truth:
    """What a full run of ccusage says at `at`."""

    at: datetime
    active: Optional[tuple[datetime, datetime, int, int, int]]
    """Start, end, counted and total tokens, messages."""

    completed: tuple[Completed, ...]

    @property
    def is_over(self) -> bool:
        """Whether a block may have ended since: blocks end on the hour."""
        return utc_now().replace(minute=0, second=0, microsecond=0) > self.at


def truth_of(version: str, roots: Sequence[Path]) -> Truth:
    at = utc_now()
    active, completed = None, []
    for raw in json.loads(report(version, *roots))["blocks"]:
        start, end = moment(raw["startTime"]), moment(raw["endTime"])
        counts = raw["tokenCounts"]
        counted = counts["inputTokens"] + counts["outputTokens"]
        if raw.get("isGap"):
            continue
        if end <= at:
            completed.append(Completed(start, end, counted))
        elif raw["isActive"] and start <= at:
            active = (start, end, counted, sum(counts.values()), raw["entries"])
    return Truth(at, active, tuple(completed))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@dataclass
class HighestBlock:
    """Between which numbers the limit of `custom_max` must be.

    The whole history is read once a day, and stored blocks stay when their transcripts are gone.
    So every block of the last daily read counts, and no block that ccusage never reported.
    """

    ever: set[Completed] = field(default_factory=set)
    sure: set[Completed] = field(default_factory=set)
    exact: Optional[int] = None
    """The highest block, when all was just read and nothing was ever lost."""

    def see(self, truth: Truth, *, is_daily: bool, is_lossy: bool) -> None:
        self.ever |= set(truth.completed)
        read = truth.completed if is_daily else ()
        self.sure = {b for b in {*self.sure, *read} if self._is_undisputed(b)}
        self.exact = highest(truth.completed, PRO) if is_daily and not is_lossy else None

    @property
    def bounds(self) -> tuple[int, int]:
        if self.exact is not None:
            return self.exact, self.exact
        return highest(self.sure, 0), highest(self.ever, 0 if self.sure else PRO)

    def _is_undisputed(self, block: Completed) -> bool:
        """Whether the history was never divided otherwise there; then nothing displaces a block."""
        return all(b.start == block.start for b in self.ever if b.overlaps(block))


def highest(blocks: Iterable[Completed], other: int) -> int:
    return max((block.counted for block in blocks), default=other)


# --- what the program says


@dataclass(frozen=True)
class Said:
    """What an output shows of the active block, and the limit if it shows one."""

    who: str
    shown: object
    limit: Optional[int] = None
    scan: str = ""


class Difference(Exception):  # noqa: N818 - it is what is looked for
    """The program and ccusage disagree."""


class Program:
    """The program with one home directory: fresh starts."""

    def __init__(self, home: Path, version: str, roots: Sequence[Path], slices: int) -> None:
        self._state = home / "state" / "ccusage-monitor"
        self.env = environment(home)
        dirs = [word for root in roots for word in ("--claude-dir", str(root))]
        self.command = [sys.executable, "-c", START, str(slices), *dirs]
        self.command += ["--ccusage", str(install(version)), "--plan", "custom_max"]

    def run(self, *words: object, codes: Sequence[int] = (0,)) -> str:
        done = subprocess.run(
            [*self.command, *map(str, words)],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode not in codes or done.stderr:
            text = f"{words}: exit code {done.returncode}, {done.stdout!r}, {done.stderr!r}"
            raise Difference(text)
        return done.stdout

    def snapshot(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.run("--json"))
        return data

    def a_day_passes(self) -> None:
        """Make the last read of the whole history older than a day."""
        for path in self._histories():
            change_history(path, lambda h: replace(h, read_at=h.read_at and h.read_at - DAY))

    def distrusts_window(self) -> bool:
        """Whether a read of the whole history has contradicted the window."""
        stored = map(load_history, self._histories())
        return any(history and history.distrusted_until for history in stored)

    def _histories(self) -> list[Path]:
        return sorted(self._state.glob("history-*.json"))


class Follower:
    """The program that runs all the time."""

    def __init__(self, program: Program) -> None:
        self._process = subprocess.Popen(
            [*program.command, "--json", "--follow", "--refresh", "1"],
            env=program.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def next(self) -> dict[str, Any]:
        """Wait for a snapshot that was not taken yet."""
        line = self._lines.get(timeout=PATIENCE)
        if not line:
            raise Difference(f"--follow ended with exit code {self._process.wait()}")
        snapshot: dict[str, Any] = json.loads(line)
        return snapshot

    def waiting(self) -> list[dict[str, Any]]:
        """Take the snapshots that were printed meanwhile."""
        return [self.next() for _ in range(self._lines.qsize())]

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def leave(self) -> None:
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(timeout=PATIENCE)
        if code != 0:
            raise Difference(f"after Ctrl+C, --follow ended with exit code {code}")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("")


def environment(home: Path) -> dict[str, str]:
    names = ("CACHE", "CONFIG", "DATA", "RUNTIME", "STATE")
    (home / "tmp").mkdir()
    return {
        **{f"XDG_{name}_HOME": str(home / name.lower()) for name in names},
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "PATH": with_node(os.environ["PATH"]),
    }


def said_by(who: str, snapshot: dict[str, Any]) -> Said:
    """Read a snapshot, and check that its own numbers fit together."""
    block, tokens, limit = snapshot["block"], snapshot["tokens"], snapshot["limit"]
    if snapshot["source"]["stale"] or snapshot["source"]["error"]:
        raise Difference(f"{who}: {snapshot['source']}")
    used = 100 * tokens["counted"] / limit["tokens"]
    shown = snapshot["headline"]["used_percent"]
    if abs(limit["used_percent"] - used) > 1e-6 or (block and abs(shown - used) > 1e-6):
        raise Difference(f"{who}: {limit}, {snapshot['headline']}; {used} % is used")
    active = block and (
        *(moment(block["start"]), moment(block["end"])),
        *(tokens["counted"], tokens["total"], block["messages"]),
    )
    return Said(who, active, limit["tokens"], snapshot["source"]["scan"])


# --- one history


@dataclass
class Counts:
    """How often what was compared."""

    histories: int = 0
    changes: int = 0
    exact_limits: int = 0
    windows: int = 0
    late: int = 0
    latest: timedelta = timedelta()
    by: Counter[str] = field(default_factory=Counter)

    def note_late(self, after: timedelta) -> None:
        self.late += 1
        self.latest = max(self.latest, after)

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {number}" for name, number in sorted(self.by.items()))
        return (
            f"{self.histories} histories, {self.changes} changes, {self.by.total()} comparisons"
            f" ({parts}), {self.exact_limits} with one possible limit, {self.windows}"
            f" snapshots of a window; {self.late} noticed by"
            f" --follow later than at once, at most {self.latest.total_seconds():.1f} s"
        )


class Trial:
    """One made history that changes, and the programs that read it."""

    def __init__(self, home: Path, version: str, rng: random.Random, counts: Counts) -> None:
        self._rng, self._version, self._counts = rng, version, counts
        # From the hour on, since blocks begin on the hour: one seed gives the same blocks later.
        self._base = utc_now().replace(minute=0, second=0, microsecond=0)
        self._world = World(home)
        self._world.build(random_plan(rng), rng.choice(TAILS), self._base)
        self._highest = HighestBlock()
        self._program = Program(home, version, self._world.roots, rng.choice(SLICES))
        self._is_lossy = self._is_misled = False
        self._truth = self._learn(is_daily=True)
        self._since = utc_now()

    def run(self, changes: Sequence[Change]) -> Iterator[Change]:
        """Compare at first and after each change; yield it before that."""
        self._follower = Follower(self._program)
        try:
            self._compare_follower()
            self._check_trust()
            for change in changes:
                self._compare_waiting()
                yield change
                self._change(change)
                self._compare()
                self._check_trust()
            self._follower.leave()
        finally:
            self._follower.kill()

    def _change(self, change: Change) -> None:
        if change.kind in ONE_WRITE and self._rng.random() < 0.5:
            self._world.change(change, self._base)
        else:
            self._follower.next()  # it has just read, and rests
            with self._follower.stopped():
                self._world.change(change, self._base)
        self._counts.changes += 1
        self._is_lossy = self._is_lossy or change.kind in LOSES
        self._is_misled = self._is_misled or self._world.misleads

    def _compare(self) -> None:
        # Where a window may be misled, the daily read of everything must come first.
        is_daily = self._is_misled or self._rng.random() < 0.3
        if is_daily:
            self._program.a_day_passes()
            self._program.snapshot()
        self._since = utc_now()
        self._truth = self._learn(is_daily=is_daily)
        steps = [self._compare_start, self._compare_follower]
        self._rng.shuffle(steps)
        others = (self._compare_line, self._compare_check, self._compare_once, lambda: None)
        for step in (*steps, self._rng.choice(others)):
            step()

    def _check_trust(self) -> None:
        """A wrong window is mended by the first read of everything: it must not come to that."""
        if self._program.distrusts_window() and not self._is_misled:
            raise Difference("the whole history contradicted a window that nothing misleads")

    def _learn(self, *, is_daily: bool) -> Truth:
        truth = truth_of(self._version, self._world.roots)
        self._highest.see(truth, is_daily=is_daily, is_lossy=self._is_lossy)
        return truth

    def _compare_start(self) -> None:
        self._expect(lambda: said_by("--json", self._program.snapshot()), as_block)

    def _compare_follower(self) -> None:
        """Compare what --follow prints; it may notice the change of an old file late."""
        while True:
            snapshot = self._follower.next()
            read_at = moment(snapshot["source"]["read_at"])
            if read_at <= self._since:
                continue
            wrong = self._difference(said_by("--follow", snapshot), as_block)
            if wrong is None:
                return
            if self._truth.is_over:
                self._truth, self._since = self._learn(is_daily=False), utc_now()
            elif read_at > self._since + LATEST:
                raise Difference(wrong)
            else:
                self._counts.note_late(read_at - self._since)

    def _compare_waiting(self) -> None:
        """Compare what --follow has printed since it was right: it must have stayed so."""
        for snapshot in self._follower.waiting():
            wrong = self._difference(said_by("--follow", snapshot), as_block)
            if wrong is not None and not self._truth.is_over:
                raise Difference(wrong)

    def _compare_line(self) -> None:
        def said() -> Said:
            status, used, limit, reset = self._program.run("line", "--format", FORMAT).split("|")
            return Said("line", (status, number(used), reset.strip()[-5:]), number(limit))

        self._expect(said, as_line)

    def _compare_once(self) -> None:
        def said() -> Said:
            text = self._program.run("--once")
            found = re.search(r"Used +([\d,]+) of ([\d,]+)", text)
            if found is None:
                return Said("--once", None if "IDLE" in text else text)
            return Said("--once", number(found[1]), number(found[2]))

        self._expect(said, as_used)

    def _compare_check(self) -> None:
        """Ask for more than there is: the answer says how much is left."""

        def said() -> Said:
            text = self._program.run("check", "--need", 10**9, codes=(11, 20))
            found = re.search(r", ([\d,]+) left", text)
            used = self._truth.active[2] if self._truth.active else 0
            is_active = bool(found) or text.startswith("Past ")
            return Said("check", is_active, number(found[1]) + used if found else None)

        self._expect(said, lambda truth: truth.active is not None)

    def _expect(self, said: Callable[[], Said], of: Callable[[Truth], object]) -> None:
        found = said()
        while self._truth.is_over:
            self._truth = self._learn(is_daily=False)
            found = said()
        wrong = self._difference(found, of)
        if wrong is not None:
            raise Difference(wrong)

    def _difference(self, said: Said, of: Callable[[Truth], object]) -> Optional[str]:
        expected = of(self._truth)
        if said.shown != expected:
            return f"{said.who} ({said.scan}) says {said.shown}, ccusage {expected}"
        self._counts.by[said.who] += 1
        self._counts.windows += said.scan == "window"
        # The daily read compares the active block only: a misled window may stay wrong on others.
        if said.limit is None or (self._is_misled and said.scan != "full"):
            return None
        low, high = self._highest.bounds
        self._counts.exact_limits += low == high
        if low <= said.limit <= high:
            return None
        return f"{said.who} has the limit {said.limit}; it must be {low} to {high}"


def as_block(truth: Truth) -> object:
    return truth.active


def as_used(truth: Truth) -> object:
    return truth.active[2] if truth.active else None


def as_line(truth: Truth) -> object:
    if truth.active is None:
        return "idle", 0, ""
    return "active", truth.active[2], f"{truth.active[1]:%H:%M}"


def number(text: str) -> int:
    return int(text.replace(",", ""))


# --- random histories


def random_plan(rng: random.Random) -> list[Stretch]:
    (pattern,) = rng.choices(PATTERNS, (1, 3, 1, 6, 3))  # a window needs nights
    return [
        Stretch(
            silence=rng.choice(pattern.silences),
            count=rng.randint(1, 15),
            step=rng.choice(pattern.steps),
            root=rng.randrange(2),
            place=rng.choice(PLACES),
        )
        for _ in range(rng.randint(pattern.least, pattern.most))
    ]


def random_change(rng: random.Random, *, may_mislead: bool) -> Change:
    misleads = may_mislead and rng.random() < 0.25
    kind = rng.choice(MISLEADING if misleads else (*KINDS, *MORE_KINDS))
    return Change(kind, rng.choice((0, 1, rng.randrange(50))), rng.choice(AGES))


def compare_history(version: str, seed: int, number: int, changes: int, counts: Counts) -> None:
    """Compare all along one history. Raises Difference, which says how to repeat it."""
    rng = random.Random(f"{seed} {number}")
    home = Path(tempfile.mkdtemp(prefix="differential-"))
    step, change = 0, None
    try:
        trial = Trial(home, version, rng, counts)
        made = [random_change(rng, may_mislead=left < 3) for left in reversed(range(changes))]
        for step, change in enumerate(trial.run(made), start=1):  # noqa: B007 - for the message
            pass
    except Exception as error:
        again = f"python -m tests.differential --version {version} --seed {seed} --first {number}"
        place = f"history {number}, step {step} ({change}), at {utc_now():%H:%M:%S}, left in {home}"
        raise Difference(f"{place}\n{error.__class__.__name__}: {error}\nagain: {again}") from error
    shutil.rmtree(home)
    counts.histories += 1


def main() -> int:
    """Compare until the time is over; return 1 at the first difference."""
    options = parsed_options()
    # A shell starts its background jobs with this ignored, and so would be what is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    counts, began, number, minute = Counts(), time.monotonic(), options.first, 0
    while time.monotonic() - began < 60 * options.minutes:
        try:
            compare_history(options.version, options.seed, number, CHANGES, counts)
        except Difference as difference:
            print(f"{counts}\nDIFFERENCE in {difference}", flush=True)
            return 1
        number += 1
        if time.monotonic() - began >= 60 * minute:
            minute = int((time.monotonic() - began) / 60) + 1
            print(f"{(time.monotonic() - began) / 60:.1f} min: {counts}", flush=True)
    print(f"no difference: {counts}")
    return 0


def parsed_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--version", default="20.0.24", help="the ccusage to compare with")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, help="the history to begin with")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
