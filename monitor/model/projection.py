"""Project the final token count of a block from its messages so far.

docs/accuracy.md explains the method and measures it; forecast_table.py holds its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.blocks import Event
from monitor.model.forecast_table import TABLE, ForecastTable

WARM_UP = timedelta(minutes=5)
"""With less data than this there is no projection."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Projection:
    """The probable final count of a block, in counted tokens.

    With probability `stop` nothing more comes. Otherwise the tokens still to come follow a Weibull
    distribution of this `scale` and `shape`. `final_low` to `final_high` is the 10-90 % band.
    """

    counted: float
    stop: float
    scale: float
    shape: float
    final_low: float
    final_median: float
    final_high: float

    def probability_above(self, tokens: float) -> float:
        """Return the probability, 0 to 1, that the final count reaches `tokens`."""
        more = tokens - self.counted
        if more <= 0:
            return 1.0
        if self.scale <= 0:
            return 0.0
        return (1 - self.stop) * math.exp(-math.pow(more / self.scale, self.shape))


def project(
    events: Sequence[Event],
    start: datetime,
    end: datetime,
    now: datetime,
    table: ForecastTable = TABLE,
) -> Optional[Projection]:
    """Project the final counted tokens of the block from `start` to `end`, as known at `now`.

    `events` are oldest first. Returns None before the first event and in the five minutes after it.
    """
    known = [event for event in events if start <= event.at <= now]
    if not known or now - known[0].at < WARM_UP:
        return None
    counted = sum(event.tokens for event in known)
    hours_left = max(0.0, (end - now) / HOUR)
    idle_minutes = (now - known[-1].at) / timedelta(minutes=1)
    scale = table.pace * _pace(known, counted, now) * hours_left
    # At the end of the block, or when all messages so far have 0 tokens, nothing more is expected.
    stop = _stop_probability(table, idle_minutes, hours_left) if scale > 0 else 1.0
    low, median, high = (
        counted + _quantile(share, stop, scale, table.shape) for share in (0.1, 0.5, 0.9)
    )
    return Projection(counted, stop, scale, table.shape, low, median, high)


def reach_times(
    projection: Projection, tokens: float, now: datetime, end: datetime
) -> tuple[Optional[datetime], Optional[datetime], Optional[datetime]]:
    """Return when `tokens` are reached on the band's fast edge, at its median, on its slow edge.

    Each is None when not before `end`, and `now` when already reached. All three are straight lines
    from the count of now to their ends.
    """
    fast, median, slow = (
        _reach(projection.counted, final, tokens, now, end)
        for final in (projection.final_high, projection.final_median, projection.final_low)
    )
    return fast, median, slow


def _reach(
    counted: float, final: float, tokens: float, now: datetime, end: datetime
) -> Optional[datetime]:
    if tokens <= counted:
        return now
    if final < tokens:
        return None
    return now + (end - now) * ((tokens - counted) / (final - counted))


def _pace(events: Sequence[Event], counted: float, now: datetime) -> float:
    """Return tokens per hour: the mean of the last hour's pace and the pace since the first event.

    For the latter the time is taken as one hour longer than it is: otherwise a burst in the first
    minutes would promise hundreds of times its tokens.
    """
    last_hour = sum(event.tokens for event in events if event.at > now - HOUR)
    return (last_hour + counted / ((now - events[0].at) / HOUR + 1)) / 2


def _stop_probability(table: ForecastTable, idle_minutes: float, hours_left: float) -> float:
    """Return the probability that nothing more comes in this block."""
    base, by_idle, by_left = table.stop
    log_odds = base + by_idle * math.log1p(idle_minutes / 5) + by_left * math.log(hours_left + 0.1)
    return 1 / (1 + math.exp(-log_odds))


def _quantile(share: float, stop: float, scale: float, shape: float) -> float:
    """Return how many tokens are still to come at most with probability `share`."""
    if share <= stop:
        return 0.0
    return scale * math.pow(-math.log((1 - share) / (1 - stop)), 1 / shape)
