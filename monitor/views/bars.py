"""Bars and sparklines, in eighths of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from monitor.views.style import Glyphs
from monitor.views.text import Line, Span


def bar(used: float, likely: Optional[float], width: int, role: str, glyphs: Glyphs) -> Line:
    """Draw `used` percent of `width` cells; up to `likely` percent is shaded. Never overflows.

    >>> "".join(span.text for span in bar(50, 75, 8, "ok", Glyphs()))
    '████▒▒░░'
    """
    filled = _filled(used, width, glyphs)
    reach = round(min(100.0, max(likely or 0.0, 0.0)) / 100 * width)
    shaded = glyphs.likely * max(0, reach - len(filled))
    empty = glyphs.empty * (width - len(filled) - len(shaded))
    return (Span(filled, role), Span(shaded, "likely"), Span(empty, "empty"))


def spark(values: Sequence[float], glyphs: Glyphs) -> str:
    """Draw one character per value, the highest as high as a line.

    >>> spark([0, 1, 4, 8], Glyphs())
    '▁▂▅█'
    """
    top = max(values, default=0)
    last = len(glyphs.spark) - 1
    return "".join(glyphs.spark[round(value / top * last) if top else 0] for value in values)


def _filled(used: float, width: int, glyphs: Glyphs) -> str:
    share = min(100.0, max(used, 0.0)) / 100 * width
    steps = len(glyphs.parts) + 1
    whole, part = divmod(int(share * steps), steps)
    return glyphs.full * whole + (glyphs.parts[part - 1] if part else "")
