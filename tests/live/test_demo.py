"""`--demo`: the same program on sample usage, through the real ccusage, leaving nothing behind."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import RunMonitor
from tests.live.fakes import live, private_files
from tests.waiting import until

Installed = Callable[[str], Path]


@pytest.fixture
def ccusage(real_ccusage: Installed) -> tuple[object, ...]:
    return "--ccusage", real_ccusage("20.0.24"), "--demo"


def used(text: str) -> int:
    found = re.search(r"Used +([\d,]+) of", text)
    return int(found[1].replace(",", "")) if found else 0


def test_a_lively_screen_whose_usage_grows(ccusage: tuple[object, ...]) -> None:
    with live(None, *ccusage, "--plan", "max5") as terminal:
        terminal.wait_for(r"Used .* of ~35,000")
        first = used(terminal.text())
        assert 0.4 * 35_000 < first < 35_000
        until(lambda: used(terminal.text()) > first, "a new message is counted")
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


@pytest.mark.parametrize("plan", ["pro", "max20", "custom_max"])
def test_every_plan_has_a_block_under_way(
    plan: str, ccusage: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    found = json.loads(run_monitor("--json", *ccusage, "--plan", plan).stdout)
    assert found["status"] == "active"
    assert 30 < found["limit"]["used_percent"] < 110
    assert found["burn_rate"]["tokens_per_minute"] > 0


@pytest.mark.parametrize("words", [("history", "--daily"), ("line",), ("check",)])
def test_the_commands_say_nothing_of_where_the_sample_is(
    words: tuple[str, ...], ccusage: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    done = run_monitor(*ccusage, *words)
    assert done.stdout != "" and done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_nothing_is_left_behind(
    number: signal.Signals, ccusage: tuple[object, ...], isolated: Path, temporary: Path
) -> None:
    with live(None, *ccusage) as terminal:
        terminal.wait_for("Used")
        assert list(temporary.glob("ccusage-monitor-demo-*"))
        terminal.signal(number)
        assert terminal.leave_code() in (0, 128 + number)
    assert private_files(temporary) == [] and private_files(isolated) == []


def test_nothing_of_the_users_is_read_or_written(
    ccusage: tuple[object, ...], isolated: Path, run_monitor: RunMonitor
) -> None:
    mine = isolated / ".claude" / "projects" / "p" / "s.jsonl"
    mine.parent.mkdir(parents=True)
    mine.write_text("{}\n", encoding="utf-8")
    done = run_monitor("--json", *ccusage)
    assert done.returncode == 0, done.stderr
    assert str(isolated) not in " ".join(json.loads(done.stdout)["source"]["data_dirs"])
    assert mine.read_text(encoding="utf-8") == "{}\n"
    assert not list(isolated.rglob("history-*.json"))
    assert not (isolated / "state" / "ccusage-monitor").exists()
