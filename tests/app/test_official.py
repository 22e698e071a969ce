"""Claude Code is asked only if that is chosen, seldom, and by one process for all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from monitor.app.official import OfficialSource, is_ask_due
from monitor.app.poller import Poller
from monitor.app.reader import Reader
from monitor.app.watched_account import Asking
from monitor.clock import utc_now
from monitor.config.settings import (
    AlertOptions,
    DataOptions,
    LimitOptions,
    OfficialOptions,
    Settings,
)
from monitor.model.history import History
from monitor.model.limit_hits import LimitHit
from monitor.model.official import (
    Asked,
    OfficialLimits,
    Report,
    UsageAnswer,
    joined,
    with_answer,
)
from monitor.model.reading import Reading, Source
from monitor.model.usage import measure
from monitor.store.json_file import locked
from monitor.store.official import asking_path, change_official, load_official, official_path
from tests.claude.fake_claude import FakeClaude, body, limits, line, resets
from tests.conftest import RunMonitor
from tests.samples import NOW, OK, captured

MINUTE = timedelta(minutes=1)


@pytest.fixture
def claude(tmp_path: Path) -> FakeClaude:
    return FakeClaude(tmp_path / "bin")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / "data" / "projects").mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture
def reading(data_dir: Path) -> Reading:
    return Reading((), utc_now(), Source(data_dirs=(str(data_dir),)))


@pytest.fixture
def ccusage(tmp_path: Path) -> Path:
    """A ccusage that knows of no usage."""
    path = tmp_path / "ccusage"
    cases = "*version*) echo 20.0.24;; *) echo '{\"blocks\": []}';;"
    path.write_text(f'#!/bin/sh\ncase "$*" in {cases} esac\n')
    path.chmod(0o755)
    return path


Sources = Callable[..., OfficialSource]


@pytest.fixture
def source_of(claude: FakeClaude, tmp_path: Path) -> Sources:
    def make(mode: str = "ask", clock: Callable[[], datetime] = utc_now) -> OfficialSource:
        options = OfficialOptions(mode, str(claude.path))
        return OfficialSource(options, tmp_path, tmp_path / "state", clock)

    return make


def used(source: OfficialSource, reading: Reading) -> dict[str, float]:
    windows = source.load(reading.source.data_dirs).windows
    return {key: window.used_percent for key, window in windows.items()}


def test_the_answer_is_stored_for_all(source_of: Sources, reading: Reading, tmp_path: Path) -> None:
    source = source_of()
    assert source.ask(reading, None)
    stored = load_official(tmp_path / "state", reading.source.data_dirs)
    assert used(source, reading) == {key: w.used_percent for key, w in stored.windows.items()}
    assert {window.origin for window in stored.windows.values()} == {"claude"}
    assert stored.plan == "max"


@pytest.mark.parametrize("mode", ["statusline", "off"])
def test_it_is_not_asked_unless_that_is_chosen(
    mode: str, source_of: Sources, reading: Reading, claude: FakeClaude
) -> None:
    assert not source_of(mode).ask(reading, None)
    assert not claude.runs


def test_off_shows_none_of_what_is_stored(source_of: Sources, reading: Reading) -> None:
    source_of().ask(reading, None)
    assert used(source_of("statusline"), reading)
    assert not used(source_of("off"), reading)


def test_another_process_takes_the_younger_answer(
    source_of: Sources, reading: Reading, claude: FakeClaude
) -> None:
    assert source_of().ask(reading, None)
    assert not source_of().ask(reading, None)
    assert len(claude.runs) == 1


def test_while_one_process_asks_the_others_do_not(
    source_of: Sources, reading: Reading, claude: FakeClaude, tmp_path: Path, data_dir: Path
) -> None:
    with locked(asking_path(tmp_path / "state", str(data_dir))):
        assert not source_of().ask(reading, None)
    assert not claude.runs


def test_without_an_answer_the_reason_is_stored_and_it_is_not_asked_at_once_again(
    source_of: Sources, reading: Reading, claude: FakeClaude
) -> None:
    claude.does("sys.exit('Invalid API key')")
    source = source_of()
    assert source.ask(reading, None)
    asked = source.load(reading.source.data_dirs).asked
    assert asked is not None and asked.fault == "Claude Code did not answer: Invalid API key"
    assert not source.ask(reading, None)
    assert len(claude.runs) == 1


def test_a_reason_is_forgotten_with_the_next_answer(
    source_of: Sources, reading: Reading, claude: FakeClaude
) -> None:
    claude.does("sys.exit(1)")
    source = source_of()
    source.ask(reading, None)
    claude.answers(line(body()))
    source.ask(reading, None, force=True)
    asked = source.load(reading.source.data_dirs).asked
    assert asked is not None and not asked.fault


def test_where_nothing_can_be_stored_the_answer_is_kept_in_memory(
    source_of: Sources, reading: Reading, claude: FakeClaude, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file is in the way")
    source = source_of()
    assert source.ask(reading, None)
    assert used(source, reading)["five_hour"] == 63
    assert not source.ask(reading, None)
    assert len(claude.runs) == 1


def test_an_answer_kept_in_memory_gives_way_to_a_stored_one(
    source_of: Sources, reading: Reading, claude: FakeClaude, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.write_text("a file is in the way")
    source = source_of()
    source.ask(reading, None)
    state.unlink()
    claude.answers(line(body(rate_limits={"five_hour": limits()["five_hour"]})))
    source.ask(reading, None, force=True)
    assert set(used(source, reading)) == {"five_hour"}


def test_answers_that_cannot_be_stored_add_up_to_a_pace(
    source_of: Sources, reading: Reading, claude: FakeClaude, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file is in the way")
    now = utc_now()
    times = iter([now, now, now + 5 * MINUTE, now + 5 * MINUTE])
    source = source_of(clock=lambda: next(times))
    source.ask(reading, None, force=True)
    claude.answers(line(body(rate_limits=limits(five_hour=window(70)))))
    source.ask(reading, None, force=True)
    five_hour = source.load(reading.source.data_dirs).windows["five_hour"]
    assert [capture.used_percent for capture in five_hour.captures] == [63, 70]


def window(percent: float) -> dict[str, object]:
    return {"utilization": percent, "resets_at": resets(2.5)}


def test_a_question_of_the_future_that_cannot_be_replaced_is_not_repeated(
    source_of: Sources, reading: Reading, claude: FakeClaude, tmp_path: Path, data_dir: Path
) -> None:
    """As on a full disk, after the clock was put back."""
    state = tmp_path / "state"
    change = partial(replace, asked=Asked(utc_now() + 60 * MINUTE))
    change_official(state, str(data_dir), change)
    lock = official_path(state, str(data_dir))
    lock.with_name(f".{lock.name}.lock").unlink()
    lock.with_name(f".{lock.name}.lock").mkdir()  # so that nothing can be stored any more
    source = source_of()
    assert source.ask(reading, None)
    assert not source.ask(reading, None)
    assert len(claude.runs) == 1


def test_an_account_without_limits_does_not_hide_the_answer_of_another() -> None:
    answered = OfficialLimits(asked=Asked(NOW))
    refused = OfficialLimits(asked=Asked(NOW + MINUTE, "not logged in"))
    assert joined(answered, refused).asked == Asked(NOW + MINUTE)
    assert joined(refused, answered).asked == Asked(NOW + MINUTE)
    assert joined(refused, OfficialLimits()).asked == refused.asked


def test_projects_named_as_the_data_directory_stand_for_the_account_above(
    source_of: Sources, data_dir: Path, claude: FakeClaude
) -> None:
    named = Reading((), utc_now(), Source(data_dirs=(str(data_dir / "projects"),)))
    source_of().ask(named, None)
    assert [run[1]["CLAUDE_CONFIG_DIR"] for run in claude.runs] == [str(data_dir)]


def test_after_an_installation_it_can_be_asked(
    source_of: Sources, reading: Reading, claude: FakeClaude
) -> None:
    source = source_of()
    source.stop()  # as the screen does when it makes room for the question
    source.resume()
    assert source.ask(reading, None)
    assert claude.runs


def due(asked_minutes_ago: float, reading: Reading = OK, **values: object) -> bool:
    asked = Asked(NOW - asked_minutes_ago * MINUTE)
    known = values.get("limits", OfficialLimits())
    history = values.get("history", History())
    assert isinstance(known, OfficialLimits) and isinstance(history, History)
    is_start = values.get("is_start") is True
    return is_ask_due(replace(known, asked=asked), reading, history, NOW, is_start=is_start)


def working(minutes_ago: float) -> Reading:
    """A reading whose last message came then."""
    block = replace(OK.blocks[-1], last_activity=NOW - minutes_ago * MINUTE)
    return replace(OK, blocks=(*OK.blocks[:-1], block))


def test_it_is_asked_every_five_minutes_while_usage_goes_on() -> None:
    assert not due(4.9, working(1))
    assert due(5, working(1))
    assert not due(30, working(31))


def test_at_the_start_an_answer_of_five_minutes_ago_is_too_old() -> None:
    assert due(5, working(31), is_start=True)
    assert not due(4, working(1), is_start=True)


def test_it_is_asked_at_once_after_a_limit_hit_but_not_within_its_own_minute() -> None:
    history = History(hits=(LimitHit(NOW - MINUTE / 2, "five_hour", NOW + 60 * MINUTE),))
    assert due(2, working(31), history=history)
    assert not due(1, working(31), history=history)
    assert not due(0.2, working(31), history=history)


def test_it_is_asked_at_once_after_a_reset() -> None:
    raw = {"five_hour": {"used_percentage": 9, "resets_at": (NOW - MINUTE).timestamp()}}
    limits = captured(raw, NOW - 60 * MINUTE)
    assert due(3, working(31), limits=limits)
    assert not due(3, working(31))


def test_a_clock_that_was_put_back_makes_it_due() -> None:
    assert due(-10, working(31))


def answer(**percents: float) -> UsageAnswer:
    reports = {key: Report(used, NOW + 90 * MINUTE) for key, used in percents.items()}
    return UsageAnswer(reports, "max")


def session(percent: float, limits: OfficialLimits, minutes: float) -> OfficialLimits:
    raw = {"five_hour": {"used_percentage": percent, "resets_at": (NOW + 90 * MINUTE).timestamp()}}
    return captured(raw, NOW + minutes * MINUTE, limits)


def five_hour(limits: OfficialLimits) -> tuple[float, str]:
    window = limits.windows["five_hour"]
    return window.used_percent, window.origin


def test_of_answer_and_status_line_the_newest_change_wins() -> None:
    known = session(40, OfficialLimits(), 0)
    known = with_answer(known, answer(five_hour=42), NOW + MINUTE)
    assert five_hour(known) == (42, "claude")
    known = session(40, known, 2)  # the session is only drawn again
    assert five_hour(known) == (42, "claude")
    known = session(43, known, 3)
    assert five_hour(known) == (43, "statusline")
    known = with_answer(known, answer(five_hour=42), NOW + 4 * MINUTE)  # from its cache
    assert five_hour(known) == (43, "statusline")


def test_an_upgrade_shows_with_the_next_answer() -> None:
    known = with_answer(OfficialLimits(), answer(five_hour=95, seven_day=100), NOW)
    known = with_answer(known, answer(five_hour=19, seven_day=3), NOW + 5 * MINUTE)
    assert five_hour(known) == (19, "claude")
    assert known.windows["seven_day"].used_percent == 3


def test_a_window_that_an_answer_no_longer_names_is_gone() -> None:
    known = with_answer(OfficialLimits(), answer(five_hour=9, **{"model:Fable": 55}), NOW)
    assert set(known.windows) == {"five_hour", "model:Fable"}
    assert set(with_answer(known, answer(five_hour=9), NOW + MINUTE).windows) == {"five_hour"}


def test_a_spend_limit_of_the_status_line_is_not_the_answers_to_take_away() -> None:
    known = captured({"spend_limit": {"used_percentage": 9}}, NOW)
    assert "spend_limit" in with_answer(known, answer(five_hour=9), NOW + MINUTE).windows


def test_no_command_starts_a_claude_that_was_not_asked_for(
    claude: FakeClaude, run_monitor: RunMonitor, data_dir: Path, ccusage: Path
) -> None:
    words = ("--ccusage", ccusage, "--claude-dir", data_dir, "--claude", claude.path)
    commands = ["--once", "--json", "doctor", "line", "check", "history", "config --show"]
    for command in [*commands, "--official off --json", "--official ask line", "--version"]:
        run_monitor(*words, *command.split())
    run_monitor(*words, "statusline", input="{}")
    assert not claude.runs
    done = run_monitor(*words, "--official", "ask", "--json")
    assert len(claude.runs) == 1
    assert {w["id"] for w in json.loads(done.stdout)["official"]["windows"]} >= {"model:Fable"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("sys.exit(1)", "exit code 1"),
        ("print('{}')", "did not answer"),
        ("import time; time.sleep(1000)", "did not answer within 10 s"),
        ("while True: print('x' * 10**6)", "printed more than 1 MiB"),
        ("print('{\"type\":\"control_response\",', end='')", "did not answer"),
        (f"print({line(body(rate_limits_available=False))!r})", "not logged in"),
        (f"print({line(body(rate_limits=None))!r})", "names no limit"),
        (f"print({line([1, 2])!r})", "names no limit"),
        ("sys.exit('error: unknown option')", "unknown option"),
    ],
)
def test_doctor_says_in_one_line_why_there_is_no_answer(
    code: str,
    expected: str,
    claude: FakeClaude,
    run_monitor: RunMonitor,
    data_dir: Path,
    ccusage: Path,
) -> None:
    claude.does(code)
    words = ("--ccusage", ccusage, "--claude-dir", data_dir, "--claude", claude.path)
    done = run_monitor(*words, "--official", "ask", "doctor")
    (told,) = [text for text in done.stdout.splitlines() if "asked for its limits" in text]
    assert expected in told
    assert done.returncode == 0


def test_a_window_over_its_limit_is_a_reached_limit(
    claude: FakeClaude, run_monitor: RunMonitor, data_dir: Path, ccusage: Path
) -> None:
    week = {"utilization": 101, "resets_at": resets(50)}
    claude.answers(line(body(rate_limits=limits(seven_day=week))))
    words = ("--ccusage", ccusage, "--claude-dir", data_dir, "--claude", claude.path)
    data = json.loads(run_monitor(*words, "--official", "ask", "--json").stdout)
    assert (data["status"], data["headline"]["window"]) == ("limit_reached", "seven_day")


def test_a_fault_is_not_said_to_leave_no_limits_while_some_are_shown(tmp_path: Path) -> None:
    official = OfficialOptions("ask")
    settings = Settings(LimitOptions(timezone="UTC"), DataOptions(), AlertOptions(), official)
    poller = Poller(Reader(settings.data, tmp_path, tmp_path), tmp_path, official=settings.official)
    known = with_answer(OfficialLimits(), answer(five_hour=9), NOW)
    failed = replace(known, asked=Asked(NOW, "no network"))
    hints = [
        Asking(settings, poller).hint(measure(OK, History(), settings.rules, NOW, limits))
        for limits in (failed, replace(failed, windows={}))
    ]
    assert hints == ["no new official limits: no network", "no official limits: no network"]
