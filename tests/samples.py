"""Made readings in every state the screen knows, at one fixed moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Optional

import pytz

from monitor.model.blocks import SESSION, Block, Event, TokenCounts
from monitor.model.forecast import RUNS_OUT as RUNS_OUT_FROM
from monitor.model.forecast import TIGHT as TIGHT_FROM
from monitor.model.history import CompletedBlock, History
from monitor.model.limit_hits import LimitHit
from monitor.model.official import (
    Asked,
    Capture,
    ExtraUsage,
    OfficialLimits,
    RateLimitWindow,
    parse_rate_limits,
    with_session,
)
from monitor.model.plans import Rules
from monitor.model.reading import DataSize, Reading, Source, Unreadable
from monitor.model.usage import Usage, measure
from monitor.model.week_projection import FIRST_LEVEL, FIRST_WEIGHT, ROUNDING

NOW = datetime(2026, 6, 10, 18, 32, 7, tzinfo=timezone.utc)
START = datetime(2026, 6, 10, 16, 0, tzinfo=timezone.utc)
RULES = Rules(plan="max5", zone=pytz.timezone("US/Eastern"))


COST = 12.4


def events_over(
    minutes: float, tokens: int, first: float = 12, count: int = 40
) -> tuple[Event, ...]:
    """Spread `tokens` evenly over `minutes`, from `first` minutes after START."""
    step = minutes / count
    share, rest = divmod(tokens, count)
    return tuple(
        Event(
            START + timedelta(minutes=first + step * (i + 1)),
            share + (1 if i < rest else 0),
            COST / count,
        )
        for i in range(count)
    )


def block_of(events: tuple[Event, ...], limit_reset: Optional[datetime] = None) -> Block:
    """Make the active block that these events add up to."""
    counted = sum(event.tokens for event in events)
    start = events[0].at.replace(minute=0, second=0, microsecond=0)
    return Block(
        id=start.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        start=start,
        end=start + SESSION,
        last_activity=events[-1].at,
        is_active=True,
        is_gap=False,
        entries=len(events),
        tokens=TokenCounts(counted // 10, counted - counted // 10, 310_400, 5_120_880),
        cost_usd=COST,
        models=("claude-opus-4-20250514", "claude-sonnet-4-20250514", "claude-3-5-haiku-20241022"),
        limit_reset=limit_reset,
    )


def past_block(days: int, counted: int, hour: int = 9) -> Block:
    """Make a completed block some days before NOW."""
    start = (NOW - timedelta(days=days)).replace(hour=hour, minute=0, second=0)
    return Block(
        id=start.isoformat(),
        start=start,
        end=start + SESSION,
        last_activity=start + timedelta(hours=3),
        is_active=False,
        is_gap=False,
        entries=90,
        tokens=TokenCounts(counted // 10, counted - counted // 10, 90_000, 800_000),
        cost_usd=6.2,
        models=("claude-sonnet-4-20250514",),
    )


PAST = (past_block(3, 21_000), past_block(2, 30_500), past_block(1, 26_200))
HISTORY = History(tuple(CompletedBlock(block) for block in PAST), NOW - timedelta(hours=1))


SOURCE = Source(
    ccusage_version="20.0.24",
    data_dirs=("/home/you/.claude",),
    scan="window",
    size=DataSize(files=212, bytes=88_000_000),
)


def reading_of(*blocks: Block, events: Optional[tuple[Event, ...]] = None) -> Reading:
    """Make a reading of these blocks after the completed ones of PAST."""
    return Reading(
        blocks=(*PAST, *blocks),
        read_at=NOW - timedelta(seconds=2),
        source=SOURCE,
        events=events,
    )


def with_source(reading: Reading, **changes: Any) -> Reading:
    """Make the same reading from another source."""
    return replace(reading, source=replace(reading.source, **changes))


def active(events: tuple[Event, ...], limit_reset: Optional[datetime] = None) -> Reading:
    """Make a reading whose active block has these events."""
    return reading_of(block_of(events, limit_reset), events=events)


OK = active(events_over(138, 9_000))
TIGHT = active(events_over(136, 18_500))
RUNS_OUT = active(events_over(138, 27_900))
EXCEEDED = active(events_over(138, 48_020))
LIMIT_REACHED = active(events_over(120, 34_100), NOW + timedelta(hours=1, minutes=28))
STOPPED = active(events_over(112, 27_900))  # 28 minutes ago
WARMING_UP = active(events_over(3, 1_200, first=148, count=6))
NEARLY = active(events_over(3, 32_900, first=148, count=6))
IDLE = reading_of()
EMPTY = replace(with_source(IDLE, size=DataSize()), blocks=())
STALE = replace(
    RUNS_OUT,
    read_at=NOW - timedelta(minutes=4),
    error="ccusage did not answer within 20 s.",
)
OLD_VERSION = with_source(OK, ccusage_version="17.2.1")
NO_SERIES = replace(TIGHT, events=None)
FUTURE = replace(OK, blocks=(*OK.blocks, replace(past_block(-1, 90_000), is_active=True)))

STATES = {
    "ok": OK,
    "tight": TIGHT,
    "runs-out": RUNS_OUT,
    "exceeded": EXCEEDED,
    "limit-reached": LIMIT_REACHED,
    "warming-up": WARMING_UP,
    "idle": IDLE,
    "empty": EMPTY,
    "stale": STALE,
    "old-version": OLD_VERSION,
    "no-series": NO_SERIES,
    "future": FUTURE,
}


def window(resets_in: timedelta, *sights: tuple[float, float]) -> RateLimitWindow:
    """Make an official limit from sights of it: minutes before NOW, and percent."""
    captures = tuple(Capture(NOW - timedelta(minutes=ago), percent) for ago, percent in sights)
    return RateLimitWindow(captures[-1].used_percent, NOW + resets_in, captures[-1].at, captures)


def official_limits(
    five_hour: Optional[RateLimitWindow] = None, seven_day: Optional[RateLimitWindow] = None
) -> OfficialLimits:
    """Make the official limits that are known."""
    windows = {"five_hour": five_hour, "seven_day": seven_day}
    return OfficialLimits({key: known for key, known in windows.items() if known})


FIVE_HOURS, DAYS = timedelta(hours=2, minutes=37, seconds=53), timedelta(days=3, hours=4)


def week_that_runs_out(after: timedelta, passed: float = 0.55) -> RateLimitWindow:
    """Make a weekly limit that most likely runs out then, for a user of whom nothing is known.

    `passed` is the share of the week that has passed.
    """
    ahead, weight = after / WEEK_LONG, passed + FIRST_WEIGHT
    earlier = FIRST_LEVEL * FIRST_WEIGHT + ROUNDING
    percent = (100 * weight - ahead * earlier) / (weight + ahead)
    return window(WEEK_LONG * (1 - passed), (0, percent))


WEEK_LONG = timedelta(days=7)


WEEK = window(DAYS, (100, 40.2), (0.3, 41.4))

OFFICIAL = {
    "official": official_limits(window(FIVE_HOURS, (90, 21), (40, 48), (0.3, 63.4)), WEEK),
    "official-alone": official_limits(window(FIVE_HOURS, (0.3, 63.4)), WEEK),
    "official-old": official_limits(window(FIVE_HOURS, (35, 1)), WEEK),
    "bridged": official_limits(window(FIVE_HOURS, (90, 21), (40, 48)), WEEK),
    "week-first": official_limits(
        window(FIVE_HOURS, (90, 21), (0.3, 33)), week_that_runs_out(timedelta(minutes=36))
    ),
    "week-near": official_limits(
        window(FIVE_HOURS, (90, 21), (0.3, 33)), window(timedelta(hours=20), (90, 86.1), (0.3, 88))
    ),
    "official-reached": official_limits(window(FIVE_HOURS, (40, 88), (11, 100), (0.3, 102)), WEEK),
    "week-reached": official_limits(
        window(FIVE_HOURS, (90, 21), (28, 33)), window(DAYS, (90, 97), (24, 100))
    ),
    "extra-usage": official_limits(window(FIVE_HOURS, (40, 88), (11, 100), (0.3, 102)), WEEK),
    "week-extra-usage": official_limits(
        window(FIVE_HOURS, (90, 21), (0.3, 33)), window(DAYS, (90, 97), (24, 100), (0.3, 100))
    ),
    "official-idle": official_limits(window(FIVE_HOURS, (14, 37)), window(DAYS, (14, 41))),
    "official-reached-elsewhere": official_limits(window(FIVE_HOURS, (70, 100)), WEEK),
}
"""What Claude Code has said of its limits; the local part is in LOCAL, else RUNS_OUT."""

LOCAL = {
    "official-reached": STOPPED,
    "week-reached": STOPPED,
    "official-idle": IDLE,
    "official-reached-elsewhere": IDLE,
}


class Sample(NamedTuple):
    """What is known in a state, and the rules it is measured by."""

    reading: Reading
    official: Optional[OfficialLimits] = None
    history: History = HISTORY
    rules: Rules = RULES


def hit(window_id: str, ago: float, resets_in: timedelta) -> History:
    """Make a history with a limit hit in a transcript, some minutes before NOW."""
    at = NOW - timedelta(minutes=ago)
    return replace(HISTORY, hits=(LimitHit(at, window_id, NOW + resets_in),))


def unpriced(reading: Reading, *models: str) -> Reading:
    """Make the same reading, with models used that ccusage has no price for."""
    block = replace(reading.blocks[-1], models=("claude-opus-4-20250514", *models))
    blocks = (*reading.blocks[:-1], block)
    return replace(reading, blocks=blocks, unpriced_models=tuple(sorted(models)))


NOBODY_CHOSE = Rules(is_plan_chosen=False, zone=pytz.timezone("US/Eastern"))
"""The default plan, which nobody named."""

FIRST_EVER = replace(OK, blocks=OK.blocks[-1:])
"""A first block, with none before it."""

BEGINNER = replace(
    active(events_over(138, 2_900)), blocks=active(events_over(138, 2_900)).blocks[-1:]
)

PROJECTS = "/home/you/.claude/projects"
UNREADABLE = (
    Unreadable(f"{PROJECTS}/-srv-shop", "root", f"sudo chown -R $(id -un) '{PROJECTS}'"),
    Unreadable(f"{PROJECTS}/-srv-blog/5f.jsonl", "root", f"sudo chown -R $(id -un) '{PROJECTS}'"),
)
STORE_ERROR = (
    "/home/you/.local/state/ccusage-monitor belongs to root: nothing is stored. "
    "Run: sudo chown -R $(id -un) '/home/you/.local/state/ccusage-monitor'"
)

NO_BLOCKS = History((), NOW)


def asked(**windows: RateLimitWindow) -> OfficialLimits:
    """Make what Claude Code has answered of these windows."""
    told = {key: replace(known, origin="claude") for key, known in windows.items()}
    return OfficialLimits(told, plan="max", asked=Asked(NOW - timedelta(seconds=18)))


WEEK_OF_FABLE = replace(week_that_runs_out(timedelta(hours=9)), resets_at=NOW + timedelta(days=2))

ANSWERED = {
    "asked": replace(
        asked(
            five_hour=window(FIVE_HOURS, (90, 21), (40, 48), (0.3, 63.4)),
            seven_day=WEEK,
            seven_day_sonnet=window(DAYS, (0.3, 12)),
            **{"model:Fable": window(DAYS, (0.3, 55))},
        ),
        extra_usage=ExtraUsage(12.5, 50.0, 25.0),
    ),
    "asked-model-first": asked(
        five_hour=window(FIVE_HOURS, (90, 21), (0.3, 33)),
        seven_day=WEEK,
        **{"model:Opus-4": WEEK_OF_FABLE},
    ),
    "asked-no-reset": asked(five_hour=RateLimitWindow(63.0, None, NOW - timedelta(seconds=18))),
}
"""What Claude Code has answered; the local part is RUNS_OUT."""

SAMPLES = {
    **{name: Sample(RUNS_OUT, official) for name, official in ANSWERED.items()},
    **{name: Sample(reading) for name, reading in STATES.items()},
    "empty": Sample(EMPTY, history=NO_BLOCKS),
    **{name: Sample(LOCAL.get(name, RUNS_OUT), official) for name, official in OFFICIAL.items()},
    "stopped": Sample(STOPPED, history=hit("five_hour", 24, timedelta(hours=1, minutes=58))),
    "stopped-week": Sample(STOPPED, history=hit("seven_day", 24, DAYS)),
    "stopped-opus": Sample(STOPPED, history=hit("seven_day_opus", 24, DAYS)),
    "nearly-used": Sample(NEARLY),
    "nobody-chose": Sample(OK, rules=NOBODY_CHOSE),
    "first-ever": Sample(BEGINNER, history=NO_BLOCKS, rules=NOBODY_CHOSE),
    "first-ever-passed": Sample(FIRST_EVER, history=NO_BLOCKS, rules=NOBODY_CHOSE),
    "unpriced": Sample(unpriced(OK, "claude-opus-5-5")),
    "unreadable": Sample(with_source(OK, unreadable=UNREADABLE)),
    "unreadable-idle": Sample(with_source(EMPTY, unreadable=UNREADABLE[:1]), history=NO_BLOCKS),
    "store-error": Sample(OK, history=replace(HISTORY, store_error=STORE_ERROR)),
}
"""Every state that the screen knows, by a name."""


def usage_of(
    reading: Reading, rules: Rules = RULES, official: Optional[OfficialLimits] = None
) -> Usage:
    """Measure a sample reading at NOW."""
    return measure(reading, HISTORY, rules, NOW, official)


LIKELY = {
    "tight": (0.36, (1_100, 7_900, 24_500)),
    "runs-out": (0.83, (3_600, 14_900, 33_100)),
    "stale": (0.93, (8_200, 16_900, 38_100)),
    "official": (0.83, (12_000, 22_000, 40_000)),
    "first-ever": (0.12, (300, 1_400, 4_700)),
}
"""Made probabilities and 10-50-90 % bands of the tokens still to come.

