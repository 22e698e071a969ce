"""The facts of the live screen, a name and a value each: used, pace, reset, cost and so on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from monitor.model.blocks import SESSION, Block
from monitor.model.formatting import (
    age,
    between,
    count,
    dollars,
    duration,
    model_names,
    nearest_minute,
    percent,
    plural,
    rate,
    size,
    visible,
)
from monitor.model.official import (
    FIVE_HOUR,
    SEVEN_DAY,
    SPEND_LIMIT,
    RateLimitWindow,
    is_fresh,
    window_kind,
)
from monitor.model.plans import PLAN_TOKENS
from monitor.model.usage import Usage
from monitor.views.screen.layout import Rank, Row
from monitor.views.text import DOT, Span, line, sides, wrap_list

LABEL = 10
"""Cells of a fact's name."""

RESET_SOURCES = {
    "block_end": "end of block",
    "reset_hour": "your reset hour",
    "limit_message": "Claude's limit message",
    "official": "official",
}


WINDOW_NAMES = {FIVE_HOUR: "Official", SEVEN_DAY: "Week", SPEND_LIMIT: "Spend"}


class Fact(NamedTuple):
    """A name, a value, a note at the right or below, and the role of the value."""

    rank: Rank
    name: str
    value: str
    note: str = ""
    role: str = ""


def fact_rows(usage: Usage, width: int, ellipsis: str) -> Iterator[Row]:
    """Yield the rows of all facts."""
    for fact in _active_facts(usage, usage.block) if usage.block else _idle_facts(usage):
        yield from _rows(fact, width, ellipsis)


def _rows(fact: Fact, width: int, ellipsis: str) -> Iterator[Row]:
    room, indent = width - LABEL - 1, " " * (LABEL + 1)
    first, *more = (Span(part, fact.role) for part in wrap_list(fact.value, room))
    left = line(Span(f" {fact.name:<{LABEL - 1}} ", "label"), first)
    note = Span(f"{fact.note} ", "dim")
    beside = sides(left, line(note) if fact.note else (), width, ellipsis)
    yield Row(fact.rank, beside)
    yield from (Row(fact.rank, line(indent, part)) for part in more)
    if fact.note and note not in beside:
        for part in wrap_list(fact.note, room):
            yield Row(Rank.NOTE, line(indent, Span(part, "dim")), fact.rank)


def _active_facts(usage: Usage, block: Block) -> Iterator[Fact]:
    if usage.headline.window is None:
        yield Fact(Rank.USED, "Used", _used(usage), _limit_note(usage))
    else:
        yield Fact(Rank.USED, "Used", _official_used(usage), _limit_in_tokens(usage))
    yield from _official_facts(usage)
    if usage.status == "active":
        yield _pace(usage)
        yield Fact(Rank.RUNS_OUT, "Runs out", _runs_out(usage), _pause(usage))
    yield from _resets(usage)
    models = model_names(block.models)
    if block.cost_usd is not None:
        hourly = usage.burn.cost_per_hour
        per_hour = f"{DOT}{dollars(hourly)}/h" if hourly is not None else ""
        yield Fact(Rank.COST, "Cost", f"{dollars(block.cost_usd)} API-equivalent{per_hour}", models)
    elif models:
        yield Fact(Rank.COST, "Models", models)


def _idle_facts(usage: Usage) -> Iterator[Fact]:
    last, source = usage.last, usage.reading.source
    if last is not None:
        used = last.tokens.counted
        value = f"{count(used)} tokens{DOT}{percent(100 * used / usage.limit.tokens)} of the limit"
        yield Fact(Rank.LAST_BLOCK, "Last", value, f"block of {usage.clock(last.start)}")
    yield Fact(Rank.LIMIT, "Limit", f"{_limit_tokens(usage)} tokens", _limit_note(usage))
    yield from _official_facts(usage)
    yield from _resets(usage)
    directories = ", ".join(visible(name) for name in source.data_dirs)
    amount = f"{size(source.size.bytes)} in {plural(source.size.files, 'file')}"
    yield Fact(Rank.DATA, "Data", directories, amount)
    if last is None:
        yield Fact(Rank.SAMPLE, "Sample", "run it with --demo", "this screen on sample usage")


def _used(usage: Usage) -> str:
    limit, used = usage.limit, count(usage.tokens.counted)
    if not usage.is_settled:
        return f"{used} tokens"
    over = f"{count(limit.tokens_over)} over" if limit.tokens_over else ""
    return f"{used} of {_limit_tokens(usage)}{DOT}{over or f'{count(limit.tokens_left)} left'}"


def _limit_tokens(usage: Usage) -> str:
    return ("~" if usage.limit.source == "plan" else "") + count(usage.limit.tokens)


