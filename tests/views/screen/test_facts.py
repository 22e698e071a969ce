"""The facts: whole at any width, and never broken badly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.model.reading import Reading
from monitor.model.usage import without_costs
from monitor.views.screen.facts import fact_rows
from monitor.views.style import Style
from tests.samples import IDLE, OK, block_of, events_over, reading_of, usage_of, with_source

MODELS = tuple(f"claude-opus-4-{minor}" for minor in range(9))
MANY_MODELS = reading_of(
    replace(block_of(events_over(138, 9_000)), models=MODELS), events=OK.events
)
DIRS = tuple(f"/home/you/.claude{number}" for number in range(5))
MANY_DIRS = with_source(IDLE, data_dirs=DIRS)


@pytest.mark.parametrize(
    ("reading", "last"), [(MANY_MODELS, "opus-4.8"), (MANY_DIRS, "/home/you/.claude4")]
)
@pytest.mark.parametrize("width", range(32, 100, 3))
def test_no_line_of_a_list_ends_in_a_comma_or_a_dot(
    width: int, reading: Reading, last: str
) -> None:
    usage = usage_of(reading)
    rows = [*fact_rows(usage, width, "…"), *fact_rows(without_costs(usage), width, "…")]
    lines = [Style().paint(row.line).rstrip() for row in rows]
    assert [text for text in lines if text.endswith((",", "·"))] == []
    assert any(text.endswith(last) for text in lines)
