"""Measure the monitor and its peers on the same histories; print a Markdown table.

    python benchmarks/speed.py --sizes 1,64 --ccusage PATH [--ccusage PATH …]

Each program runs in a pseudo-terminal of 100x40 on histories from make_history.py: once idle, once
with a message appended every 2 s. On Linux, this monitor is also measured for a minute (--minute)
in which nothing happens, from 10 s after its start on: CPU and bytes are those of that time alone.
Sizes are in MiB; from 2048 on, the files of 1024 MiB get several names each. Peers: a loop of
`ccusage blocks --json` every 3 s for each --ccusage, `ccusage blocks --live` for the versions that
have it (16 to 18), and claude-monitor if it is on PATH or named. Linux and macOS.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.make_history import MODELS, line, make

ROOT = Path(__file__).resolve().parent.parent
FIRST_NUMBER = re.compile(rb"\d ?%")
CODES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]")
TOKENS = 310
APPEND_SECONDS = 2.0
LARGEST_REAL_MIB = 1024
SETTLE_SECONDS = 10.0
CHANGED = "idle, new since"
STARTS = ("first start", "idle, nothing new", CHANGED)
HEAD = (
    "| history | program | | first frame s | CPU s | MB | largest child MB | bytes out "
    "| append → screen s | 90 % s |"
)
RULE = "|---|---|---|---:|---:|---:|---:|---:|---:|---:|"


@dataclass(frozen=True)
class Program:
    """What is measured; `starts` says what each of its runs is."""

    name: str
    argv: tuple[str, ...]
    starts: tuple[str, ...] = ("",)


@dataclass
class Cost:
    """What one run took."""

    first: Optional[float] = None
    cpu: float = 0.0
    own_mb: Optional[float] = None
    child_mb: Optional[float] = None
    bytes_out: int = 0
    delays: list[float] = field(default_factory=list)

    def cells(self) -> list[str]:
        """Return the table's cells; a dash for what was not seen."""
        late = sorted(self.delays)
        delays = (statistics.median(late), late[len(late) * 9 // 10]) if late else ()
        first = f"{self.first:.2f}" if self.first is not None else "–"
        sizes = [f"{mb:.0f}" if mb is not None else "–" for mb in (self.own_mb, self.child_mb)]
        seen = [f"{seconds:.2f}" for seconds in delays] or ["–", "–"]
        return [first, f"{self.cpu:.2f}", *sizes, f"{self.bytes_out:,}", *seen]


class Appender:
    """Appends a message now and then, and knows which number must follow on the screen."""

    def __init__(self, history: Path, counted: int) -> None:
        self._path = history / "projects" / "-home-dev-project-00" / f"live-{time.time_ns()}.jsonl"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._counted = counted
        self._due = time.monotonic() + 4.0
        self._awaited: dict[int, float] = {}

    def append(self) -> None:
        """Append a message when it is time for one."""
        if time.monotonic() < self._due:
            return
        self._due += APPEND_SECONDS
        self.append_now()
        self._awaited[self._counted] = time.monotonic()

    def append_now(self) -> None:
        """Append a message."""
        self._counted += TOKENS
        tokens = (10, TOKENS - 10, 500, 20_000)
        text = line(datetime.now(timezone.utc), str(time.time_ns()), tokens, MODELS[1], "Done.")
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text)

    def seen_in(self, text: str) -> list[float]:
        """Return how long the messages that these numbers include had been there."""
        shown = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d", text)}
        newest = max((n for n in self._awaited if n in shown), default=0)
        arrived = [number for number in self._awaited if number <= newest]
        return [time.monotonic() - self._awaited.pop(number) for number in arrived]


def measure(
    program: Program, env: dict[str, str], seconds: float, writer: Optional[Appender]
) -> Cost:
    """Run a program for some seconds, then end it with Ctrl+C."""
    cost, began = Cost(), time.monotonic()
    child, terminal = _started(program, env)
    for data in _output(terminal, began + seconds, writer):
        cost.bytes_out += len(data)
        if cost.first is None and FIRST_NUMBER.search(CODES.sub(b"", data)):
            cost.first = time.monotonic() - began
        if writer is not None:
            cost.delays += writer.seen_in(CODES.sub(b" ", data).decode("utf-8", "replace"))
    cost.own_mb = _resident_mb(child)
    _end(child, terminal, cost)
    return cost


def _started(program: Program, env: dict[str, str]) -> tuple[int, int]:
    """Start a program in a terminal of its own; return its process and the terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe(program.argv[0], program.argv, env)  # noqa: S606 - no shell is needed
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    return child, terminal


def measure_minute(program: Program, env: dict[str, str], seconds: float) -> Cost:
    """Run a program in peace; return what it costs beyond its start."""
    child, terminal = _started(program, env)
    for _ in _output(terminal, time.monotonic() + SETTLE_SECONDS, None):
        pass
    cost, before = Cost(), _cpu_so_far(child)
    cost.bytes_out = sum(map(len, _output(terminal, time.monotonic() + seconds, None)))
    spent, cost.own_mb = _cpu_so_far(child) - before, _resident_mb(child)
    _end(child, terminal, cost)
    cost.cpu, cost.child_mb = spent, None
    return cost


def _cpu_so_far(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended, on Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _output(terminal: int, until: float, writer: Optional[Appender]) -> Iterator[bytes]:
    while time.monotonic() < until:
        if writer is not None:
            writer.append()
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                return
            if not data:
                return
            yield data


def _end(child: int, terminal: int, cost: Cost) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        os.kill(child, number)
        for _ in _output(terminal, time.monotonic() + 3, None):
            pass
        ended, _, used = os.wait4(child, os.WNOHANG)
        if ended:
            break
    else:
        _, _, used = os.wait4(child, 0)
    os.close(terminal)
    cost.cpu = used.ru_utime + used.ru_stime
    largest = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    # The largest of the program and its children: of a smaller child no more is known.
    cost.child_mb = largest if cost.own_mb is None or largest > cost.own_mb + 1 else None


def _resident_mb(pid: int) -> Optional[float]:
    """Return the peak on Linux, the present size elsewhere."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
    else:
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], stdout=subprocess.PIPE)  # noqa: PLW1510, S607
        found = re.search(r"(\d+)", said.stdout.decode())
    return int(found[1]) / 2**10 if found else None


