"""Options, their environment twins, and the messages about wrong ones."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.cli import COMMANDS, OPTIONS, cli
from tests.conftest import RunMonitor, examples
from tests.live.fakes import CONTROLS, Fake, active


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A healthy ccusage with a block under way."""
    if sys.platform == "win32":
        pytest.skip("the fake is a shell script")
    return Fake(tmp_path / "fake")


WRONG = {
    ("--refresh", "nan"): "nan",
    ("--refresh", "0.5"): "not a number from 1 to 3600",
    ("--refresh", "soon"): "soon",
    ("--refresh", "inf"): "not a number from 1 to 3600",
    ("--timezone", "Mars/Base"): "Mars/Base",
    ("--timezone", ""): "'' is not a time zone; try one such as Europe/Berlin",
    ("--reset-hour", "24"): "from 0 to 23",
    ("--reset-hour", "-1"): "from 0 to 23",
    ("--token-limit", "0"): "44k",
    ("--token-limit", "-5"): "44k",
    ("--token-limit", "lots"): "44k",
    ("--plan", "platinum"): "custom_max",
    ("--time-format", "13"): "12",
    ("--follow",): "--json",
    ("--no-such-option",): "--no-such-option",
    ("no-such-command",): "no-such-command",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_option_is_exit_2_with_one_line_that_says_what_is_allowed(
    words: tuple[str, ...], run_monitor: RunMonitor
) -> None:
    done = run_monitor(*words)
    assert (done.returncode, done.stdout) == (2, "")
    error, advice = done.stderr.splitlines()
    assert error.startswith("Error: ")
    assert WRONG[words] in error
    assert "--help" in advice


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("histroy", "Did you mean history?"),
        ("servemetrics", "Did you mean serve-metrics?"),
        ("xyz", f"The commands are {', '.join(COMMANDS)}."),
    ],
)
def test_a_wrong_command_is_told_the_nearest(
    name: str, advice: str, run_monitor: RunMonitor
) -> None:
    done = run_monitor(name)
    assert done.stderr.splitlines()[0] == f"Error: No such command '{name}'. {advice}"
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("name", ["Max5", "MAX5", "Team-Max", "team-max"])
def test_a_plan_is_the_same_in_upper_and_lower_case(name: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"plan = '{name}'\n[plans]\nTeam-Max = 1000\n", encoding="utf-8")
    for words in (["--config", str(file)], ["--config", str(file), "--plan", name]):
        with cli.make_context("ccusage-monitor", words) as ctx:
            assert ctx.params["plan"] == ("max5" if name.lower() == "max5" else "Team-Max")


def test_of_two_own_plans_that_differ_in_case_the_exact_one_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[plans]\nteam = 1000\nTEAM = 2000\n", encoding="utf-8")
    for name in ("team", "TEAM"):
        words = ["--config", str(file), "--plan", name]
        assert cli.make_context("ccusage-monitor", words).params["plan"] == name


@pytest.mark.parametrize("words", [("--once",), ("--test-alert",), ()])
def test_an_alert_that_nothing_would_bring_is_wrong_use(
    words: tuple[str, ...], run_monitor: RunMonitor
) -> None:
    done = run_monitor("--alert-at", "80", *words)
    assert (done.returncode, done.stdout) == (2, "")
    ways = "--bell, --notify or --alert-command"
    assert done.stderr.splitlines()[0] == f"Error: --alert-at needs a way to alert: add {ways}."


def test_a_settings_file_may_say_when_to_alert_and_leave_the_way_to_the_command_line(
    fake: Fake, tmp_path: Path, run_monitor: RunMonitor
) -> None:
    (tmp_path / "config.toml").write_text("[alerts]\nat = [70]\n", encoding="utf-8")
    words = ("--once", "--ccusage", fake.path, "--claude-dir", fake.data)
    assert run_monitor("--config", tmp_path / "config.toml", *words).returncode == 0
    assert run_monitor(*words, "--alert-at", "80", "--bell").returncode == 0


# What --help shows.


