from __future__ import annotations

import io
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are POSIX", allow_module_level=True)

from monitor.terminal import Screen, _changes, _Keys, terminal_size
from monitor.views.style import Style
from monitor.views.text import Span
from tests.pseudo_terminal import ROOT, Terminal, python
from tests.waiting import PATIENCE, until

# Shows its size, its turns and the keys it was given; `q` leaves. What a test wants besides goes in
# at `here`, once a turn.
SAMPLE = """
import os, sys, threading, time
from monitor.terminal import Screen

print("before")
keys, turn = "", 0
with Screen(sys.stdout, sys.stdin) as screen:
    while screen.leaving is None and keys[-1:] != "q":
        turn += 1
        columns, rows = screen.size()
        lines = [f"{columns}x{rows} keys={keys!r}"] + [chr(65 + row % 26) * columns
            for row in range(1, rows)]
        here
        screen.draw([line[:columns].ljust(columns) for line in lines[:rows]])
        keys += screen.wait(30) or ""
if screen.leaving == 1 or "QUIET" in os.environ:
    os._exit(128 + screen.leaving)
print("left", screen.leaving)
sys.exit(0 if screen.leaving in (None, 2) else 128 + screen.leaving)
"""
FLOOD = "lines = [f'{turn % 2}' * columns] * rows; screen.wake()"
# `wait` does not wait for a job that bash still takes for stopped.
UNTIL_RUNNING = 'until [ -z "$(jobs -s)" ]; do sleep 0.1; done'
UNTIL_STOPPED = 'until [ -n "$(jobs -s)" ]; do sleep 0.1; done'
SHOW_TURN = "lines[0] += f' turn {turn}.'"


