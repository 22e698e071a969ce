"""Carry the official percentage on from its last capture by the worth of the local tokens since.

From one capture to the next the official percentage gains some points while some tokens are counted
here. Points over tokens, with the steps near the present percentage counting most, is what a token
is worth now. Steps without a local token come from another device and are left out. So is usage
from before all that is known here: on another device that began the window, or in the block before.
Never more points are added than the worth was learned from.

`benchmarks/bridge.py` measures this on simulated windows. Where it is attempted, it is nearer to
the truth than the last official percentage and than counted tokens over the plan's limit, at the
median and at the 90th percentile, whatever the interval of captures. It was not when learned from
fewer than 3 points or from a few dozen tokens, or when carried on several times as far as learned.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import NamedTuple, Optional

from monitor.model.blocks import Event
from monitor.model.official import Capture

MIN_AGE = timedelta(minutes=1)

MIN_POINTS = 3.0
"""At the last capture, and to learn from. A gain between whole percents is off by up to one."""

MIN_TOKENS = 500
"""The cost of a few answers differs too much: caches and models do not show in the count."""

OPENING = timedelta(minutes=10)
"""If a window began longer before its first local token, most likely another device began it."""

HALVING = 10.0
"""Points after which a step counts half: the mix of models shifts within a window."""

MIN_WEIGHT = 0.1
"""Of a step. The whole window has a say, and the worth stays within 10 times its average."""

MAX_PERCENT = 99.0
"""Only an official capture may say that the limit is reached."""


class WindowStart(NamedTuple):
    """When a window began (UTC, None if not known), and a limit to what is believed of its start.

    Another device may have used the window too: its start is used only if that makes a percent
    worth at least `min_tokens_per_percent`.
    """

    began: Optional[datetime]
    min_tokens_per_percent: float


@dataclass(frozen=True)
class Bridge:
    """The newest capture `base`, carried on by the counted tokens since.

    `tokens_per_percent` is the present worth: 100 times that is the whole limit at the present mix
    of models. It changes with the mix, so it informs and is never used as the limit.
    """

    used_percent: float
    base: Capture
    tokens_since: int
    tokens_per_percent: float


class _Step(NamedTuple):
    """Points gained and tokens counted from one capture to the next, and the percentage then."""

    points: float
    tokens: int
    percent: float


class _Worth(NamedTuple):
    """What one counted token is worth in points, and how much that was learned from."""

    points_per_token: float
    points: float
    tokens: int


class _RunningCount:
    """The counted tokens of a series (oldest first) up to and including a moment."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._times = [event.at for event in events]
        self._sums = [0, *accumulate(event.tokens for event in events)]

    def __call__(self, moment: datetime) -> int:
        return self._sums[bisect_right(self._times, moment)]


def bridge(
    captures: Sequence[Capture], events: Sequence[Event], now: datetime, start: WindowStart
) -> Optional[Bridge]:
    """Estimate the official percentage at `now`; None if the last capture is the better answer.

    `captures` are those of the present window, which began at `start`; `events` are the counted
    tokens of the active block, which may have begun before the window or within it. Both are oldest
    first.
    """
    if not captures or now - captures[-1].at < MIN_AGE or captures[-1].used_percent < MIN_POINTS:
        return None
    base, count = captures[-1], _RunningCount(events)
    since = count(now) - count(base.at)
    worth = _worth(captures, events, start) if since > 0 else None
    if worth is None:
        return None
    carried = base.used_percent + min(since * worth.points_per_token, worth.points)
    used_percent = max(base.used_percent, min(carried, MAX_PERCENT))
    return Bridge(used_percent, base, since, 1 / worth.points_per_token)


def tokens_per_percent(
    captures: Sequence[Capture], events: Sequence[Event], start: WindowStart
) -> Optional[float]:
    """Return counted tokens per official percent at the present mix; None if too little is known.

    The arguments are those of `bridge`.
    """
    worth = _worth(captures, events, start)
    return 1 / worth.points_per_token if worth else None


def bridge_errors(
    captures: Sequence[Capture], events: Sequence[Event], start: WindowStart
) -> tuple[float, ...]:
    """Return by how many percent points the bridge was off at each capture; above 0 is too high.

    Captures at which no bridge from the earlier ones was attempted are left out.
    """
    attempts = (
        (bridge(captures[:i], events, new.at, start), new) for i, new in enumerate(captures)
    )
    return tuple(old.used_percent - new.used_percent for old, new in attempts if old)


def _worth(
    captures: Sequence[Capture], events: Sequence[Event], start: WindowStart
) -> Optional[_Worth]:
    """Learn the present worth of a token; None if that would be a guess."""
    steps = _steps(captures, events, start)
    points, tokens = sum(step.points for step in steps), sum(step.tokens for step in steps)
    if points < MIN_POINTS or tokens < MIN_TOKENS:
        return None
    present = max(capture.used_percent for capture in captures)
    weights = [
        MIN_WEIGHT + (1 - MIN_WEIGHT) * 0.5 ** ((present - step.percent) / HALVING)
        for step in steps
    ]
    weighted_points = sum(weight * step.points for weight, step in zip(weights, steps))
    weighted_tokens = sum(weight * step.tokens for weight, step in zip(weights, steps))
    return _Worth(weighted_points / weighted_tokens, points, tokens)


def _steps(captures: Sequence[Capture], events: Sequence[Event], start: WindowStart) -> list[_Step]:
    """Return the steps between captures in which tokens were counted here."""
    own = [event for event in events if start.began is None or event.at >= start.began]
    if not own or not captures:
        return []
    # ccusage begins a block on the hour of its first message; what came before is in another.
    known_from = events[0].at.replace(minute=0, second=0, microsecond=0)
    # Sessions may disagree; the highest percentage of a window counts.
    percents = accumulate((capture.used_percent for capture in captures), max)
    count = _RunningCount(own)
    points = [(c.at, percent, count(c.at)) for c, percent in zip(captures, percents)]
    on_time = start.began is not None and own[0].at - start.began <= OPENING
    _, first_percent, first_tokens = points[0]
    if on_time and first_tokens >= start.min_tokens_per_percent * first_percent:
        points.insert(0, (known_from, 0.0, 0))
    return [
        _Step(percent - percent_before, tokens - tokens_before, percent)
        for (since, percent_before, tokens_before), (_, percent, tokens) in zip(points, points[1:])
        if tokens > tokens_before and since >= known_from
    ]
