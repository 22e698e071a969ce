"""Several accounts through the whole program, with the real ccusage."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import RunMonitor
from tests.histories import Row, write_messages
from tests.live.fakes import MONITOR, now
from tests.pseudo_terminal import Terminal

Installed = Callable[[str], Path]


@pytest.fixture
def words(tmp_path: Path, real_ccusage: Installed) -> tuple[object, ...]:
    """Two accounts with a block under way, 3,000 and 1,000 tokens used of a limit of 10,000."""
    for name, each in (("work", 300), ("own", 100)):
        start = now() - timedelta(minutes=50)
        rows = [Row(start + timedelta(minutes=5 * i), 0, each) for i in range(10)]
        write_messages(tmp_path / name, rows, session=name)
    file = tmp_path / "config.toml"
    lines = [f"{name} = '{tmp_path / name}'" for name in ("own", "work", "gone")]
    file.write_text("\n".join(["[accounts]", *lines]), encoding="utf-8")
    ccusage = real_ccusage("20.0.24")
    return ("--config", file, "--ccusage", ccusage, "--token-limit", "10k")


def test_the_snapshot_is_about_the_one_that_binds_first_and_names_all(
    words: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    data = json.loads(run_monitor(*words, "--json").stdout)
    assert (data["account"], data["tokens"]["counted"]) == ("work", 3_000)
    found = [(each["name"], each["used_percent"]) for each in data["accounts"]]
    assert found == [("own", 10), ("work", 30), ("gone", None)]
    assert data["accounts"][2]["error"].endswith("gone not found.")
    own = json.loads(run_monitor(*words, "--account", "own", "--json").stdout)
    assert (own["account"], own["tokens"]["counted"]) == ("own", 1_000)
    assert [each["name"] for each in own["accounts"]] == ["own"]


def test_a_line_and_a_check_are_about_the_first_to_bind_or_the_one_that_is_named(
    words: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    done = run_monitor(*words, "line")
    assert done.stdout.startswith("work: 30 % · 7,000 left")
    assert done.stderr.startswith("gone: No Claude data directory: ")
    named = run_monitor(*words, "line", "--account", "own", "--format", "{account}|{used}")
    assert (named.stdout, named.stderr) == ("own|1,000\n", "")
    need = ("check", "--need", "8k")
    assert run_monitor(*words, *need).stdout.startswith("work: Not enough: 8,000 tokens needed")
    done = run_monitor(*words, *need, "--any")
    assert (done.returncode, done.stdout) == (
        10,
        "own: Tight: 8,000 tokens needed, 9,000 left.\n",
    )
    assert run_monitor(*words, *need, "--account", "work").returncode == 11


def test_tab_and_numbers_turn_to_an_account_and_its_number_turns_back(
    words: tuple[object, ...],
) -> None:
    with Terminal([*MONITOR, *map(str, words), "--refresh", "1"]) as terminal:
        terminal.wait_for(r"2 >work +█+.*30 %")
        terminal.wait_for(r"3  gone +No Claude data directory")
        terminal.wait_for(r"Claude Code · work · your limit")
        terminal.send("\t")
        terminal.wait_for(r"3 >gone")
        terminal.wait_for(r"The monitor keeps trying")
        terminal.send("1")
        terminal.wait_for(r"1 >own")
        terminal.wait_for(r"Used +1,000 of 10,000")
        terminal.send("1")
        terminal.wait_for(r"2 >work")
        terminal.send("q")
        assert terminal.leave_code() == 0


def test_each_account_follows_its_own_messages(words: tuple[object, ...], tmp_path: Path) -> None:
    with Terminal([*MONITOR, *map(str, words), "--refresh", "1"]) as terminal:
        terminal.wait_for(r"1  own .* 10 %")
        write_messages(tmp_path / "own", [Row(now(), 0, 5_000)], session="new")
        terminal.wait_for(r"1 .own .* 60 %")
        terminal.wait_for(r"2 .work .* 30 %")


def test_the_history_has_a_section_for_each_and_the_doctor_a_line(
    words: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    done = run_monitor(*words, "--account", "own", "history", "--json")
    assert (done.returncode, json.loads(done.stdout)["blocks"]) == (0, [])
    checked = run_monitor(*words, "doctor")
    assert "✓ own: one look took" in checked.stdout and "1,000 tokens" in checked.stdout
    assert "✗ gone: No Claude data directory" in checked.stdout
    assert checked.returncode == 1


def test_tables_have_a_section_for_each_account_and_go_on_after_one_that_fails(
    words: tuple[object, ...], run_monitor: RunMonitor
) -> None:
    done = run_monitor(*words, "history")
    assert [line for line in done.stdout.splitlines() if line in ("own", "work", "gone")] == [
        *("own", "work", "gone"),
    ]
    assert (done.returncode, done.stdout.count("running")) == (1, 2)
    assert done.stderr.startswith("gone: No Claude data directory: ")


def test_the_account_named_last_counts(words: tuple[object, ...], run_monitor: RunMonitor) -> None:
    done = run_monitor(*words, "--account", "work", "line", "--account", "own")
    assert done.stdout.startswith("own: 10 %")


def test_while_a_ccusage_is_replaced_an_account_without_data_does_not_end_the_screen(
    words: tuple[object, ...], tmp_path: Path
) -> None:
    program = tmp_path / "programs" / "ccusage"
    program.parent.mkdir()
    program.symlink_to(str(words[3]))
    argv = [*MONITOR, *map(str, words[:2]), "--token-limit", "10k", "--refresh", "1"]
    with Terminal(argv, env={"PATH": f"{program.parent}:/usr/bin:/bin"}) as terminal:
        terminal.wait_for(r"2 >work +█+.*30 %")
        terminal.wait_for(r"3  gone +No Claude data directory")
        program.unlink()
        terminal.send("r")
        terminal.wait_for(r"3  gone +ccusage was not found")
        terminal.wait_for(r"2 >work +█+.*30 %")
        program.symlink_to(str(words[3]))
        terminal.send("r")
        terminal.wait_for(r"3  gone +No Claude data directory")
        terminal.send("q")
        assert terminal.leave_code() == 0


@pytest.mark.parametrize("command", [("--once",), ("history",), ("line",)])
def test_who_wants_no_ccusage_is_asked_once_not_for_each_account(
    words: tuple[object, ...], tmp_path: Path, command: tuple[str, ...]
) -> None:
    npm = tmp_path / "tools" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\n", encoding="utf-8")
    npm.chmod(0o755)
    argv = [*MONITOR, *map(str, words[:2]), *command]
    with Terminal(argv, env={"PATH": str(npm.parent)}, columns=200, rows=40) as terminal:
        terminal.wait_for_question("Install it now")
        terminal.send("n\n")
        assert terminal.leave_code() == 1
        assert terminal.text().count("Install it now") == 1
