"""The two bars of the live screen: how much is used, and how much time has passed."""

from __future__ import annotations

from typing import Optional

from monitor.model.formatting import percent
from monitor.model.usage import Usage
from monitor.views.bars import bar
from monitor.views.states import STATES
from monitor.views.style import Glyphs
from monitor.views.text import Line, Span, cells

NAME, NUMBER = 7, 9
"""Cells of a bar's name, and of its number with the blanks that keep it off the bar."""


def usage_bar(usage: Usage, width: int, glyphs: Glyphs) -> Line:
    """Draw the used percentage; the part up to the likely percentage at the reset is shaded."""
    role = STATES[usage.state].role
    if usage.is_weekly_reached and usage.weekly:
        return _row("Weekly", usage.weekly.window.used_percent, None, width, role, glyphs)
    name = "Limit" if usage.headline.window else "Tokens"
    used = usage.headline.used_percent if usage.is_settled else None
    return _row(name, used, usage.forecast.likely_percent, width, role, glyphs)


def time_bar(usage: Usage, width: int, glyphs: Glyphs) -> Line:
    """Draw how much of the time up to the reset has passed."""
    return _row("Time", usage.reset.elapsed_percent(usage.now) or 0.0, None, width, "time", glyphs)


def _row(
    name: str, used: Optional[float], likely: Optional[float], width: int, role: str, glyphs: Glyphs
) -> Line:
    text = glyphs.ellipsis if used is None else percent(used).replace("under ", "< ")
    number = " " * (NUMBER - cells(text)) + text
    room = width - NAME - cells(number) - 2
    drawn = bar(used or 0.0, likely, room, role, glyphs.bar) if room > 0 else ()
    return (Span(f" {name:<{NAME}}", "label"), *drawn, Span(number, "strong"), Span(" "))
