"""The layout: the least important rows give way, and the order stays."""

from __future__ import annotations

from monitor.views.screen.layout import Rank, Row, fit_height
from monitor.views.text import Line, line

HEADER, SENTENCE, USED, NOTE, FOOTER = (
    line(name) for name in ("header", "sentence", "used", "note", "footer")
)
ROWS = (
    Row(Rank.HEADER, HEADER),
    Row(Rank.BLANK_BELOW_HEADER),
    Row(Rank.SENTENCE, SENTENCE),
    Row(Rank.USED, USED),
    Row(Rank.NOTE, NOTE, Rank.USED),
    Row(Rank.FOOTER, FOOTER),
)


def test_rows_that_fit_are_all_there() -> None:
    assert fit_height(ROWS, 9) == [row.line for row in ROWS]


def test_blanks_go_first_then_notes_and_the_sentence_stays_to_the_last() -> None:
    lowered: list[list[Line]] = [fit_height(ROWS, height) for height in (5, 4, 3, 2, 1)]
    assert lowered == [
        [HEADER, SENTENCE, USED, NOTE, FOOTER],
        [HEADER, SENTENCE, USED, FOOTER],
        [HEADER, SENTENCE, USED],
        [SENTENCE, USED],
        [SENTENCE],
    ]


def test_of_notes_that_of_the_less_important_fact_goes_first() -> None:
    pace, used = Row(Rank.NOTE, line("pace"), Rank.PACE), Row(Rank.NOTE, line("used"), Rank.USED)
    assert fit_height((pace, used), 1) == [used.line]


def test_of_equal_rows_the_lower_one_goes_first() -> None:
    first, second = (Row(Rank.WARNING, line(name)) for name in ("first", "second"))
    assert fit_height((first, second), 1) == [first.line]
