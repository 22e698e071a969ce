"""Bars: exact lengths, and full only at the limit."""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.views.bars import bar
from monitor.views.style import ASCII, UNICODE, Glyphs
from monitor.views.text import width_of

PERCENTS = st.floats(0, 1e6) | st.integers(-5, 250)
BOTH = st.sampled_from([UNICODE, ASCII])


def drawn(used: float, likely: Optional[float], width: int, glyphs: Glyphs = UNICODE) -> str:
    return "".join(span.text for span in bar(used, likely, width, "ok", glyphs.bar))


@given(used=PERCENTS, likely=st.none() | PERCENTS, width=st.integers(0, 200), glyphs=BOTH)
def test_a_bar_is_as_wide_as_asked(
    used: float, likely: Optional[float], width: int, glyphs: Glyphs
) -> None:
    assert width_of(bar(used, likely, width, "ok", glyphs.bar)) == width


@pytest.mark.parametrize(
    ("used", "likely", "expected"),
    [
        (0, None, "░░░░░░░░"),
        (50, None, "████░░░░"),
        (55, None, "████▍░░░"),
        (50, 75, "████▒▒░░"),
        (50, 30, "████░░░░"),
        (50, 400, "████▒▒▒▒"),
        (100, None, "████████"),
        (100.0, 150, "████████"),
        (100.1, None, "██████┃▒"),
        (137.2, 150, "█████┃▒▒"),
        (200, None, "████┃▒▒▒"),
        (10_000, None, "█┃▒▒▒▒▒▒"),
    ],
)
def test_a_bar_shows_what_is_used_and_what_is_likely(
    used: float, likely: Optional[float], expected: str
) -> None:
    assert drawn(used, likely, 8) == expected


def test_a_bar_in_ascii_has_whole_cells() -> None:
    assert drawn(55, 75, 8, ASCII) == "####++.."


@given(used=st.floats(0, 99.999), width=st.integers(1, 200), glyphs=BOTH)
def test_a_bar_is_not_full_before_100_percent(used: float, width: int, glyphs: Glyphs) -> None:
    assert drawn(used, None, width, glyphs) != glyphs.bar.full * width


def test_the_parts_of_a_bar_have_their_own_roles() -> None:
    assert [span.role for span in bar(50, 75, 8, "alarm", UNICODE.bar)] == [
        "alarm",
        "likely",
        "empty",
    ]
