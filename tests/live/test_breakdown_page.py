"""The page of who used the block in the live view, and the line on the main screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.live.fakes import MODEL, Fake, active, live, wait_for_history
from tests.pseudo_terminal import Terminal
from tests.waiting import until

MAIN = r"of ~7,000"


@pytest.fixture
def split(fake: Fake) -> Fake:
    other = fake.data / "projects" / "web" / "t.jsonl"
    other.parent.mkdir()
    other.write_text("{}\n", encoding="utf-8")
    fake.splits(session_0={MODEL: 1_500}, session_1={"claude-opus-4-20250514": 500})
    return fake


def test_p_shows_the_block_by_project_model_and_session(split: Fake) -> None:
    with live(split) as terminal:
        terminal.wait_for(MAIN)
        for key, by in (("p", "project"), ("p", "model"), ("\t", "session"), ("p", "project")):
            terminal.send(key)
            terminal.wait_for(rf"Who used it: by {by} +p: next")
            terminal.wait_for(r"1,500 +75 %")
            terminal.wait_for(r"2,000 tokens in the block of")
        terminal.send("\x1b")
        terminal.wait_for(MAIN)
        terminal.send("q")
        assert terminal.leave_code() == 0


def test_the_main_screen_names_who_used_most(split: Fake) -> None:
    with live(split, rows=30) as terminal:
        terminal.wait_for(r"Mostly +\w+ 75 % · \w+ 25 % · sonnet-4 75 %")


def test_while_the_page_is_open_it_follows_what_is_used(split: Fake) -> None:
    with live(split) as terminal:
        terminal.wait_for(MAIN)
        terminal.send("p")
        terminal.wait_for(r"1,500 +75 %")
        split.reports(active(3_000))
        split.splits(session_0={MODEL: 2_500}, session_1={"claude-opus-4-20250514": 500})
        split.changed()
        terminal.wait_for(r"2,500 +83 %")


def test_the_first_look_does_not_freeze_the_screen(split: Fake) -> None:
    script = split.path.read_text(encoding="utf-8")
    slow = script.replace('cat "$HERE/split"', 'echo $$ >>"$HERE/pids"; exec sleep 1000')
    split.path.write_text(slow, encoding="utf-8")
    with live(split, rows=19) as terminal:
        terminal.wait_for(MAIN)
        terminal.send("p")
        terminal.wait_for(r"Reading who used it …")
        until(split.pids, "ccusage is asked")
        terminal.send("?")
        terminal.wait_for(r"look for new usage now")
        terminal.send("q")
        assert terminal.leave_code() == 0


def test_a_failure_is_told_on_the_page_and_costs_the_main_screen_its_line_alone(
    split: Fake, isolated: Path
) -> None:
    (split.home / "split").write_text('{"blocks":[]}', encoding="utf-8")
    with live(split, rows=30) as terminal:
        terminal.wait_for(MAIN)
        wait_for_history(terminal, isolated)
        assert not re.search("Mostly", shown(terminal))
        terminal.send("p")
        terminal.wait_for(r"could not be read: ccusage printed no report")


def shown(terminal: Terminal) -> str:
    return terminal.text()


@pytest.mark.parametrize(("columns", "rows"), [(40, 20), (20, 5), (10, 3)])
def test_the_page_fits_small_terminals(columns: int, rows: int, split: Fake) -> None:
    with live(split, columns=columns, rows=rows) as terminal:
        until(lambda: "%" in terminal.text(), "a frame")
        terminal.send("p")
        until(lambda: "Who" in terminal.text(), "the page")
        assert terminal.scrolled() == 0
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()
