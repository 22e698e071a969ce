"""The page of the live screen that shows whether the week lasts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from monitor.model import sentence
from monitor.model.formatting import visible
from monitor.model.official import SEVEN_DAY, no_answer, window_kind
from monitor.model.usage import Usage
from monitor.model.week_sentence import plan_sentence, week_sentence
from monitor.model.weekly import Weekly
from monitor.views.screen.dashboard import DisplayOptions
from monitor.views.screen.layout import BLANK, WIDEST
from monitor.views.screen.week_chart import week_chart
from monitor.views.text import Line, Span, fit, line, wrap

LOWEST_CHART, HIGHEST_CHART = 7, 26
"""Rows of the chart, with what is below it."""

COLOURS = {"ok": "ok", "tight": "warn", "runs_out": "alarm", "unknown": "strong"}

UNKNOWN = "No weekly limit is known."
WAYS = (
    "Only Claude Code knows yours: press o to ask it, or run ccusage-monitor statusline --install."
)

LEGEND = "dotted: even use; vertical line: now"
FORECAST_LEGEND = f"{LEGEND}; then the likely use and 80 % range"


def week_page(
    usage: Usage, turn: int, width: int, height: int, display: DisplayOptions
) -> list[Line]:
    """Draw the weekly limit that is most at risk, or the one `turn` places after it."""
    width, glyphs = min(width, WIDEST), display.style.glyphs
    weeks = sorted(usage.weeks.values(), key=_order)
    week = weeks[turn % len(weeks)] if weeks else None
    rows = [_title(week, len(weeks), width), BLANK, *_text(usage, week, width)]
    room = min(height - len(rows) - 1, HIGHEST_CHART)
    if week is not None and room >= LOWEST_CHART and week.window.resets_at is not None:
        text = LEGEND if week.projection is None or week.is_full else FORECAST_LEGEND
        legend = [line(Span(f" {part}", "dim")) for part in wrap(text, width - 2)]
        legend = legend if room - len(legend) > LOWEST_CHART else []
        chart = week_chart(usage, week, width - 2, room - len(legend), glyphs)
        rows += [BLANK, *((Span(" "), *drawn) for drawn in chart), *legend]
    return [fit(drawn, width, glyphs.ellipsis) for drawn in rows[:height]]


def _order(week: Weekly) -> tuple[bool, float, bool]:
    return not week.is_full, -week.risk, week.window_id != SEVEN_DAY


def _title(week: Optional[Weekly], count: int, width: int) -> Line:
    name = window_kind(week.window_id).name if week is not None else "the week"
    keys = "w: next   Esc: back" if count > 1 else "w: back"
    shown = keys if width >= 60 else keys.partition("   ")[0]
    return line(Span(f" {name[0].upper()}{name[1:]}", "title"), Span(f"   {shown}", "dim"))


def _text(usage: Usage, week: Optional[Weekly], width: int) -> Iterator[Line]:
    """Yield whether the week lasts, and the plan for today."""
    if week is None:
        why = no_answer(usage.official)
        why = f"{why[0].upper()}{why[1:].rstrip('.')}." if why else WAYS
        for text in (UNKNOWN, why):
            yield from (line(f" {part}") for part in wrap(visible(text), width - 2))
        return
    is_reached = usage.reached is not None and usage.reached.window == week.window_id
    text = sentence.summary(usage) if is_reached else week_sentence(usage, week)
    colour = "alarm" if week.is_full else COLOURS[week.verdict]
    for part in wrap(visible(text), width - 2):
        yield line(Span(f" {part}", colour))
    plan = usage.week_plan(week.window_id)
    if plan is not None and not week.is_full:
        yield from (line(f" {part}") for part in wrap(plan_sentence(plan), width - 2) if part)
