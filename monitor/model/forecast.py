"""Forecast when the limit is reached: at the present pace, and with which probability."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.burn import BurnRate
from monitor.model.formatting import minutes
from monitor.model.projection import Projection, reach_times

TIGHT = 0.25
RUNS_OUT = 0.6
"""From this probability of reaching the limit on, the verdict is `tight` or `runs_out`."""

NEARLY_FULL = 90.0
"""From this percentage on, a limit is `tight` even without a probability."""


@dataclass(frozen=True)
class Forecast:
    """When the limit is reached. Times are UTC, percentages are of the limit.

    At the present pace, without a break: `runs_out_at`, None if not before the reset. `sustainable`
    is the pace in counted tokens per minute that lasts to the reset.

    By the projection, which expects breaks and which the verdict follows: the `probability` of
    reaching the limit before the reset, `likely_percent` at the reset with its 10-90 %
    `likely_range`, the same band in `tokens` (low, median, high), and when the limit is reached on
    the band's fast edge (`earliest`), at its median (`likely_at`) and on its slow edge (`latest`).
    """

    verdict: str
    runs_out_at: Optional[datetime] = None
    sustainable: Optional[float] = None
    probability: Optional[float] = None
    likely_percent: Optional[float] = None
    likely_range: Optional[tuple[float, float]] = None
    tokens: Optional[tuple[float, float, float]] = None
    earliest: Optional[datetime] = None
    likely_at: Optional[datetime] = None
    latest: Optional[datetime] = None


UNKNOWN, NEARLY = Forecast("unknown"), Forecast("tight")


def forecast(
    used: float,
    limit: float,
    burn: BurnRate,
    projection: Optional[Projection],
    reset_at: datetime,
    now: datetime,
) -> Forecast:
    """Forecast a block that has used `used` of `limit` counted tokens.

    Over the limit nothing is forecast. Without a projection there is no probability: the verdict is
    `tight` if nearly all is used, else `unknown`.
    """
    if used > limit:
        return Forecast("exceeded")
    left, time_left = limit - used, reset_at - now
    sustainable = left / minutes(time_left) if time_left > timedelta() else None
    runs_out_at = _runs_out_at(left, burn.tokens_per_minute or 0.0, reset_at, now)
    verdict = "tight" if 100 * used >= NEARLY_FULL * limit else "unknown"
    at_pace = Forecast(verdict, runs_out_at, sustainable)
    if projection is not None:
        return _projected(at_pace, projection, limit, reset_at, now)
    return replace(at_pace, verdict="runs_out", probability=1.0) if left <= 0 else at_pace


def _runs_out_at(left: float, rate: float, reset_at: datetime, now: datetime) -> Optional[datetime]:
    if left <= 0:
        return now
    if rate <= 0 or left / rate >= minutes(reset_at - now):
        return None
    return now + timedelta(minutes=left / rate)


def _projected(
    at_pace: Forecast, projection: Projection, limit: float, reset_at: datetime, now: datetime
) -> Forecast:
    probability = projection.probability_above(limit)
    earliest, likely_at, latest = reach_times(projection, limit, now, reset_at)
    tokens = (projection.final_low, projection.final_median, projection.final_high)
    low, median, high = (100 * value / limit for value in tokens)
    return replace(
        at_pace,
        verdict=_verdict(probability),
        probability=probability,
        likely_percent=median,
        likely_range=(low, high),
        tokens=tokens,
        earliest=earliest,
        likely_at=likely_at,
        latest=latest,
    )


def _verdict(probability: float) -> str:
    if probability >= RUNS_OUT:
        return "runs_out"
    return "tight" if probability >= TIGHT else "ok"