def sample(here: str = "pass") -> list[str]:
    indented = textwrap.indent(textwrap.dedent(here).strip(), " " * 8).lstrip()
    return python(SAMPLE.replace("here", indented))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The sample as a file, for short command lines in a shell."""
    path = tmp_path / "sample.py"
    path.write_text(SAMPLE.replace("here", SHOW_TURN), encoding="utf-8")
    return path


@pytest.fixture
def shell(script: Path) -> Iterator[Terminal]:
    env = {"PYTHONPATH": str(ROOT), "SAMPLE": f"{sys.executable} {script}"}
    with Terminal.shell(env=env, columns=100) as terminal:
        terminal.wait_for(r"^ready>$")
        yield terminal


# --- every way out


def test_a_key_leaves_and_the_terminal_is_as_it_was() -> None:
    with Terminal(sample()) as terminal:
        terminal.wait_for("80x24 keys=''")
        assert terminal.in_alternate
        assert terminal.cursor_hidden()
        assert not terminal.echoes()
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()
        assert terminal.screen()[:2] == ["before", "left None"]


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)],
)
def test_a_signal_takes_the_same_way_out(number: signal.Signals, code: int) -> None:
    with Terminal(sample()) as terminal:
        terminal.wait_for("80x24")
        terminal.signal(number)
        assert terminal.leave_code() == code
        terminal.assert_given_back()


@pytest.mark.parametrize(("key", "code"), [("\x03", 0), ("\x1c", 131)])
def test_ctrl_c_and_ctrl_backslash_stay_signals(key: str, code: int) -> None:
    with Terminal(sample()) as terminal:
        terminal.wait_for("80x24")
        terminal.send(key)
        assert terminal.leave_code() == code
        terminal.assert_given_back()


def test_an_exception_is_shown_on_the_users_own_screen() -> None:
    with Terminal(sample("if keys: raise RuntimeError('planted')")) as terminal:
        terminal.wait_for("80x24")
        terminal.send("x")
        assert terminal.leave_code() == 1
        terminal.assert_given_back()
        assert "RuntimeError: planted" in terminal.text()


def test_a_system_exit_keeps_its_code() -> None:
    with Terminal(sample("if keys: sys.exit(7)")) as terminal:
        terminal.wait_for("80x24")
        terminal.send("x")
        assert terminal.leave_code() == 7
        terminal.assert_given_back()


def test_a_closed_window_ends_the_program_quietly() -> None:
    with Terminal(sample()) as terminal:
        terminal.wait_for("80x24")
        terminal.hang_up()
        assert terminal.leave_code() == 129


@pytest.mark.parametrize("stdin", ["terminal", "null"])
def test_a_vanished_terminal_is_noticed_even_where_its_signal_is_ignored(stdin: str) -> None:
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    # Without a keyboard only writing can tell, so that sample draws something new at every turn.
    busy = SAMPLE.replace("here", SHOW_TURN).replace("wait(30)", "wait(0.05)")
    with Terminal(python(ignoring + busy), stdin=stdin) as terminal:
        terminal.wait_for("80x24")
        terminal.hang_up()
        assert terminal.leave_code() == 129


def test_a_terminal_that_takes_no_output_does_not_keep_the_program() -> None:
    with Terminal(sample(FLOOD), columns=120, rows=60, env={"QUIET": "1"}) as terminal:
        terminal.wait_for("[01]{120}")
        terminal.signal(signal.SIGTERM)  # and from here on nothing is read
        assert terminal.process.wait(PATIENCE) == 143


def test_a_frame_under_way_is_completed_before_the_terminal_is_given_back() -> None:
    with Terminal(sample(FLOOD), columns=120, rows=60) as terminal:
        terminal.wait_for("[01]{120}")
        terminal.signal(signal.SIGTERM)
        assert terminal.leave_code() == 143
        terminal.assert_given_back()
        assert terminal.raw.count(b"\x1b[?2026h") + 1 == terminal.raw.count(b"\x1b[?2026l")


def test_leaving_twice_and_waking_afterwards_are_harmless() -> None:
    source = """
        import signal, sys
        from monitor.terminal import Screen
        before = [signal.getsignal(number) for number in (1, 2, 3, 15, 18, 20, 28)]
        with Screen(sys.stdout, sys.stdin) as screen:
            screen.draw(["x"])
        screen.__exit__(None, None, None)
        screen.wake()
        screen.draw(["y"])
        assert before == [signal.getsignal(number) for number in (1, 2, 3, 15, 18, 20, 28)]
        assert signal.set_wakeup_fd(-1) == -1
    """
    with Terminal(python(textwrap.dedent(source))) as terminal:
        assert terminal.leave_code() == 0, terminal.text()
        terminal.assert_given_back()
        assert terminal.raw.count(b"\x1b[?1049l") == 1


def test_no_descriptor_is_left_open() -> None:
    source = """
        import os, sys
        from monitor.terminal import Screen
        before = os.listdir("/dev/fd")
        for _ in range(3):
            with Screen(sys.stdout, sys.stdin):
                pass
        assert os.listdir("/dev/fd") == before
    """
    with Terminal(python(textwrap.dedent(source))) as terminal:
        assert terminal.leave_code() == 0, terminal.text()


CARELESS = {
    "the alternate screen": r"print('\x1b[?1049h')",
    "a hidden cursor": r"print('\x1b[?25l')",
    "no automatic wrap": r"print('\x1b[?7l')",
    "bracketed paste": r"print('\x1b[?2004h')",
    "an open synchronized frame": r"print('\x1b[?2026h')",
    "no scrollback": r"print('\x1b[3J')",
    "a reset terminal": r"print('\x1bc')",
    "a cleared screen": r"print('\x1b[H\x1b[2J')",
    "no echo": "import os; os.system('stty -echo')",
    "raw keys": "import os; os.system('stty -icanon')",
}


@pytest.mark.parametrize("source", CARELESS.values(), ids=CARELESS.keys())
def test_the_harness_notices_a_program_that_leaves_behind(source: str) -> None:
    with Terminal(python(source)) as terminal:
        assert terminal.leave_code() == 0
        with pytest.raises(AssertionError):
            terminal.assert_given_back()


# --- stopping and going on, in a real shell


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(shell: Terminal) -> None:
    shell.send("$SAMPLE\n")
    shell.wait_for("turn 1.")
    shell.send("\x1a")
    shell.wait_for(r"Stopped")
    shell.assert_given_back()
    shell.send("stty -a\n")
    shell.wait_for(r"(^|\s)icanon ")
    shell.wait_for(r"(^|\s)echo ")
    shell.send("fg\n")
    shell.wait_for(r"100x24.* turn [0-9]+\.(.|\n)*X{100}")
    assert not shell.echoes()
    assert shell.cursor_hidden()
    shell.send("q")
    shell.wait_for("left None")
    shell.assert_given_back()


def stop_unannounced(shell: Terminal) -> None:
    os.killpg(shell.foreground(), signal.SIGSTOP)
    until(lambda: shell.foreground() == shell.process.pid, "the shell has the terminal again")


def test_after_an_unannounced_stop_the_screen_is_set_right(shell: Terminal) -> None:
    shell.send("$SAMPLE\n")
    shell.wait_for("turn 1.")
    stop_unannounced(shell)
    shell.send("fg\n")
    shell.wait_for(r"100x24.* turn [0-9]+\.(.|\n)*X{100}")
    assert not shell.echoes()
    shell.send("q")
    shell.wait_for("left None")
    shell.assert_given_back()
    shell.send("stty -a\n")
    shell.wait_for(r"(^|\s)icanon ")


@pytest.mark.parametrize("stop", ["ctrl+z", "SIGSTOP"])
def test_a_program_in_the_background_stays_off_the_screen_and_can_be_ended(
    shell: Terminal, stop: str
) -> None:
    shell.send("$SAMPLE\n")
    shell.wait_for("turn 1.")
    if stop == "ctrl+z":
        shell.send("\x1a")
        shell.wait_for("Stopped")
    else:
        stop_unannounced(shell)
    frames = shell.raw.count(b"\x1b[?2026h")
    shell.send(f"bg; {UNTIL_STOPPED}; jobs\n")
    shell.wait_for(r"Stopped(.|\n)*Stopped")
    assert shell.raw.count(b"\x1b[?2026h") == frames
    shell.send("kill %1\n")
    shell.wait_for("left")
    shell.send(f"{UNTIL_RUNNING}; wait %1; echo code=$?\n")
    shell.wait_for("code=143|Exit 143")  # the shell may have told of the end before
    shell.assert_given_back()


def test_a_start_in_the_background_waits_for_fg(shell: Terminal) -> None:
    shell.send(f"$SAMPLE & {UNTIL_STOPPED}; jobs\n")
    shell.wait_for("Stopped")
    assert not shell.in_alternate
    shell.send("fg\n")
    shell.wait_for(r"turn [0-9]+\.")
    shell.send("q")
    shell.wait_for("left None")
    shell.assert_given_back()
    shell.send("stty -a\n")
    shell.wait_for(r"(^|\s)icanon ")


def test_keys_typed_while_leaving_do_not_reach_the_shell(shell: Terminal, script: Path) -> None:
    slow = script.read_text(encoding="utf-8").replace(
        "if screen.leaving == 1",
        "\n    import select"
        "\n    screen.draw(['leaving'])"
        "\n    select.select([0], [], [])"
        "\nif screen.leaving == 1",
    )
    script.write_text(slow, encoding="utf-8")
    shell.send("$SAMPLE\n")
    shell.wait_for("turn 1.")
    shell.send("q")
    shell.wait_for("leaving")
    shell.send("echo oo''ps\n")
    shell.wait_for("left None")
    shell.send("echo do''ne\n")
    shell.wait_for("^done")
    assert "oops" not in shell.text()


# --- waiting


def test_wake_from_another_thread_ends_the_wait() -> None:
    here = SHOW_TURN + "\nif turn == 1: threading.Timer(0.3, screen.wake).start()"
    with Terminal(sample(here)) as terminal:
        terminal.wait_for("turn 2.")
        terminal.pump(0.3)
        assert "turn 2." in terminal.text()


def test_a_wake_before_the_wait_is_not_lost() -> None:
    with Terminal(sample(SHOW_TURN + "\nif turn == 1: screen.wake()")) as terminal:
        terminal.wait_for("turn 2.")


def test_a_wait_ends_by_itself() -> None:
    with Terminal(python(SAMPLE.replace("here", SHOW_TURN).replace("30", "0.1"))) as terminal:
        terminal.wait_for("turn 3.")


@pytest.mark.parametrize("stdin", ["null", "pipe", "closed"])
def test_without_a_keyboard_it_waits_without_spinning(stdin: str) -> None:
    with Terminal(sample(SHOW_TURN), stdin=stdin) as terminal:
        terminal.wait_for("turn 1.")
        assert not terminal.echoes()
        terminal.send("q")
        terminal.pump(0.5)
        assert "turn 1." in terminal.text()
        terminal.signal(signal.SIGTERM)
        assert terminal.leave_code() == 143
        terminal.assert_given_back()


# --- drawing


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 20), (1, 1), (2, 1), (500, 200)])
def test_full_frames_neither_wrap_nor_scroll(columns: int, rows: int) -> None:
    here = "lines = [chr(65 + row % 26) * columns for row in range(rows)]"
    with Terminal(sample(here), columns=columns, rows=rows) as terminal:
        last = chr(65 + (rows - 1) % 26)
        terminal.wait_for(rf"{last}{{{columns}}}\Z")
        assert terminal.screen() == [chr(65 + row % 26) * columns for row in range(rows)]
        assert terminal.scrolled() == 0
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


def test_a_frame_for_a_larger_window_is_cut_to_the_present_one() -> None:
    here = "columns, rows = 90, 30; lines = [chr(65 + row) * columns for row in range(26)] * 2"
    with Terminal(sample(here), columns=80, rows=10) as terminal:
        terminal.wait_for(r"J{80}\Z")
        assert terminal.screen() == [chr(65 + row) * 80 for row in range(10)]
        assert terminal.scrolled() == 0


def test_only_what_has_changed_is_written() -> None:
    with Terminal(sample()) as terminal:
        terminal.wait_for("keys=''(.|\n)*X{80}")
        written = len(terminal.raw)
        terminal.send("x")
        terminal.wait_for("keys='x'")
        assert terminal.raw[written:] == b"\x1b[1;13Hx'"


DIM, RED = "\x1b[2m{}\x1b[0m", "\x1b[31m{}\x1b[0m"
CLOCK = f"Used · {DIM}"
PARTS: dict[str, tuple[str, str, str]] = {
    "a second": (CLOCK.format("09:33:05 "), CLOCK.format("09:33:06 "), "\x1b[1;14H\x1b[0;2m06"),
    "a number": ("Used 1,204 of", "Used 1,214 of", "\x1b[1;6H1,214"),
    "plain after a style": (f"{DIM.format('a')} 1", f"{DIM.format('a')} 2", "\x1b[1;3H2"),
    "another style": (DIM.format("5"), RED.format("5"), "\x1b[1;1H\x1b[0;31m5"),
    "two styles": (DIM.format("ab"), DIM.format("a") + RED.format("c"), "\x1b[1;2H\x1b[0;31mc"),
    "near changes": ("a 1 b 2", "a 3 b 4", "\x1b[1;3H3 b 4"),
    "wide characters before it": ("日本 1", "日本 2", ""),
    "an accent of its own after it": ("a 1\u0301 b", "a 2\u0301 b", ""),
    "another length": ("1 %", "10 %", ""),
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_of_a_row_only_what_has_changed_is_written_or_all_where_columns_are_not_sure(
    part: tuple[str, str, str],
) -> None:
    before, after, written = part
    assert _changes([before], [after], 1, "")[0] == (written or f"\x1b[1;1H{after}")


def test_the_style_is_not_repeated_and_a_whole_row_begins_without_one() -> None:
    codes, pen = _changes([DIM.format("1")], [DIM.format("2")], 1, "")
    assert (codes, pen) == ("\x1b[1;1H\x1b[0;2m2", "2")
    assert _changes([DIM.format("2")], [DIM.format("3")], 1, pen) == ("\x1b[1;1H3", "2")
    assert _changes(["日 2"], ["日 3"], 1, pen) == ("\x1b[1;1H\x1b[m日 3", "")


def test_changes_far_from_each_other_are_not_joined() -> None:
    codes, _ = _changes(["1 and 2 and more"], ["3 and 2 and less"], 1, "")
    assert codes == "\x1b[?2026h\x1b[1;1H3\x1b[1;13Hless\x1b[?2026l"


def test_two_changes_are_shown_at_once() -> None:
    codes, _ = _changes(["1", "2"], ["3", "4"], 2, "")
    assert codes == "\x1b[?2026h\x1b[1;1H3\x1b[2;1H4\x1b[?2026l"


SPANS = st.builds(
    Span,
    st.lists(st.sampled_from([*"0123, a·█日", "e\u0301"]), max_size=5).map("".join),
    st.sampled_from(["", "dim", "alarm"]),
)
ROWS = st.lists(SPANS, max_size=4).map(lambda spans: Style(colors=True).paint(spans, 12))


@given(st.lists(st.lists(ROWS, min_size=3, max_size=3), min_size=2, max_size=6))
def test_whatever_changes_the_terminal_shows_the_last_frame(frames: list[list[str]]) -> None:
    shown, fresh = pyte.Screen(12, 3), pyte.Screen(12, 3)
    stream, pen, before = pyte.Stream(shown), "", None
    for rows in frames:
        codes, pen = _changes(before, rows, 3, pen)
        stream.feed(codes)
        before = rows
    pyte.Stream(fresh).feed(_changes(None, frames[-1], 3, "")[0])
    assert [[shown.buffer[y][x] for x in range(12)] for y in range(3)] == [
        [fresh.buffer[y][x] for x in range(12)] for y in range(3)
    ]


def test_nothing_is_written_when_nothing_changed() -> None:
    with Terminal(sample("if turn < 50: screen.wake()")) as terminal:
        terminal.wait_for("80x24")
        terminal.pump(0.3)
        assert terminal.raw.count(b"\x1b[?2026h") == 1


def test_rows_that_are_no_longer_there_are_erased() -> None:
    with Terminal(sample("lines = lines[:3] if keys else lines")) as terminal:
        terminal.wait_for("X{80}")
        terminal.send("x")
        terminal.wait_for("keys='x'")
        assert [row[:1] for row in terminal.screen()] == ["8", "B", "C"] + [""] * 21


def test_a_resize_redraws_everything_for_the_new_size() -> None:
    with Terminal(sample()) as terminal:
        terminal.wait_for("80x24")
        for columns, rows in [(120, 40), (40, 20), (1, 1), (500, 200), (80, 24)]:
            terminal.resize(columns, rows)
            last = chr(65 + (rows - 1) % 26) * columns if rows > 1 else str(columns)
            terminal.wait_for(rf"{last}\Z")
            first = f"{columns}x{rows} keys=''"[:columns]
            expected = [first] + [chr(65 + row % 26) * columns for row in range(1, rows)]
            assert terminal.screen() == expected
        assert terminal.scrolled() == 0
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


def test_a_storm_of_resizes_ends_with_a_whole_frame() -> None:
    with Terminal(sample()) as terminal:
        terminal.wait_for("80x24")
        for step in range(100):
            terminal.resize(20 + step * 7 % 90, 3 + step * 5 % 40)
        terminal.resize(61, 17)
        terminal.wait_for(r"61x17(.|\n)*Q{61}\Z")
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


def test_what_was_below_a_short_frame_is_erased_after_a_resize() -> None:
    with Terminal(sample("lines = lines[:2]")) as terminal:
        terminal.wait_for("B{80}")
        terminal.resize(60, 20)
        terminal.wait_for("60x20")
        assert terminal.screen()[2:] == [""] * 18
        assert b"\x1b[3;1H\x1b[m\x1b[J" in terminal.raw


def test_the_terminal_is_never_asked_and_never_blanked() -> None:
    with Terminal(sample()) as terminal:
        terminal.wait_for("80x24")
        terminal.resize(60, 20)
        terminal.wait_for("60x20")
        terminal.send("q")
        terminal.leave_code()
        asking = rb"\x1b\[[?>=0-9;]*[cnx]|\x1b\[\?[0-9;]*\$p|\x1b[\]P]|\x05"
        assert not re.search(asking, terminal.raw)
        assert not re.search(
            rb"\x1b\[[23]J|\x1bc|\n(?!left|\Z)", terminal.raw.split(b"before")[1][2:]
        )


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", b"\xe2\x96\x88"), ("ascii", b"?"), ("cp437", b"\xdb")]
)
def test_what_the_stream_cannot_encode_is_replaced(encoding: str, shown: bytes) -> None:
    here = "lines[0] = chr(0x2588) + '|'"
    with Terminal(sample(here), env={"PYTHONIOENCODING": encoding}) as terminal:
        terminal.wait_for("X{80}")
        assert b"\x1b[1;1H" + shown + b"|" in terminal.raw


# --- keys


NO_KEYS = {
    "an arrow to the right": "\x1b[C",
    "a function key in application mode": "\x1bOP",
    "the key Insert": "\x1b[2~",
    "an arrow with Shift": "\x1b[1;2A",
    "Alt and q": "\x1bq",
    "a report that ends in q": "\x1b[1;2 q",
    "an old mouse report with a q": "\x1b[Mq!!",
    "a mouse report": "\x1b[<0;10;10M",
    "a function key of the Linux console": "\x1b[[A",
    "a bracketed paste of q": "\x1b[200~q\x1b[201~",
    "a bracketed paste with an escape sequence": "\x1b[200~a\x1b[Aq\x1b[Bq\x1b[201~",
    "a plain paste": "please quit q",
    "a late answer with a colour": "\x1b]11;rgb:qqqq/0000/0000\x1b\\",
    "a late answer ended by a bell": "\x1b]11;q\x07",
    "a late device answer": "\x1bP1+q\x1b\\",
}


@pytest.mark.parametrize("text", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_this_is_no_key(text: str) -> None:
    keys = _Keys()
    assert keys.feed(text) is None
    assert keys.feed("q") == "q"


@pytest.mark.parametrize(
    "text",
    [text for text in NO_KEYS.values() if text.startswith("\x1b")],
    ids=lambda text: text[1:4],
)
def test_this_is_no_key_in_two_pieces_either(text: str) -> None:
    for cut in range(1, len(text)):
        keys = _Keys()
        assert keys.feed(text[:cut]) is None
        assert keys.feed(text[cut:]) is None
        assert keys.feed("q") == "q"


NAMED = {
    "up": ("\x1b[A", "\x1bOA"),
    "down": ("\x1b[B", "\x1bOB"),
    "page_up": ("\x1b[5~",),
    "page_down": ("\x1b[6~",),
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in NAMED.items() for text in texts]
)
def test_arrows_and_page_keys_have_names_in_pieces_too(name: str, text: str) -> None:
    assert _Keys().feed(text) == name
    assert _Keys().feed(text * 3) == name  # held down
    for cut in range(1, len(text)):
        keys = _Keys()
        assert keys.feed(text[:cut]) is None
        assert keys.feed(text[cut:]) == name
        assert keys.feed("q") == "q"


def test_of_different_arrows_at_once_none_counts() -> None:
    assert _Keys().feed("\x1b[A\x1b[B") is None


def test_a_key_held_down_is_that_key() -> None:
    assert _Keys().feed("qqq") == "q"


def test_a_key_after_an_arrow_counts() -> None:
    assert _Keys().feed("\x1b[A\x1b[Bq") == "q"


def test_escape_alone_is_a_key_once_nothing_follows() -> None:
    keys = _Keys()
    assert keys.feed("\x1b") is None
    assert keys.patience < 0.2
    assert keys.give_up() == "\x1b"
    assert keys.feed("q") == "q"


def test_a_paste_that_never_ends_does_not_take_the_keys_away_for_ever() -> None:
    keys = _Keys()
    assert keys.feed("\x1b[200~" + "q" * 5000) is None
    assert keys.feed("q") is None
    assert len(keys._begun) < 20
    assert keys.give_up() is None
    assert keys.feed("q") == "q"


@pytest.mark.parametrize(
    "piece", ["\x1b]", "\x1b[", "\x1b[200~", "\x1b[1", "\x1bP\x1b", "\x1b[M", "0"]
)
def test_much_input_of_any_kind_is_read_and_little_of_it_remembered(piece: str) -> None:
    keys, text = _Keys(), piece * (2**16 // len(piece))
    for _ in range(16 if piece == "\x1b]" else 2):
        keys.feed(text)
        assert len(keys._begun) < 20
    keys.give_up()
    assert keys.feed("q") == "q"


@pytest.mark.parametrize("seed", range(3))
def test_a_megabyte_of_random_input_is_read_alike_in_one_piece_and_in_many(seed: int) -> None:
    rng, text = random.Random(seed), ""
    starts = ["\x1b]", "\x1b[200~", "\x1bP", "\x1b[M", "\x1b", "\x1b[1", "\x07", "\x1b[201~", "q"]
    while len(text) < 2**20:
        text += rng.choice([rng.choice(starts), chr(rng.randrange(256))]) * rng.randrange(2**15)
    whole, pieces = _Keys(), _Keys()
    whole.feed(text)
    cuts = [0, *sorted(rng.sample(range(len(text)), 50)), len(text)]
    for start, end in zip(cuts, cuts[1:]):
        pieces.feed(text[start:end])
        assert len(pieces._begun) < 20
    assert whole._begun == pieces._begun
    whole.give_up()
    assert whole.feed("q") == "q"


@given(st.lists(st.text(alphabet="\x1b[]OPMq~0127;<\x07\\ \x9b\xe9", max_size=12), max_size=6))
def test_after_any_input_and_a_silence_a_key_is_a_key(pieces: list[str]) -> None:
    keys = _Keys()
    for piece in pieces:
        keys.feed(piece)
    keys.give_up()
    assert keys.feed("q") == "q"


@pytest.mark.parametrize("text", ["\x1b[A", "\x1b[200~q\x1b[201~", "please quit q", "\x1bq"])
def test_arrows_and_pastes_do_not_leave_but_q_does(text: str) -> None:
    with Terminal(sample(SHOW_TURN)) as terminal:
        terminal.wait_for("turn 1.")
        terminal.send(text)
        terminal.wait_until_read()
        terminal.pump(0.3)
        assert terminal.process.poll() is None
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


def test_escape_then_q_leaves() -> None:
    with Terminal(sample()) as terminal:
        terminal.wait_for("80x24")
        terminal.send("\x1b")
        terminal.wait_for(re.escape(r"keys='\x1b'"))
        terminal.send("q")
        assert terminal.leave_code() == 0


def test_keys_typed_before_the_start_are_still_read() -> None:
    here = "if turn == 1: print(end='x', flush=True); time.sleep(0.5)"
    with Terminal(sample(here)) as terminal:
        terminal.wait_for("x")
        terminal.send("é")
        terminal.wait_for("keys='é'")


# --- sizes


class _NoFile(io.StringIO):
    """A stream without a descriptor."""


@pytest.mark.parametrize(
    ("columns", "lines", "size"),
    [
        (None, None, (80, 24)),
        ("100", None, (100, 24)),
        ("100", "30", (100, 30)),
        ("0", "-3", (80, 24)),
        ("many", "", (80, 24)),
        ("99999999", "99999999", (1000, 1000)),
    ],
)
def test_the_environment_gives_the_size_and_nonsense_is_ignored(
    monkeypatch: pytest.MonkeyPatch,
    columns: Optional[str],
    lines: Optional[str],
    size: tuple[int, int],
) -> None:
    for name, value in (("COLUMNS", columns), ("LINES", lines)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert terminal_size(_NoFile()) == size


def test_a_terminal_that_says_0_by_0_is_taken_as_80_by_24() -> None:
    with Terminal(sample(), columns=80, rows=24) as terminal:
        terminal.wait_for("80x24")
        terminal._set_size(0, 0)
        terminal.pump(0.2)
        terminal.send("x")
        terminal.wait_for("80x24 keys='x'")


def test_a_screen_of_a_file_has_the_usual_size(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as out, Screen(out) as screen:
        assert screen.size() == (80, 24)


# --- Windows, as far as it can be run elsewhere: its module for the keyboard is the only fake


WINDOWS = """
import io, signal, sys, time, types
import os, re, select, socket, contextlib, collections.abc, typing
typed = list("\\xe0HxZ\\x03")
msvcrt = types.ModuleType("msvcrt")
msvcrt.kbhit = lambda: bool(typed)
msvcrt.getwch = lambda: typed.pop(0)
sys.modules["msvcrt"] = msvcrt
sys.platform = "win32"
from monitor.terminal import Screen, _Device

class Console(io.StringIO):
    encoding = "cp437"
    def isatty(self): return True

out = Console()
with Screen(out, Console()) as screen:
    assert screen.size() == (80, 24)
    screen.draw([chr(0x2588) + chr(0x20ac)])
    typed[:], rest = typed[:3], typed[3:]
    assert screen.wait(5) == "x"
    assert screen.wait(0.1) is None
    screen.wake()
    assert screen.wait(5) is None
    typed.append("\\x03")
    assert screen.wait(5) is None
    assert screen.leaving == signal.SIGINT
    typed.append("left over")
assert typed == []
text = out.getvalue()
assert chr(0x2588) + "?" in text
assert text.startswith("\\x1b[?1049h") and text.endswith("\\x1b[?1049l")
print("fine")
"""


def test_the_windows_half_reads_keys_and_writes_through_the_stream() -> None:
    run = subprocess.run(
        python(WINDOWS), cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert (run.returncode, run.stdout) == (0, "fine\n"), run.stderr
