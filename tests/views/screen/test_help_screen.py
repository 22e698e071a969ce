"""The help page fits any size, and says what the keys do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.views.screen.help_screen import KEYS, help_page
from monitor.views.style import ASCII, UNICODE, Glyphs
from monitor.views.text import Line, width_of


def text(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


@given(
    width=st.integers(1, 250), height=st.integers(1, 100), glyphs=st.sampled_from([UNICODE, ASCII])
)
def test_the_help_page_fits_any_size(width: int, height: int, glyphs: Glyphs) -> None:
    lines = help_page(width, height, glyphs)
    assert len(lines) <= height
    assert max(map(width_of, lines)) <= width


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 20)])
def test_the_help_page_is_whole_on_usual_terminals(width: int, height: int) -> None:
    shown = text(help_page(width, height, UNICODE))
    for key, effect in KEYS:
        assert f" {key}  {effect}" in shown
    assert " ".join(shown.split()).endswith("the likely range: 10 to 90 % probable.")
    assert "…" not in shown


def test_the_help_page_is_ascii_where_only_that_can_be_shown() -> None:
    assert text(help_page(80, 24, ASCII)).isascii()
