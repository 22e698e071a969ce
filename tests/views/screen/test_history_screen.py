"""The history page shows the newest past blocks, and fits any size."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.history import CompletedBlock, History
from monitor.model.plans import Rules, past_limit
from monitor.model.slices import Interval, Round
from monitor.views.screen.dashboard import DisplayOptions
from monitor.views.screen.history_screen import history_page
from monitor.views.style import ASCII, UNICODE, Glyphs, Style
from monitor.views.text import Line, width_of
from tests.samples import HISTORY, IDLE, NOW, OK, PAST, past_block, usage_in, usage_of

LONG = History(tuple(CompletedBlock(past_block(day, 1_000 * day)) for day in range(40, 0, -1)), NOW)
GLYPHS = st.sampled_from([UNICODE, ASCII])


def look(glyphs: Glyphs = UNICODE, *, costs: bool = True) -> DisplayOptions:
    return DisplayOptions(Style(glyphs), costs, live=True)


def text(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


def past(
    history: Optional[History],
    width: int = 80,
    height: int = 24,
    display: Optional[DisplayOptions] = None,
) -> list[Line]:
    return history_page(usage_in("ok"), history, width, height, display or look())


@given(
    width=st.integers(1, 250),
    height=st.integers(1, 100),
    glyphs=GLYPHS,
    history=st.sampled_from([LONG, HISTORY, History(), None]),
)
def test_the_history_page_fits_any_size(
    width: int, height: int, glyphs: Glyphs, history: Optional[History]
) -> None:
    lines = past(history, width, height, look(glyphs))
    assert len(lines) <= height
    assert max(map(width_of, lines)) <= width


def test_the_page_is_ascii_where_only_that_can_be_shown() -> None:
    style = Style(ASCII)
    assert all(style.paint(row).isascii() for row in past(HISTORY, display=look(ASCII)))


@pytest.mark.parametrize("width", range(20, 100))
def test_no_line_ends_in_a_separator(width: int) -> None:
    rows = [row.rstrip() for row in text(past(LONG, width)).split("\n")]
    assert [row for row in rows if row.endswith((",", "·"))] == []


def test_past_blocks_are_compared_with_the_limit_that_the_history_command_uses() -> None:
    usage = usage_of(OK, Rules("pro"))
    assert past_limit(Rules("pro"), PAST).tokens == 30_500
    for moment in (usage, usage_of(IDLE, Rules("pro"))):
        assert "limit: % of 30,500" in text(history_page(moment, HISTORY, 80, 24, look()))


def test_past_blocks_are_the_newest_that_there_is_room_for() -> None:
    shown = text(past(LONG, height=12))
    assert "running" in shown and "1,000" in shown and "5,000" in shown
    assert "6,000" not in shown


def test_the_page_scrolls_back_to_the_first_block_and_no_further() -> None:
    usage = usage_in("ok")
    for first, shown in ((0, "1 to 6"), (5, "6 to 11"), (39, "40 to 41"), (500, "41 to 41")):
        page = text(history_page(usage, LONG, 80, 12, look(), first))
        assert f"{shown} of 41 shown" in page
        assert page.count("\n 2026-") == len(range(*map(int, shown.split(" to ")))) + 1


def test_the_page_says_how_to_scroll_where_there_is_room() -> None:
    assert "arrows, PgUp, PgDn: scroll" in text(past(LONG)).split("\n")[0]
    assert "scroll" not in text(past(LONG, 40))


def test_costs_can_be_left_out_of_the_history() -> None:
    assert "$6.20" in text(past(HISTORY))
    assert "$" not in text(past(HISTORY, display=look(costs=False)))


@pytest.mark.parametrize("history", [None, replace(HISTORY, read_at=None)])
def test_a_history_not_read_yet_is_not_an_empty_one(history: Optional[History]) -> None:
    assert "The history is still being read." in text(past(history))


def test_while_the_history_is_read_it_shows_what_is_read_and_how_much_that_is() -> None:
    running = Round(NOW, (Interval(None, NOW - timedelta(days=12)),), NOW - timedelta(days=120))
    page = text(past(replace(HISTORY, read_at=None, round=running), 100))
    assert "12 of 120 days read" in page.split("\n")[0]
    assert "2026-" in page and "still being read" not in page
    assert "still being read" in text(past(History(round=running)))


def test_an_empty_history_is_said_to_be_empty() -> None:
    assert "No completed block yet." in text(past(History(read_at=NOW)))


def test_the_footer_speaks_only_of_what_is_shown() -> None:
    wide = text(past(LONG, height=12))
    assert "limit: % of" in wide and "1 to 6 of 41 shown" in wide
    assert ("* the highest" in wide) == ("*" in wide.partition("tokens in")[0])
    narrow = text(past(LONG, width=34, height=12))
    assert ("limit: % of" in narrow) == ("Limit" in narrow)
    assert "ccusage-monitor history" not in narrow
