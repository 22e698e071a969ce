"""Made readings in every state the screen knows, at one fixed moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Optional

import pytz

from monitor.model.blocks import SESSION, Block, Event, TokenCounts
from monitor.model.forecast import RUNS_OUT as RUNS_OUT_FROM
from monitor.model.forecast import TIGHT as TIGHT_FROM
from monitor.model.history import CompletedBlock, History
from monitor.model.reading import DataSize, Reading
from monitor.model.usage import Rules, Usage, measure

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


def reading_of(*blocks: Block, events: Optional[tuple[Event, ...]] = None) -> Reading:
    """Make a reading of these blocks after the completed ones of PAST."""
    return Reading(
        blocks=(*PAST, *blocks),
        read_at=NOW - timedelta(seconds=2),
        ccusage_version="20.0.24",
        data_dirs=("/home/you/.claude",),
        scan="window",
        events=events,
        size=DataSize(files=212, bytes=88_000_000),
    )


def active(events: tuple[Event, ...], limit_reset: Optional[datetime] = None) -> Reading:
    """Make a reading whose active block has these events."""
    return reading_of(block_of(events, limit_reset), events=events)


OK = active(events_over(138, 9_000))
TIGHT = active(events_over(136, 18_500))
RUNS_OUT = active(events_over(138, 27_900))
EXCEEDED = active(events_over(138, 48_020))
LIMIT_REACHED = active(events_over(120, 34_100), NOW + timedelta(hours=1, minutes=28))
WARMING_UP = active(events_over(3, 1_200, first=148, count=6))
IDLE = reading_of()
EMPTY = replace(IDLE, blocks=(), size=DataSize())
STALE = replace(
    RUNS_OUT,
    read_at=NOW - timedelta(minutes=4),
    stale=True,
    error="ccusage did not answer within 20 s.",
)
OLD_VERSION = replace(OK, ccusage_version="17.2.1")
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


def usage_of(reading: Reading, rules: Rules = RULES) -> Usage:
    """Measure a sample reading at NOW."""
    return measure(reading, HISTORY, rules, NOW)


LIKELY = {
    "ok": (0.06, (9_900.0, 13_300.0, 24_000.0)),
    "tight": (0.31, (19_600.0, 26_400.0, 43_000.0)),
    "runs-out": (0.83, (31_500.0, 42_800.0, 61_000.0)),
    "stale": (0.93, (36_100.0, 44_800.0, 66_000.0)),
}
"""Made probabilities and 10-50-90 % bands, so that no sample changes when the forecast learns."""


def usage_in(state: str, rules: Rules = RULES) -> Usage:
    """Measure the sample reading of a state, with the made probability in its forecast."""
    usage = usage_of(STATES[state], rules)
    if usage.forecast.probability is None:
        return usage
    chance, tokens = LIKELY.get(state, LIKELY["ok"])
    low, median, high = (100 * count / usage.limit.tokens for count in tokens)
    verdict = "runs_out" if chance >= RUNS_OUT_FROM else "tight" if chance >= TIGHT_FROM else "ok"
    made = replace(
        usage.forecast,
        verdict=verdict,
        probability=chance,
        likely_percent=median,
        likely_range=(low, high),
        tokens=tokens,
    )
    return replace(usage, forecast=made)
