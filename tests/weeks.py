"""Made weeks, at one moment: what is known of the weekly limits in the states of their page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.blocks import SESSION, Block, TokenCounts
from monitor.model.history import CompletedBlock, History
from monitor.model.official import (
    Capture,
    PastWeek,
    RateLimitWindow,
    WeekCost,
)
from monitor.model.reading import Reading
from monitor.model.usage import Usage, measure
from tests.samples import NOW, OK, RULES, STOPPED, official_limits

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WORK = ((13, 0.5), (16, 0.3), (19, 0.2))
"""When the blocks of a day of work begin (UTC), and which share of the day's use they have."""


def days_of_work(first: datetime, last: datetime) -> Iterator[datetime]:
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= last:
        if day.weekday() < 5:
            yield day
        day += DAY


def history_until(now: datetime, weeks: int = 6) -> History:
    """Make the blocks of somebody who works from Monday to Friday, 09:00 to 18:00 in New York."""
    blocks = []
    for number, day in enumerate(days_of_work(now - weeks * 7 * DAY, now)):
        for hour, share in WORK:
            start = day + hour * HOUR
            tokens = TokenCounts(output=round((8_000 + 2_500 * (number % 3)) * share))
            last = start + 2.5 * HOUR
            block = Block("", start, start + SESSION, last, False, False, 9, tokens, 1.0, ())
            if block.start + 3 * HOUR <= now:
                blocks.append(CompletedBlock(replace(block, end=start + 3 * HOUR)))
    return History(tuple(blocks), now)


def week_of_work(resets_in: timedelta, a_day: float, now: datetime = NOW) -> RateLimitWindow:
    """Make a week in which each day of work uses so many percent; captured in whole percents."""
    reset, percent = now + resets_in, 0.0
    captures = []
    for day in days_of_work(reset - 7 * DAY, now):
        for hour, share in WORK:
            for part in range(1, 4):
                at = day + (hour + 0.8 * part) * HOUR
                if reset - 7 * DAY < at <= now:
                    percent += a_day * share / 3
                    captures.append(Capture(at, float(min(100, int(percent)))))
    captures = captures or [Capture(max(reset - 7 * DAY, now - HOUR), 0.0)]
    last = captures[-1]
    return RateLimitWindow(last.used_percent, reset, last.at, tuple(captures))


def past_weeks(
    *percents: float, resets_in: timedelta, key: str = "seven_day"
) -> tuple[PastWeek, ...]:
    ends = [NOW + resets_in - (n + 1) * 7 * DAY for n in reversed(range(len(percents)))]
    return tuple(PastWeek(key, end, end, percent) for end, percent in zip(ends, percents))


COST = WeekCost(400, 44)


def worker(
    seven_day: Optional[RateLimitWindow],
    *earlier: float,
    now: datetime = NOW,
    cost: WeekCost = COST,
    reading: Reading = OK,
    **others: RateLimitWindow,
) -> Usage:
    """Measure such a week of somebody whose earlier weeks ended at these percentages."""
    official = official_limits(None, seven_day)
    windows = {**official.windows, **others}
    left = seven_day.resets_at - NOW if seven_day and seven_day.resets_at else DAY
    past = past_weeks(*earlier, resets_in=left)
    known = replace(official, windows=windows, past_weeks=past, week_cost=cost)
    return measure(reading, history_until(now), RULES, now, known)


def used_up(window: RateLimitWindow) -> RateLimitWindow:
    """Make the same week, used up some minutes ago."""
    full = Capture(NOW - timedelta(minutes=24), 100.0)
    captures = (*(capture for capture in window.captures if capture.at < full.at), full)
    return RateLimitWindow(100.0, window.resets_at, captures[-1].at, captures)


LEFT = timedelta(days=3, hours=15)
"""The week resets on Sunday at 05:32 in New York."""

WEEKS = {
    "fresh": worker(week_of_work(6 * DAY + 21 * HOUR, 12), 70, 66),
    "first-ever": worker(week_of_work(6 * DAY + 21 * HOUR, 12), cost=WeekCost()),
    "on-track": worker(week_of_work(LEFT, 13), 70, 66),
    "behind": worker(week_of_work(LEFT, 25), 90, 88),
    "last-day": worker(week_of_work(20 * HOUR, 18), 80, 84),
    "reached": worker(used_up(week_of_work(LEFT, 34)), 90, 100, reading=STOPPED),
    "no-data": worker(None),
    "opus-first": worker(week_of_work(LEFT, 13), 70, seven_day_opus=week_of_work(LEFT, 26)),
    "no-reset": worker(RateLimitWindow(41.0, None, NOW)),
}
"""States of the page by name."""