def report(ccusage: str, history: Path) -> dict[str, Any]:
    """Return what `ccusage blocks --json` prints about a history."""
    env = {**os.environ, "CLAUDE_CONFIG_DIR": str(history)}
    words = [ccusage, "blocks", "--json", "--offline"]
    done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def counted(ccusage: str, history: Path) -> int:
    """Return the input and output tokens of the active block."""
    blocks = report(ccusage, history)["blocks"]
    active = [b for b in blocks if b["isActive"] and not b["isGap"]]
    tokens = active[-1]["tokenCounts"] if active else {}
    return sum(tokens.get(kind, 0) for kind in ("inputTokens", "outputTokens"))


def poll(ccusage: str) -> None:
    """Do what the first monitors of this kind did: run ccusage on everything, every 3 s."""
    history = Path(os.environ["CLAUDE_CONFIG_DIR"])
    while True:
        tokens = counted(ccusage, history)
        print(f"\x1b[H{tokens:,} tokens, {tokens / 70:.0f} %", flush=True)
        time.sleep(3)


def version_of(ccusage: str) -> str:
    """Return the version that a ccusage says it is."""
    said = subprocess.run([ccusage, "--version"], capture_output=True, check=True)
    return said.stdout.decode().split()[-1]


def programs(options: argparse.Namespace) -> Iterator[Program]:
    """Yield ours and the peers that are there."""
    for path in options.ccusage:
        version = version_of(path)
        ours = (sys.executable, str(ROOT / "ccusage_monitor.py"), "--ccusage", path)
        yield Program(f"this monitor, ccusage {version}", ours, STARTS)
        again = (sys.executable, __file__, "--poll", path)
        yield Program(f"loop of ccusage {version}", again)
        if 16 <= int(version.split(".")[0]) <= 18:
            yield Program(f"ccusage {version} --live", (path, "blocks", "--live", "--offline"))
    if options.claude_monitor:
        yield Program("claude-monitor", (options.claude_monitor, "--plan", "max5"))


def rows(options: argparse.Namespace, mib: int, home: Path) -> Iterator[str]:
    """Measure every program on one history; yield the table's rows."""
    history = home / "claude"
    links = max(1, mib // LARGEST_REAL_MIB)
    make(history, min(mib, LARGEST_REAL_MIB), links=links)
    for program in programs(options):
        with tempfile.TemporaryDirectory() as own_home:
            env = environment(Path(own_home), history)
            for start in program.starts:
                if start == CHANGED:
                    Appender(history, 0).append_now()
                cost = measure(program, env, options.seconds, None)
                yield row(mib, program, start or "idle", cost)
            if program.starts and program.starts[0] and sys.platform == "linux" and options.minute:
                cost = measure_minute(program, env, options.minute)
                yield row(mib, program, f"idle, {options.minute:g} s beyond the start", cost)
            writer = Appender(history, counted(options.ccusage[0], history))
            cost = measure(program, env, options.seconds, writer)
            yield row(mib, program, "a message every 2 s", cost)


def row(mib: int, program: Program, what: str, cost: Cost) -> str:
    """Return one line of the table."""
    return f"| {' | '.join([f'{mib} MiB', program.name, what, *cost.cells()])} |"


def environment(home: Path, history: Path) -> dict[str, str]:
    """Return an environment with an empty home, where every peer finds the history."""
    (home / ".claude").symlink_to(history)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {**kept, "HOME": str(home), "CLAUDE_CONFIG_DIR": str(history), "TERM": "xterm-256color"}


def machine() -> str:
    """Return what it was measured on."""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {datetime.now(timezone.utc):%Y-%m-%d}"
    )


def options_of(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1,64", help="MiB, with commas; default: 1,64")
    parser.add_argument("--ccusage", action="append", default=[], help="a ccusage; repeatable")
    parser.add_argument("--claude-monitor", default=shutil.which("claude-monitor"))
    parser.add_argument("--seconds", type=float, default=30.0, help="for each run; default: 30")
    parser.add_argument("--minute", type=float, default=60.0, help="in peace; default: 60, 0: none")
    parser.add_argument("--dir", type=Path, help="where to make histories; default: temporary")
    parser.add_argument("--poll", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    options.ccusage = options.ccusage or [found for found in [shutil.which("ccusage")] if found]
    if not options.ccusage and not options.poll:
        parser.error("no ccusage on PATH; name one with --ccusage")
    return options


def main() -> None:
    """Measure and print."""
    options = options_of(sys.argv[1:])
    if options.poll:
        poll(options.poll)
    print(f"{machine()}; {options.seconds:g} s each.\n\n{HEAD}\n{RULE}", flush=True)
    for mib in (int(size) for size in options.sizes.split(",")):
        with tempfile.TemporaryDirectory(dir=options.dir) as home:
            for text in rows(options, mib, Path(home)):
                print(text, flush=True)


if __name__ == "__main__":
    main()
