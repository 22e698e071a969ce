"""The page of who used the block, and the line of the dashboard that sums it up."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.breakdown import Breakdown
from monitor.views.breakdown_table import mostly
from monitor.views.screen.breakdown_screen import breakdown_page
from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.screen.layout import Rank
from monitor.views.style import ASCII, UNICODE, Glyphs, Style
from monitor.views.text import Line, width_of
from tests.breakdowns import LONG, OK_BLOCK, SPLIT
from tests.golden import assert_as_recorded
from tests.samples import STATES, usage_in

SIZES = ((80, 24), (40, 20), (120, 40))
WAYS = ("project", "model", "session")
DISPLAY = DisplayOptions(Style(), mostly=mostly(SPLIT))
MANY = replace(
    LONG, block=replace(OK_BLOCK, tokens=OK_BLOCK.tokens._replace(input=0, output=LONG.counted))
)


def text(lines: list[Line], display: DisplayOptions = DISPLAY) -> str:
    return "".join(f"{display.style.paint(line).rstrip()}\n" for line in lines)


def drawn(
    breakdown: Optional[Breakdown] = SPLIT,
    by: str = "project",
    width: int = 80,
    height: int = 24,
    state: str = "ok",
    display: DisplayOptions = DISPLAY,
) -> str:
    return text(breakdown_page(usage_in(state), breakdown, by, width, height, display), display)


GOLDEN = {
    **{f"who-{by}-{w}x{h}": drawn(by=by, width=w, height=h) for by in WAYS for w, h in SIZES[:2]},
    "who-project-120x40": drawn(width=120, height=40),
    "who-many-40x20": drawn(MANY, "session", 40, 20),
    **{f"mostly-{w}x{h}": text(frame(usage_in("ok"), w, h, DISPLAY)) for w, h in SIZES[::2]},
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_page_looks_as_recorded(name: str) -> None:
    assert_as_recorded(name, GOLDEN[name])


@given(
    width=st.integers(1, 250),
    height=st.integers(1, 60),
    by=st.sampled_from(WAYS),
    breakdown=st.sampled_from([SPLIT, MANY, None, replace(SPLIT, parts=(), error="No. " * 30)]),
    glyphs=st.sampled_from([UNICODE, ASCII]),
    state=st.sampled_from(["ok", "idle"]),
    first=st.integers(0, 60),
)
def test_the_page_fits_any_size(
    width: int,
    height: int,
    by: str,
    breakdown: Optional[Breakdown],
    glyphs: Glyphs,
    state: str,
    first: int,
) -> None:
    display = DisplayOptions(Style(glyphs))
    lines = breakdown_page(usage_in(state), breakdown, by, width, height, display, first)
    assert len(lines) <= height
    assert max(map(width_of, lines)) <= width


def test_the_first_look_says_that_it_is_being_read() -> None:
    assert "Reading who used it …" in drawn(None)
    other = replace(SPLIT, block=replace(OK_BLOCK, start=OK_BLOCK.end))
    assert "Reading who used it …" in drawn(other)


def test_a_failure_is_said_on_the_page() -> None:
    failed = replace(SPLIT, parts=(), error="ccusage did not answer within 20 s.")
    assert "could not be read: ccusage did not answer within 20 s." in drawn(failed)


def test_without_a_block_nobody_used_anything() -> None:
    assert "No block is active" in drawn(None, state="idle")


def test_costs_are_hidden_with_the_others() -> None:
    assert "$" in drawn()
    assert "$" not in drawn(display=replace(DISPLAY, show_cost=False))


def test_the_line_is_in_the_frame_only_where_it_takes_nothing_from_others() -> None:
    assert max(Rank) is Rank.MOSTLY
    plain = replace(DISPLAY, mostly="")
    for height in range(2, 50):
        with_line = frame(usage_in("ok"), 80, height, DISPLAY)
        without = frame(usage_in("ok"), 80, height, plain)
        rest = [line for line in with_line if "Mostly" not in text([line])]
        has_chart = "now 14:32" in text(without)
        assert ("now 14:32" in text(with_line)) == has_chart
        if not has_chart:
            assert rest == without


@pytest.mark.parametrize("state", STATES)
def test_the_line_is_about_an_active_block_alone(state: str) -> None:
    usage = usage_in(state)
    shown = "Mostly" in text(frame(usage, 80, 40, DISPLAY))
    assert shown == (usage.block is not None)
