"""A table of the page: what a narrow screen leaves out, and what may take two lines."""

from __future__ import annotations

from monitor.views.html.report import page
from monitor.views.html.style_sheet import STYLE
from tests.samples import NOW
from tests.views.html.test_breakdown import PARTS
from tests.views.html.test_report import PAST, SHOWN, Reader

READ = Reader(page(PAST, {}, SHOWN, NOW, PARTS))


def heads(role: str) -> list[str]:
    """The heads of all columns of that class."""
    names = [name for row in READ.cells if "Tokens" in row for name in row]
    classes = [str(cell.get("class")).split() for cell in READ.all("th")]
    return [name for name, roles in zip(names, classes) if role in roles]


def test_a_narrow_screen_shows_tokens_and_costs_without_scrolling() -> None:
    assert set(heads("wide")) == {"Length", "Messages", "All tokens", "Models"}
    assert "th.wide, td.wide { display: none; }" in STYLE


def test_a_narrow_screen_says_which_columns_it_leaves_out() -> None:
    assert READ.text.count("A wider screen also shows all tokens.") == 2
    assert "A wider screen also shows length, messages, models." in READ.text


def test_a_long_name_takes_two_lines_and_pushes_no_cost_off_the_page() -> None:
    assert heads("long") == ["Project", "Model", "Models"]


def test_numbers_stand_on_the_right() -> None:
    assert heads("n")[:4] == ["Tokens", "Share", "All tokens", "Cost"]
