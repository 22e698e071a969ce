"""Accounts by name: what the settings file may say, and which are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.app.accounts import read_each
from monitor.cli import cli
from monitor.config.settings import Settings
from monitor.errors import MonitorError
from monitor.model.accounts import AccountUsage
from monitor.model.usage import Usage
from tests.conftest import RunMonitor
from tests.samples import usage_in

TWO = '[accounts]\nwork = "~/.claude-work"\n"Ann\'s own" = "/srv/ann"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(TWO, encoding="utf-8")
    return path


def settings(file: Path, *words: str) -> Settings:
    context = cli.make_context("ccusage-monitor", ["--config", str(file), *words])
    with context:
        cli.invoke(context)
    found: Settings = context.obj
    return found


def names(file: Path, *words: str) -> list[str]:
    return [own.account for own in settings(file, *words).each_account()]


def test_all_accounts_are_shown_each_with_its_own_directory(file: Path) -> None:
    every = settings(file).each_account()
    assert [(own.account, own.data.claude_dirs) for own in every] == [
        ("work", (Path("~/.claude-work"),)),
        ("Ann's own", (Path("/srv/ann"),)),
    ]


def test_one_can_be_chosen_in_upper_or_lower_case(file: Path) -> None:
    assert names(file, "--account", "WORK") == ["work"]
    file.write_text(f'account = "ann\'s own"\n{TWO}', encoding="utf-8")
    assert names(file) == ["Ann's own"]
    assert names(file, "--account", "work") == ["work"]


def test_directories_on_the_command_line_stand_for_themselves(file: Path) -> None:
    assert names(file, "--claude-dir", "/elsewhere") == [""]
    assert names(file, "--demo") == [""]


def test_an_account_beats_the_directory_that_the_file_names(file: Path) -> None:
    file.write_text(f'claude-dir = "/elsewhere"\n{TWO}', encoding="utf-8")
    assert names(file) == [""]
    assert names(file, "--account", "work") == ["work"]
    file.write_text(f'account = "work"\nclaude-dir = "/elsewhere"\n{TWO}', encoding="utf-8")
    assert names(file) == ["work"]


def test_a_directory_on_the_command_line_beats_the_account_of_file_or_environment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(f'account = "work"\n{TWO}', encoding="utf-8")
    assert names(file, "--claude-dir", "/elsewhere") == [""]
    monkeypatch.setenv("CCUSAGE_MONITOR_ACCOUNT", "work")
    assert names(file, "--claude-dir", "/elsewhere") == [""]
    monkeypatch.setenv("CCUSAGE_MONITOR_CLAUDE_DIR", "/elsewhere")
    assert names(file, "--account", "work") == ["work"]


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        (TWO, ("--account", "home"), "'home' is not one of 'work', \"Ann's own\""),
        ("", ("--account", "work"), "no accounts are named; add [accounts] with work ="),
        (TWO, ("--account", "work", "--claude-dir", "/x"), "leave out --claude-dir"),
        (TWO, ("line", "--account", "home"), "is not one of 'work'"),
        (TWO, ("check", "--account", "work", "--any"), "leave one out"),
        (TWO, ("history", "--json"), "Choose one of your accounts with --account: work, Ann's own"),
        (TWO, ("breakdown", "--json"), "Choose one of your accounts with --account: work"),
        (TWO, ("history", "--html", "x.html"), "Choose one of your accounts with --account: work"),
        ("[accounts]\nwork = 3", (), "accounts.work: takes a data directory, such as"),
        ("[accounts]\nwork = ''", (), "accounts.work: takes a data directory, such as"),
        ("[accounts]\nwork = ' '", (), "accounts.work: The name of the directory is empty."),
        ("[accounts]\n'' = '/x'", (), "accounts.: is no name: 1 to 20 characters"),
        (f"[accounts]\n{'a' * 21} = '/x'", (), "is no name: 1 to 20 characters"),
        ('[accounts]\n"a\\u202eb" = "/x"', (), "is no name: 1 to 20 characters"),
        ('[accounts]\na = "/x\\u202ey"', (), "accounts.a: takes a data directory, such as"),
        ("[accounts]\na = '/x'\nA = '/y'", (), "accounts.A: differs from a only in upper and"),
        ("[accounts]\na = '/x'\nb = '/x'", (), "accounts.b: has the data directory of a."),
        ("[accounts]\na = '/x'\nb = '/x/projects'", (), "accounts.b: has the data directory of a."),
        ("accounts = 3", (), "accounts: takes a table: a line [accounts] and its keys below."),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_exit_code_2(
    text: str, words: tuple[str, ...], reason: str, file: Path, run_monitor: RunMonitor
) -> None:
    file.write_text(text, encoding="utf-8")
    done = run_monitor("--config", file, *(words or ("line",)))
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr and done.stderr.count("\n") == 2


def test_one_account_that_fails_does_not_hide_the_other() -> None:
    def fail() -> Usage:
        raise MonitorError("no such directory", "name another")

    usage = usage_in("ok")
    found = read_each([("a", fail), ("b", lambda: usage)])
    assert found == (AccountUsage("a", None, "no such directory"), AccountUsage("b", usage))
    with pytest.raises(MonitorError, match="no such directory"):
        read_each([("a", fail), ("b", fail)])
