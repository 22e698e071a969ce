"""The chart of a week: the percentage so far, even use, the forecast, and each day's share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Optional

from monitor.model.formatting import WEEKDAYS
from monitor.model.official import FULL, WEEK, RateLimitWindow
from monitor.model.usage import Usage
from monitor.model.week_plan import DayOfWeek
from monitor.model.week_projection import WeekProjection
from monitor.model.weekly import Weekly
from monitor.views.screen.burn_up import WORDS_FROM, Label, Scale, beside, place
from monitor.views.screen.canvas import Canvas, Cell, Points, join_cells
from monitor.views.style import Glyphs
from monitor.views.text import Line

HIGHEST = 150.0
"""Percent: of a band that goes higher only a part is shown."""

MARGIN, NARROW_MARGIN = len("limit 100 %") + 2, len("share") + 2
DAY = 3
"""Cells of a day's name; a number without it would hang in the air."""

BELOW = 3
"""Rows below the canvas: the days, what was used on each, and its share."""


def week_chart(usage: Usage, week: Weekly, width: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Draw a weekly window whose reset is known in `rows` lines of at most `width` cells."""
    end, plan = week.window.resets_at, usage.week_plan(week.window_id)
    if end is None or plan is None or width <= MARGIN or rows <= BELOW:
        return []
    margin = MARGIN if width >= WORDS_FROM else NARROW_MARGIN
    canvas = Canvas(width - margin, rows - BELOW, braille=glyphs.braille)
    scale = Scale(end - WEEK, end, _top(week.projection), canvas.xs, canvas.ys)
    _draw(usage.now, week, canvas, scale)
    labels = _labels(week.window.used_percent, words=width >= WORDS_FROM)
    lefts = beside(labels, margin, canvas, scale)
    charted = [(*left, *drawn) for left, drawn in zip(lefts, canvas.lines())]
    return [*charted, *_days(usage, plan.days, margin, canvas, scale, is_full=week.is_full)]


def _top(projection: Optional[WeekProjection]) -> float:
    high = projection.band[1] if projection else FULL
    return 1.08 * max(FULL, min(high, HIGHEST))


def _draw(now: datetime, week: Weekly, canvas: Canvas, scale: Scale) -> None:
    at, last = scale.x(now), canvas.xs - 1
    if week.projection is not None and not week.is_full:
        _draw_forecast(now, week.projection, canvas, scale)
    canvas.stroke(scale.straight(0, 0, last, FULL), "even", every=3)
    height = scale.y(FULL)
    canvas.stroke(((x, height) for x in range(canvas.xs)), "limit")
    canvas.upright(at, "dim")
    captures = week.window.rising
    if captures:
        first = scale.x(captures[0].at)
        # How the percentage came to be what was captured first is not known.
        canvas.stroke(scale.straight(0, 0, first, captures[0].used_percent), "curve", every=2)
    canvas.stroke(_curve(week.window, at, scale), "curve")


def _draw_forecast(now: datetime, projection: WeekProjection, canvas: Canvas, scale: Scale) -> None:
    low, high = projection.band
    finals, at = (low, projection.likely, high), scale.x(now)
    heights = []
    for x in range(at, canvas.xs):
        when = max(now, scale.start + (scale.end - scale.start) * (x / (canvas.xs - 1)))
        heights.append((x, *(scale.y(projection.percent_at(when, final)) for final in finals)))
    for x, bottom, _, top in heights:
        canvas.shade(x, bottom, top)
    canvas.stroke(((x, middle) for x, _, middle, _ in heights), "probable")


def _curve(window: RateLimitWindow, now: int, scale: Scale) -> Points:
    """Yield the height of the percentage in each column from the first capture to now."""
    columns = {scale.x(capture.at): capture.used_percent for capture in window.rising}
    columns[now] = window.used_percent
    ordered = sorted((x, percent) for x, percent in columns.items() if x <= now)
    for (x, percent), (to, end) in zip(ordered, ordered[1:]):
        yield from list(scale.straight(x, percent, to, end))[:-1]
    yield ordered[-1][0], scale.y(ordered[-1][1])


def _labels(used: float, *, words: bool) -> list[Label]:
    """Return the labels at the left, the most important first."""
    names = ("limit ", "used ") if words else ("", "")
    return [
        Label(f"{names[0]}100 %", "limit", FULL),
        Label(f"{names[1]}{used:.0f} %", "curve", used),
        Label("0", "dim", 0),
    ]


def _days(
    usage: Usage,
    days: Sequence[DayOfWeek],
    margin: int,
    canvas: Canvas,
    scale: Scale,
    *,
    is_full: bool,
) -> Iterator[Line]:
    """Yield the names of the days below the chart, and the percent used and still to use."""
    local = usage.rules.time_format.local
    names = [WEEKDAYS[local(day.begin).weekday()][:3] for day in days]
    used = ["–" if d.used is None and d.begin < usage.now else _number(d.used) for d in days]
    shares = [_number(day.share or None) for day in days] if not is_full else [""] * len(days)
    is_today = [day.begin <= usage.now < day.end for day in days]
    rows = (("", names, "dim"), ("used", used, "curve"), ("share", shares, "probable"))
    for title, texts, role in rows:
        cells: list[Cell] = [("dim", c) for c in f"{title:>{margin - 2}}  "]
        cells += [("", " ")] * canvas.width
        for day, text, today in zip(days, texts, is_today):
            first, end = (margin + canvas.column(scale.x(when)) for when in (day.begin, day.end))
            if max(len(text), DAY) < end - first:
                colour = "strong" if today and not title else role
                place(cells, text, (first + end) // 2, colour)
        yield join_cells(cells)


def _number(percent: Optional[float]) -> str:
    """Write a percentage in as few cells as possible; "" if it is not known."""
    if percent is None:
        return ""
    return "<1" if 0 < percent < 0.5 else f"{percent:.0f}"
