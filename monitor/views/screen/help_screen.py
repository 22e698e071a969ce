"""The other pages of the live screen: past blocks, and help."""

from __future__ import annotations

from typing import Optional

from monitor.model.history import History
from monitor.model.usage import Usage
from monitor.views.history_table import Shown, by_block, table
from monitor.views.screen.dashboard import BLANK, WIDEST, DisplayOptions
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
    "{} on the bar and the dots on the chart: where it will likely end.",
)


def help_page(width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """Draw what the keys do."""
    lines = [line(Span(" Keys", "title")), BLANK]
    lines += [line(Span(f"   {key}  ", "strong"), said) for key, said in KEYS]
    for said in ABOUT:
        rows = wrap(said.format(glyphs.likely), min(width - 2, WIDEST))
        lines += [BLANK, *(line(Span(f" {row}", "dim")) for row in rows)]
    return [fit(drawn, width, glyphs.ellipsis) for drawn in lines[:height]]


def history_page(
    usage: Usage, history: Optional[History], width: int, height: int, display: DisplayOptions
) -> list[Line]:
    """Draw the newest past blocks, as many as there is room for."""
    shown = Shown(
        usage.limit.tokens, usage.rules.time_format, display.style.glyphs, display.show_cost
    )
    title = line(
        Span(" Past blocks", "title"),
        Span("   h: back", "dim"),
        Span("   all: ccusage-monitor history" if width >= 60 else "", "dim"),
    )
    if history is None or history.read_at is None:
        body = [line(" The history is still being read.")]
    else:
        entries = by_block(history.ended(usage.now), shown)
        body = table(entries, width, shown, height=height - 2)
    ellipsis = display.style.glyphs.ellipsis
    return [fit(drawn, width, ellipsis) for drawn in [title, BLANK, *body][:height]]
