"""Say what a block will probably end at, from its events and the user's own completed blocks.

The method is in docs/accuracy.md, its numbers in forecast_table.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Optional

from monitor.model.blocks import SESSION, Event
from monitor.model.forecast_table import PACE, SHAPE, STOP

WARM_UP = timedelta(minutes=5)
"""With less data than this there is no forecast."""

HOUR = timedelta(hours=1)
SESSION_HOURS = SESSION / HOUR

RECENT_BLOCKS = 15
"""The newest blocks say what is usual for the user: long enough to be steady, short enough to
follow a change of habits."""

HABIT_BLOCKS = 50
"""The newest blocks say how often the user stops; older ones are of another time."""

USUAL_SHARE = 0.3
"""How far the user's usual pace is believed, against this block's, after very many blocks."""

USUAL_HALF = 3
"""After this many blocks of one's own, half of that."""

STOP_PRIOR = 3.0
"""Weight of the table against the user's own stops: what about 20 hours of own history weigh."""

MOST_SHIFT = 2.0
"""Odds may differ from the table's by a factor of e² ≈ 7: one step of Newton can overshoot."""

ACTIVE_IDLE = 12.0
"""Idle minutes taken at the end of an hour with usage: hourly sums do not tell more."""


@dataclass(frozen=True)
class PastBlock:
    """A completed block of the user's own."""

    start: datetime
    """UTC, on the hour."""
    tokens: int
    """Final counted tokens."""
    hourly: tuple[int, ...] = ()
    """Counted tokens in each clock hour since the start, up to five; empty when unknown."""


@dataclass(frozen=True)
class Projection:
    """What a block will probably end at, in counted tokens.

    With probability `stop` nothing more comes; else what comes is a mixture of Weibull
    distributions, one (weight, scale in tokens) each in `parts`.
    """

    counted: float
    stop: float
    parts: tuple[tuple[float, float], ...]
    final_low: float
    final_median: float
    final_high: float

    def probability_above(self, tokens: float) -> float:
        """Return the probability, 0 to 1, that the final count reaches `tokens`."""
        if tokens <= self.counted:
            return 1.0
        return _more(tokens - self.counted, self.stop, self.parts)


@dataclass(frozen=True)
class _Habits:
    """What the user's own blocks say."""

    usual_pace: float = 0.0
    """Counted tokens per hour of a block, pauses included."""
    usual_weight: float = 0.0
    stop_shift: float = 0.0
    """To be added to the table's log-odds of nothing more."""


def project(
    events: Sequence[Event],
    start: datetime,
    end: datetime,
    now: datetime,
    past: Sequence[PastBlock] = (),
) -> Optional[Projection]:
    """Forecast the final counted tokens of the block from `start` to `end`, as known at `now`.

    `events` are oldest first. Only blocks of `past` that started before this one are used.
    Returns None with no event yet, or with under five minutes between the first and `now`.
    """
    seen = [event for event in events if start <= event.at <= now]
    if not seen or now - seen[0].at < WARM_UP:
        return None
    counted = sum(event.tokens for event in seen)
    hours_left = (end - now) / HOUR
    if hours_left <= 0:
        return _projection(counted, 1.0, ())
    habits = _habits(_newest(past, start))
    idle_minutes = (now - seen[-1].at) / timedelta(minutes=1)
    stop = _logistic(_stop_log_odds(idle_minutes, hours_left) + habits.stop_shift)
    paces = (
        (1 - habits.usual_weight, _pace(seen, counted, now)),
        (habits.usual_weight, habits.usual_pace),
    )
    parts = tuple((w, PACE * pace * hours_left) for w, pace in paces if w * pace > 0)
    return _projection(counted, stop, parts)


def reach_times(
    projection: Projection, tokens: float, now: datetime, end: datetime
) -> tuple[Optional[datetime], Optional[datetime]]:
    """Return when `tokens` would be reached on the band's fast (90 %) and slow (10 %) edge.

    Each is None when not before `end`, and `now` when already reached. The edges are straight
    lines from the count of now to the band's ends.
    """
    fast, slow = (
        _reach(projection.counted, final, tokens, now, end)
        for final in (projection.final_high, projection.final_low)
    )
    return fast, slow


def _reach(
    counted: float, final: float, tokens: float, now: datetime, end: datetime
) -> Optional[datetime]:
    if tokens <= counted:
        return now
    if final < tokens:
        return None
    return now + (end - now) * ((tokens - counted) / (final - counted))


