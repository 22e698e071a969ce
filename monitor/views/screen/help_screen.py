"""The help page of the live screen."""

from __future__ import annotations

from monitor.views.screen.layout import BLANK, WIDEST
from monitor.views.style import Glyphs
from monitor.views.text import Line, Span, fit, line, wrap

KEYS = (
    ("q", "leave (or Ctrl+C)"),
    ("r", "look for new usage now"),
    ("h", "past blocks, and back"),
    ("c", "show or hide costs"),
    ("?", "this help, and back"),
)

ABOUT = (
    (
        "Limits are counted in input + output tokens of the 5-hour block. Anthropic publishes "
        "none: without Claude Code's own percentages (`ccusage-monitor statusline --install`) "
        "they are estimates."
    ),
    (
        "{} on the bar ends at the likely use at the reset. On the chart, the line after now is "
        "the present pace, and the dots are the likely range: 10 to 90 % probable."
    ),
)


def help_page(width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Draw what the keys do."""
    lines = [line(Span(" Keys", "title")), BLANK]
    lines += [line(Span(f"   {key}  ", "strong"), effect) for key, effect in KEYS]
    for paragraph in ABOUT:
        rows = wrap(paragraph.format(glyphs.bar.likely), min(width - 2, WIDEST))
        lines += [BLANK, *(line(Span(f" {row}", "dim")) for row in rows)]
    return [fit(drawn, width, glyphs.ellipsis) for drawn in lines[:height]]
