from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scripts import benchmark

if sys.platform == "win32":
    pytest.skip("it measures what POSIX tells of a process", allow_module_level=True)

from benchmarks.history import DAY, move_last_day


def test_the_read_of_everything_the_first_one_and_that_of_a_day_later_are_measured(
    real_ccusage: Callable[[str], Path],
) -> None:
    output = benchmark("history.py", "--sizes", 1, "--ccusage", real_ccusage("20.0.24"))
    rows = [line.strip("| ").split(" | ") for line in output.splitlines() if "MiB" in line]
    assert [tuple(row[:3]) for row in rows] == [
        ("1 MiB", "20.0.24", what)
        for what in ("all at once", "first read", "not due", "a day later", "nothing new")
    ]
    assert all(float(number) > 0 for row in rows for number in row[3:6])
    assert [row[6] == "–" for row in rows] == [False, False, False, False, True]


def test_only_the_transcripts_of_the_last_day_come_later(tmp_path: Path) -> None:
    for name, hours in (("new", 1), ("old", 30)):
        path = tmp_path / "claude" / "projects" / "p" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (time.time() - hours * 3600,) * 2)
    move_last_day(tmp_path / "claude", tmp_path / "held")
    assert DAY.total_seconds() == 24 * 3600
    assert [path.name for path in (tmp_path / "claude").rglob("*.jsonl")] == ["old.jsonl"]
    assert [path.name for path in (tmp_path / "held").rglob("*.jsonl")] == ["new.jsonl"]