def sections(text: str) -> dict[str, str]:
    """Return what follows each heading of a help text."""
    parts = re.split(r"^(\S.*):\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def test_help_groups_the_options_and_names_every_one_once(run_monitor: RunMonitor) -> None:
    shown = sections(run_monitor("--help").stdout)
    assert list(shown) == [*OPTIONS, "Commands"]
    names = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", "".join(shown.values()), flags=re.MULTILINE)
    assert sorted(names) == sorted([*(param.opts[-1] for param in cli.params), "--help"])
    assert set(re.findall(r"^  ([a-z-]+)  ", shown["Commands"], flags=re.MULTILINE)) == set(
        COMMANDS
    )


@pytest.mark.parametrize("columns", ["80", "100", "40"])
def test_help_fits_the_terminal(columns: str, run_monitor: RunMonitor) -> None:
    lines = run_monitor("--help", env={"COLUMNS": columns}).stdout.splitlines()
    assert max(map(len, lines)) <= max(50, int(columns))  # click uses no less


@pytest.mark.parametrize("words", ["--help", "--version"])
def test_help_and_version_need_no_settings_file_that_is_right(
    words: str, tmp_path: Path, run_monitor: RunMonitor
) -> None:
    (tmp_path / "config.toml").write_text("plan = [", encoding="utf-8")
    done = run_monitor(words, "--config", tmp_path / "config.toml")
    assert (done.returncode, done.stderr) == (0, "")


def test_an_option_of_the_program_goes_before_the_command(run_monitor: RunMonitor) -> None:
    error, advice = run_monitor("history", "--plan", "pro").stderr.splitlines()
    assert error.startswith("Error: No such option") and "--plan" in error
    assert advice == "--plan goes before the command: ccusage-monitor [OPTIONS] COMMAND."


# Each option in the environment, and what shows that it was heard.
HEARD: dict[str, tuple[str, list[object]]] = {
    "PLAN": ("max20", ["limit", "tokens", 140_000]),
    "TOKEN_LIMIT": ("1.5M", ["limit", "tokens", 1_500_000]),
    "RESET_HOUR": ("9", ["reset", "source", "reset_hour"]),
    "TIMEZONE": ("Asia/Kathmandu", ["reset", "timezone", "Asia/Kathmandu"]),
    "NO_COST": ("1", ["block", "cost_usd", None]),
    "FULL_SCAN": ("1", ["source", "scan", "full"]),
}


@pytest.mark.parametrize("name", HEARD)
def test_an_option_can_be_set_in_the_environment(
    name: str, fake: Fake, run_monitor: RunMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCUSAGE_MONITOR_CCUSAGE", str(fake.path))
    monkeypatch.setenv("CCUSAGE_MONITOR_CLAUDE_DIR", str(fake.data))
    monkeypatch.setenv("CCUSAGE_MONITOR_JSON", "1")
    value, (part, key, wanted) = HEARD[name]
    monkeypatch.setenv(f"CCUSAGE_MONITOR_{name}", value)
    found: dict[str, Any] = json.loads(run_monitor().stdout)
    assert found[str(part)][key] == wanted


def test_options_of_the_display_can_be_set_in_the_environment(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    env = {
        "CCUSAGE_MONITOR_CCUSAGE": str(fake.path),
        "CCUSAGE_MONITOR_CLAUDE_DIR": str(fake.data),
        "CCUSAGE_MONITOR_ONCE": "true",
        "CCUSAGE_MONITOR_ASCII": "1",
        "CCUSAGE_MONITOR_NO_COLOR": "1",
        "CCUSAGE_MONITOR_TIME_FORMAT": "12",
        "FORCE_COLOR": "1",
    }
    shown = run_monitor(env=env).stdout
    assert shown.isascii()
    assert "\x1b" not in shown
    assert " AM" in shown or " PM" in shown


def test_the_command_line_beats_the_environment(fake: Fake, run_monitor: RunMonitor) -> None:
    env = {"CCUSAGE_MONITOR_PLAN": "max20"}
    words = ("--json", "--ccusage", fake.path, "--claude-dir", fake.data, "--plan", "max5")
    assert json.loads(run_monitor(*words, env=env).stdout)["limit"]["tokens"] == 35_000


NAMES = (
    *("PLAN", "TOKEN_LIMIT", "RESET_HOUR", "TIMEZONE", "REFRESH", "TIME_FORMAT", "NO_COST"),
    *("CCUSAGE", "CLAUDE_DIR", "ONLINE", "ASCII"),
)
# Any text that an environment can hold: no NUL, and bytes that are no UTF-8 as surrogates.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
) | st.binary(max_size=20).map(lambda data: os.fsdecode(data.replace(b"\0", b"")))


@settings(
    max_examples=examples(12),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    print_blob=False,
)
@given(name=st.sampled_from(NAMES), value=TEXTS)
def test_any_text_in_the_environment_is_a_setting_or_a_clear_message(
    name: str, value: str, fake: Fake, run_monitor: RunMonitor
) -> None:
    words = [] if name == "CCUSAGE" else ["--ccusage", fake.path]
    words += [] if name == "CLAUDE_DIR" else ["--claude-dir", fake.data]
    done = run_monitor("--once", *words, env={f"CCUSAGE_MONITOR_{name}": value})
    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
    assert bool(done.stderr) == (done.returncode != 0)
    assert CONTROLS.search(done.stdout + done.stderr) is None


def test_nothing_that_was_chosen_once_is_remembered(fake: Fake, run_monitor: RunMonitor) -> None:
    words = ("--json", "--ccusage", fake.path, "--claude-dir", fake.data)
    fake.reports(active())
    chosen = run_monitor(*words, "--plan", "max20", "--timezone", "Asia/Tokyo", "--no-cost")
    assert json.loads(chosen.stdout)["limit"]["tokens"] == 140_000
    plain = json.loads(run_monitor(*words).stdout)
    assert plain["limit"]["plan"] == "pro"
    assert plain["block"]["cost_usd"] == 1.25
    assert plain["reset"]["timezone"] != "Asia/Tokyo"


def test_nothing_is_written_into_claudes_own_directory(fake: Fake, run_monitor: RunMonitor) -> None:
    def listing() -> list[Path]:
        return sorted(fake.data.rglob("*"))

    before = listing()
    assert run_monitor("--json", "--ccusage", fake.path, "--claude-dir", fake.data).returncode == 0
    assert listing() == before
