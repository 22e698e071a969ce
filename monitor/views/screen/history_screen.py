"""The history page of the live screen."""

from __future__ import annotations

from typing import Optional

from monitor.model.history import History
from monitor.model.plans import past_limit
from monitor.model.usage import Usage
from monitor.views.history_table import TableOptions, block_rows, dim_lines, hits_text, table
from monitor.views.screen.dashboard import DisplayOptions
from monitor.views.screen.layout import BLANK
from monitor.views.text import Line, Span, fit, line


def history_page(
    usage: Usage,
    history: Optional[History],
    width: int,
    height: int,
    display: DisplayOptions,
    first: int = 0,
) -> list[Line]:
    """Draw the past blocks, newest first, from the `first` on as many as there is room for."""
    glyphs = display.style.glyphs
    completed = history.ended_with_hits(usage.now) if history else ()
    limit = past_limit(usage.rules, [item.block for item in completed])
    options = TableOptions(limit.tokens, usage.rules.time_format, glyphs, display.show_cost)
    running = history.round if history else None
    title = line(
        Span(" Past blocks", "title"),
        Span("   h: back", "dim"),
        Span("   arrows, PgUp, PgDn: scroll" if width >= 60 else "", "dim"),
        Span(f"   {running.progress}" if running else "", "dim"),
    )
    is_part_read = running is not None and completed
    if history is None or (history.read_at is None and not is_part_read):
        body = [line(" The history is still being read.")]
    else:
        rows = block_rows(completed, options, usage.block)
        hits = dim_lines(hits_text(history.hits, usage.rules.time_format), width)
        first = min(first, max(0, len(rows) - 1))
        body = table(rows, width, options, height=height - 2 - len(hits), first=first) + hits
    return [fit(drawn, width, glyphs.ellipsis) for drawn in [title, BLANK, *body][:height]]