def _pace(seen: Sequence[Event], counted: float, now: datetime) -> float:
    """Tokens per hour: the mean of the last hour's and of the time since the first message.

    The latter is spread over an hour more than has passed, or a burst in the first minutes would
    promise hundreds of times itself.
    """
    since = now - HOUR
    last_hour = sum(event.tokens for event in seen if event.at > since)
    return (last_hour + counted / ((now - seen[0].at) / HOUR + 1)) / 2


def _stop_log_odds(idle_minutes: float, hours_left: float) -> float:
    base, by_idle, by_left = STOP
    return base + by_idle * math.log1p(idle_minutes / 5) + by_left * math.log(hours_left + 0.1)


def _newest(past: Sequence[PastBlock], before: datetime) -> tuple[PastBlock, ...]:
    earlier = [block for block in past if block.start < before]
    return tuple(sorted(earlier, key=lambda block: block.start)[-HABIT_BLOCKS:])


@lru_cache(maxsize=8)
def _habits(past: tuple[PastBlock, ...]) -> _Habits:
    """Learn from the user's blocks, oldest first: each one counts a little against the table."""
    if not past:
        return _Habits()
    recent = past[-RECENT_BLOCKS:]
    return _Habits(
        usual_pace=_median([block.tokens for block in recent]) / SESSION_HOURS,
        usual_weight=USUAL_SHARE * len(recent) / (len(recent) + USUAL_HALF),
        stop_shift=_stop_shift(past),
    )


def _stop_shift(past: Sequence[PastBlock]) -> float:
    """One Newton step of the logistic regression, from the table towards the user's own stops."""
    surplus, weight = 0.0, STOP_PRIOR
    for block in past:
        for idle_minutes, hours_left, stopped in _hour_ends(block.hourly):
            expected = _logistic(_stop_log_odds(idle_minutes, hours_left))
            surplus += stopped - expected
            weight += expected * (1 - expected)
    return max(-MOST_SHIFT, min(MOST_SHIFT, surplus / weight))


def _hour_ends(hourly: tuple[int, ...]) -> list[tuple[float, float, bool]]:
    """Return idle minutes, hours left and "nothing more came" at the ends of a block's hours."""
    used = [hour for hour, tokens in enumerate(hourly) if tokens > 0]
    if not used:
        return []
    ends = []
    for hour in range(used[0] + 1, int(SESSION_HOURS)):
        last = max(i for i in used if i < hour)
        idle_minutes = ACTIVE_IDLE + 60 * (hour - 1 - last)
        ends.append((idle_minutes, SESSION_HOURS - hour, used[-1] < hour))
    return ends


def _projection(counted: float, stop: float, parts: tuple[tuple[float, float], ...]) -> Projection:
    # With no pace at all (only messages of 0 tokens so far) nothing more can be foreseen.
    stop = stop if parts else 1.0
    total = sum(weight for weight, _ in parts)
    parts = tuple((weight / total, scale) for weight, scale in parts)
    low, mid, high = (counted + _quantile(share, stop, parts) for share in (0.1, 0.5, 0.9))
    return Projection(counted, stop, parts, low, mid, high)


def _more(tokens: float, stop: float, parts: tuple[tuple[float, float], ...]) -> float:
    """Probability that more than `tokens` (above 0) are still to come."""
    tail = sum(weight * math.exp(-math.pow(tokens / scale, SHAPE)) for weight, scale in parts)
    return min(1.0, (1 - stop) * tail)


def _quantile(share: float, stop: float, parts: tuple[tuple[float, float], ...]) -> float:
    """Tokens still to come that are not passed with probability `share`, by bisection."""
    if share <= stop:
        return 0.0
    single = math.pow(-math.log((1 - share) / (1 - stop)), 1 / SHAPE)
    edges = [scale * single for _, scale in parts]
    low, high = min(edges), max(edges)
    for _ in range(40):
        middle = (low + high) / 2
        if _more(middle, stop, parts) > 1 - share:
            low = middle
        else:
            high = middle
    return high


def _logistic(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def _median(values: Sequence[int]) -> float:
    """Return the median; the standard library's takes longer to import than a frame to draw."""
    ordered, middle = sorted(values), len(values) // 2
    return (ordered[middle] + ordered[~middle]) / 2
