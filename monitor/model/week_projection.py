"""Project the percentage of a weekly limit at its reset; docs/accuracy.md explains the method."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Optional

from monitor.model.official import FULL, PastWeek, RateLimitWindow
from monitor.model.week_shape import WEEK, ExpectedWeek, WeekShape, expected_week

ROUNDING = 0.5
"""Claude Code reports whole percents, so that 0 % may be almost 1 %."""

EARLIER = 0.15
"""How much of a week's use many earlier weeks together weigh, beside this week's."""

FIRST_LEVEL, FIRST_WEIGHT = 80.0, 0.1
"""Without an earlier week, the percentage that stands in for it, and its weight."""

FIRST_SHARE = 1 / 14
"""Without an earlier week, nothing is said before so much of the use is expected: half a day."""

DISPERSION = 0.2
"""How far weeks lie from what is expected, if the spread of their days is 1."""

NEVER_SURE = 0.02
"""The rest is never more certain than with so much of a week's use still to come."""

LEAST_SHARE, MOST_LEVEL = 0.05, 1000.0
"""An earlier week that ended sooner says nothing; nobody is taken to use more in a week."""


@dataclass(frozen=True)
class WeekProjection:
    """The probable percentage of a weekly limit at its reset, if the limit stopped nobody.

    What is still to come after `since` (UTC), when `used` percent were used, follows a Weibull
    distribution with the median `rest` and this `shape`. `week` is when it is expected to come.
    """

    used: float
    since: datetime
    rest: float
    shape: float
    week: ExpectedWeek

    @property
    def probability(self) -> float:
        """The probability, 0 to 1, of reaching the limit before its reset."""
        return self._probability_above(FULL - self.used)

    def probability_by(self, when: datetime) -> float:
        """Return the probability of reaching the limit up to a time before its reset."""
        share = self._share_gone(when)
        return self._probability_above((FULL - self.used) / share) if share > 0 else 0.0

    def _probability_above(self, more: float) -> float:
        if more <= 0:
            return 1.0
        if self.rest <= 0:
            return 0.0
        return math.pow(0.5, min(1e3, math.pow(more / self.rest, self.shape)))

    @property
    def likely(self) -> float:
        """The median of the percentage at the reset."""
        return self.used + self.rest

    @property
    def band(self) -> tuple[float, float]:
        """The 10-90 % band of the percentage at the reset."""
        low, high = (self._rest_at(share) for share in (0.1, 0.9))
        return self.used + low, self.used + high

    def _rest_at(self, share: float) -> float:
        return self.rest * math.pow(-math.log2(1 - share), 1 / self.shape)

    def percent_at(self, when: datetime, final: float) -> float:
        """Return the percentage at a time to come, if it is `final` at the reset."""
        return self.used + (final - self.used) * self._share_gone(when)

    def _share_gone(self, when: datetime) -> float:
        """Return which share of the rest is expected up to a time."""
        begun = self.week.share_at(self.since)
        return (self.week.share_at(when) - begun) / (1 - begun) if begun < 1 else 1.0

    def reached_at(self, final: float, now: datetime) -> Optional[datetime]:
        """Return when 100 % are reached if it is `final` at the reset; None if not before."""
        if self.used >= FULL:
            return now
        if final < FULL:
            return None
        begun = self.week.share_at(self.since)
        share = begun + (1 - begun) * (FULL - self.used) / (final - self.used)
        return max(now, self.week.time_of(share))


def project_week(
    window: RateLimitWindow,
    past: Sequence[PastWeek],
    shape: WeekShape,
    now: datetime,
    used_at: Optional[datetime] = None,
) -> Optional[WeekProjection]:
    """Project a weekly window; None if its reset, or too much else, is not known.

    `past` are earlier weeks of the same limit. `used_at` is when something was used here last: if
    that is after the last capture, what has come since is part of the rest.
    """
    if window.resets_at is None:
        return None
    week = expected_week(shape, window.resets_at - WEEK)
    is_news_missing = used_at is not None and used_at > window.captured_at
    since = min(now, window.captured_at) if is_news_missing else now
    elapsed, used = week.share_at(since), window.used_percent
    levels = [level for level in (_level(each, shape) for each in past) if level is not None]
    if not levels and elapsed < FIRST_SHARE and used < FULL:
        return None
    count = len(levels)
    weight = EARLIER * count / (count + 1) if levels else FIRST_WEIGHT
    earlier = sum(levels) / count if levels else FIRST_LEVEL
    level = (used + ROUNDING + weight * earlier) / (elapsed + weight)
    left = 1 - elapsed
    variation = DISPERSION * shape.spread * (1 / (left + NEVER_SURE) + 1 / (elapsed + weight))
    return WeekProjection(used, since, level * left, variation**-0.5, week)


def _level(past: PastWeek, shape: WeekShape) -> Optional[float]:
    """Return what an earlier week would have used, in percent, if it had not been stopped."""
    week = expected_week(shape, past.resets_at - WEEK)
    end = past.reached_at or past.ended_at
    share = week.share_at(end)
    return min(MOST_LEVEL, past.used_percent / share) if share >= LEAST_SHARE else None
