"""`check` from outside: one sentence and an exit code, with the real ccusage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Optional

import pytest

from tests.conftest import RunMonitor
from tests.histories import Row, busy_history, write_messages
from tests.live.fakes import Fake, now

Installed = Callable[[str], Path]


@pytest.fixture
def real(tmp_path: Path, real_ccusage: Installed) -> tuple[object, ...]:
    """Words that look at a made history through the real ccusage: 90 tokens and more are used."""
    busy_history(tmp_path, now())
    return ("--ccusage", real_ccusage("20.0.24"), "--claude-dir", tmp_path)


def test_much_is_left_of_a_large_limit(real: tuple[object, ...], run_monitor: RunMonitor) -> None:
    done = run_monitor(*real, "--token-limit", "100M", "check", "--need", "20k")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Enough: 20,000 tokens needed, 99,")
    assert run_monitor(*real, "--token-limit", "100M", "check").returncode == 0


def test_a_time_is_measured_at_the_present_pace(
    real: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    done = run_monitor(*real, "--token-limit", "100M", "check", "--need", "30m")
    assert done.returncode == 0
    assert done.stdout.startswith("Enough: 30 min at this pace needs ")


@pytest.mark.parametrize(("need", "code"), [("99M", 10), ("100M", 11)])
def test_nearly_all_of_what_is_left_is_tight_and_more_is_not_enough(
    need: str, code: int, real: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    done = run_monitor(*real, "--token-limit", "100M", "check", "--need", need)
    assert done.returncode == code
    assert done.stdout.startswith({10: "Tight: ", 11: "Not enough: "}[code])


def test_over_the_limit_is_not_enough_for_anything(
    real: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    done = run_monitor(*real, "--token-limit", "10", "check", "--need", "1")
    assert done.returncode == 11
    assert done.stdout.startswith("Past your limit of 10 since ") and done.stdout.count("\n") == 1


def test_an_idle_time_is_unknown(
    tmp_path: Path, real_ccusage: Installed, run_monitor: RunMonitor
) -> None:
    write_messages(tmp_path, [Row(now() - timedelta(hours=30))])
    done = run_monitor("--ccusage", real_ccusage("20.0.24"), "--claude-dir", tmp_path, "check")
    assert done.returncode == 20
    assert done.stdout.startswith("No active block")


def test_no_reading_is_exit_1_with_the_reason(tmp_path: Path, run_monitor: RunMonitor) -> None:
    done = run_monitor("--ccusage", tmp_path / "none", "--claude-dir", tmp_path, "check")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("need", ["", "much", "-5", "0", "30s", "1e3", "m", "10 days", "99999h"])
def test_a_need_that_is_no_amount_is_exit_2_with_examples(
    need: str, run_monitor: RunMonitor
) -> None:
    done = run_monitor("check", "--need", need)
    assert (done.returncode, done.stdout) == (2, "")
    assert "try 20000, 20k, 30m, 2h or 1h30m" in done.stderr


@pytest.mark.parametrize(
    ("need", "said"),
    [
        ("20000", "20,000 tokens"),
        ("20k", "20,000 tokens"),
        ("1.5M", "1,500,000 tokens"),
        ("30m", "30 min"),
        ("45min", "45 min"),
        ("1.5h", "1 h 30 min"),
        ("1h30m", "1 h 30 min"),
        ("1 h 30 min", "1 h 30 min"),
    ],
)
def test_a_need_is_read_as_it_is_meant(
    need: str, said: str, real: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    assert said in run_monitor(*real, "--token-limit", "100M", "check", "--need", need).stdout


@pytest.mark.parametrize("need", [None, "20k"])
def test_it_takes_the_reading_that_somebody_just_had(
    need: Optional[str], tmp_path: Path, run_monitor: RunMonitor
) -> None:
    fake = Fake(tmp_path / "fake")
    words = ("--ccusage", fake.path, "--claude-dir", fake.data)
    assert run_monitor(*words, "line").returncode == 0
    runs = fake.runs()
    run_monitor(*words, "check", *(("--need", need) if need else ()))
    assert fake.runs() == runs