def _limit_note(usage: Usage) -> str:
    if usage.limit.note:
        return usage.limit.note
    if usage.limit.source == "user":
        return "your token limit"
    built_in = usage.limit.plan in PLAN_TOKENS
    return "plan estimate of mid-2025" if built_in else "plan of your settings file"


def _official_used(usage: Usage) -> str:
    window, bridge = usage.headline.window, usage.headline.bridge
    assert window is not None  # noqa: S101 - the caller has looked
    if bridge is None:
        here = f"{count(usage.tokens.counted)} tokens here"
        return f"{percent(window.used_percent)} official, {_age(usage, window)}{DOT}{here}"
    base = f"official {percent(bridge.base.used_percent)} at {usage.clock(bridge.base.at)}"
    since = f"{count(bridge.tokens_since)} tokens since"
    return f"≈ {percent(usage.headline.used_percent)}: {base}, and {since}"


def _limit_in_tokens(usage: Usage) -> str:
    """Say how many tokens an official limit is worth at the present mix."""
    worth = usage.headline.tokens_per_percent
    # Two digits: it was learned from whole percents.
    return f"100 % ≈ {count(float(f'{100 * worth:.2g}'))} tokens at this mix" if worth else ""


def _official_facts(usage: Usage) -> Iterator[Fact]:
    for key, window in usage.official.windows.items():
        if key == FIVE_HOUR and usage.block and usage.headline.window:
            continue  # it leads
        label, length = window_kind(key)
        rank = Rank.SPEND if length is None else Rank.OFFICIAL
        yield _window(usage, rank, WINDOW_NAMES.get(key, label), window)


def _window(usage: Usage, rank: Rank, name: str, window: RateLimitWindow) -> Fact:
    used, note = f"{percent(window.used_percent)} used", "official"
    fresh = is_fresh(window, usage.now)
    if fresh:
        note += f", {_age(usage, window)}"
    else:
        used += f" {_age(usage, window)}"
    if window.resets_at is not None:
        used += f"{DOT}resets in {duration(window.resets_at - usage.now)}"
        note = f"{usage.clock(window.resets_at)}{DOT}{note}"
    return Fact(rank, name, used, note, "" if fresh else "dim")


def _age(usage: Usage, window: RateLimitWindow) -> str:
    return f"{age(usage.now - window.captured_at)} ago"


def _pace(usage: Usage) -> Fact:
    burn, sustainable = usage.burn, usage.forecast.sustainable
    pace = burn.tokens_per_minute
    value = "warming up" if pace is None else f"{rate(pace)} tokens/min"
    if sustainable is not None:
        value += f"{DOT}you can afford {rate(sustainable)}/min"
    note = "" if burn.window_minutes is None else f"last {burn.window_minutes:.0f} min"
    return Fact(Rank.PACE, "Pace", value, note if burn.exact else "average of the block")


def _runs_out(usage: Usage) -> str:
    forecast = usage.forecast
    if forecast.verdict == "exceeded":
        return f"over since {usage.clock(usage.crossed_at)}" if usage.crossed_at else "over"
    if forecast.verdict == "unknown":
        return "not known yet"
    text = "not at this pace"
    if forecast.runs_out_at is not None:
        text = f"{usage.clock(forecast.runs_out_at)} at this pace"
    if forecast.probability is None:
        return text
    return f"{text}{DOT}{percent(100 * forecast.probability)} chance before the reset"


def _pause(usage: Usage) -> str:
    runs_out_at, reset_at = usage.forecast.runs_out_at, usage.reset.at
    if runs_out_at is None or reset_at is None:
        return ""
    # To pause for a whole block or longer is no advice.
    is_short = reset_at - runs_out_at < SESSION
    return f"pausing {between(runs_out_at, reset_at)} avoids it" if is_short else ""


def _resets(usage: Usage) -> Iterator[Fact]:
    at, latest, block = usage.reset.at, usage.reset.latest, usage.block
    if at is None:
        return
    span = usage.clock(at) + (f"–{_clock_after(usage, at, latest)}" if latest else "")
    note = RESET_SOURCES.get(usage.reset.source or "", "")
    if usage.reset.source == "reset_hour" and block and block.end < at:
        # The count starts afresh then, and the chart ends there.
        note += f"; the block ends {usage.clock(block.end)}"
    yield Fact(Rank.RESETS, "Resets", f"{span} in {duration(at - usage.now)}", note)


def _clock_after(usage: Usage, first: datetime, when: datetime) -> str:
    """Write a time after `first`, with its day if that is another."""
    time_format = usage.rules.time_format
    days = {time_format.day(nearest_minute(moment)) for moment in (first, when)}
    return time_format.minute(when) if len(days) == 1 else usage.clock(when)
