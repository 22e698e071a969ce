"""Past blocks as a heat map of the week: rows are days, columns are hours."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.model.formatting import count
from monitor.views.history_table import WEEKDAYS, dim_lines
from monitor.views.style import Glyphs
from monitor.views.text import Line, Span, line

WeekHours = Mapping[tuple[int, int], int]
"""Counted tokens by weekday (Monday is 0) and hour."""


def heat_map(heat: WeekHours, width: int, glyphs: Glyphs) -> list[Line]:
    """Draw the tokens of each hour of the week in the widest cells that fit."""
    if not any(heat.values()):
        return [line("No hours are known for these blocks.")]
    cell = 3 if width >= 78 else 2 if width >= 54 else 1
    head = "".join(f"{hour:02d}".ljust(cell * 3) for hour in range(0, 24, 3))
    legend = line(
        Span(" few ", "dim"), Span(glyphs.shades[1:], "likely"), Span(" many tokens", "dim")
    )
    day, hour = max(heat, key=lambda key: heat[key])
    summary = f"Most on {WEEKDAYS[day]} from {hour:02d}:00: {count(heat[day, hour])} tokens."
    rows = [_row(day, heat, cell, glyphs.shades) for day in range(7)]
    return [line(Span(f"     {head}", "label")), *rows, (), legend, *dim_lines(summary, width)]


def _row(day: int, heat: WeekHours, cell: int, shades: str) -> Line:
    top = max(heat.values())
    spans = [Span(f" {WEEKDAYS[day]} ", "label")]
    for hour in range(24):
        tokens = heat.get((day, hour), 0)
        # Any use at all has at least the lightest shade.
        step = max(1, round(tokens / top * (len(shades) - 1))) if tokens else 0
        spans.append(Span(shades[step] * cell, "likely"))
    return tuple(spans)
