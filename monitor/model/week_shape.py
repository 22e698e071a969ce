"""Learn how a user's work spreads over the week, on the user's clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple

from monitor.model.blocks import Block
from monitor.model.history import CompletedBlock

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
HOURS_OF_WEEK = 168

KNOWN = timedelta(weeks=12)
"""Older blocks say little of how somebody works now."""

PLAIN_WEEKS, PLAIN_DAYS = 2.0, 0.5
"""What is learned is mixed with so many weeks in which all weekdays, or all hours, are alike."""

SPREAD, SPREAD_DAYS = 1.0, 4.0
"""The spread of a user of whom nothing is known, and how many days that counts as."""

MOST_SPREAD = 4.0
"""One enormous day would otherwise make every percentage likely."""

Stop = tuple[datetime, datetime]
"""A time (UTC) in which a weekly limit stopped the user, so that it says nothing of habits."""


@dataclass(frozen=True)
class WeekShape:
    """How much is used on each weekday (Monday first) and in each hour of a day; their mean is 1.

    `spread` is how far single days lie from that: the mean squared difference between a day's use
    and what the shape expects, in squares of the expected use.
    """

    days: tuple[float, ...] = (1.0,) * 7
    hours: tuple[float, ...] = (1.0,) * 24
    spread: float = SPREAD
    zone: tzinfo = timezone.utc

    def weight(self, when: datetime) -> float:
        """Return the use that is expected at a time (UTC), if 1 is the mean of the week."""
        local = when.astimezone(self.zone)
        return self.days[local.weekday()] * self.hours[local.hour]


class ExpectedWeek(NamedTuple):
    """The share of a week's use that is expected by each full hour after its start (UTC)."""

    start: datetime
    shares: tuple[float, ...]

    def share_at(self, when: datetime) -> float:
        """Return the share, 0 to 1, that is expected by a time.

        >>> week = expected_week(WeekShape(), datetime(2026, 6, 1, tzinfo=timezone.utc))
        >>> round(week.share_at(week.start + DAY), 3)
        0.143
        """
        hours = min(max((when - self.start) / HOUR, 0.0), float(HOURS_OF_WEEK))
        index = min(int(hours), HOURS_OF_WEEK - 1)
        low, high = self.shares[index : index + 2]
        return low + (high - low) * (hours - index)

    def time_of(self, share: float) -> datetime:
        """Return when a share is expected: the inverse of `share_at`."""
        index = next((i for i in range(HOURS_OF_WEEK) if self.shares[i + 1] >= share), 167)
        low, high = self.shares[index : index + 2]
        inside = (share - low) / (high - low) if high > low else 0.0
        return self.start + (index + min(1.0, max(0.0, inside))) * HOUR


@lru_cache(maxsize=64)
def expected_week(shape: WeekShape, start: datetime) -> ExpectedWeek:
    """Return what the shape expects of the seven days after `start` (UTC)."""
    total, sums = 0.0, [0.0]
    for index in range(HOURS_OF_WEEK):
        total += shape.weight(start + (index + 0.5) * HOUR)
        sums.append(total)
    return ExpectedWeek(start, tuple(value / total for value in sums))


class _Day(NamedTuple):
    """The counted tokens of each hour of a day, and the share of it without a stop."""

    date: date
    hours: Sequence[float]
    open: float

    @property
    def tokens(self) -> float:
        return sum(self.hours)


class _Same:
    """Stands for a history in a cache: only the same object is equal."""

    def __init__(self, completed: Sequence[CompletedBlock]) -> None:
        self.completed = completed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.completed is other.completed

    def __hash__(self) -> int:
        return id(self.completed)


