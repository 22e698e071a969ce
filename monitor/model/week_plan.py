"""Plan the rest of a week: the share of each day, what today has used, and the windows left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, Optional

from pytz.tzinfo import BaseTzInfo

from monitor.model.official import WEEK, RateLimitWindow, WeekCost
from monitor.model.reset import next_reset
from monitor.model.week_shape import ExpectedWeek

FULL = 100.0

STILL_TRUE = timedelta(hours=12)
"""A percentage captured so long before a time is taken for that at the time."""

HARDLY = 1.0
"""So little between two captures that the time between them does not matter: percents are whole."""

ENOUGH_WEEK, ENOUGH_FIVE_HOUR = 3.0, 50.0
"""Points that both percentages must have risen before they tell what a window costs."""


class DayOfWeek(NamedTuple):
    """A day on the user's clock, or the part of it that lies in the week (times are UTC).

    `used` is how many percent of the limit were used in it, None if no capture tells. `share` is
    how many more may be used so that the rest lasts, None for a day that is over.
    """

    begin: datetime
    end: datetime
    used: Optional[float]
    share: Optional[float]


class WeekPlan(NamedTuple):
    """What of a weekly limit may be used today, and was, in percent; and how long it lasts.

    `today_share` is what the whole of today may use so that the rest lasts; if `today_used` is not
    known, it is counted from now. `windows_left` is how many full five-hour windows the rest is
    worth, None until that is learned.
    """

    days: tuple[DayOfWeek, ...]
    today_share: Optional[float] = None
    today_used: Optional[float] = None
    windows_left: Optional[float] = None


def plan_week(
    window: RateLimitWindow,
    week: ExpectedWeek,
    cost: Optional[WeekCost],
    zone: BaseTzInfo,
    now: datetime,
) -> WeekPlan:
    """Plan a weekly window whose reset is known; `cost` is None if it is not that of this limit."""
    rest, passed = max(0.0, FULL - window.used_percent), week.share_at(now)
    per_share = rest / (1 - passed) if passed < 1 else 0.0

    def planned(begin: datetime, end: datetime) -> DayOfWeek:
        ahead = week.share_at(end) - week.share_at(max(begin, now))
        used = _used_between(window, begin, min(end, now)) if begin < now else None
        return DayOfWeek(begin, end, used, ahead * per_share if end > now else None)

    days = tuple(planned(begin, end) for begin, end in _days(week.start, zone))
    today = next((day for day in days if day.begin <= now < day.end), None)
    left = _windows_left(rest, cost)
    if today is None or today.share is None:
        return WeekPlan(days, windows_left=left)
    if today.used is None:
        return WeekPlan(days, today.share, None, left)
    # Of the rest at the day's begin, so that it stays the same while the day's share is used.
    begun = week.share_at(today.begin)
    share = (rest + today.used) * (week.share_at(today.end) - begun) / max(1e-9, 1 - begun)
    return WeekPlan(days, min(FULL, share), today.used, left)


def percent_at(window: RateLimitWindow, when: datetime) -> Optional[float]:
    """Return the percentage used at a time of the past; None if the captures do not tell."""
    start = window.resets_at - WEEK if window.resets_at else None
    before = [capture for capture in window.rising if capture.at <= when][-1:]
    after = [capture for capture in window.rising if capture.at > when][:1]
    if not before:
        return 0.0 if start is not None and when <= start else None
    last = before[0]
    is_same = bool(after) and after[0].used_percent - last.used_percent <= HARDLY
    return last.used_percent if is_same or when - last.at <= STILL_TRUE else None


def _used_between(window: RateLimitWindow, begin: datetime, end: datetime) -> Optional[float]:
    first = percent_at(window, begin)
    last = window.used_percent if end >= window.captured_at else percent_at(window, end)
    return None if first is None or last is None else max(0.0, last - first)


def _windows_left(rest: float, cost: Optional[WeekCost]) -> Optional[float]:
    if cost is None or cost.seven_day < ENOUGH_WEEK or cost.five_hour < ENOUGH_FIVE_HOUR:
        return None
    return rest * cost.five_hour / cost.seven_day / FULL


def _days(start: datetime, zone: BaseTzInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield begin and end of the days on the user's clock in the week after `start`."""
    begin, end = start, start + WEEK
    while begin < end:
        midnight = min(end, next_reset(begin, 0, zone))
        yield begin, midnight
        begin = midnight
