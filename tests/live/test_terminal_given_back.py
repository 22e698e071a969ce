"""Every way out of the live monitor, while ccusage works and while it hangs.

After each: the terminal as it was, the scrollback untouched, the exit code of the contract, no
process left alive, no private directory left behind.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.fakes import (
    MONITOR,
    Fake,
    active,
    live,
    now,
    planted,
    private_files,
    wait_for_history,
    wait_for_words,
)
from tests.pseudo_terminal import Terminal
from tests.waiting import PATIENCE, is_running, until

SIGNALS = {"SIGINT": 0, "SIGTERM": 143, "SIGHUP": 129, "SIGQUIT": 131}


def assert_nothing_left(fake: Fake, *homes: Path) -> None:
    until(lambda: not [pid for pid in fake.pids() if is_running(pid)], "no child is left")
    for home in homes:
        assert private_files(home) == []


def private_dirs_now(home: Path) -> list[Path]:
    return [path for path in private_files(home) if path.name.startswith("run-")]


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_ends_it_with_its_code_and_leaves_nothing_behind(
    name: str, fake: Fake, isolated: Path, temporary: Path
) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        assert private_dirs_now(isolated)
        terminal.signal(getattr(signal, name))
        assert terminal.leave_code() == SIGNALS[name]
        terminal.assert_given_back()
    assert_nothing_left(fake, isolated, temporary)


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_ends_it_at_once_while_ccusage_and_its_child_hang(
    name: str, fake: Fake, isolated: Path, temporary: Path
) -> None:
    fake.hangs()
    with live(fake) as terminal:
        until(lambda: len(fake.pids()) == 2, "ccusage hangs")
        terminal.wait_for("Reading")
        terminal.signal(getattr(signal, name))
        assert terminal.leave_code(seconds=10) == SIGNALS[name]  # ccusage itself has 20 s
        terminal.assert_given_back()
    assert_nothing_left(fake, isolated, temporary)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("mode", [("--once",), ("--json",), ("--json", "--follow"), ("doctor",)])
def test_a_signal_ends_the_other_modes_as_cleanly(
    name: str, mode: tuple[str, ...], fake: Fake, isolated: Path, temporary: Path
) -> None:
    fake.hangs()
    words = ("--ccusage", str(fake.path), "--claude-dir", str(fake.data))
    running = subprocess.Popen(
        [*MONITOR, *words, *mode], stdin=subprocess.DEVNULL, stdout=-1, stderr=-1
    )
    until(lambda: len(fake.pids()) == 2, "ccusage hangs")
    threads = Path(f"/proc/{running.pid}/task")
    if threads.exists():
        until(lambda: len(list(threads.iterdir())) >= 3, "both its pipes are being read")
    running.send_signal(getattr(signal, name))
    try:
        _, err = running.communicate(timeout=PATIENCE)
    finally:
        running.kill()
    follows = mode[-1] == "--follow"
    wanted = {"SIGINT": 0 if follows else 130}.get(name, SIGNALS[name])
    assert (running.returncode, err) == (wanted, b"")
    assert_nothing_left(fake, isolated, temporary)


@pytest.mark.parametrize("hanging", [False, True])
def test_a_closed_window_ends_it_and_all_it_has_started(
    fake: Fake, isolated: Path, temporary: Path, *, hanging: bool
) -> None:
    if hanging:
        fake.hangs()
    with live(fake) as terminal:
        terminal.wait_for("Reading" if hanging else "2,000 of")
        until(lambda: len(fake.pids()) == (2 if hanging else 0), "ccusage hangs or has run")
        terminal.hang_up()
        assert terminal.leave_code() == 129
    assert_nothing_left(fake, isolated, temporary)


def test_a_closed_window_is_noticed_even_where_its_signal_is_ignored(
    fake: Fake, isolated: Path
) -> None:
    ignoring = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh", *MONITOR)
    argv = [*ignoring, "--ccusage", str(fake.path), "--claude-dir", str(fake.data)]
    with Terminal(argv) as terminal:
        terminal.wait_for("2,000 of")
        terminal.hang_up()
        assert terminal.leave_code() == 129
    assert_nothing_left(fake, isolated)


RAISES_IN_A_VIEW = """
import os
import monitor.views.screen.dashboard as dashboard
draw = dashboard.frame
def frame(*args):
    if os.path.exists(os.environ["PLANTED"]):
        raise RuntimeError("planted \\x1b[2J")
    return draw(*args)
