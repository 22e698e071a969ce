"""Measure the burn rate of the active block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.blocks import Block, Event
from monitor.model.formatting import minutes

HEADLINE = timedelta(minutes=60)
RECENT = timedelta(minutes=10)
WARM_UP = timedelta(minutes=5)
"""With less data than this there is no rate: one message over a few seconds says nothing."""


@dataclass(frozen=True)
class BurnRate:
    """Counted tokens per minute over the last `window_minutes`, idle time included.

    None if there is too little data. `recent` is the rate over the last 10 minutes, `whole` since
    the block's first message. `exact` is False if only the block's average is known.
    """

    tokens_per_minute: Optional[float]
    window_minutes: Optional[float] = None
    cost_per_hour: Optional[float] = None
    recent: Optional[float] = None
    whole: Optional[float] = None
    exact: bool = True


def burn_rate(block: Optional[Block], events: Optional[Sequence[Event]], now: datetime) -> BurnRate:
    """Return the burn rate of the active block: 0 if there is none."""
    if block is None:
        return BurnRate(0.0, None, 0.0)
    if not events:
        return _average(block, now)
    age = now - events[0].at
    if age < WARM_UP:
        return BurnRate(None)
    window = min(HEADLINE, age)
    headline = _between(events, now - window, now)
    return BurnRate(
        tokens_per_minute=_tokens(headline) / minutes(window),
        window_minutes=minutes(window),
        cost_per_hour=_cost(headline, window),
        recent=_tokens(_between(headline, now - RECENT, now)) / minutes(min(RECENT, age)),
        whole=_tokens(_between(events, events[0].at, now)) / minutes(age),
    )


def _average(block: Block, now: datetime) -> BurnRate:
    """Return the block's average since its start, for a block without a series."""
    age = now - block.start
    if age < WARM_UP:
        return BurnRate(None)
    per_minute = block.tokens.counted / minutes(age)
    cost = None if block.cost_usd is None else block.cost_usd / minutes(age) * 60
    return BurnRate(per_minute, minutes(age), cost, whole=per_minute, exact=False)


def _between(events: Sequence[Event], since: datetime, now: datetime) -> list[Event]:
    return [event for event in events if since <= event.at <= now]


def _tokens(events: Sequence[Event]) -> int:
    return sum([event.tokens for event in events])


def _cost(events: Sequence[Event], window: timedelta) -> Optional[float]:
    costs = [event.cost_usd for event in events]
    if any(cost is None for cost in costs):
        return None
    return sum(cost for cost in costs if cost is not None) / minutes(window) * 60
