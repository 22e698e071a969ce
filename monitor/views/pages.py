"""The other pages of the live screen: past blocks, and help."""

from __future__ import annotations

from typing import Optional

from monitor.model.history import History
from monitor.model.usage import Usage
from monitor.views.dashboard import Look
from monitor.views.history import Shown, by_block, table
from monitor.views.text import Line, Span, fit, line

KEYS = (
    ("q", "leave (or Ctrl+C)"),
    ("r", "look for new usage now"),
    ("h", "past blocks, and back"),
    ("c", "show or hide costs"),
    ("?", "this help, and back"),
)

ABOUT = (
    "Limits are counted in input + output tokens of the 5-hour block.",
    "Anthropic publishes none: without Claude Code's own percentages",
    "(`ccusage-monitor statusline --install`) they are estimates.",
    "▒ on the bar and the dots on the chart: where it will likely end.",
)


def help_page(width: int, height: int) -> list[Line]:
    """Draw what the keys do."""
    lines = [line(Span(" Keys", "title")), ()]
    lines += [line(Span(f"   {key}  ", "strong"), said) for key, said in KEYS]
    lines += [(), *(line(Span(f" {said}", "dim")) for said in ABOUT)]
    return [fit(drawn, width) for drawn in lines[:height]]


def history_page(
    usage: Usage, history: Optional[History], width: int, height: int, look: Look
) -> list[Line]:
    """Draw the newest past blocks, as many as there is room for."""
    shown = Shown(usage.limit.tokens, usage.rules.clock, look.style.glyphs, look.show_cost)
    title = line(Span(" Past blocks", "title"), Span("   h: back", "dim"))
    if history is None or history.read_at is None:
        body = [line(" The history is still being read.")]
    else:
        entries = by_block(history.completed, shown)
        body = table(entries[-max(1, height - 6) :], width, shown)
    return [fit(drawn, width) for drawn in [title, (), *body][:height]]