dashboard.frame = frame
"""
RAISES_IN_A_LOOK = """
import os
from monitor.app.reader import Reader
read = Reader.command
def failing(*args, **options):
    if os.path.exists(os.environ["PLANTED"]):
        raise RuntimeError("planted")
    return read(*args, **options)
Reader.command = failing
"""


def test_an_exception_in_a_view_gives_the_terminal_back_and_is_one_line(
    fake: Fake, isolated: Path, tmp_path: Path
) -> None:
    plant = tmp_path / "planted"
    env = {**planted(tmp_path, RAISES_IN_A_VIEW), "PLANTED": str(plant)}
    with live(fake, env=env) as terminal:
        terminal.wait_for("2,000 of")
        plant.touch()
        assert terminal.leave_code() == 1
        terminal.assert_given_back()
        shown = terminal.text()
        assert "The monitor itself failed" in shown
        assert "RuntimeError: planted ␛[2J" in shown.replace("\n", "")
        assert "Traceback" not in shown
    assert_nothing_left(fake, isolated)


def test_an_exception_in_a_look_keeps_the_screen_alive_and_is_got_over(
    fake: Fake, tmp_path: Path
) -> None:
    plant = tmp_path / "planted"
    env = {**planted(tmp_path, RAISES_IN_A_LOOK), "PLANTED": str(plant)}
    with live(fake, env=env) as terminal:
        terminal.wait_for("2,000 of")
        plant.touch()
        wait_for_words(terminal, "The monitor itself failed")
        terminal.wait_for("2,000 of")
        plant.unlink()
        fake.reports(active(3_000))
        fake.changed()
        terminal.send("r")
        terminal.wait_for("3,000 of")
        until(lambda: "itself failed" not in terminal.text(), "the message goes")


def test_ccusage_killed_in_the_midst_leaves_its_child_to_nobody(fake: Fake, isolated: Path) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        wait_for_history(terminal, isolated)
        fake.hangs()
        fake.changed()
        until(lambda: len(fake.pids()) == 2, "ccusage hangs")
        child, shell = fake.pids()
        os.kill(shell, signal.SIGKILL)
        wait_for_words(terminal, "was ended by signal 9")
        terminal.wait_for("2,000 of")  # the last good reading stays
        until(lambda: not is_running(child), "the orphan is ended too")
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


# --- in a shell


@pytest.fixture
def shell(fake: Fake) -> Iterator[Terminal]:
    words = [*MONITOR, "--ccusage", str(fake.path), "--claude-dir", str(fake.data)]
    env = {"MONITOR": shlex.join(words)}
    with Terminal.shell(env=env, columns=100) as terminal:
        terminal.wait_for(r"^ready>$")
        terminal.send("for i in $(seq 40); do echo earlier line $i; done\n")
        terminal.wait_for("^earlier line 40$")
        yield terminal


def test_the_scrollback_is_untouched(shell: Terminal) -> None:
    shell.send("$MONITOR\n")
    shell.wait_for("2,000 of")
    shell.send("q")
    shell.wait_for(r"^ready>$")
    shell.send("echo code=$?\n")
    shell.wait_for("^code=0$")
    shell.assert_given_back()
    kept = shell.scrollback()
    assert [row for row in kept if row.startswith("earlier")] == [
        f"earlier line {n}" for n in range(1, 41)
    ]
    assert not [row for row in kept if "2,000 of" in row]


@pytest.mark.parametrize("hanging", [False, True])
def test_ctrl_z_gives_the_screen_back_and_fg_takes_it_again(
    shell: Terminal, fake: Fake, *, hanging: bool
) -> None:
    if hanging:
        fake.hangs()
    shell.send("$MONITOR\n")
    shell.wait_for("Reading" if hanging else "2,000 of")
    shell.send("\x1a")
    shell.wait_for("Stopped")
    shell.assert_given_back()
    shell.send("echo typed\n")
    shell.wait_for("^typed$")
    shell.resize(70, 20)
    shell.send("fg\n")
    shell.wait_for("Reading" if hanging else r"2,000 of[^\n]*\n(.*\n)*.*leave")
    assert shell.in_alternate
    assert max(map(len, shell.screen())) <= 70
    shell.send("q")
    shell.wait_for(r"^ready>$")
    shell.assert_given_back()
    assert_nothing_left(fake)


def test_started_in_the_background_it_waits_for_fg(shell: Terminal) -> None:
    shell.send("$MONITOR &\n")
    shell.send("echo mine\n")
    shell.wait_for("^mine$")
    shell.send("fg\n")
    shell.wait_for("2,000 of")
    shell.send("q")
    shell.wait_for(r"^ready>$")
    shell.assert_given_back()


def test_what_was_typed_and_pasted_does_not_reach_the_shell(shell: Terminal) -> None:
    shell.send("$MONITOR\n")
    shell.wait_for("2,000 of")
    shell.send("some words\n\x1b[A\x1b[200~a pasted q\nand more\x1b[201~\x1b[<0;3;3M")
    shell.pump(0.5)
    assert shell.in_alternate
    shell.wait_for("2,000 of")
    assert "words" not in shell.text() and "pasted" not in shell.text()
    shell.send("q")
    shell.wait_for(r"^ready>$")
    assert "words" not in shell.text() and "pasted" not in shell.text()


def test_a_storm_of_resizes_and_keys_leaves_a_whole_frame(fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        for turn in range(60):
            terminal.resize(1 + turn * 83 % 500, 1 + turn * 41 % 200)
            terminal.send("xyzr\x1b[B")
        for columns, rows in ((1, 1), (500, 200), (80, 24)):
            terminal.resize(columns, rows)
            terminal.pump(0.1)
        terminal.wait_until_read()
        terminal.wait_for(r"^ Claude Code · pro")
        terminal.wait_for("2,000 of ~7,000")
        assert terminal.scrolled() == 0
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


@pytest.mark.parametrize("stdin", ["null", "pipe", "closed"])
def test_without_a_keyboard_it_runs_and_signals_end_it(stdin: str, fake: Fake) -> None:
    with live(fake, stdin=stdin) as terminal:
        terminal.wait_for("2,000 of")
        terminal.signal(signal.SIGTERM)
        assert terminal.leave_code() == 143
        terminal.assert_given_back()


def test_with_output_to_a_file_it_prints_one_frame_and_ends(fake: Fake, tmp_path: Path) -> None:
    words = ("--ccusage", str(fake.path), "--claude-dir", str(fake.data))
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([*MONITOR, *words], stdout=out, timeout=PATIENCE, check=True)
    shown = (tmp_path / "out").read_bytes()
    assert b"\x1b" not in shown
    assert b"2,000 of ~7,000" in shown


def test_the_directory_of_a_killed_run_is_swept_by_the_next(fake: Fake, isolated: Path) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        (left,) = private_dirs_now(isolated)
        terminal.process.kill()
        terminal.process.wait()
        assert left.exists()
        old = now().timestamp() - 3_600
        os.utime(left, (old, old))
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        assert left not in private_dirs_now(isolated)
        terminal.send("q")
        assert terminal.leave_code() == 0
    assert private_files(isolated) == []


def test_a_private_directory_of_a_running_monitor_is_not_swept(fake: Fake, isolated: Path) -> None:
    with live(fake) as first:
        first.wait_for("2,000 of")
        (mine,) = private_dirs_now(isolated)
        old = now().timestamp() - 3_600
        os.utime(mine, (old, old))
        with live(fake) as second:
            second.wait_for("2,000 of")
            assert mine.exists()
            second.send("q")
            second.leave_code()
        assert mine.exists()
