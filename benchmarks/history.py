"""Measure what reading the whole history costs; print a Markdown table.

    python benchmarks/history.py --sizes 64,1024 --ccusage PATH [--ccusage PATH …]

Each history comes from make_history.py (sizes in MiB), without its last day at first:

- *all at once*: `ccusage blocks --json` on everything, which is what a read without slices costs.
- *first read*: `ccusage-monitor history` with an empty state directory.
- *not due*: the same after the last day was added, while the stored history is young: what the
  program itself takes, and a window.
- *a day later*: the same when the stored history is a day old.
- *nothing new*: the same once more; what the program itself takes.

The last line says what the read of a day costs beside the first read, both without what the program
itself takes. *CPU s* includes all programs that the program starts. POSIX.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.make_history import make
from benchmarks.speed import environment, machine, version_of
from monitor.store.history import change_history

HEAD = "| history | ccusage | | s | CPU s | MB | largest child MB |"
RULE = "|---|---|---|---:|---:|---:|---:|"
DAY = timedelta(hours=24)
KIB = 2**10 if sys.platform == "darwin" else 1
"""What the unit of `ru_maxrss` is to be divided by to give KiB."""


@dataclass(frozen=True)
class Cost:
    """What a run took."""

    seconds: float
    cpu: float
    own_mb: float
    child_mb: float

    def row(self, mib: int, ccusage: str, what: str) -> str:
        """Return one line of the table."""
        child = f"{self.child_mb:.0f}" if self.child_mb else "–"
        numbers = f"{self.seconds:.1f} | {self.cpu:.2f} | {self.own_mb:.0f} | {child}"
        return f"| {mib} MiB | {ccusage} | {what} | {numbers} |"


def measure(argv: Sequence[str], env: dict[str, str]) -> Cost:
    """Run a program of ours or a ccusage, in a process that knows what its children took."""
    began = time.monotonic()
    words = [sys.executable, __file__, "--run", json.dumps(list(argv))]
    done = subprocess.run(words, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    cpu, own, child = json.loads(done.stdout)
    return Cost(time.monotonic() - began, cpu, own, child)


def run(argv: Sequence[str]) -> None:
    """Run the monitor in this process, or another program; print CPU seconds and MB used."""
    if argv[0] == "monitor":
        from monitor.cli import main as monitor

        sys.argv = list(argv)
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            monitor()
    else:
        subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    print(json.dumps([cpu, *(used.ru_maxrss / KIB / 2**10 for used in (own, children))]))


def rows(mib: int, links: int, ccusages: Sequence[str], home: Path) -> Iterator[str]:
    """Measure every ccusage on one history; yield the table's rows."""
    history, held = home / "claude", home / "last-day"
    make(history, mib, links=links)
    for ccusage in ccusages:
        with tempfile.TemporaryDirectory() as own_home:
            env, version = environment(Path(own_home), history), version_of(ccusage)
            read = ("monitor", "--ccusage", ccusage, "history")
            move_last_day(history, held)
            whole = (ccusage, "blocks", "--json", "--offline")
            yield measure(whole, env).row(mib * links, version, "all at once")
            first = measure(read, env)
            yield first.row(mib * links, version, "first read")
            shutil.copytree(held, history, dirs_exist_ok=True, copy_function=os.replace)
            yield measure(read, env).row(mib * links, version, "not due")
            let_a_day_pass(Path(own_home))
            later = measure(read, env)
            yield later.row(mib * links, version, "a day later")
            nothing = measure(read, env)
            yield nothing.row(mib * links, version, "nothing new")
            share = (later.cpu - nothing.cpu) / (first.cpu - nothing.cpu or 0.01)
            yield f"\nThe read of a day takes {share:.1%} of the CPU of the first read.\n"


def move_last_day(history: Path, held: Path) -> None:
    """Move the transcripts of the last day out of the history."""
    for path in list(history.rglob("*.jsonl")):
        if time.time() - path.stat().st_mtime < DAY.total_seconds():
            place = held / path.relative_to(history)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)


def let_a_day_pass(home: Path) -> None:
    """Make the stored history a day older."""
    for path in home.rglob("history-*.json"):
        change_history(path, lambda h: replace(h, read_at=h.read_at and h.read_at - DAY))


def options_of(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="64", help="MiB, with commas; default: 64")
    parser.add_argument("--links", type=int, default=1, help="names for each file; default: 1")
    parser.add_argument("--ccusage", action="append", default=[], help="a ccusage; repeatable")
    parser.add_argument("--dir", type=Path, help="where to make histories; default: temporary")
    parser.add_argument("--run", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    options.ccusage = options.ccusage or [found for found in [shutil.which("ccusage")] if found]
    if not options.ccusage and not options.run:
        parser.error("no ccusage on PATH; name one with --ccusage")
    return options


def main() -> None:
    """Measure and print."""
    options = options_of(sys.argv[1:])
    if options.run:
        run(options.run)
        return
    print(f"{machine()}.\n\n{HEAD}\n{RULE}", flush=True)
    for mib in (int(size) for size in options.sizes.split(",")):
        with tempfile.TemporaryDirectory(dir=options.dir) as home:
            for text in rows(mib, options.links, options.ccusage, Path(home)):
                print(text, flush=True)


if __name__ == "__main__":
    main()
