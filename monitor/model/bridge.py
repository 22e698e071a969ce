"""Carry the official percent on from its last capture, by what local tokens since are worth.

From one capture to the next the official percent gained some points while some tokens were
counted here. Points over tokens, steps near the present percent counting most, is what a token is
worth now. Steps without a local token belong to another device and are left out, and so is what was
used before all that is known here: on another device that began the window, or in the block before.
What is added is never more than the points that this was learned from.

Judged by `benchmarks/bridge.py` on simulated windows: where it is attempted it is nearer to the
truth than the last official percent, and than counted tokens over the plan's limit, at the median
and at the 90th percentile, whatever the interval of captures. Learned from fewer than 3 points,
from a few dozen tokens, or carried on several times as far as it was learned from, it was not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import NamedTuple, Optional

from monitor.model.blocks import Event

MIN_AGE = timedelta(minutes=1)
MIN_POINTS = 3.0
"""To stand at, and to learn from: between whole percents a gain is off by up to one point."""

MIN_TOKENS = 500
"""A handful of answers differs too much in cost: caches and models do not show in the count."""

OPENING = timedelta(minutes=10)
"""A window that began longer before its first local token was most likely begun by another device;
then its start is only learned from when that gives a limit that can be (`Start.least`)."""

HALVING = 10.0
"""Points after which a step counts half: the mix of models shifts within a window."""

LEAST_WEIGHT = 0.1
"""So that the whole window has a say, and the worth stays within 10 times its average."""

MOST_PERCENT = 99.0
"""That the limit is reached is for official numbers to say: here messages still got through."""


class Capture(NamedTuple):
    """One sight of the official five-hour percentage (0-105), at a time in UTC."""

    at: datetime
    used_percent: float


class Start(NamedTuple):
    """What is known of a window's start: when it was (UTC, None where not known).

    `least` is how few counted tokens a percent can be, to believe a start by another device.
    """

    began: Optional[datetime]
    least: float


@dataclass(frozen=True)
class Bridge:
    """The newest capture `base` plus the counted tokens since: percent of the official limit.

    `tokens_per_percent` is the present worth: 100 times that is the whole limit at today's mix of
    models, a piece of information and never a limit to keep.
    """

    used_percent: float
    base: Capture
    tokens_since: int
    tokens_per_percent: float


@dataclass(frozen=True)
class _Lesson:
    """Points gained, and tokens counted, in the steps between captures; `worth` is in points."""

    gained: float = 0.0
    tokens: int = 0
    worth: float = 0.0

    @property
    def is_enough(self) -> bool:
        """Whether it is worth believing: a few points of usage, and more than a few answers."""
        return self.gained >= MIN_POINTS and self.tokens >= MIN_TOKENS


class _Counter:
    """Counted tokens of a series (oldest first) up to a moment, that moment included."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._times = [event.at for event in events]
        self._sums = [0, *accumulate(event.tokens for event in events)]

    def __call__(self, moment: datetime) -> int:
        return self._sums[bisect_right(self._times, moment)]


def bridge(
    captures: Sequence[Capture], events: Sequence[Event], now: datetime, start: Start
) -> Optional[Bridge]:
    """Estimate the official percent at `now`; None where the last capture is the better answer.

    `captures` are those of the present window, with its `start`; `events` are the local counted
    tokens of the active block, which may have begun before it or in its midst; both oldest first.
    """
    if not captures or now - captures[-1].at < MIN_AGE or captures[-1].used_percent < MIN_POINTS:
        return None
    base = captures[-1]
    counted = _Counter(events)
    since = counted(now) - counted(base.at)
    if since <= 0:
        return None  # as at most frames: learning costs more than looking
    lesson = _learn(captures, events, start)
    if not lesson.is_enough:
        return None
    carried = base.used_percent + min(since * lesson.worth, lesson.gained)
    used = max(base.used_percent, min(carried, MOST_PERCENT))
    return Bridge(used, base, since, 1 / lesson.worth)


def bridge_errors(
    captures: Sequence[Capture], events: Sequence[Event], start: Start
) -> tuple[float, ...]:
    """How far off the bridge was when a capture told: percent points, above 0 when too high.

    One for each capture at which a bridge from the earlier ones was attempted.
    """
    attempts = (
        (bridge(captures[:i], events, new.at, start), new) for i, new in enumerate(captures)
    )
    return tuple(old.used_percent - new.used_percent for old, new in attempts if old)


def _learn(captures: Sequence[Capture], events: Sequence[Event], start: Start) -> _Lesson:
    """Weigh the steps between captures that local tokens explain."""
    own = [event for event in events if start.began is None or event.at >= start.began]
    if not own:
        return _Lesson()
    # ccusage begins a block on the hour of its first message; what came before is in another.
    known_from = events[0].at.replace(minute=0, second=0, microsecond=0)
    # Sessions may disagree; of one window the highest percent counts.
    percents, counted = accumulate((c.used_percent for c in captures), max), _Counter(own)
    sights = [(c.at, percent, counted(c.at)) for c, percent in zip(captures, percents)]
    on_time = start.began is not None and own[0].at - start.began <= OPENING
    if on_time or sights[0][2] >= start.least * sights[0][1]:
        sights.insert(0, (known_from, 0.0, 0))
    total, weighed_points, weighed_tokens, gained = 0, 0.0, 0.0, 0.0
    for (since, before, tokens_before), (_, percent, tokens) in zip(sights, sights[1:]):
        points, step = percent - before, tokens - tokens_before
        if step > 0 and since >= known_from:
            age = sights[-1][1] - percent
            weight = LEAST_WEIGHT + (1 - LEAST_WEIGHT) * 0.5 ** (age / HALVING)
            gained, total = gained + points, total + step
            weighed_points += weight * points
            weighed_tokens += weight * step
    return _Lesson(gained, total, weighed_points / weighed_tokens) if total else _Lesson()


def worth(captures: Sequence[Capture], events: Sequence[Event], start: Start) -> Optional[float]:
    """Return counted tokens per official percent at the present mix; None while that is a guess."""
    if not captures:
        return None
    lesson = _learn(captures, events, start)
    return 1 / lesson.worth if lesson.is_enough else None
