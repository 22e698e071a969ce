"""The live monitor in a pseudo-terminal, its screen read through a terminal emulator."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Callable

import pytest

from tests.conftest import RunMonitor
from tests.histories import Row, busy_history, write_messages
from tests.live.fakes import (
    HOUR,
    MONITOR,
    Fake,
    a_block,
    active,
    active_start,
    live,
    now,
    wait_for_history,
    wait_for_words,
)
from tests.pseudo_terminal import Terminal
from tests.waiting import until

Installed = Callable[[str], Path]


def clock_shown(terminal: Terminal) -> str:
    return terminal.wait_for(r"\d\d:\d\d:\d\d").group()


def wait_for_next_second(terminal: Terminal) -> None:
    first = clock_shown(terminal)
    until(lambda: clock_shown(terminal) != first, "the clock moves")


def test_a_frame_appears_and_its_clock_moves(fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of ~7,000")
        assert terminal.in_alternate
        assert terminal.cursor_hidden()
        wait_for_next_second(terminal)
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


@pytest.mark.parametrize("key", ["q", "Q", "\x03"])
def test_q_and_ctrl_c_leave_with_0(key: str, fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        terminal.send(key)
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


def test_the_real_ccusage_is_shown_and_new_messages_arrive(
    tmp_path: Path, real_ccusage: Installed
) -> None:
    busy_history(tmp_path, now())
    extra = Row(now() - timedelta(seconds=3), input=1_000_000, output=234_567)
    words = ("--ccusage", real_ccusage("20.0.24"), "--claude-dir", tmp_path)
    with live(None, *words, "--plan", "max20") as terminal:
        terminal.wait_for(r"Used .* of ~140,000")
        write_messages(tmp_path, [extra], session="5f0c7a52-ffff-4000-8000-000000000001")
        terminal.wait_for(r"Used +1,\d{3},\d{3} of")
        terminal.wait_for("ccusage 20.0.24")


@pytest.mark.parametrize(("columns", "rows"), [(40, 20), (80, 24), (120, 40)])
@pytest.mark.parametrize("counted", [2_000, 9_604])
def test_a_frame_never_wraps_or_scrolls(columns: int, rows: int, counted: int, fake: Fake) -> None:
    fake.reports(active(counted, models=["a-model-with-quite-a-long-name-4-20250514"] * 4))
    with live(fake, columns=columns, rows=rows) as terminal:
        terminal.wait_for("Used")
        terminal.wait_for("read . s ago")
        wait_for_next_second(terminal)
        shown = terminal.screen()
        drawn = terminal.raw
        assert terminal.scrolled() == 0
        assert "Claude Code" in shown[0]
        assert max(map(len, shown)) <= columns
        # Rows are addressed one by one; a newline could scroll.
        assert b"\n" not in drawn and b"\r" not in drawn and b"\t" not in drawn
        assert_rows_fit(drawn, columns, rows)
        terminal.send("q")
        terminal.leave_code()


def assert_rows_fit(raw: bytes, columns: int, rows: int) -> None:
    """Every row that was ever sent has its address on the screen, and fills its width at most."""
    from wcwidth import wcswidth

    text = re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?\d+[hl]|\x1b\[J", "", raw.decode())
    sent = re.findall(r"\x1b\[(\d+);1H([^\x1b]*)", text)
    assert sent
    for row, shown in sent:
        assert 1 <= int(row) <= rows
        assert 0 <= wcswidth(shown) <= columns


def test_a_second_frame_sends_only_what_has_changed(fake: Fake, isolated: Path) -> None:
    with live(fake, "--refresh", "60") as terminal:
        terminal.wait_for("2,000 of")
        wait_for_history(terminal, isolated)
        wait_for_next_second(terminal)
        sent = len(terminal.raw)
        wait_for_next_second(terminal)
        later = terminal.raw[sent:]
        assert 0 < len(later) < 1_000


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has inotify")
NO_LOOK = ("--refresh", "3600")


@linux_only
def test_a_message_is_on_the_screen_long_before_the_next_look(fake: Fake, isolated: Path) -> None:
    with live(fake, *NO_LOOK) as terminal:
        terminal.wait_for("2,000 of")
        wait_for_history(terminal, isolated)
        for counted in (3_000, 4_000):
            fake.reports(active(counted))
            fake.changed()
            terminal.wait_for(f"{counted:,} of")
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


@linux_only
def test_a_data_directory_that_vanishes_and_comes_back_is_noticed_again(
    fake: Fake, isolated: Path
) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        wait_for_history(terminal, isolated)
        fake.data.rename(fake.home / "away")
        wait_for_words(terminal, "not found")
        terminal.wait_for("2,000 of")
        fake.reports(active(3_000))
        (fake.home / "away").rename(fake.data)
        terminal.send("r")
        terminal.wait_for("3,000 of")
        fake.reports(active(4_000))
        fake.changed()
        terminal.wait_for("4,000 of")


def test_a_resize_redraws_for_the_new_size(fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        for columns, rows in ((40, 20), (132, 50), (20, 5), (80, 24)):
            terminal.resize(columns, rows)
            until(lambda: "%" in terminal.text(), f"a frame at {columns}x{rows}")
            if rows > 10:
                terminal.wait_for("2,000 of")
            assert max(map(len, terminal.screen())) <= columns
        assert terminal.scrolled() == 0


def test_a_wide_screen_shows_the_frame_whole_after_many_resizes(fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for("2,000 of")
        for columns, rows in ((1, 1), (500, 200), (2, 2), (300, 3), (3, 90), (80, 24)):
            terminal.resize(columns, rows)
            terminal.pump(0.05)
        terminal.wait_for(r"^ Claude Code · pro")
        terminal.wait_for("2,000 of ~7,000")
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


def test_a_passed_pro_plan_is_explained_on_the_screen(fake: Fake) -> None:
    fake.reports([a_block(now() - 50 * HOUR, 12_345), a_block(active_start(), 7_300)])
    with live(fake, "--plan", "pro") as terminal:
        terminal.wait_for("7,300 of 12,345")
        terminal.wait_for("pro limit passed; using your highest block")


def test_a_plan_that_nobody_chose_gives_way_and_the_screen_says_why(fake: Fake) -> None:
    fake.reports([a_block(now() - 50 * HOUR, 12_345), a_block(active_start(), 300)])
    with live(fake) as terminal:
        terminal.wait_for("300 of 12,345")
        terminal.wait_for("1 of your 1 block passed pro's 7,000")


def test_custom_max_is_found_in_the_background(tmp_path: Path, real_ccusage: Installed) -> None:
    write_messages(tmp_path, [Row(now() - timedelta(days=20), 1_000, 8_000)], session="old")
    write_messages(tmp_path, [Row(now() - timedelta(days=3), 100, 800)], session="middle")
    write_messages(tmp_path, [Row(now() - timedelta(minutes=9), 5, 60)], session="new")
    words = ("--ccusage", real_ccusage("20.0.24"), "--claude-dir", tmp_path)
    with live(None, *words, "--plan", "custom_max") as terminal:
        terminal.wait_for("65 of 9,000")


def test_a_limit_of_ones_own_shows_the_true_percentage_beside_a_bar_that_says_how_far(
    fake: Fake,
) -> None:
    fake.reports(active(60_368))
    with live(fake, "--token-limit", "44k") as terminal:
        terminal.wait_for("PAST LIMIT")
        (bar,) = [row for row in terminal.screen() if row.startswith(" Tokens")]
        assert "░" not in bar and "┃" in bar
        assert bar.endswith("137 %")


def test_a_dumb_terminal_gets_one_frame_without_any_code(fake: Fake) -> None:
    with live(fake, env={"TERM": "dumb"}) as terminal:
        assert terminal.leave_code() == 0
        assert "2,000 of ~7,000" in terminal.text()
        assert b"\x1b" not in terminal.raw


def test_a_terminal_without_a_name_is_taken_for_a_usual_one(fake: Fake) -> None:
    with live(fake, env={"TERM": None}) as terminal:
        terminal.wait_for("2,000 of")
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


@pytest.mark.parametrize(
    ("term", "colors"), [("vt100", False), ("xterm", True), ("no-such-terminal", True)]
)
def test_a_terminal_that_is_known_to_have_no_colours_gets_none(
    term: str, fake: Fake, *, colors: bool
) -> None:
    with live(fake, env={"TERM": term}) as terminal:
        terminal.wait_for("2,000 of")
        assert bool(re.search(rb"\x1b\[[0-9;]+m", terminal.raw)) is colors


def test_the_linux_console_is_sent_only_what_its_font_has(fake: Fake) -> None:
    with live(fake, env={"TERM": "linux"}) as terminal:
        terminal.wait_for(r"reset \d\d:\d\d")
        assert "█" in terminal.text() and "│" in terminal.text()
        terminal.raw.decode("utf-8").encode("cp437")  # raises if a character is missing


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "gbk", "ascii"])
def test_any_encoding_of_the_terminal_shows_the_numbers(encoding: str, fake: Fake) -> None:
    fake.reports(active(models=["日本-🎉"]))
    with live(fake, env={"PYTHONIOENCODING": encoding}) as terminal:
        terminal.wait_for("2,000 of ~7,000")
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


def test_ascii_is_ascii(fake: Fake) -> None:
    with live(fake, "--ascii") as terminal:
        terminal.wait_for("2,000 of ~7,000")
        assert terminal.raw.isascii()


def test_no_color_is_heard(fake: Fake) -> None:
    with live(fake, env={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("2,000 of ~7,000")
        assert not re.search(rb"\x1b\[\d[0-9;]*m", terminal.raw)


def test_it_says_how_much_it_reads_while_the_first_look_runs(fake: Fake) -> None:
    fake.hangs()
    with live(fake) as terminal:
        terminal.wait_for(r"Reading usage … \d+ bytes in 1 file, 1 s")
        terminal.wait_for("q or Ctrl[+]C to leave")


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_leaving_is_at_once_while_ccusage_hangs(key: str, fake: Fake) -> None:
    fake.hangs()
    with live(fake) as terminal:
        until(lambda: len(fake.pids()) == 2, "ccusage hangs")
        terminal.wait_for("Reading")
        terminal.send(key)
        assert terminal.leave_code(seconds=10) == 0  # ccusage itself has 20 s
        terminal.assert_given_back()


def test_r_looks_again_without_waiting(fake: Fake, isolated: Path) -> None:
    with live(fake, "--refresh", "3600") as terminal:
        terminal.wait_for("2,000 of")
        wait_for_history(terminal, isolated)
        fake.reports(active(3_000))
        fake.changed()
        terminal.send("r")
        terminal.wait_for("3,000 of")


def test_no_ccusage_at_all_is_said_on_the_users_own_screen(fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    argv = [*MONITOR, "--claude-dir", str(fake.data)]
    with Terminal(argv, env={"PATH": str(tmp_path / "nothing")}) as terminal:
        terminal.wait_for("ccusage was not found on PATH.")
        with suppress(OSError):  # where npm stands beside Python, it asks whether to install it
            terminal.send("n\n")
        assert terminal.leave_code() == 1
        terminal.assert_given_back()


def npm_that(tmp_path: Path, script: str) -> dict[str, str]:
    """Return an environment with no ccusage, and an npm that does this."""
    npm = tmp_path / "tools" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    npm.chmod(0o755)
    return {"PATH": str(npm.parent)}


def test_before_installing_anything_it_asks_and_no_is_an_answer(fake: Fake, tmp_path: Path) -> None:
    env = npm_that(tmp_path, f"echo started >{tmp_path}/npm-ran")
    with Terminal([*MONITOR, "--claude-dir", str(fake.data)], env=env, columns=200) as terminal:
        terminal.wait_for("Install it now")
        assert "npm install --prefix" in terminal.text()
        assert not terminal.in_alternate
        terminal.send("n\n")
        assert terminal.leave_code() == 1
        assert not (tmp_path / "npm-ran").exists()


def test_ctrl_c_at_the_question_is_no_traceback(fake: Fake, tmp_path: Path) -> None:
    env = npm_that(tmp_path, "")
    with Terminal([*MONITOR, "--claude-dir", str(fake.data)], env=env, columns=200) as terminal:
        terminal.wait_for_question("Install it now")
        terminal.send("\x03")
        assert terminal.leave_code() == 130
        assert "Traceback" not in terminal.text()


def test_while_npm_works_one_line_shows_the_seconds(fake: Fake, tmp_path: Path) -> None:
    env = npm_that(tmp_path, "/bin/sleep 2.5; exit 1")
    argv = [*MONITOR, "--yes", "--once", "--claude-dir", str(fake.data)]
    with Terminal(argv, env=env, columns=200) as terminal:
        terminal.wait_for(r"… [12] s")
        assert terminal.leave_code() == 1
        first, seconds, reason, _advice = filter(None, map(str.strip, terminal.screen()))
    assert first.startswith("Installing ccusage ")
    assert re.fullmatch(r"… \d+ s", seconds)
    assert reason.startswith("npm could not install ccusage: ")


def test_while_npm_works_a_pipe_gets_no_progress(
    fake: Fake, tmp_path: Path, run_monitor: RunMonitor
) -> None:
    env = npm_that(tmp_path, "/bin/sleep 2.5; exit 1")
    done = run_monitor("--yes", "--once", "--claude-dir", fake.data, env=env)
    first, reason, _advice = done.stderr.splitlines()
    assert first.startswith("Installing ccusage ")
    assert reason.startswith("npm could not install ccusage: ")
