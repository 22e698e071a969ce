from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scripts import ROOT, benchmark, run_script

if sys.platform == "win32":
    pytest.skip("it needs a pseudo-terminal", allow_module_level=True)

from benchmarks.speed import STARTS, Appender, Program, measure, measure_minute


def test_each_program_is_measured_at_each_start_and_with_messages(
    real_ccusage: Callable[[str], Path],
) -> None:
    words = ("--sizes", 1, "--seconds", 0.4, "--minute", 0, "--claude-monitor", "")
    output = benchmark("speed.py", *words, "--ccusage", real_ccusage("20.0.24"))
    rows = [line.strip("| ").split(" | ") for line in output.splitlines() if "MiB" in line]
    ours, loop = "this monitor, ccusage 20.0.24", "loop of ccusage 20.0.24"
    assert [tuple(row[:3]) for row in rows] == [
        *(("1 MiB", ours, what) for what in (*STARTS, "a message every 2 s")),
        *(("1 MiB", loop, what) for what in ("idle", "a message every 2 s")),
    ]
    assert all(float(row[4]) > 0 for row in rows)
    assert re.match(r".+, \d+ cores, Python [\d.]+, \d{4}-\d\d-\d\d; 0\.4 s each\.\n", output)


def test_a_run_ends_when_its_time_is_over_and_knows_what_was_printed() -> None:
    code = "import time; print('\\x1b[1m42 %\\x1b[0m', flush=True); time.sleep(60)"
    began = time.monotonic()
    cost = measure(Program("sleeper", (sys.executable, "-c", code)), dict(os.environ), 0.5, None)
    assert time.monotonic() - began < 20
    assert cost.first is None or cost.first < 5
    assert cost.cpu > 0


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_a_minute_in_peace_is_measured_without_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.speed.SETTLE_SECONDS", 1.5)
    code = "import time; print('start' * 100, flush=True); time.sleep(60)"
    cost = measure_minute(Program("sleeper", (sys.executable, "-c", code)), dict(os.environ), 0.2)
    assert (cost.bytes_out, cost.child_mb) == (0, None)
    assert cost.cpu < 0.1


def test_the_delay_of_a_message_is_known_once_its_count_is_on_the_screen(tmp_path: Path) -> None:
    writer = Appender(tmp_path, 1_000)
    writer._due = 0.0
    writer.append()
    assert writer.seen_in("1,000 tokens") == []
    (delay,) = writer.seen_in("1,310 tokens")
    assert 0 <= delay < 10
    assert writer.seen_in("1,310 tokens") == []


def test_without_a_ccusage_it_says_which_option_names_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run_script(ROOT / "benchmarks" / "speed.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no ccusage on PATH; name one with --ccusage" in done.stderr
