"""The page of the live screen that shows who used the active block."""

from __future__ import annotations

from typing import Optional

from monitor.model.breakdown import Breakdown
from monitor.model.formatting import visible
from monitor.model.usage import Usage
from monitor.views.breakdown_table import BreakdownOptions, breakdown_table
from monitor.views.screen.dashboard import DisplayOptions
from monitor.views.screen.layout import BLANK, WIDEST
from monitor.views.text import Line, Span, fit, line, wrap


def breakdown_page(
    usage: Usage,
    breakdown: Optional[Breakdown],
    by: str,
    width: int,
    height: int,
    display: DisplayOptions,
    first: int = 0,
) -> list[Line]:
    """Draw who used the active block, from the row `first` on as many as there is room for."""
    glyphs, width = display.style.glyphs, min(width, WIDEST)
    title = line(
        Span(f" Who used it: by {by}", "title"),
        Span("   p: next", "dim"),
        Span("   Esc: back   arrows: scroll" if width >= 60 else "", "dim"),
    )
    if breakdown is not None and breakdown.is_of(usage.block) and not breakdown.error:
        time_format = usage.rules.time_format
        options = BreakdownOptions(by, usage.now, time_format, glyphs, display.show_cost)
        body = breakdown_table(breakdown, width, options, max(1, height - 2), first)
    else:
        text = _without_rows(usage, breakdown, glyphs.ellipsis)
        body = [line(f" {part}") for part in wrap(visible(text), width - 2)]
    return [fit(drawn, width, glyphs.ellipsis) for drawn in [title, BLANK, *body][:height]]


def _without_rows(usage: Usage, breakdown: Optional[Breakdown], ellipsis: str) -> str:
    if usage.block is None:
        return "No block is active: nothing was used."
    if breakdown is not None and breakdown.is_of(usage.block):
        return f"Who used it could not be read: {breakdown.error}"
    return f"Reading who used it {ellipsis}"
