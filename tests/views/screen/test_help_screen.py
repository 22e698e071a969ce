"""The help page fits any size, and says what the keys do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.views.screen.help_screen import KEYS, help_page
from monitor.views.states import STATES
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


END = "is when this pace would reach the limit."


def test_the_help_page_is_whole_on_a_usual_terminal() -> None:
    shown = text(help_page(80, 24, UNICODE))
    for key, effect in KEYS:
        assert f" {key}  {effect}" in shown
    assert " ".join(shown.split()).endswith(END)
    assert "…" not in shown and "scroll" not in shown.split("\n")[0]


def test_on_a_small_terminal_the_rest_of_the_help_page_comes_by_scrolling() -> None:
    whole = text(help_page(40, 100, UNICODE)).split("\n")
    assert not any("…" in row for row in whole)
    assert " ".join(" ".join(whole).split()).endswith(END)
    pages = [text(help_page(40, 20, UNICODE, first)).split("\n") for first in range(70)]
    assert pages[0][0] == " Keys   arrows, PgUp, PgDn: scroll"
    assert all(len(page) == 20 for page in pages)
    assert [page[-1] for page in pages[: len(whole) - 19]] == whole[19:]
    assert pages[-1] == whole[-20:]


def test_the_help_page_says_what_every_word_means() -> None:
    shown = " ".join(text(help_page(80, 40, UNICODE)).split())
    for state in STATES.values():
        assert f"{state.word} {state.meaning}" in shown


def test_the_help_page_is_ascii_where_only_that_can_be_shown() -> None:
    assert text(help_page(80, 24, ASCII)).isascii()
