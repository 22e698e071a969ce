"""Who used it on the HTML page: a column for each day, and a table with every row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.model.breakdown import Part
from monitor.views.html.report import page
from tests.breakdowns import LONG, SPLIT, UNPRICED
from tests.samples import NOW
from tests.views.html.test_report import PAST, SHOWN, Reader

PARTS = tuple(
    part._replace(day=f"2026-06-{8 + index % 2:02}") for index, part in enumerate(SPLIT.parts)
)


def read(parts: tuple[Part, ...] = PARTS, *, show_cost: bool = True) -> Reader:
    return Reader(page(PAST, {}, replace(SHOWN, show_cost=show_cost), NOW, parts))


def cells(reader: Reader, head: str) -> list[list[str]]:
    """The rows of the table with that first head."""
    start = next(index for index, row in enumerate(reader.cells) if row[:1] == [head])
    heads = [index for index, row in enumerate(reader.cells) if "Tokens" in row and index > start]
    return reader.cells[start + 1 : min(heads, default=None)]


def test_projects_and_models_have_a_table_each() -> None:
    assert cells(read(), "Project")[0] == ["~/work/api", "4,900", "54 %", "2,552,900", "$4.90"]
    assert [row[0] for row in cells(read(), "Model")] == ["sonnet-4", "opus-4"]


def test_each_day_has_a_column_of_pieces_that_add_up() -> None:
    tips = [tip for tip in read().tips if "~/work" in tip]
    assert "2026-06-08 ~/work/api: 4,000 tokens" in tips
    assert "2026-06-09 ~/work/api: 900 tokens" in tips
    tokens = [int(tip.split(": ")[1].split()[0].replace(",", "")) for tip in tips]
    assert sum(tokens) == SPLIT.counted


def test_those_without_a_colour_of_their_own_are_one_piece() -> None:
    parts = tuple(part._replace(day="2026-06-08") for part in LONG.parts)
    tips = [tip for tip in read(parts).tips if tip.startswith("2026-06-08 ")]
    assert len([tip for tip in tips if "~/work" in tip]) == 5
    assert len([tip for tip in tips if "others" in tip]) == 1
    assert len(cells(read(parts), "Project")) == 30


def test_costs_can_be_hidden_or_not_known() -> None:
    unpriced = tuple(part._replace(day="2026-06-08") for part in UNPRICED.parts)
    assert "?" in cells(read(unpriced), "Model")[1]
    hidden = read(show_cost=False)
    assert not any("$" in cell for row in hidden.cells for cell in row)


@pytest.mark.parametrize(
    "parts", [(), (PARTS[0]._replace(tokens=PARTS[0].tokens._replace(input=0, output=0)),)]
)
def test_without_use_there_is_nothing_to_draw(parts: tuple[Part, ...]) -> None:
    assert "Stacked" not in str(read(()).tags)
    read(parts)


def test_names_are_escaped() -> None:
    evil = (PARTS[0]._replace(label="<script>", model="<b>"),)
    reader = read(evil)
    assert reader.all("script") == reader.all("b") == []
    assert cells(reader, "Project")[0][0] == "<script>"
