"""The keys of the live view: costs, past blocks, help, back, a look now, leaving."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.fakes import Fake, active, live, wait_for_history, wait_for_words
from tests.waiting import until

COST = r"API-equivalent"
HELP = r"look for new usage now"
HISTORY = r"Past blocks +h: back"
WEEK = r"The week +w: back"
MAIN = r"2,000 of ~7,000"


def test_c_hides_the_costs_and_shows_them_again(fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for(COST)
        terminal.send("c")
        until(lambda: COST not in terminal.text(), "the costs are hidden")
        terminal.wait_for(MAIN)
        terminal.send("c")
        terminal.wait_for(COST)


def test_costs_that_were_hidden_at_the_start_can_be_shown(fake: Fake) -> None:
    with live(fake, "--no-cost") as terminal:
        terminal.wait_for(MAIN)
        assert COST not in terminal.text()
        terminal.send("c")
        terminal.wait_for(COST)


@pytest.mark.parametrize(("key", "page"), [("h", HISTORY), ("w", WEEK), ("?", HELP)])
def test_a_page_opens_by_its_key_and_closes_by_the_same_or_by_escape(
    key: str, page: str, fake: Fake
) -> None:
    with live(fake) as terminal:
        terminal.wait_for(MAIN)
        for back in (key, "\x1b"):
            terminal.send(key)
            terminal.wait_for(page)
            terminal.send(back)
            terminal.wait_for(MAIN)


def test_from_one_page_to_the_other(fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for(MAIN)
        for key, page in (("h", HISTORY), ("?", HELP), ("h", HISTORY), ("h", MAIN)):
            terminal.send(key)
            terminal.wait_for(page)


def test_past_blocks_come_with_their_tokens(fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for(MAIN)
        terminal.send("h")
        wait_for_words(terminal, r"900\* 13 %")  # the completed block of the fake's history


def test_costs_are_hidden_among_past_blocks_too(fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for(MAIN)
        terminal.send("h")
        terminal.wait_for(r"Past blocks")
        terminal.wait_for(r"\$1\.25")
        terminal.send("c")
        until(lambda: "$" not in terminal.text(), "the costs are hidden")


@pytest.mark.parametrize("key", ["", "h", "?"])
def test_q_leaves_from_every_page(key: str, fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for(MAIN)
        if key:
            terminal.send(key)
            terminal.wait_for({"h": HISTORY, "?": HELP}[key])
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


def test_r_looks_now_from_every_page(fake: Fake, isolated: Path) -> None:
    with live(fake, "--refresh", "3600") as terminal:
        terminal.wait_for(MAIN)
        wait_for_history(terminal, isolated)
        terminal.send("?")
        terminal.wait_for(HELP)
        fake.reports(active(3_000))
        fake.changed()
        terminal.send("r")
        terminal.send("\x1b")
        terminal.wait_for("3,000 of")


def test_arrows_other_letters_and_pastes_do_nothing(fake: Fake) -> None:
    with live(fake) as terminal:
        terminal.wait_for(MAIN)
        for keys in ("\x1b[A", "x", "\x1b[200~quit h ?\x1b[201~", "hello"):
            terminal.send(keys)
            terminal.pump(0.2)
        terminal.wait_for(MAIN)
        assert terminal.process.poll() is None


def test_without_a_reading_help_is_there_all_the_same(fake: Fake) -> None:
    fake.hangs()
    with live(fake) as terminal:
        terminal.wait_for("Reading usage")
        terminal.send("h")  # there is nothing to show yet
        terminal.pump(0.2)
        assert "Reading usage" in terminal.text()
        terminal.send("?")
        terminal.wait_for(HELP)


@pytest.mark.parametrize(("columns", "rows"), [(40, 20), (20, 5), (10, 3)])
@pytest.mark.parametrize("key", ["h", "?"])
def test_a_page_fits_small_terminals(key: str, columns: int, rows: int, fake: Fake) -> None:
    with live(fake, columns=columns, rows=rows) as terminal:
        until(lambda: "%" in terminal.text(), "a frame")
        terminal.send(key)
        until(lambda: "Keys" in terminal.text() or "Past" in terminal.text(), "the page")
        assert terminal.scrolled() == 0
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()
