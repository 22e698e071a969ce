"""Colours and glyphs: decided once from stream and wishes, and painted last."""

from __future__ import annotations

from dataclasses import astuple
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.views.style import ASCII, CONSOLE, ROLES, UNICODE, Style, choose_style, limit_charset
from monitor.views.text import Span, line


def chosen(
    *,
    encoding: str = "utf-8",
    is_terminal: bool = True,
    ascii_only: bool = False,
    no_color: bool = False,
    color_count: Optional[int] = None,
    **environ: str,
) -> Style:
    return choose_style(
        encoding=encoding,
        is_terminal=is_terminal,
        environ=environ,
        ascii_only=ascii_only,
        no_color=no_color,
        color_count=color_count,
    )


def test_a_terminal_gets_colours_and_a_pipe_gets_none() -> None:
    assert chosen().colors
    assert not chosen(is_terminal=False).colors


def test_a_dumb_terminal_gets_no_colours() -> None:
    assert not chosen(TERM="dumb").colors


@pytest.mark.parametrize(("count", "colors"), [(-1, False), (0, False), (8, True), (None, True)])
def test_a_terminal_that_is_known_to_have_no_colours_gets_none(
    count: Optional[int], *, colors: bool
) -> None:
    assert chosen(TERM="vt100", color_count=count).colors is colors
    assert chosen(TERM="vt100", color_count=count, FORCE_COLOR="1").colors


@pytest.mark.parametrize(("value", "colors"), [("1", False), ("0", False), ("", True)])
def test_no_color_counts_whatever_it_is_set_to_unless_it_is_empty(
    value: str, *, colors: bool
) -> None:
    assert chosen(NO_COLOR=value).colors is colors


@pytest.mark.parametrize(("value", "colors"), [("1", True), ("3", True), ("0", False), ("", False)])
def test_force_color_colours_a_pipe(value: str, *, colors: bool) -> None:
    assert chosen(is_terminal=False, FORCE_COLOR=value).colors is colors


def test_not_wanting_colours_beats_forcing_them() -> None:
    assert not chosen(FORCE_COLOR="1", NO_COLOR="1").colors
    assert not chosen(FORCE_COLOR="1", no_color=True).colors


def test_forcing_colours_beats_a_dumb_terminal() -> None:
    assert chosen(FORCE_COLOR="1", TERM="dumb").colors


@pytest.mark.parametrize(
    "encoding", ["ascii", "latin-1", "cp1252", "cp437", "no-such-encoding", ""]
)
def test_a_stream_that_cannot_show_the_glyphs_gets_ascii(encoding: str) -> None:
    assert chosen(encoding=encoding).glyphs == ASCII


def test_ascii_can_be_asked_for() -> None:
    assert chosen(ascii_only=True).glyphs == ASCII
    assert chosen().glyphs == UNICODE


def test_the_ascii_glyphs_are_ascii() -> None:
    assert all(str(value).isascii() for value in astuple(ASCII))


def test_the_linux_console_gets_only_glyphs_that_its_font_has() -> None:
    assert chosen(TERM="linux").glyphs == CONSOLE
    assert chosen(TERM="linux", ascii_only=True).glyphs == ASCII
    "".join(map(str, astuple(CONSOLE))).encode("cp437")  # raises if a character is missing
    assert not CONSOLE.braille


@given(st.text())
def test_whatever_the_text_it_can_be_written_in_ascii(text: str) -> None:
    assert limit_charset(text, "ascii").isascii()
    assert len(limit_charset(text, "ascii")) == len(text)


def test_the_console_keeps_the_characters_of_the_users_own_names() -> None:
    assert limit_charset("17:00–17:15 · größe/日本…", "console") == "17:00-17:15 · größe/日本."


def test_without_colours_a_line_is_its_text() -> None:
    spans = line(Span("Over", "alarm"), " the limit")
    assert Style().paint(spans) == "Over the limit"


def test_every_painted_piece_is_closed() -> None:
    for role, code in ROLES.items():
        painted = Style(colors=True).paint(line(Span("x", role)))
        assert painted == (f"\x1b[{code}m" + "x" + "\x1b[0m" if code else "x")


def test_severities_are_told_apart_by_colour() -> None:
    assert len({ROLES[role] for role in ("ok", "warn", "alarm", "")}) == 4


def test_a_line_is_cut_and_padded_before_it_is_painted() -> None:
    style = Style(colors=True)
    assert style.paint(line(Span("Over the limit", "alarm")), 6) == "\x1b[1;31mOver …\x1b[0m"
    assert style.paint(line(Span("Over", "alarm")), 6) == "\x1b[1;31mOver\x1b[0m  "
