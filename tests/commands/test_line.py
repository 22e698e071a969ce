"""`line`: fields, waybar's JSON, and one ccusage run for many that ask."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.views.line import ACCOUNT, FIELDS, unknown_fields
from tests.conftest import RunMonitor
from tests.histories import Row, busy_history, write_messages
from tests.live.fakes import MONITOR, Fake, active, live, now, wait_for_history
from tests.waiting import until

ROOT = Path(__file__).parent.parent.parent
RECIPES = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
Installed = Callable[[str], Path]


def words(fake: Fake, *options: object) -> tuple[object, ...]:
    return ("--ccusage", fake.path, "--claude-dir", fake.data, *options)


@pytest.fixture
def real(tmp_path: Path, real_ccusage: Installed) -> tuple[object, ...]:
    """Words that show a made history through the real ccusage."""
    busy_history(tmp_path, now())
    return ("--ccusage", real_ccusage("20.0.24"), "--claude-dir", tmp_path, "--plan", "max20")


def test_the_line_is_one_line(real: tuple[object, ...], run_monitor: RunMonitor) -> None:
    done = run_monitor(*real, "line")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d+ % · [\d,]+ left · .*resets .*\d\d:\d\d\n", done.stdout)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_documented(field: str) -> None:
    assert len(re.findall(rf"^\| `\{{{field}\}}` \| .+ \|", RECIPES, re.MULTILINE)) == 1


def test_every_field_in_the_documentation_exists() -> None:
    named = re.findall(r"\{([\w-]+)\}", "".join(re.findall(r"^\| `\{.*", RECIPES, re.MULTILINE)))
    assert set(named) == {*FIELDS, ACCOUNT}


def test_every_field_has_a_value_and_agrees_with_the_snapshot(
    real: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    template = "\t".join(f"{name}={{{name}}}" for name in FIELDS)
    done = run_monitor(*real, "line", "--format", template)
    found = dict(part.split("=", 1) for part in done.stdout.rstrip("\n").split("␉"))
    said: dict[str, Any] = json.loads(run_monitor(*real, "--json").stdout)
    assert found["used"] == f"{said['tokens']['counted']:,}"
    assert found["left"] == f"{said['limit']['tokens_left']:,}"
    assert (found["limit"], found["plan"]) == ("140,000", "max20")
    assert (found["status"], found["source"]) == ("active", "estimate")
    assert found["cost"] == f"${said['block']['cost_usd']:,.2f}"
    assert re.fullmatch(r"[█▏▎▍▌▋▊▉░]{10}", found["bar"])
    assert re.fullmatch(r"(under )?\d+ %", found["percent"])
    assert found["week"] == "", "there are no official limits here"
    empty = {name for name, value in found.items() if not value}
    assert empty <= {"week", "windows", "runs_out", "likely"}


@pytest.mark.parametrize("template", ["{nope}", "{percent} {reset-in}", "{percent}{}{Percent}"])
def test_an_unknown_field_is_exit_2_and_says_which_there_are(
    template: str, fake: Fake, run_monitor: RunMonitor
) -> None:
    done = run_monitor(*words(fake, "line", "--format", template))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{{{unknown_fields(template)[0]}}} is no field; there are line, " in done.stderr
    assert fake.runs() == 0


def test_other_braces_stay_as_they_are(fake: Fake, run_monitor: RunMonitor) -> None:
    shown = "%{F#f00}{percent}%{F-} {} {"
    done = run_monitor(*words(fake, "line", "--format", shown.replace("%{F-}", "%%")))
    assert done.stdout == "%{F#f00}29 %%% {} {\n"


def test_nothing_in_a_template_or_the_data_can_send_codes(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    done = run_monitor(*words(fake, "line", "--format", "\x1b[2J\n{percent}\x07"))
    assert done.stdout == "␛[2J␊29 %␇\n"


def test_an_encoding_that_lacks_a_character_gets_a_question_mark(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    env = {"PYTHONIOENCODING": "ascii"}
    done = run_monitor(*words(fake, "line", "--format", "größe {percent}"), env=env)
    assert (done.returncode, done.stdout) == (0, "gr??e 29 %\n")


def test_costs_that_are_hidden_are_hidden_here_too(fake: Fake, run_monitor: RunMonitor) -> None:
    assert run_monitor(*words(fake, "line", "--format", "{cost}")).stdout == "$1.25\n"
    assert run_monitor(*words(fake, "--no-cost", "line", "--format", "{cost}")).stdout == "\n"


# The keys of waybar's custom module with return-type json, from its manual.
WAYBAR = {"text", "alt", "tooltip", "class", "percentage"}


@pytest.mark.parametrize(("counted", "state"), [(200, "unknown"), (6_900, ""), (9_604, "exceeded")])
def test_waybar_gets_its_json(
    counted: int, state: str, fake: Fake, run_monitor: RunMonitor
) -> None:
    fake.reports(active(counted))
    done = run_monitor(*words(fake, "line", "--format", "waybar"))
    assert done.stdout.count("\n") == 1
    said = json.loads(done.stdout)
    assert set(said) <= WAYBAR
    assert all(isinstance(said[key], str) for key in ("text", "tooltip", "class"))
    assert isinstance(said["percentage"], int) and 0 <= said["percentage"] <= 100
    assert re.fullmatch(r"[a-z-]+", said["class"]) and said["class"].startswith(state)


def test_waybar_is_told_of_an_idle_time(fake: Fake, run_monitor: RunMonitor) -> None:
    fake.reports([])
    said = json.loads(run_monitor(*words(fake, "line", "--format", "waybar")).stdout)
    assert (said["class"], said["percentage"]) == ("idle", 0)


def test_no_reading_is_exit_1_and_nothing_on_stdout(fake: Fake, run_monitor: RunMonitor) -> None:
    fake.prints("", err="boom\n", code=1)
    done = run_monitor(*words(fake, "line"))
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 2


def at_once(count: int, *options: object) -> list[subprocess.Popen[str]]:
    """Start that many `line` at once."""
    return [
        subprocess.Popen(
            [*MONITOR, *map(str, options), "line"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for _ in range(count)
    ]


def ended(asked: list[subprocess.Popen[str]]) -> set[tuple[int, str]]:
    """Return the different exit codes and outputs of these processes."""
    told = [process.communicate(timeout=60) for process in asked]
    return {(process.returncode, out + err) for process, (out, err) in zip(asked, told)}


LOOK = 2
CHECK = 1  # of the window, by the first process of a day
"""One look is two runs of ccusage: the blocks, and the series of messages."""


def test_of_20_at_once_with_no_monitor_one_looks_for_all(fake: Fake) -> None:
    fake.does('sleep 0.5; cat "$HERE/report"')
    # A long refresh: on a slow machine the last of them begins when 10 seconds have passed.
    found = ended(at_once(20, "--refresh", "60", *words(fake)))
    assert {code for code, _ in found} == {0}
    assert fake.runs() == LOOK + CHECK


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="who waits is seen in /proc")
def test_of_20_at_once_one_fails_for_all(fake: Fake) -> None:
    gate = fake.home / "gate"
    fake.does(f"until [ -e {gate} ]; do sleep 0.1; done; echo boom >&2; exit 1")
    processes = at_once(20, *words(fake))
    until(lambda: all(map(holds_or_waits_for_the_lock, processes)), "all have begun")
    gate.touch()
    found = ended(processes)
    assert len(found) == 1 and next(iter(found))[0] == 1
    assert fake.runs() == 1


def holds_or_waits_for_the_lock(process: subprocess.Popen[str]) -> bool:
    for descriptor in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(OSError):
            if descriptor.readlink().name.endswith(".failed.json.lock"):
                return True
    return False


def test_a_failure_is_not_remembered_for_those_that_ask_later(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    fake.prints("", err="boom\n", code=1)
    assert run_monitor(*words(fake, "line")).returncode == 1
    fake.reports(active())
    assert run_monitor(*words(fake, "line")).returncode == 0


def test_beside_a_monitor_20_at_once_run_no_ccusage_at_all(fake: Fake, isolated: Path) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        wait_for_history(terminal, isolated)
        runs = fake.runs()
        assert {code for code, _ in ended(at_once(20, *words(fake)))} == {0}
        assert fake.runs() == runs


def test_the_monitors_newer_reading_is_taken(
    fake: Fake, run_monitor: RunMonitor, isolated: Path
) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        wait_for_history(terminal, isolated)
        fake.reports(active(3_000))
        fake.changed()
        terminal.wait_for("3,000 of")
        runs = fake.runs()
        assert run_monitor(*words(fake, "line", "--format", "{used}")).stdout == "3,000\n"
        assert fake.runs() == runs


def test_a_first_look_that_lacks_its_series_is_not_shared(fake: Fake, isolated: Path) -> None:
    fake.does('case "$*" in *session-length*) sleep 1000;; esac; cat "$HERE/report"')
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        assert not list(isolated.rglob("last-*.json"))


def test_an_old_reading_is_not_taken(fake: Fake, run_monitor: RunMonitor, isolated: Path) -> None:
    asking = ("--refresh", 60, *words(fake, "line", "--format", "{used}"))  # fresh: twice as long
    assert run_monitor(*asking).stdout == "2,000\n"
    fake.reports(active(3_000))
    (kept,) = isolated.rglob("last-*.json")
    for seconds, used in ((5, "2,000\n"), (600, "3,000\n"), (-600, "3,000\n")):
        when = time.time() - seconds
        os.utime(kept, (when, when))
        fake.reports(active(3_000))
        assert run_monitor(*asking).stdout == used


def test_the_highest_block_is_looked_up_where_the_shared_reading_does_not_know_it(
    tmp_path: Path, real_ccusage: Installed, run_monitor: RunMonitor
) -> None:
    write_messages(tmp_path, [Row(now() - timedelta(days=20), 1_000, 8_000)], session="old")
    write_messages(tmp_path, [Row(now() - timedelta(minutes=9), 5, 60)], session="new")
    options = ("--ccusage", real_ccusage("20.0.24"), "--claude-dir", tmp_path)
    shown = ("line", "--format", "{limit}")
    assert run_monitor(*options, "--plan", "pro", *shown).stdout == "7,000\n"
    # Where nobody chose a plan, the highest block shows that pro is not the plan.
    assert run_monitor(*options, *shown).stdout == "9,000\n"
    assert run_monitor(*options, "--plan", "custom_max", *shown).stdout == "9,000\n"


def test_a_home_that_cannot_be_written_to_costs_only_the_sharing(
    fake: Fake, isolated: Path, run_monitor: RunMonitor
) -> None:
    (isolated / "state").write_text("no directory", encoding="utf-8")
    assert run_monitor(*words(fake, "line", "--format", "{used}")).stdout == "2,000\n"


def test_the_demo_needs_no_data(real_ccusage: Installed, run_monitor: RunMonitor) -> None:
    done = run_monitor("--demo", "--ccusage", real_ccusage("20.0.24"), "line")
    assert done.returncode == 0 and "resets" in done.stdout


def test_a_fresh_reading_is_there_while_ccusage_hangs(fake: Fake, run_monitor: RunMonitor) -> None:
    assert run_monitor(*words(fake, "line")).returncode == 0
    fake.hangs()
    assert run_monitor(*words(fake, "line")).returncode == 0
    assert fake.pids() == []
