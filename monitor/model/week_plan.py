"""Plan the rest of a week: the share of each day, what today has used, and the windows left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, Optional

from pytz.tzinfo import BaseTzInfo

from monitor.model.official import FULL, WEEK, Capture, RateLimitWindow, WeekCost
from monitor.model.reset import next_reset
from monitor.model.week_shape import ExpectedWeek

STILL_TRUE = timedelta(hours=12)
"""A percentage captured so long before a time is taken for that at the time."""

HARDLY = 2.0
"""So few points between two captures that the time between does not matter: percents are whole."""

ENOUGH_WEEK, ENOUGH_FIVE_HOUR = 3.0, 50.0
"""Points that both percentages must have risen before they tell what a window costs."""


class DayOfWeek(NamedTuple):
    """A day on the user's clock, or the part of it that lies in the week (times are UTC).

    `used` is how many percent of the limit were used in it, None if no capture tells. `share` is
    how many it may use so that the rest lasts, None for a day that is over.
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
    rest, left = max(0.0, FULL - window.used_percent), _windows_left(window, cost)
    spans = list(_days(week.start, zone))
    used = [_used_between(window, at, min(end, now)) if at < now else None for at, end in spans]
    today = next((n for n, (at, end) in enumerate(spans) if at <= now < end), None)
    if today is None:
        days = (DayOfWeek(*span, percent, None) for span, percent in zip(spans, used))
        return WeekPlan(tuple(days), windows_left=left)
    begin, end = spans[today]
    share = _share(rest, used[today], week, begin if used[today] is not None else now, end)
    to_come = rest - max(0.0, share - (used[today] or 0.0))
    ahead = 1 - week.share_at(end)

    def share_of(number: int) -> Optional[float]:
        if number <= today:
            return share if number == today else None
        of_day = week.share_at(spans[number][1]) - week.share_at(spans[number][0])
        return max(0.0, to_come) * of_day / ahead if ahead > 0 else 0.0

    days = (DayOfWeek(*span, used[n], share_of(n)) for n, span in enumerate(spans))
    return WeekPlan(tuple(days), share, used[today], left)


def _share(
    rest: float, used: Optional[float], week: ExpectedWeek, begin: datetime, end: datetime
) -> float:
    """Return the share of the day from `begin` on, of what was left then.

    So it stays the same while it is used up.
    """
    begun = week.share_at(begin)
    of_day = (week.share_at(end) - begun) / (1 - begun) if begun < 1 else 1.0
    return min(FULL, (rest + (used or 0.0)) * of_day)


def percent_at(window: RateLimitWindow, when: datetime) -> Optional[float]:
    """Return the percentage used at a time of the past; None if the captures do not tell."""
    known = window.rising
    if window.resets_at is not None and known == window.captures:
        known = (Capture(window.resets_at - WEEK, 0.0), *known)
    before = [capture for capture in known if capture.at <= when][-1:]
    after = [capture for capture in known if capture.at > when][:1]
    if not before:
        return None
    is_same = bool(after) and after[0].used_percent - before[0].used_percent <= HARDLY
    is_capture = before[0] in window.captures
    is_fresh = when - before[0].at <= (STILL_TRUE if is_capture else timedelta())
    return before[0].used_percent if is_same or is_fresh else None


def _used_between(window: RateLimitWindow, begin: datetime, end: datetime) -> Optional[float]:
    first = percent_at(window, begin)
    last = window.used_percent if end >= window.captured_at else percent_at(window, end)
    return None if first is None or last is None else max(0.0, last - first)


def _windows_left(window: RateLimitWindow, cost: Optional[WeekCost]) -> Optional[float]:
    if cost is None or cost.seven_day < ENOUGH_WEEK or cost.five_hour < ENOUGH_FIVE_HOUR:
        return None
    rest = max(0.0, FULL - window.used_percent)
    return rest * cost.five_hour / cost.seven_day / FULL


def _days(start: datetime, zone: BaseTzInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield begin and end of the days on the user's clock in the week after `start`."""
    begin, end = start, start + WEEK
    while begin < end:
        midnight = min(end, next_reset(begin, 0, zone))
        yield begin, midnight
        begin = midnight
