"""From burn rate, limit and reset to when the limit is reached: at this pace, and probably."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.burn import BurnRate
from monitor.model.formatting import minutes
from monitor.model.projection import Projection, reach_times

TIGHT = 0.2
RUNS_OUT = 0.5
"""From this probability of reaching the limit on the verdict is `tight`, or `runs_out`."""


@dataclass(frozen=True)
class Forecast:
    """When the limit is reached. Times are UTC, percentages are of the limit.

    At this pace: `runs_out_at` (None when not before the reset), the `sustainable` pace in counted
    tokens per minute that lasts to the reset, and the `pause` after which the present pace lasts.
    Probably: `probability` of reaching the limit before the reset, `likely_percent` at the reset
    with its 10-90 % `likely_range`, and the same band as `tokens` (low, median, high).
    """

    verdict: str
    runs_out_at: Optional[datetime] = None
    sustainable: Optional[float] = None
    pause: Optional[timedelta] = None
    probability: Optional[float] = None
    likely_percent: Optional[float] = None
    likely_range: Optional[tuple[float, float]] = None
    tokens: Optional[tuple[float, float, float]] = None
    earliest: Optional[datetime] = None
    latest: Optional[datetime] = None


UNKNOWN = Forecast("unknown")


def forecast(
    used: float,
    limit: float,
    burn: BurnRate,
    projection: Optional[Projection],
    reset_at: datetime,
    now: datetime,
) -> Forecast:
    """Forecast a block that has used `used` of `limit` counted tokens.

    Over the limit nothing is forecast. Before five minutes of data only the pace that lasts is,
    unless nothing is left.
    """
    left = reset_at - now
    if used > limit:
        return Forecast("exceeded")
    sustainable = (limit - used) / minutes(left) if left > timedelta() else None
    if burn.tokens_per_minute is None:
        if used == limit:
            return Forecast("runs_out", now, sustainable)
        return Forecast("unknown", sustainable=sustainable)
    runs_out_at = _runs_out_at(limit - used, burn.tokens_per_minute, reset_at, now)
    pause = reset_at - runs_out_at if runs_out_at else None
    if projection is None:
        verdict = "runs_out" if runs_out_at else "ok"
        return Forecast(verdict, runs_out_at, sustainable, pause)
    return _with_projection(projection, limit, reset_at, now, runs_out_at, sustainable, pause)


def _runs_out_at(left: float, rate: float, reset_at: datetime, now: datetime) -> Optional[datetime]:
    if left <= 0:
        return now
    if rate <= 0 or left / rate >= minutes(reset_at - now):
        return None
    return now + timedelta(minutes=left / rate)


def _with_projection(
    projection: Projection,
    limit: float,
    reset_at: datetime,
    now: datetime,
    runs_out_at: Optional[datetime],
    sustainable: Optional[float],
    pause: Optional[timedelta],
) -> Forecast:
    probability = projection.probability_above(limit)
    earliest, latest = reach_times(projection, limit, now, reset_at)
    tokens = (projection.final_low, projection.final_median, projection.final_high)
    low, median, high = (100 * value / limit for value in tokens)
    return Forecast(
        verdict=_verdict(probability),
        runs_out_at=runs_out_at,
        sustainable=sustainable,
        pause=pause,
        probability=probability,
        likely_percent=median,
        likely_range=(low, high),
        tokens=tokens,
        earliest=earliest,
        latest=latest,
    )


def _verdict(probability: float) -> str:
    if probability >= RUNS_OUT:
        return "runs_out"
    return "tight" if probability >= TIGHT else "ok"
