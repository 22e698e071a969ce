"""Measure: from a reading, the rules and the present moment to everything a view may show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Optional

import pytz
from pytz.tzinfo import BaseTzInfo

from monitor.model.blocks import (
    Block,
    Event,
    TokenCounts,
    active_block,
    is_whole,
    last_block,
    real_blocks,
)
from monitor.model.burn import BurnRate, burn_rate
from monitor.model.forecast import UNKNOWN, Forecast, forecast
from monitor.model.history import History
from monitor.model.plans import PLAN_TOKENS, Limit, choose_limit, highest_block
from monitor.model.probable import outlook
from monitor.model.reading import Reading
from monitor.model.reset import Reset, choose_reset
from monitor.model.words import Clock


@dataclass(frozen=True)
class Rules:
    """What the user chose that changes the numbers: the settings that the model needs."""

    plan: str = "pro"
    token_limit: Optional[int] = None
    reset_hour: Optional[int] = None
    zone: BaseTzInfo = pytz.utc
    twelve_hour: bool = False
    plan_tokens: Mapping[str, int] = field(default_factory=lambda: PLAN_TOKENS)

    @property
    def clock(self) -> Clock:
        """How times are written."""
        return Clock(self.zone, self.twelve_hour)


@dataclass(frozen=True)
class Usage:
    """Everything there is to show at `now`; every output is made from one of these."""

    now: datetime
    status: str
    reading: Reading
    rules: Rules
    block: Optional[Block]
    last: Optional[Block]
    events: Optional[tuple[Event, ...]]
    tokens: TokenCounts
    limit: Limit
    burn: BurnRate
    reset: Reset
    forecast: Forecast
    crossed_at: Optional[datetime]

    @property
    def used_percent(self) -> float:
        """Counted tokens over the limit, not clamped: 137.2 is possible."""
        return 100 * self.tokens.counted / self.limit.tokens

    @property
    def tokens_left(self) -> int:
        """Counted tokens up to the limit, never below 0."""
        return max(0, self.limit.tokens - self.tokens.counted)

    @property
    def exceeded(self) -> bool:
        """Whether more than the limit has been counted."""
        return self.tokens.counted > self.limit.tokens

    @property
    def elapsed_percent(self) -> Optional[float]:
        """How much of the time from the block's start to the reset has passed."""
        if self.block is None or self.reset.at is None:
            return None
        return 100 * (self.now - self.block.start) / (self.reset.at - self.block.start)


def measure(reading: Reading, history: Optional[History], rules: Rules, now: datetime) -> Usage:
    """Work out what `reading` means at `now`. `history` is None while it is not known yet."""
    block = active_block(reading.blocks, now)
    events = reading.events if block and is_whole(block, reading.events) else None
    tokens = block.tokens if block else TokenCounts()
    limit = _limit(reading, history, rules, tokens.counted, now)
    reset = choose_reset(block, events, rules.reset_hour, None, rules.zone, now)
    burn = burn_rate(block, events, now)
    return Usage(
        now=now,
        status=_status(block, now),
        reading=reading,
        rules=rules,
        block=block,
        last=last_block(reading.blocks, now),
        events=events,
        tokens=tokens,
        limit=limit,
        burn=burn,
        reset=reset,
        forecast=_forecast(block, events, history, limit.tokens, burn, reset, now),
        crossed_at=_crossed_at(events, limit.tokens),
    )


def _status(block: Optional[Block], now: datetime) -> str:
    if block is None:
        return "idle"
    stopped = block.limit_reset is not None and block.limit_reset > now
    return "limit_reached" if stopped else "active"


def _limit(
    reading: Reading, history: Optional[History], rules: Rules, counted: int, now: datetime
) -> Limit:
    completed = [b for b in real_blocks(reading.blocks) if b.end <= now]
    kept = history.blocks() if history else []
    return choose_limit(
        rules.plan,
        rules.token_limit,
        counted,
        highest_block(completed + kept),
        rules.clock,
        rules.plan_tokens,
    )


def _forecast(
    block: Optional[Block],
    events: Optional[Sequence[Event]],
    history: Optional[History],
    limit: int,
    burn: BurnRate,
    reset: Reset,
    now: datetime,
) -> Forecast:
    if block is None or reset.at is None or _status(block, now) == "limit_reached":
        return UNKNOWN
    past = history.past() if history else ()
    # The counts start afresh at the block's end, whatever hour the user's limit resets at.
    end = min(reset.at, block.end)
    view = outlook(events, block.start, end, now, past) if events else None
    return forecast(block.tokens.counted, limit, burn, view, reset.at, now)


def _crossed_at(events: Optional[Sequence[Event]], limit: int) -> Optional[datetime]:
    """Return when the running count went over the limit, None if it did not or is not known."""
    total = 0
    for event in events or ():
        total += event.tokens
        if total > limit:
            return event.at
    return None
