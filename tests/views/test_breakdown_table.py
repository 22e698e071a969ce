"""The table of who used it: golden tables, and what holds at every width."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.blocks import TokenCounts
from monitor.model.breakdown import BLOCK, Breakdown
from monitor.model.formatting import TimeFormat
from monitor.views.breakdown_table import BreakdownOptions, breakdown_table, mostly
from monitor.views.style import ASCII, UNICODE, Glyphs, Style
from monitor.views.text import Line, width_of
from tests.breakdowns import LONG, SPLIT, UNPRICED
from tests.golden import assert_as_recorded
from tests.samples import NOW, RULES

WAYS = ("project", "model", "session")


def look(by: str = "project", glyphs: Glyphs = UNICODE, *, costs: bool = True) -> BreakdownOptions:
    return BreakdownOptions(by, NOW, RULES.time_format, glyphs, costs)


def text(lines: list[Line], style: Style = Style()) -> str:  # noqa: B008 - it is frozen
    return "".join(f"{style.paint(line).rstrip()}\n" for line in lines)


GOLDEN = {
    **{f"breakdown-{by}-80": (SPLIT, 80, look(by)) for by in WAYS},
    "breakdown-project-40": (SPLIT, 40, look()),
    "breakdown-project-120": (UNPRICED, 120, look()),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_table_looks_as_recorded(name: str) -> None:
    assert_as_recorded(name, text(breakdown_table(*GOLDEN[name])))


@given(
    width=st.integers(10, 200),
    height=st.integers(8, 60),
    first=st.integers(0, 50),
    by=st.sampled_from(WAYS),
    breakdown=st.sampled_from([SPLIT, UNPRICED, LONG, replace(SPLIT, parts=())]),
    glyphs=st.sampled_from([UNICODE, ASCII]),
)
def test_a_table_fits_its_place(
    width: int, height: int, first: int, by: str, breakdown: Breakdown, glyphs: Glyphs
) -> None:
    lines = breakdown_table(breakdown, width, look(by, glyphs), height, first)
    assert max(map(width_of, lines)) <= width
    assert width < 40 or len(lines) <= height


def test_all_rows_can_be_reached_by_scrolling() -> None:
    shown = "".join(text(breakdown_table(LONG, 80, look(), 12, first)) for first in range(40))
    assert all(f"~/work/project-{number:02} " in shown for number in range(30))


def test_costs_can_be_hidden() -> None:
    assert "$" not in text(breakdown_table(SPLIT, 120, look(costs=False)))
    assert "$" in text(breakdown_table(SPLIT, 120, look()))


def test_a_difference_from_the_block_is_shown() -> None:
    assert SPLIT.block is not None
    tokens = SPLIT.block.tokens._replace(output=SPLIT.block.tokens.output + 5)
    late = replace(SPLIT, block=replace(SPLIT.block, tokens=tokens))
    assert "5 tokens fewer than the block's" in text(breakdown_table(late, 120, look()))


def test_a_span_without_usage_is_said_to_have_none() -> None:
    empty = Breakdown("today", NOW, NOW)
    assert text(breakdown_table(empty, 80, look())) == " 0 tokens today · 0 projects\n"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (BLOCK, "in the block of 14:32"),
        ("today", "today"),
        ("week", "since 2026-06-10 14:32"),
        ("since", "since 2026-06-10"),
    ],
)
def test_the_span_is_named(span: str, words: str) -> None:
    assert f" {words} ·" in text(breakdown_table(replace(SPLIT, span=span, start=NOW), 120, look()))


def test_escape_codes_in_names_are_made_visible() -> None:
    part = SPLIT.parts[0]._replace(label="\x1b[2J", model="\x1b[2J", session="\x1b[2J")
    hostile = replace(SPLIT, parts=(part,))
    for by in WAYS:
        assert "\x1b" not in text(breakdown_table(hostile, 80, look(by)))
    assert "\x1b" not in mostly(hostile)


def test_mostly_names_two_projects_and_a_model() -> None:
    assert mostly(SPLIT) == "api 54 % · web 34 % · sonnet-4 69 %"
    assert mostly(replace(SPLIT, parts=())) == ""


def test_last_activities_of_other_days_have_their_day() -> None:
    part = SPLIT.parts[0]._replace(last_activity=NOW - timedelta(days=1))
    options = look()._replace(time_format=TimeFormat(RULES.zone, twelve_hour=True))
    old = replace(SPLIT, parts=(part,))
    assert "yesterday 2:32 PM" in text(breakdown_table(old, 120, options))


def test_a_total_of_nothing_has_no_share() -> None:
    cache_only = SPLIT.parts[0]._replace(tokens=TokenCounts(0, 0, 5, 5))
    drawn = text(breakdown_table(replace(SPLIT, parts=(cache_only,)), 80, look()))
    assert " ? " in drawn
