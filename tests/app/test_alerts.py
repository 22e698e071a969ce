"""Telling of an alert: data only in the environment, nothing blocks, codes only where known."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.app.alerts import Alerts, environment, run_command, send
from monitor.config.settings import AlertOptions
from monitor.model.alerting import Alert
from monitor.model.formatting import visible
from monitor.model.usage import Usage
from monitor.terminal import notification
from tests.live.fakes import Fake, active, live
from tests.samples import usage_in
from tests.waiting import is_running, until

if sys.platform == "win32":
    pytest.skip("the commands are of a POSIX shell", allow_module_level=True)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A healthy ccusage with a block under way."""
    return Fake(tmp_path / "fake")


HOSTILE = "$(touch pwned)`touch pwned`'; touch pwned; \"&& touch pwned\n\x1b]0;x\x07 ${HOME} *"
DUMP = "env | grep ^CCUSAGE_ALERT_ | sort >told.part; mv told.part told"


class Recorder:
    """A screen that remembers what it was asked to do."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def bell(self) -> None:
        self.asked.append(("bell",))

    def notify(self, title: str, text: str) -> None:
        self.asked.append(("notify", title, text))


def at(percent: float) -> Usage:
    usage = usage_in("ok")
    return replace(usage, five_hour=replace(usage.five_hour, used_percent=percent))


def test_what_a_command_gets_to_know_is_all_in_its_environment() -> None:
    usage = usage_in("tight")
    alert = Alert("percent", "80 % of the limit is used", "Tight: this pace …")
    told = environment(alert, usage)
    assert told.pop("CCUSAGE_ALERT_RUNS_OUT_AT").startswith("2026-06-10T20:")
    assert told == {
        "CCUSAGE_ALERT_KIND": "percent",
        "CCUSAGE_ALERT_TITLE": "80 % of the limit is used",
        "CCUSAGE_ALERT_SENTENCE": "Tight: this pace …",
        "CCUSAGE_ALERT_ACCOUNT": "",
        "CCUSAGE_ALERT_STATUS": "active",
        "CCUSAGE_ALERT_VERDICT": "tight",
        "CCUSAGE_ALERT_PERCENT": "52.9",
        "CCUSAGE_ALERT_SOURCE": "estimate",
        "CCUSAGE_ALERT_TOKENS_USED": "18500",
        "CCUSAGE_ALERT_TOKENS_LEFT": "16500",
        "CCUSAGE_ALERT_RESET_AT": "2026-06-10T21:00:00.000Z",
    }


def test_what_is_not_known_is_empty_in_the_environment() -> None:
    told = environment(Alert("reset", "Over", "Idle."), usage_in("empty"))
    assert told["CCUSAGE_ALERT_RESET_AT"] == told["CCUSAGE_ALERT_RUNS_OUT_AT"] == ""


def test_hostile_words_in_the_data_never_reach_the_shells_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    alert = Alert("percent", HOSTILE, HOSTILE)
    command = 'printf %s "$CCUSAGE_ALERT_TITLE" >title; printf %s "$CCUSAGE_ALERT_SENTENCE" >text'
    assert run_command(command, environment(alert, usage_in("ok"))) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"title", "text"}
    # Control characters are made visible: the command may print it on a terminal.
    assert (tmp_path / "title").read_bytes() == visible(HOSTILE).encode()
    assert (tmp_path / "text").read_bytes() == visible(HOSTILE).encode()


@given(text=st.text(max_size=200))
def test_any_text_is_handed_over_or_nothing_is_run(text: str) -> None:
    code = run_command('test -n "${CCUSAGE_ALERT_TITLE+set}"', {"CCUSAGE_ALERT_TITLE": text})
    assert code == 0 if "\0" not in text and text.isprintable() else code in (0, None)


def test_the_exit_code_of_the_command_is_known() -> None:
    assert run_command("exit 7", {}) == 7
    assert run_command("no-such-program-at-all", {}) == 127


def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    command = f"sleep 1000 & echo $! $$ >{tmp_path}/pids; wait"
    for seconds in (0.5, 10):  # a busy machine may not have started it in half a second
        assert run_command(command, {}, seconds) is None
        if (tmp_path / "pids").exists():
            break
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    until(lambda: not any(map(is_running, pids)), "what it started has ended")


def test_telling_does_not_wait_for_the_command(tmp_path: Path) -> None:
    fifo = tmp_path / "gate"
    os.mkfifo(fifo)
    settings = AlertOptions(command=f"read line <{fifo}; echo over >{tmp_path}/over")
    send(Alert("percent", "T", "S."), usage_in("ok"), settings, Recorder())
    assert not (tmp_path / "over").exists()  # it hangs until somebody writes to the gate
    fifo.write_text("go\n", encoding="utf-8")
    until((tmp_path / "over").exists, "the command has run")


def test_a_command_has_no_terminal_and_no_input(tmp_path: Path) -> None:
    command = f"test ! -t 0 && ! read line && ! (: </dev/tty) 2>/dev/null && : >{tmp_path}/so"
    assert run_command(command, {}) == 0
    assert (tmp_path / "so").exists()


def test_every_way_that_was_chosen_is_used_once() -> None:
    screen, alerts = Recorder(), Alerts(AlertOptions(bell=True, notify=True))
    for percent in (50, 85, 86):
        alerts.check(at(percent), screen)
    (bell, notify) = screen.asked
    assert bell == ("bell",)
    assert notify[:2] == ("notify", "80 % of the limit is used")


def test_with_no_way_chosen_nothing_is_told() -> None:
    screen = Recorder()
    Alerts(AlertOptions()).check(at(99), screen)
    assert screen.asked == []


KNOWN: Mapping[str, Mapping[str, str]] = {
    "\x1b]99;;": {"KITTY_WINDOW_ID": "1", "TERM": "xterm-kitty"},
    "\x1b]777;notify;": {"TERM": "foot-extra"},
    "\x1b]9;": {"TERM_PROGRAM": "WezTerm", "TERM": "xterm-256color"},
}


@pytest.mark.parametrize("start", KNOWN)
def test_a_terminal_that_can_notify_gets_its_own_code(start: str) -> None:
    code = notification(KNOWN[start], "Title", "Text.")
    assert code.startswith(start) and "Title" in code and code.endswith("Text.\x1b\\")


@pytest.mark.parametrize("term", ["xterm-256color", "linux", "dumb", "", "tmux-256color", "screen"])
def test_a_terminal_that_is_not_known_to_notify_gets_nothing(term: str) -> None:
    assert notification({"TERM": term}, "Title", "Text.") == ""


@given(title=st.text(), text=st.text(), environ=st.sampled_from(list(KNOWN.values())))
def test_no_text_can_end_the_code_early(title: str, text: str, environ: Mapping[str, str]) -> None:
    code = notification(environ, title, text)
    assert code.count("\x1b") == 2
    assert code.index("\x1b", 1) == len(code) - 2
    assert not set(code[1:-2]) & {chr(n) for n in (*range(32), *range(127, 160))}


def test_the_live_monitor_rings_notifies_and_runs_the_command_once(
    fake: Fake, tmp_path: Path
) -> None:
    fake.reports(active(9_604))
    command = f"cd {tmp_path}; echo x >>count; {DUMP}"
    options = ("--bell", "--notify", "--alert-command", command)
    with live(fake, *options, env={"TERM_PROGRAM": "WezTerm"}) as terminal:
        terminal.wait_for("9,604 of")
        until((tmp_path / "told").exists, "the command has run")
        for counted in (9_704, 9_804):
            fake.reports(active(counted))
            fake.changed()
            terminal.wait_for(f"{counted:,} of")
        assert terminal.raw.count(b"\x1b]9;The limit is passed: ") == 1
        assert terminal.raw.count(b"\a") == 1
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()
    assert (tmp_path / "count").read_text() == "x\n"
    told = (tmp_path / "told").read_text()
    assert (
        "CCUSAGE_ALERT_KIND=limit_reached\n" in told and "CCUSAGE_ALERT_TOKENS_USED=9604\n" in told
    )


def test_the_live_monitor_draws_on_while_the_command_hangs(fake: Fake, tmp_path: Path) -> None:
    fake.reports(active(6_000))
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with live(fake, "--alert-command", f"echo begun >{gate}; read line <{gate}") as terminal:
        assert gate.read_text() == "begun\n"
        first = terminal.wait_for(r"\d\d:\d\d:\d\d").group()
        until(lambda: terminal.wait_for(r"\d\d:\d\d:\d\d").group() != first, "the clock moves")
        terminal.send("q")
        assert terminal.leave_code() == 0  # it does not wait for the command either
        gate.write_text("end\n")  # which is still there: nobody else would read this
