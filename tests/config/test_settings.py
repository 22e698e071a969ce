"""From click's parameters to one frozen Settings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import cli
from monitor.config.settings import AlertOptions, DataOptions, Settings, is_twelve_hour


def settings(*words: str) -> Settings:
    """Return what the commands get for a command line."""
    with cli.make_context("ccusage-monitor", list(words)) as ctx:
        ctx.invoke(cli.callback or (lambda **_: None), **ctx.params)
        chosen: Any = ctx.obj
    assert isinstance(chosen, Settings)
    return chosen


def test_without_options_there_are_the_documented_defaults() -> None:
    chosen = settings()
    assert (chosen.output, chosen.refresh, chosen.show_cost) == ("live", 3, True)
    assert chosen.data == DataOptions()
    assert chosen.alerts == AlertOptions(percents=(80, 95))
    assert (chosen.rules.plan, chosen.rules.token_limit, chosen.rules.reset_hour) == (
        *("pro", None),
        None,
    )
    assert str(chosen.rules.zone) == "UTC"


def test_every_group_of_options_arrives() -> None:
    words = ("--plan", "max5", "--reset-hour", "9", "--timezone", "Asia/Tokyo")
    rules = settings(*words, "--time-format", "12").rules
    assert (rules.plan, rules.reset_hour, str(rules.zone), rules.twelve_hour) == (
        *("max5", 9),
        *("Asia/Tokyo", True),
    )
    data = settings("--claude-dir", "/a", "--claude-dir", "/b", "--online", "--full-scan").data
    assert data == DataOptions(None, (Path("/a"), Path("/b")), online=True, full_scan=True)
    alerts = settings("--alert-at", "50", "--bell", "--alert-command", "true").alerts
    assert alerts == AlertOptions((50,), bell=True, command="true")
    assert alerts.enabled and not AlertOptions().enabled


@pytest.mark.parametrize(
    ("words", "output"),
    [
        ("--once", "once"),
        ("--json", "json"),
        ("--json --follow", "follow"),
        ("--json --once", "json"),
    ],
)
def test_the_output_is_one_of_four(words: str, output: str) -> None:
    assert settings(*words.split()).output == output


def test_the_rules_are_made_once_and_anew_for_other_settings() -> None:
    chosen = settings()
    assert chosen.rules is chosen.rules
    other = dataclasses.replace(chosen, limit=chosen.limit._replace(plan="max20"))
    assert other.rules.plan == "max20"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings().refresh = 5  # type: ignore[misc]


def test_only_what_changes_the_numbers_is_in_the_key_of_the_cache() -> None:
    plain = DataOptions()
    assert plain.key == plain._replace(claude_dirs=(Path("/a"),)).key
    assert len({plain.key, plain._replace(online=True).key, plain._replace(ccusage="x").key}) == 3


def test_the_clock_has_12_hours_if_chosen_else_as_in_the_locale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert is_twelve_hour("12") and not is_twelve_hour("24")
    monkeypatch.setenv("LC_ALL", "C")
    assert not is_twelve_hour(None)
    monkeypatch.setenv("LC_ALL", "no_SUCH")
    assert not is_twelve_hour(None)
