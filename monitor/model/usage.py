"""Measure usage: from a reading, the rules and the present moment to everything a view may show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Optional

from monitor.model.blocks import (
    SESSION,
    Block,
    Event,
    TokenCounts,
    active_block,
    is_whole,
    last_block,
    real_blocks,
)
from monitor.model.burn import BurnRate, burn_rate
from monitor.model.five_hour import FiveHour, choose_five_hour
from monitor.model.forecast import NEARLY, NEARLY_FULL, UNKNOWN, Forecast, forecast
from monitor.model.headline import (
    Headline,
    five_hour_headline,
    idle_headline,
    reached_headline,
    weekly_headline,
    worst,
)
from monitor.model.history import History, Spending, spending
from monitor.model.limit_hits import (
    Reached,
    answered_at,
    find_reached,
    reset_within,
    source_of,
    with_marks,
)
from monitor.model.official import (
    FIVE_HOUR,
    FULL,
    SEVEN_DAY,
    WEEK,
    OfficialLimits,
    is_week,
    past_weeks_before,
    present,
)
from monitor.model.plans import CUSTOM_MAX, Limit, PastBlocks, Rules, choose_limit
from monitor.model.projection import project
from monitor.model.reading import Reading
from monitor.model.reset import Reset, choose_reset, message_reset, reached_reset
from monitor.model.week_plan import WeekPlan, plan_week
from monitor.model.week_projection import project_week
from monitor.model.week_shape import WeekShape, expected_week, known_shape
from monitor.model.weekly import Weekly, binding_week, weekly

NO_HISTORY = History()


@dataclass(frozen=True)
class Usage:
    """Everything there is to show at `now` (UTC); every output is made from one of these.

    `block` is the active block; `events` is its series, None if that is not known exactly. If the
    limit reset within the block, `events` and `limit.used` count from then on. `official` holds
    only windows that are believed and not over. `reached` is the limit that stops the user now,
    None if none does. `history` is empty while it is not known yet.
    """

    now: datetime
    reading: Reading
    rules: Rules
    block: Optional[Block]
    events: Optional[tuple[Event, ...]]
    limit: Limit
    five_hour: FiveHour
    official: OfficialLimits
    burn: BurnRate
    reset: Reset
    forecast: Forecast
    reached: Optional[Reached] = None
    history: History = NO_HISTORY

    @property
    def status(self) -> str:
        """`active`, `idle` (no active block) or `limit_reached`."""
        if self.reached is not None:
            return "limit_reached"
        return "idle" if self.block is None else "active"

    @property
    def state(self) -> str:
        """How serious things are, in one word.

        This is `idle`, `limit_reached`, `weekly` when a weekly limit leads, or else the verdict on
        the five-hour limit.
        """
        if self.status == "limit_reached":
            return self.status
        if not self.headline.is_five_hour:
            return "weekly"
        if self.status == "idle":
            return "unknown" if self.is_hidden else "idle"
        return self.forecast.verdict

    @property
    def is_hidden(self) -> bool:
        """Whether nothing is known, since what there is cannot be read."""
        nothing = self.block is None and self.last is None
        return nothing and bool(self.reading.source.unreadable)

    @cached_property
    def headline(self) -> Headline:
        """What every output leads with: the limit that binds."""
        if self.reached is not None:
            return reached_headline(self.reached, self.official.windows.get(self.reached.window))
        if self.block is None:
            five_hour = idle_headline(self.official.windows.get(FIVE_HOUR))
        else:
            certain = self.limit.source == "user" or self.five_hour.window is not None
            five_hour = five_hour_headline(self.five_hour, self.forecast, is_certain=certain)
        week = self.binding_week
        return worst(five_hour, weekly_headline(week) if week else None)

    @property
    def tokens(self) -> TokenCounts:
        """The tokens of the active block; all 0 without one."""
        return self.block.tokens if self.block else TokenCounts()

    @property
    def cost_usd(self) -> Optional[float]:
        """What the active block would have cost; None if a model used has no price."""
        return self.block.cost_usd if self.block and not self.unpriced_models else None

    @cached_property
    def unpriced_models(self) -> tuple[str, ...]:
        """The models of the active block that ccusage has no price for."""
        models = self.block.models if self.block else ()
        return tuple(name for name in models if name in self.reading.unpriced_models)

    @cached_property
    def spending(self) -> Spending:
        """What today and the last seven days would have cost."""
        active = (self.block.start, self.cost_usd) if self.block else None
        return spending(self.history, active, self.rules.time_format, self.now)

    @property
    def last(self) -> Optional[Block]:
        """The newest block that has ended."""
        return last_block((*self.history.blocks, *self.reading.blocks), self.now)

    @cached_property
    def weeks(self) -> dict[str, Weekly]:
        """The weekly windows that are known, by id, each with its projection."""
        return {key: self._week(key) for key in self.official.windows if is_week(key)}

    @property
    def weekly(self) -> Optional[Weekly]:
        """The seven-day window; None if it is not known."""
        return self.weeks.get(SEVEN_DAY)

    @cached_property
    def binding_week(self) -> Optional[Weekly]:
        """The weekly limit that most likely stops the user within a day; None if none may."""
        return binding_week(self.weeks.values(), self.block.models if self.block else ())

    def week_plan(self, window_id: str) -> Optional[WeekPlan]:
        """Return the plan for a weekly window; None if it or its reset is not known."""
        week = self.weeks.get(window_id)
        if week is None or week.window.resets_at is None:
            return None
        expected = expected_week(self._week_shape, week.window.resets_at - WEEK)
        cost = self.official.week_cost if window_id == SEVEN_DAY else None
        return plan_week(week.window, expected, cost, self.rules.zone, self.now)

    def _week(self, key: str) -> Weekly:
        window = self.official.windows[key]
        past = past_weeks_before(self.official, key)
        found = project_week(window, past, self._week_shape, self.now, self._used_at)
        return weekly(key, window, found, self._five_hour_ends, self.now)

    @cached_property
    def _week_shape(self) -> WeekShape:
        past = (
            (week.reached_at, week.ended_at) for week in past_weeks_before(self.official, SEVEN_DAY)
        )
        stops = [(at, until) for at, until in past if at is not None]
        hits = (hit for hit in self.history.hits if hit.window == SEVEN_DAY)
        stops += [(hit.at, hit.resets_at) for hit in hits if hit.resets_at]
        return known_shape(self.history.completed, stops, self.rules.zone, self.now)

    @property
    def _used_at(self) -> Optional[datetime]:
        """When something was used here last; None if that is not known."""
        last = self.block or self.last
        return last.last_activity if last else None

    @property
    def _five_hour_ends(self) -> Optional[datetime]:
        return (self.forecast.runs_out_at or self.reset.at) if self.block else None

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
    def still_answered(self) -> bool:
        """Whether messages were answered after the one that went over the limit."""
        events = self.events or ()
        return bool(events) and self.crossed_at is not None and events[-1].at > self.crossed_at

    @property
    def reset_within_block(self) -> Optional[datetime]:
        """When the limit that stopped the user reset within the active block (UTC), if it did."""
        return reset_within(self.history.hits, self.block, self.now)

    @property
    def tokens_before_reset(self) -> int:
        """Counted tokens of the active block before `reset_within_block`; 0 without one."""
        return self.tokens.counted - self.limit.used if self.block else 0

    @property
    def needs_history(self) -> bool:
        """Whether the limit depends on blocks that only the history has.

        For a plan that is only assumed, a history that is a day old will do.
        """
        is_assumed = not self.rules.is_plan_chosen and self.history.read_at is None
        maybe_not_pro = self.limit.tokens_over > 0 or is_assumed
        depends = self.limit.plan == CUSTOM_MAX or (self.limit.plan == "pro" and maybe_not_pro)
        return depends and self.reading.source.scan != "full"

    @property
    def is_settled(self) -> bool:
        """Whether the limit in charge is known: else there is nothing to judge by yet."""
        return self.limit.is_settled or self.five_hour.window is not None

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
    history = history or NO_HISTORY
    block = active_block(reading.blocks, now)
    every = _until(reading.events, now) if block and is_whole(block, reading.events) else None
    answered = answered_at(reading.blocks, every, now)
    began = reset_within(history.hits, block, now)
    events = tuple(e for e in every if e.at >= began) if began and every is not None else every
    official = with_marks(official or OfficialLimits(), history.hits, answered, now)
    official = present(official, now)
    past = _past_blocks(reading, history, now)
    limit = _limit(rules, block, past, events if began else None)
    used_at = block.last_activity if block else None
    five_hour = choose_five_hour(limit, official.windows.get(FIVE_HOUR), events, now, used_at)
    reached = find_reached(official, history.hits, block, answered, now)
    usage = Usage(
        now=now,
        reading=reading,
        rules=rules,
        block=block,
        events=events,
        limit=limit,
        five_hour=five_hour,
        official=official,
        # The block's average would give another verdict than the series, a moment before it.
        burn=BurnRate(None) if block and reading.is_partial else burn_rate(block, every, now),
        reset=_reset(block, events, rules, five_hour, reached, now),
        forecast=UNKNOWN,
        reached=reached,
        history=history,
    )
    if usage.unpriced_models:
        usage = replace(usage, burn=replace(usage.burn, cost_per_hour=None))
    return replace(usage, forecast=_forecast(usage))


def without_costs(usage: Usage) -> Usage:
    """Return the usage with all costs unknown, for users who hide them."""
    block = replace(usage.block, cost_usd=None) if usage.block else None
    reading = replace(usage.reading, unpriced_models=())
    burn = replace(usage.burn, cost_per_hour=None)
    return replace(usage, block=block, reading=reading, burn=burn, history=usage.history.costless)


def _until(events: Optional[tuple[Event, ...]], now: datetime) -> Optional[tuple[Event, ...]]:
    """Move events that a wrong clock stamped in the future to `now`: the block counts them."""
    if not events or events[-1].at <= now:
        return events
    return tuple(event._replace(at=min(event.at, now)) for event in events)


def _past_blocks(reading: Reading, history: History, now: datetime) -> PastBlocks:
    read = [block for block in real_blocks(reading.blocks) if block.end <= now]
    stored = [item.block for item in history.ended(now)]
    # A block counts once, as it is stored: full scans have corrected it, and what has been
    # deleted since is still in it.
    return PastBlocks(
        tuple({block.start: block for block in (*read, *stored)}.values()),
        is_complete=reading.source.scan == "full" or history.read_at is not None,
        error=history.error,
        days_read=history.round.progress.days if history.round else None,
    )


def _limit(
    rules: Rules, block: Optional[Block], past: PastBlocks, since: Optional[Sequence[Event]]
) -> Limit:
    """Return the limit; `since` are the events that count towards it, if not the whole block."""
    limit = choose_limit(rules, block.tokens.counted if block else 0, past)
    return limit if since is None else replace(limit, used=sum(event.tokens for event in since))


def _reset(
    block: Optional[Block],
    events: Optional[tuple[Event, ...]],
    rules: Rules,
    five_hour: FiveHour,
    reached: Optional[Reached],
    now: datetime,
) -> Reset:
    """Return when the five-hour limit resets, or the other one that is reached."""
    if reached is not None and reached.window != FIVE_HOUR:
        return reached_reset(reached)
    told = _official_reset(five_hour) or message_reset(block, now)
    return choose_reset(block, events, rules, told, now)


def _official_reset(five_hour: FiveHour) -> Optional[Reset]:
    """Return the reset of the official five-hour window if it is in charge; else None."""
    window, at = five_hour.window, five_hour.window.resets_at if five_hour.window else None
    return Reset(at, source_of(window), start=at - SESSION) if window and at else None


def _forecast(usage: Usage) -> Forecast:
    block, events, five_hour, reset_at = usage.block, usage.events, usage.five_hour, usage.reset.at
    if usage.status != "active" or not usage.is_settled:
        return UNKNOWN
    if block is None or reset_at is None:
        return UNKNOWN
    projection = project(events, block.start, reset_at, usage.now) if events else None
    if five_hour.window is not None and five_hour.used_percent >= FULL:
        return Forecast("exceeded")  # and still answered: extra usage goes on after the limit
    if five_hour.limit_tokens is None:
        return NEARLY if five_hour.used_percent >= NEARLY_FULL else UNKNOWN
    result = forecast(
        usage.limit.used, five_hour.limit_tokens, usage.burn, projection, reset_at, usage.now
    )
    if result.tokens is None:
        return result
    low, median, high = (five_hour.percent_at(tokens) for tokens in result.tokens)
    return replace(result, likely_percent=median, likely_range=(low, high))
