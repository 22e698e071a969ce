"""Measure usage: from a reading, the rules and the present moment to everything a view may show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Optional

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
from monitor.model.headline import Headline, choose_headline
from monitor.model.history import History
from monitor.model.official import FIVE_HOUR, SEVEN_DAY, OfficialLimits, present, window_kind
from monitor.model.plans import CUSTOM_MAX, Limit, PastBlocks, Rules, choose_limit
from monitor.model.projection import project
from monitor.model.reading import Reading
from monitor.model.reset import Reset, choose_reset
from monitor.model.weekly import Weekly, weekly


@dataclass(frozen=True)
class Usage:
    """Everything there is to show at `now` (UTC); every output is made from one of these.

    `block` is the active block; `events` is its series, None if that is not known exactly.
    `official` holds only windows that are believed and not over.
    """

    now: datetime
    reading: Reading
    rules: Rules
    block: Optional[Block]
    events: Optional[tuple[Event, ...]]
    limit: Limit
    headline: Headline
    official: OfficialLimits
    burn: BurnRate
    reset: Reset
    forecast: Forecast

    @property
    def status(self) -> str:
        """`active`, `idle` (no active block) or `limit_reached`."""
        if self.official.reached is not None:
            return "limit_reached"
        if self.block is None:
            return "idle"
        limit_reset = self.block.limit_reset
        return "limit_reached" if limit_reset and limit_reset > self.now else "active"

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
    def tokens(self) -> TokenCounts:
        """The tokens of the active block; all 0 without one."""
        return self.block.tokens if self.block else TokenCounts()

    @property
    def last(self) -> Optional[Block]:
        """The newest block that has ended."""
        return last_block(self.reading.blocks, self.now)

    @cached_property
    def weekly(self) -> Optional[Weekly]:
        """The seven-day window measured against the five-hour one; None if it is not known."""
        five_hour_ends = (self.forecast.runs_out_at or self.reset.at) if self.block else None
        return weekly(self.official.windows.get(SEVEN_DAY), five_hour_ends, self.now)

    @property
    def crossed_at(self) -> Optional[datetime]:
        """When the running count went over the limit; None if it did not, or that is not known."""
        total = 0
        for event in self.events or ():
            total += event.tokens
            if total > self.limit.tokens:
                return event.at
        return None

    @property
    def needs_history(self) -> bool:
        """Whether the limit depends on blocks that only the history has."""
        passed_pro = self.limit.plan == "pro" and self.limit.tokens_over > 0
        depends = self.limit.plan == CUSTOM_MAX or passed_pro
        return depends and self.reading.source.scan != "full"

    @property
    def is_settled(self) -> bool:
        """Whether the limit in charge is known: else there is nothing to judge by yet."""
        return self.limit.is_settled or self.headline.window is not None

    @property
    def is_weekly_reached(self) -> bool:
        """Whether the official seven-day limit is reached, and is the last to reset."""
        return self.official.reached == SEVEN_DAY

    @property
    def goes_on_at(self) -> Optional[datetime]:
        """When a reached limit resets: the weekly one at its own time, whatever the reset hour."""
        week = self.official.windows.get(SEVEN_DAY) if self.is_weekly_reached else None
        return week.resets_at if week else self.reset.at

    def clock(self, when: Optional[datetime]) -> str:
        """Write a time of day in the user's format, with its day if that is not today."""
        return self.rules.time_format.minute_or_day(when, self.now) if when else "an unknown time"


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
    past = _past_blocks(reading, history, now)
    limit = choose_limit(rules, block.tokens.counted if block else 0, past)
    used_at = block.last_activity if block else None
    headline = choose_headline(limit, official.windows.get(FIVE_HOUR), events, now, used_at)
    official_reset = _official_reset(official, headline)
    usage = Usage(
        now=now,
        reading=reading,
        rules=rules,
        block=block,
        events=events,
        limit=limit,
        headline=headline,
        official=official,
        # The block's average would give another verdict than the series, a moment before it.
        burn=BurnRate(None) if block and reading.is_partial else burn_rate(block, events, now),
        reset=choose_reset(block, events, rules, official_reset, now),
        forecast=UNKNOWN,
    )
    return replace(usage, forecast=_forecast(usage))


def without_costs(usage: Usage) -> Usage:
    """Return the usage with all costs unknown, for users who hide them."""
    block = replace(usage.block, cost_usd=None) if usage.block else None
    return replace(usage, block=block, burn=replace(usage.burn, cost_per_hour=None))


def _until(events: Optional[tuple[Event, ...]], now: datetime) -> Optional[tuple[Event, ...]]:
    """Move events that a wrong clock stamped in the future to `now`: the block counts them."""
    if not events or events[-1].at <= now:
        return events
    return tuple(event._replace(at=min(event.at, now)) for event in events)


def _past_blocks(reading: Reading, history: Optional[History], now: datetime) -> PastBlocks:
    history = history or History()
    ended = [block for block in real_blocks(reading.blocks) if block.end <= now]
    return PastBlocks(
        ended + [item.block for item in history.ended(now)],
        is_complete=reading.source.scan == "full" or history.read_at is not None,
        error=history.error,
    )


def _official_reset(official: OfficialLimits, headline: Headline) -> Optional[Reset]:
    """Return the reset of the official window in charge; None if there is none, or not known."""
    window_id = official.reached or (FIVE_HOUR if headline.window else None)
    at = official.windows[window_id].resets_at if window_id else None
    if window_id is None or at is None:
        return None
    length = window_kind(window_id).length
    return Reset(at, "official", start=at - length if length else None)


def _forecast(usage: Usage) -> Forecast:
    block, events, headline, reset_at = usage.block, usage.events, usage.headline, usage.reset.at
    if usage.status != "active" or not usage.is_settled:
        return UNKNOWN
    if block is None or reset_at is None or headline.limit_tokens is None:
        return UNKNOWN
    projection = project(events, block.start, reset_at, usage.now) if events else None
    result = forecast(
        usage.limit.used, headline.limit_tokens, usage.burn, projection, reset_at, usage.now
    )
    if result.tokens is None:
        return result
    low, median, high = (headline.percent_at(tokens) for tokens in result.tokens)
    return replace(result, likely_percent=median, likely_range=(low, high))
