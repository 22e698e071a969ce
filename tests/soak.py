"""Run the live monitor for a long time under load, and print what it holds at some minutes.

A message every second, a resize every 5 seconds, and a ccusage that fails one time in five:

    python tests/soak.py --minutes 20 --ccusage "$(command -v ccusage)"

`--monitors 20` runs as many at once on the one history. Linux: it reads /proc.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.histories import Row, busy_history, write_messages  # noqa: E402
from tests.pseudo_terminal import Terminal  # noqa: E402

SIZES = ((80, 24), (120, 40), (40, 20), (200, 60), (20, 5))
REPORT_MINUTES = (1, 5, 10, 20)


def main() -> None:
    """Run the soak and print its figures."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="soak-") as made, ExitStack() as stack:
        home = Path(made)
        busy_history(home / "claude", _now())
        command = _failing_sometimes(home, options.ccusage)
        terminals = [stack.enter_context(_monitor(home, command)) for _ in range(options.monitors)]
        print(f"{options.monitors} monitors, {options.minutes} minutes", flush=True)
        _run(terminals, home, options.minutes)
        _leave(terminals, home)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--monitors", type=int, default=1)
    parser.add_argument("--ccusage", required=True, help="the path of a real ccusage")
    return parser.parse_args()


def _failing_sometimes(home: Path, ccusage: str) -> Path:
    """Write a wrapper that fails one time in five when it is asked for a report."""
    path = home / "ccusage"
    path.write_text(
        "#!/bin/bash\n"
        f'case "$*" in *--version*) exec {shlex.quote(ccusage)} "$@";; esac\n'
        f"echo >>{shlex.quote(str(home / 'runs'))}\n"
        'if ((RANDOM % 5 == 0)); then echo "Error: one of five" >&2; exit 1; fi\n'
        f'exec {shlex.quote(ccusage)} "$@"\n',
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def _monitor(home: Path, command: Path) -> Terminal:
    words = ("--ccusage", command, "--claude-dir", home / "claude", "--refresh", "1")
    names = ("CACHE", "CONFIG", "DATA", "STATE")
    env = {f"XDG_{name}_HOME": str(home / name.lower()) for name in names}
    argv = [sys.executable, str(ROOT / "ccusage_monitor.py"), *map(str, words)]
    return Terminal(argv, env={**env, "HOME": str(home), "TMPDIR": str(home)})


def _run(terminals: Sequence[Terminal], home: Path, minutes: float) -> None:
    began = time.monotonic()
    due = iter([*(60 * m for m in REPORT_MINUTES if m < minutes), 60 * minutes])
    next_report = next(due)
    for turn, _ in enumerate(_seconds(minutes)):
        _message(home, turn)
        for terminal in terminals:
            if turn % 5 == 0:
                terminal.resize(*SIZES[turn // 5 % len(SIZES)])
            terminal.pump(0.01)
            terminal.raw = terminal.raw[-10_000:]  # the test itself must not grow either
            assert terminal.process.poll() is None, terminal.text()
            assert terminal.scrolled() == 0
        if time.monotonic() - began >= next_report:
            _report(terminals, home, time.monotonic() - began)
            next_report = next(due, float("inf"))
    _report(terminals, home, time.monotonic() - began)


def _seconds(minutes: float) -> Iterator[None]:
    began = time.monotonic()
    for second in range(int(minutes * 60)):
        yield
        time.sleep(max(0.0, began + second + 1 - time.monotonic()))


def _message(home: Path, turn: int) -> None:
    row = Row(_now(), input=random.randrange(50), output=random.randrange(20))
    session = f"50a50a50-{turn // 3_600:04x}-4000-8000-000000000001"
    write_messages(home / "claude", [row], session=session, append=True)


def _report(terminals: Sequence[Terminal], home: Path, seconds: float) -> None:
    pids = [terminal.process.pid for terminal in terminals]
    memory, handles, threads, children = (
        [take(pid) for pid in pids] for take in (_memory_kb, _handles, _threads, _children)
    )
    watches = max(map(_watches, pids))
    private = sum(1 for path in home.rglob("run-*") for _ in path.rglob("*"))
    runs = (home / "runs").stat().st_size if (home / "runs").exists() else 0
    print(
        f"{seconds / 60:5.1f} min: RSS {max(memory) / 1024:.1f} MB, descriptors {max(handles)},"
        f" watches {watches}, threads {max(threads)}, children {max(children)},"
        f" private files {private},"
        f" CPU {max(map(_cpu_seconds, pids)):.1f} s, runs of ccusage {runs}",
        flush=True,
    )


def _leave(terminals: Sequence[Terminal], home: Path) -> None:
    took = []
    for terminal in terminals:
        began = time.monotonic()
        terminal.send("q")
        assert terminal.leave_code() == 0
        took.append(time.monotonic() - began)
        terminal.assert_given_back()
    left = list(home.rglob("run-*"))
    print(f"left in at most {max(took):.2f} s; private directories left: {len(left)}")


def _memory_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def _handles(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _watches(pid: int) -> int:
    """Count the directories that the system watches for a process."""
    infos = Path(f"/proc/{pid}/fdinfo").iterdir()
    return sum(path.read_text().count("inotify wd:") for path in infos)


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def _children(pid: int) -> int:
    """Count the processes whose parent is `pid`."""
    count = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            count += path.read_text().rpartition(")")[2].split()[1] == str(pid)
        except OSError:
            continue
    return count


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _now() -> datetime:
    return datetime.now(timezone.utc) - timedelta(seconds=1)


if __name__ == "__main__":
    main()
