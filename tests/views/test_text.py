"""Lines measured in cells: cut, padded and broken so that nothing is ever too wide."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from wcwidth import wcswidth

from monitor.model.formatting import visible
from monitor.views.text import (
    NARROW,
    Line,
    Span,
    cells,
    fit,
    line,
    pad,
    sides,
    width_of,
    wrap,
    wrap_list,
)

# As on the screen: control characters have been made visible before.
TEXTS = st.text(max_size=30).map(visible) | st.text("aé日本語🎉 ·…", max_size=30)
LINES = st.lists(TEXTS.map(Span), max_size=4).map(tuple)
WIDTHS = st.integers(0, 60)


def text_of(spans: Line) -> str:
    return "".join(span.text for span in spans)


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1)])
def test_a_text_is_measured_in_terminal_cells(text: str, width: int) -> None:
    assert cells(text) == width


def test_what_is_not_looked_up_takes_one_cell_each() -> None:
    unasked = [chr(code) for code in range(0x80, 0x30000) if NARROW.fullmatch(chr(code))]
    assert len(unasked) > 400
    assert [text for text in unasked if wcswidth(text) != 1] == []


@given(LINES, WIDTHS, st.sampled_from(["…", "..."]))
def test_a_cut_line_is_never_too_wide(spans: Line, width: int, ellipsis: str) -> None:
    assert width_of(fit(spans, width, ellipsis)) <= width


@pytest.mark.parametrize("width", range(4, 24))
def test_a_list_ends_in_no_separator_where_it_is_cut_or_broken(width: int) -> None:
    for text in (
        "opus-4, sonnet-4, 3-5-haiku",
        "9 of 35 · 26 left · resets 17:00",
        "a | b | c | d",
    ):
        cut = text_of(fit(line(text), width))
        assert cut == text or not cut[:-1].rstrip().endswith((",", "·", "|"))
        assert not [part for part in wrap_list(text, width) if part.endswith((",", "·"))]


@given(LINES, WIDTHS)
def test_a_line_that_fits_is_left_alone(spans: Line, width: int) -> None:
    assume(width_of(spans) <= width)
    assert fit(spans, width) == spans


def test_a_cut_line_ends_in_an_ellipsis_of_the_same_role() -> None:
    cut = fit(line(Span("used ", "dim"), Span("23,210", "ok")), 9)
    assert cut == (Span("used ", "dim"), Span("23…", "ok"))


def test_a_wide_character_is_not_cut_in_half() -> None:
    assert text_of(fit(line("日本語"), 4)) == "日…"


@given(LINES, WIDTHS)
def test_a_padded_line_is_at_least_as_wide_as_asked(spans: Line, width: int) -> None:
    assert width_of(pad(spans, width)) == max(width, width_of(spans))


@given(LINES, LINES, WIDTHS)
def test_two_sides_never_touch_and_are_never_too_wide(left: Line, right: Line, width: int) -> None:
    assert width_of(sides(left, right, width)) <= width


def test_the_right_side_is_at_the_edge_or_left_out() -> None:
    assert text_of(sides(line("left"), line("right"), 11)) == "left  right"
    assert text_of(sides(line("left"), line("right"), 10)) == "left"


@given(st.text("ab日 ", max_size=80), st.integers(2, 30))
def test_a_broken_sentence_keeps_its_words_and_its_width(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(cells(part) <= width for part in lines)
    if all(cells(word) <= width for word in text.split()):
        assert " ".join(lines).split() == text.split()


@pytest.mark.parametrize("width", [-5, 0, 1])
def test_without_room_a_sentence_is_still_broken(width: int) -> None:
    assert wrap("ab 日", width) == ["a", "b", "日"]


@pytest.mark.parametrize("width", range(10, 60))
def test_a_number_is_never_parted_from_its_unit(width: int) -> None:
    lines = wrap("Tight: 52 % used, 1 h 52 min before the reset in 20 s, or 2 d 4 h.", width)
    assert all(unit in "\n".join(lines) for unit in ("52 %", "1 h 52 min", "20 s", "2 d 4 h"))