With them no sample changes when the forecast learns; the states not named have a small risk.
"""


def usage_in(state: str, rules: Optional[Rules] = None) -> Usage:
    """Measure the sample of a state, with the made probability in its forecast."""
    reading, official, history, own_rules = SAMPLES[state]
    usage = measure(reading, history, rules or own_rules, NOW, official)
    if usage.forecast.probability is None:
        return usage
    chance, more = LIKELY.get(state, (0.06, (900, 4_300, 15_000)))
    low, median, high = (usage.tokens.counted + count for count in more)
    verdict = "runs_out" if chance >= RUNS_OUT_FROM else "tight" if chance >= TIGHT_FROM else "ok"
    limit, end = usage.five_hour.limit_tokens, usage.reset.at
    assert limit is not None and end is not None
    used = usage.tokens.counted
    earliest, likely_at, latest = (_reached_at(used, n, limit, end) for n in (high, median, low))
    made = replace(
        usage.forecast,
        verdict=verdict,
        probability=chance,
        earliest=earliest,
        likely_at=likely_at,
        latest=latest,
        likely_percent=usage.five_hour.percent_at(median),
        likely_range=(usage.five_hour.percent_at(low), usage.five_hour.percent_at(high)),
        tokens=(low, median, high),
    )
    return replace(usage, forecast=made)


def _reached_at(used: int, end_tokens: float, limit: float, end: datetime) -> Optional[datetime]:
    """When a straight line to `end_tokens` at the reset reaches the limit."""
    if end_tokens < limit:
        return None
    return NOW + (end - NOW) * ((limit - used) / (end_tokens - used))


def captured(
    raw: object,
    now: datetime,
    limits: Optional[OfficialLimits] = None,
    session: str = "a session",
    api_ms: Optional[float] = None,
) -> OfficialLimits:
    """Let a session report `rate_limits` at `now`; return what is known then."""
    reports = parse_rate_limits(raw, now)
    return with_session(limits or OfficialLimits(), session, reports, now, api_ms)
