"""Bars of block characters, drawn to an eighth of a cell."""

from __future__ import annotations

from typing import Optional

from monitor.views.style import BarGlyphs
from monitor.views.text import Line, Span

WHOLE = 100.0


def bar(used: float, likely: Optional[float], width: int, role: str, glyphs: BarGlyphs) -> Line:
    """Draw `used` percent of `width` cells, and shade up to `likely` percent.

    The bar is never wider than `width`, and never full below 100 percent. Above that it is drawn to
    a smaller scale, with a mark at 100 percent.

    >>> "".join(span.text for span in bar(50, 75, 8, "ok", BarGlyphs()))
    '████▒▒░░'
    """
    if used > WHOLE and width > 2:
        at = min(width - 2, max(1, int(width * WHOLE / used)))
        past = glyphs.likely * (width - at - 1)
        return (Span(glyphs.full * at, role), Span(glyphs.mark, "strong"), Span(past, role))
    filled = _filled(used, width, glyphs)
    reach = round(_share(likely or 0.0) * width)
    shaded = glyphs.likely * max(0, reach - len(filled))
    empty = glyphs.empty * (width - len(filled) - len(shaded))
    return (Span(filled, role), Span(shaded, "likely"), Span(empty, "empty"))


def _filled(used: float, width: int, glyphs: BarGlyphs) -> str:
    steps = len(glyphs.parts) + 1
    whole, part = divmod(int(_share(used) * width * steps), steps)
    return glyphs.full * whole + (glyphs.parts[part - 1] if part else "")


def _share(percent: float) -> float:
    return min(100.0, max(percent, 0.0)) / 100
