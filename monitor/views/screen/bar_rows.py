"""The bars of the live screen: how much is used, how much time has passed, and the week."""

from __future__ import annotations

from typing import Optional

from monitor.model.formatting import percent
from monitor.model.headline import NONE, SEVERITIES
from monitor.model.official import FIVE_HOUR, FULL, SEVEN_DAY, SPEND_LIMIT, window_kind
from monitor.model.usage import Usage
from monitor.views.bars import bar
from monitor.views.states import ROLES, role
from monitor.views.style import BarGlyphs, Glyphs
from monitor.views.text import Line, Span, cells

NAME, NUMBER = 7, 9
"""Cells of a bar's name, and of its number with the blanks that keep it off the bar."""


WINDOW_NAMES = {FIVE_HOUR: "Official", SEVEN_DAY: "Week", SPEND_LIMIT: "Spend"}


def usage_bar(usage: Usage, width: int, glyphs: Glyphs) -> Line:
    """Draw the used percentage; the part up to the likely percentage at the reset is shaded."""
    name = "5-hour" if usage.five_hour.window else "Tokens"
    used = usage.five_hour.used_percent if usage.is_settled else None
    if usage.reached is not None and usage.reached.window == FIVE_HOUR:
        used = usage.headline.used_percent
    colour = role(usage) if usage.headline.is_five_hour else "likely"
    return _row(name, used, usage.forecast.likely_percent, width, colour, glyphs.bar)


def time_bar(usage: Usage, width: int, glyphs: Glyphs) -> Line:
    """Draw how much of the time up to the reset has passed."""
    passed = usage.reset.elapsed_percent(usage.now) or 0.0
    return _row("Time", passed, None, width, "time", glyphs.time_bar)


def week_bar(usage: Usage, width: int, glyphs: Glyphs) -> Optional[Line]:
    """Draw the official weekly limit, or the one that leads; None if none is known."""
    lead = usage.headline
    key = SEVEN_DAY if lead.is_five_hour else lead.window or SEVEN_DAY
    window = usage.official.windows.get(key)
    if window is None:
        return None
    week = usage.binding_week
    severity = week.severity if week is not None and week.window_id == key else NONE
    severity = SEVERITIES[-1] if window.used_percent >= FULL else severity
    colour = "likely" if severity == NONE else ROLES[severity]
    name = window_name(key)[: NAME - 1]
    return _row(name, window.used_percent, None, width, colour, glyphs.bar)


def window_name(window_id: str) -> str:
    """Return a short name of a window; that of a model for its weekly limit."""
    if window_id in WINDOW_NAMES:
        return WINDOW_NAMES[window_id]
    return window_kind(window_id).label.removeprefix("7 d ")


def _row(
    name: str,
    used: Optional[float],
    likely: Optional[float],
    width: int,
    colour: str,
    glyphs: BarGlyphs,
) -> Line:
    text = "…" if used is None else percent(used).replace("under ", "< ")
    number = " " * (NUMBER - cells(text)) + text
    room = width - NAME - cells(number) - 2
    drawn = bar(used or 0.0, likely, room, colour, glyphs) if room > 0 else ()
    return (Span(f" {name:<{NAME}}", "label"), *drawn, Span(number, "strong"), Span(" "))
