"""The help page of the live screen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from monitor.views.screen.layout import BLANK, WIDEST
from monitor.views.states import STATES
from monitor.views.style import Glyphs
from monitor.views.text import Line, Span, fit, line, pad, wrap

KEYS = (
    ("h", "past blocks (arrows, PgUp, PgDn scroll)"),
    ("p", "who used the block (p or Tab: next view)"),
    ("w", "whether the week lasts (w: the next limit)"),
    ("o", "ask Claude Code for official limits"),
    ("1", "the first account; 2 to 9, Tab: others"),
    ("q", "leave (or Ctrl+C)"),
    ("r", "look for new usage now"),
    ("c", "show or hide costs"),
    ("?", "this help, and back"),
)

COLUMN, TWO_COLUMNS = 48, 78
"""Cells of the first column of keys, and the width from which on there are two."""

ABOUT = (
    (
        "Limits count input + output tokens of the 5-hour block. Anthropic publishes none: "
        "without Claude Code's own percentages (key o) they are estimates."
    ),
    (
        "{} and the line after now: the likely use at the reset, with breaks; dots: 8 cases "
        'in 10. "Without a break" is when this pace would reach the limit.'
    ),
)

WORD = 15
"""Cells of a state's word and the blanks after it."""


def help_page(width: int, height: int, glyphs: Glyphs, first: int = 0) -> list[Line]:
    """Draw what the keys do and what the words mean, from the row `first` on."""
    lines = [line(Span(" Keys", "title")), *_keys(width)]
    lines += [BLANK, line(Span(" Words", "title")), *_words(width), BLANK]
    for paragraph in ABOUT:
        rows = wrap(paragraph.format(glyphs.bar.likely), min(width - 2, WIDEST))
        lines += [line(Span(f" {row}", "dim")) for row in rows]
    hint = "arrows, PgUp, PgDn: scroll" if len(lines) > height else "Esc: back"
    lines[0] = line(*lines[0], Span(f"   {hint}", "dim"))
    return [
        fit(drawn, width, glyphs.ellipsis)
        for drawn in lines[min(first, max(0, len(lines) - height)) :][:height]
    ]


def _keys(width: int) -> Iterator[Line]:
    if width >= TWO_COLUMNS:
        half = (len(KEYS) + 1) // 2
        for left, right in zip_longest(KEYS[:half], KEYS[half:]):
            yield (*pad(_key(*left), COLUMN), *(_key(*right) if right else ()))
        return
    for key, effect in KEYS:
        first, *more = wrap(effect, max(10, width - 6))
        yield _key(key, first)
        yield from (line(" " * 6, part) for part in more)


def _key(key: str, effect: str) -> Line:
    return line(Span(f"   {key}  ", "strong"), effect)


def _words(width: int) -> Iterator[Line]:
    for state in STATES.values():
        first, *more = wrap(state.meaning, max(10, min(width, WIDEST) - WORD - 3))
        yield line(Span(f"   {state.word:<{WORD}}", "strong"), first)
        yield from (line(" " * (WORD + 3), part) for part in more)
