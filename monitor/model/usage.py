"""Measure: from a reading, the rules and the present moment to everything a view may show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from monitor.model.formatting import TimeFormat
from monitor.model.headline import Headline, choose_headline
from monitor.model.history import History
from monitor.model.official import FIVE_HOUR, SEVEN_DAY, OfficialLimits, present, window_kind
from monitor.model.plans import CUSTOM_MAX, PLAN_TOKENS, Limit, choose_limit, highest_block
from monitor.model.projection import project
from monitor.model.reading import Reading
from monitor.model.reset import Reset, choose_reset
from monitor.model.weekly import Weekly, weekly


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
    def time_format(self) -> TimeFormat:
        """How times are written."""
        return TimeFormat(self.zone, self.twelve_hour)


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
    headline: Headline
    official: OfficialLimits
    weekly: Optional[Weekly] = None

    @property
    def state(self) -> str:
        """How serious things are, in one word.

        This is `idle`, `limit_reached`, `weekly` when the weekly limit comes first, or else the
        verdict on the five-hour limit.
        """
        if self.status != "active":
            return self.status
        weekly_first = self.weekly is not None and self.weekly.comes_first
        return "weekly" if weekly_first else self.forecast.verdict

    @property
    def percent(self) -> float:
        """The percentage in charge: official, bridged, or the estimate."""
        return self.headline.used_percent

    @property
    def level(self) -> Optional[float]:
        """The local count at which the limit in charge is reached; None while that is unknown."""
        return self.headline.limit_tokens

    @property
    def used_percent(self) -> float:
        """Counted tokens over the token limit, not clamped: 137.2 is possible."""
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
    def needs_history(self) -> bool:
        """Whether the limit depends on blocks that only the history has."""
        if self.rules.token_limit is not None or self.reading.scan == "full":
            return False
        return self.rules.plan == CUSTOM_MAX or (self.rules.plan == "pro" and self.exceeded)

    @property
    def is_settled(self) -> bool:
        """Whether the limit in charge is known: else there is nothing to judge by yet."""
        return _is_settled(self.limit, self.headline)

    @property
    def is_weekly_reached(self) -> bool:
        """Whether the user has to wait for the official seven-day limit."""
        return self.official.reached == SEVEN_DAY

    @property
    def goes_on_at(self) -> Optional[datetime]:
        """When a reached limit resets: the weekly one's own time, whatever the reset hour."""
        weekly = self.official.windows.get(SEVEN_DAY) if self.is_weekly_reached else None
        return weekly.resets_at if weekly else self.reset.at

    @property
    def elapsed_percent(self) -> Optional[float]:
        """How much of the time up to the reset has passed, since the block or window began."""
        if self.block is None or self.reset.at is None:
            return None
        start = self.block.start
        length = window_kind(self.official.reached or FIVE_HOUR).length
        if self.reset.source == "official" and length is not None:
            start = self.reset.at - length
        return max(0.0, 100 * (self.now - start) / (self.reset.at - start))


def measure(
    reading: Reading,
    history: Optional[History],
    rules: Rules,
    now: datetime,
    official: Optional[OfficialLimits] = None,
) -> Usage:
    """Work out what `reading` means at `now`. `history` is None while it is not known yet."""
    official = present(official or OfficialLimits(), now)
    block = active_block(reading.blocks, now)
    events = _until(reading.events, now) if block and is_whole(block, reading.events) else None
    tokens = block.tokens if block else TokenCounts()
    limit = _limit(reading, history, rules, tokens.counted, now)
    used_at, window = block.last_activity if block else None, official.windows.get(FIVE_HOUR)
    headline = choose_headline(tokens.counted, limit.tokens, window, events, now, used_at)
    status = _status(block, official, now)
    resets_at = _official_reset(headline, official)
    reset = choose_reset(block, events, rules.reset_hour, resets_at, rules.zone, now)
    # No verdict from the average while the series is on its way: it would turn a moment later.
    burn = BurnRate(None) if block and reading.partial else burn_rate(block, events, now)
    judged = status == "active" and _is_settled(limit, headline)
    outcome = _forecast(block, events, headline, burn, reset, now) if judged else UNKNOWN
    return Usage(
        now=now,
        status=status,
        reading=reading,
        rules=rules,
        block=block,
        last=last_block(reading.blocks, now),
        events=events,
        tokens=tokens,
        limit=limit,
        burn=burn,
        reset=reset,
        forecast=outcome,
        crossed_at=_crossed_at(events, limit.tokens),
        headline=headline,
        official=official,
        weekly=_weekly(official, block, outcome, reset, now),
    )


def without_costs(usage: Usage) -> Usage:
    """Return the usage with all costs unknown, for users who hide them."""
    block = replace(usage.block, cost_usd=None) if usage.block else None
    return replace(usage, block=block, burn=replace(usage.burn, cost_per_hour=None))


def _is_settled(limit: Limit, headline: Headline) -> bool:
    return limit.settled or headline.window is not None


def _until(events: Optional[tuple[Event, ...]], now: datetime) -> Optional[tuple[Event, ...]]:
    """Take messages that a wrong clock stamped in the future for just sent: they are counted."""
    if not events or events[-1].at <= now:
        return events
    return tuple(event._replace(at=min(event.at, now)) for event in events)


def _status(block: Optional[Block], official: OfficialLimits, now: datetime) -> str:
    if official.reached is not None:
        return "limit_reached"
    if block is None:
        return "idle"
    stopped = block.limit_reset is not None and block.limit_reset > now
    return "limit_reached" if stopped else "active"


def _official_reset(headline: Headline, official: OfficialLimits) -> Optional[datetime]:
    """Return the official reset while an official percentage is in charge: never half of it."""
    window = official.windows[official.reached] if official.reached else headline.window
    return window.resets_at if window else None


def _weekly(
    official: OfficialLimits,
    block: Optional[Block],
    outcome: Forecast,
    reset: Reset,
    now: datetime,
) -> Optional[Weekly]:
    ends = (outcome.runs_out_at or reset.at) if block else None
    return weekly(official.windows.get(SEVEN_DAY), ends, now)


def _limit(
    reading: Reading, history: Optional[History], rules: Rules, counted: int, now: datetime
) -> Limit:
    completed = [b for b in real_blocks(reading.blocks) if b.end <= now]
    kept = [item.block for item in history.ended(now)] if history else []
    return choose_limit(
        rules.plan,
        rules.token_limit,
        counted,
        highest_block(completed + kept),
        rules.time_format,
        rules.plan_tokens,
        history_known=reading.scan == "full" or bool(history and history.read_at),
        history_error=reading.history_error,
    )


def _forecast(
    block: Optional[Block],
    events: Optional[Sequence[Event]],
    headline: Headline,
    burn: BurnRate,
    reset: Reset,
    now: datetime,
) -> Forecast:
    if block is None or reset.at is None or headline.limit_tokens is None:
        return UNKNOWN
    view = project(events, block.start, reset.at, now) if events else None
    found = forecast(headline.used_tokens, headline.limit_tokens, burn, view, reset.at, now)
    if found.tokens is None:
        return found
    low, median, high = (headline.percent_at(tokens) for tokens in found.tokens)
    return replace(found, likely_percent=median, likely_range=(low, high))


def _crossed_at(events: Optional[Sequence[Event]], limit: int) -> Optional[datetime]:
    """Return when the running count went over the limit, None if it did not or is not known."""
    total = 0
    for event in events or ():
        total += event.tokens
        if total > limit:
            return event.at
    return None