def known_shape(
    completed: Sequence[CompletedBlock], stops: Sequence[Stop], zone: tzinfo, now: datetime
) -> WeekShape:
    """Return the shape as it was learned in this hour, if `completed` is the same object.

    It is needed at every frame, and takes some milliseconds to learn.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    return _learned(_Same(completed), tuple(stops), zone, hour)


@lru_cache(maxsize=4)
def _learned(history: _Same, stops: Sequence[Stop], zone: tzinfo, hour: datetime) -> WeekShape:
    blocks = (item.block for item in history.completed)
    return learn_shape(blocks, stops, zone, hour)


def learn_shape(
    blocks: Iterable[Block], stops: Sequence[Stop], zone: tzinfo, until: datetime
) -> WeekShape:
    """Learn the shape from completed blocks up to `until` (UTC).

    Each seven days count alike, however much was used in them. In a stop nothing can be used, so
    that it is left out: without that, the days before a reset would seem to be days off.
    """
    days = list(_days(blocks, stops, zone, until))
    weekdays, open_days = [PLAIN_WEEKS] * 7, [PLAIN_WEEKS] * 7
    hours, weeks = [PLAIN_DAYS / 24] * 24, PLAIN_DAYS
    for first in range(0, len(days), 7):
        week = days[first : first + 7]
        total, length = sum(day.tokens for day in week), sum(day.open for day in week)
        if total <= 0 or length < 1:
            continue
        for day in week:
            weekdays[day.date.weekday()] += day.tokens * length / total
            open_days[day.date.weekday()] += day.open
            for hour, tokens in enumerate(day.hours):
                hours[hour] += tokens / total * length / 7
        weeks += length / 7
    raw = [use / length for use, length in zip(weekdays, open_days)]
    mean = sum(raw) / 7
    by_weekday = tuple(value / mean for value in raw)
    by_hour = tuple(24 * value / weeks for value in hours)
    return WeekShape(by_weekday, by_hour, _spread(days, by_weekday), zone)


def _spread(days: Sequence[_Day], weekdays: Sequence[float]) -> float:
    """Return the spread of the days around what is expected of them."""
    known = [(day.tokens, weekdays[day.date.weekday()] * day.open) for day in days if day.open]
    used, expected = sum(tokens for tokens, _ in known), sum(share for _, share in known)
    squares = sum(share**2 for _, share in known)
    if len(known) < 2 or not used or not squares:
        return SPREAD
    mean = used / expected
    errors = sum((tokens / mean - share) ** 2 for tokens, share in known)
    own = errors / squares * len(known) / (len(known) - 1)
    mixed = (own * len(known) + SPREAD * SPREAD_DAYS) / (len(known) + SPREAD_DAYS)
    return min(MOST_SPREAD, mixed)


def _days(
    blocks: Iterable[Block], stops: Sequence[Stop], zone: tzinfo, until: datetime
) -> Iterator[_Day]:
    """Yield the days on the user's clock from the first block on, newest first."""
    tokens: dict[date, list[float]] = defaultdict(lambda: [0.0] * 24)
    for block in blocks:
        if until - KNOWN <= block.start < until:
            _add(tokens, block, zone)
    if not tokens:
        return
    today = (until, until + DAY)  # it is not over
    closed = [
        tuple(when.astimezone(zone).replace(tzinfo=None) for when in span)
        for span in _disjoint((*stops, today))
    ]
    day, first = until.astimezone(zone).date(), min(tokens)
    while day >= first:
        begin = datetime.combine(day, datetime.min.time())
        shut = sum((max(timedelta(), _overlap(begin, stop)) for stop in closed), timedelta())
        yield _Day(day, tokens[day], max(0.0, 1 - shut / DAY))
        day -= DAY


def _disjoint(stops: Iterable[Stop]) -> list[Stop]:
    """Join stops that overlap: each message that is refused tells of the same one."""
    joined: list[Stop] = []
    for begin, end in sorted(stops):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _overlap(begin: datetime, stop: tuple[datetime, ...]) -> timedelta:
    return min(begin + DAY, stop[1]) - max(begin, stop[0])


def _add(tokens: dict[date, list[float]], block: Block, zone: tzinfo) -> None:
    """Spread a block's tokens evenly over the hours from its start to its last message."""
    start = block.start.astimezone(zone).replace(tzinfo=None)
    count = int(((block.last_activity or block.start) - block.start) / HOUR) + 1
    for index in range(count):
        hour = start + index * HOUR
        tokens[hour.date()][hour.hour] += block.tokens.counted / count
