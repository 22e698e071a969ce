"""The facts of the live screen, a name and a value each: used, pace, reset, cost and so on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.model.blocks import Block
from monitor.model.formatting import (
    age,
    chance,
    count,
    dollars,
    duration,
    model_names,
    nearest_minute,
    percent,
    plural,
    rate,
    short_model,
    size,
    visible,
)
from monitor.model.official import (
    FIVE_HOUR,
    SEVEN_DAY,
    RateLimitWindow,
    is_fresh,
    split_id,
    window_kind,
)
from monitor.model.plans import PLAN_TOKENS
from monitor.model.sentence import about
from monitor.model.usage import Usage
from monitor.model.week_sentence import at_time
from monitor.views.screen.bar_rows import window_name
from monitor.views.screen.layout import Rank, Row
from monitor.views.text import DOT, Line, Span, line, sides, wrap_list

LABEL = 10
"""Cells of a fact's name."""

RESET_SOURCES = {
    "block_end": "end of block",
    "reset_hour": "your reset hour",
    "limit_message": "Claude's limit message",
    "official": "official",
}


TEN_MINUTES = timedelta(minutes=10)
"""The time to a reset that is known within a range is not told more exactly."""


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


def mostly_line(text: str, width: int, ellipsis: str) -> Line:
    """Return the line that names who used most of the block, and the key that shows all."""
    text = wrap_list(text, width - LABEL - 2)[0]
    left = line(Span(f" {'Mostly':<{LABEL - 1}} ", "label"), text)
    return sides(left, line(Span("p shows all ", "dim")), width, ellipsis)


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
    yield _used_fact(usage)
    yield from _official_facts(usage)
    if usage.status == "active" and usage.forecast.verdict != "exceeded":
        yield _pace(usage)
        value, pace = _runs_out(usage)
        yield Fact(Rank.RUNS_OUT, "Runs out", _of_five_hours(usage, value), pace)
    elif usage.status == "active" and usage.still_answered and not usage.five_hour.window:
        value = _of_five_hours(usage, "not known, as your true limit is higher")
        yield Fact(Rank.RUNS_OUT, "Runs out", value)
    yield from _resets(usage)
    yield from _cost_facts(usage, block)
    yield from _ways_out(usage)


def _idle_facts(usage: Usage) -> Iterator[Fact]:
    last, source = usage.last, usage.reading.source
    if last is not None:
        used = last.tokens.counted
        value = f"{count(used)} tokens{DOT}{percent(100 * used / usage.limit.tokens)} of the limit"
        yield Fact(Rank.LAST_BLOCK, "Last", value, f"block of {usage.clock(last.start)}")
    yield Fact(Rank.LIMIT, "Limit", f"{_limit_tokens(usage)} tokens", _limit_note(usage))
    yield from _official_facts(usage)
    yield from _resets(usage)
    yield from _spending(usage)
    directories = ", ".join(visible(name) for name in source.data_dirs)
    amount = f"{size(source.size.bytes)} in {plural(source.size.files, 'file')}"
    yield Fact(Rank.DATA, "Data", directories, amount)
    if last is None:
        yield Fact(Rank.SAMPLE, "Sample", "run it with --demo", "this screen on sample usage")


def _used_fact(usage: Usage) -> Fact:
    if usage.five_hour.window is not None:
        return Fact(Rank.USED, "Used", _official_used(usage), _limit_in_tokens(usage))
    if usage.reached is not None:
        value = f"{count(usage.tokens.counted)} tokens in this block"
        note = f"the estimate was {_limit_tokens(usage)}" if usage.headline.is_five_hour else ""
        return Fact(Rank.USED, "Used", value, note)
    return Fact(Rank.USED, "Used", _used(usage), _limit_note(usage))


def _used(usage: Usage) -> str:
    limit, used = usage.limit, count(usage.limit.used)
    if not usage.is_settled:
        return f"{used} tokens"
    rest = f"{count(limit.tokens_over)} past it" if limit.tokens_over else ""
    return f"{used} of {_limit_tokens(usage)}{DOT}{rest or f'{count(limit.tokens_left)} left'}"


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
    window, bridge = usage.five_hour.window, usage.five_hour.bridge
    assert window is not None  # noqa: S101 - the caller has looked
    if bridge is None:
        here = f"{count(usage.tokens.counted)} tokens on this machine"
        return f"official, {_age(usage, window)}{DOT}{here}"
    base = f"official {percent(bridge.base.used_percent)} at {usage.clock(bridge.base.at)}"
    since = f"{count(bridge.tokens_since)} tokens since"
    return f"{base}, and {since}"


def _limit_in_tokens(usage: Usage) -> str:
    """Say how many tokens an official limit is worth at the present mix."""
    worth = usage.five_hour.tokens_per_percent
    # Two digits: it was learned from whole percents.
    return f"100 % ≈ {count(float(f'{100 * worth:.2g}'))} at this mix" if worth else ""


def _official_facts(usage: Usage) -> Iterator[Fact]:
    on_bar = SEVEN_DAY if usage.headline.is_five_hour else usage.headline.window
    lead = usage.headline.window
    windows = sorted(usage.official.windows.items(), key=lambda item: item[0] != lead)
    for key, window in windows:
        if key == FIVE_HOUR and usage.block and usage.five_hour.window:
            continue  # it leads
        if usage.block and usage.reached is not None and key == usage.reached.window:
            continue  # the reset is that of this one
        rank = Rank.SPEND if window_kind(key).length is None else Rank.OFFICIAL
        fact = _window(usage, rank, window_name(key)[: LABEL - 1], window, on_bar=key == on_bar)
        _, place = split_id(key)
        yield fact._replace(note=visible(place)) if place else fact
    yield from _extra_usage(usage)


def _extra_usage(usage: Usage) -> Iterator[Fact]:
    extra = usage.official.extra_usage
    if extra is None:
        return
    parts = [] if extra.used_usd is None else [f"{dollars(extra.used_usd)} used"]
    parts += [] if extra.limit_usd is None else [f"{dollars(extra.limit_usd)} a month at most"]
    if not parts and extra.used_percent is not None:
        parts = [f"{percent(extra.used_percent)} used"]
    yield Fact(Rank.SPEND, "Extra", DOT.join(parts) or "on", "extra usage")


def _window(usage: Usage, rank: Rank, name: str, window: RateLimitWindow, *, on_bar: bool) -> Fact:
    """Return when an official window resets, and what is used of it unless a bar shows that."""
    fresh, old = is_fresh(window, usage.now), _age(usage, window)
    parts = [] if on_bar else [f"{percent(window.used_percent)} used"]
    if window.resets_at is not None:
        at, span = usage.clock(window.resets_at), duration(window.resets_at - usage.now)
        parts.append(f"resets {at}, in {span}")
    note = f"official, {old}"
    return Fact(rank, name, DOT.join(parts) or note, note if parts else "", "" if fresh else "dim")


def _age(usage: Usage, window: RateLimitWindow) -> str:
    return f"{age(usage.now - window.captured_at)} ago"


def _pace(usage: Usage) -> Fact:
    burn, sustainable = usage.burn, usage.forecast.sustainable
    pace = burn.tokens_per_minute
    value = "warming up" if pace is None else f"{rate(pace)} tokens/min"
    if sustainable is not None:
        who = "you can afford" if usage.headline.is_five_hour else "the 5-hour limit allows"
        value += f"{DOT}{who} {rate(sustainable)}/min"
    note = "" if burn.window_minutes is None else f"last {burn.window_minutes:.0f} min"
    return Fact(Rank.PACE, "Pace", value, note if burn.exact else "average of the block")


def _runs_out(usage: Usage) -> tuple[str, str]:
    """Return when the limit may be reached, and when it would be at the present pace."""
    forecast, pace = usage.forecast, _without_break(usage)
    if forecast.probability is None:
        return "not known yet", pace
    if usage.five_hour.tokens_left == 0:
        return "now", ""
    if forecast.verdict == "ok" or forecast.earliest is None:
        return f"{chance(forecast.probability)} chance before the reset", pace
    if forecast.runs_out_at is not None:
        return pace, ""
    return f"at the earliest around {about(usage, forecast.earliest)}", pace


def _without_break(usage: Usage) -> str:
    """Say when the limit is reached at the present pace; people take breaks."""
    pace = usage.burn.tokens_per_minute
    if not pace or usage.forecast.sustainable is None or usage.five_hour.tokens_left == 0:
        return ""
    if usage.forecast.runs_out_at is None:
        return "not at this pace"
    return f"without a break {at_time(usage, usage.forecast.runs_out_at)}"


def _resets(usage: Usage) -> Iterator[Fact]:
    at, latest, block = usage.reset.at, usage.reset.latest, usage.block
    if at is None:
        return
    span = usage.clock(at) + (f"–{_clock_after(usage, at, latest)}" if latest else "")
    left = at - usage.now
    if latest:
        step = TEN_MINUTES if left >= 6 * TEN_MINUTES else TEN_MINUTES / 2
        left = max(step, round(left / step) * step)
    note = RESET_SOURCES.get(usage.reset.source or "", "")
    if usage.reset.source == "reset_hour" and block and block.end < at:
        # The count starts afresh then, and the chart ends there.
        note += f"; the block ends {usage.clock(block.end)}"
    value = f"{span}, in {'~' if latest else ''}{duration(left)}"
    yield Fact(Rank.RESETS, "Resets", _of_five_hours(usage, value), note)


def _of_five_hours(usage: Usage, value: str) -> str:
    """Name the five-hour limit where the sentence is about another one."""
    is_named = usage.status == "active" and not usage.headline.is_five_hour
    return f"5-hour limit: {value}" if is_named else value


def _cost_facts(usage: Usage, block: Block) -> Iterator[Fact]:
    """Yield what the block would have cost through the API, and recent days."""
    models = model_names(block.models)
    if usage.unpriced_models:
        value = _known_part(usage, block)
        yield Fact(Rank.COST, "Cost", value, "--online fetches prices")
    elif block.cost_usd is not None:
        hourly = usage.burn.cost_per_hour
        per_hour = f"{DOT}{dollars(hourly)}/h" if hourly is not None else ""
        yield Fact(Rank.COST, "Cost", f"{dollars(block.cost_usd)} API-equivalent{per_hour}", models)
    elif models:
        yield Fact(Rank.COST, "Models", models)
    yield from _spending(usage)


def _known_part(usage: Usage, block: Block) -> str:
    names = ", ".join(short_model(name) for name in usage.unpriced_models)
    version = usage.reading.source.ccusage_version
    program = f"ccusage {visible(version)}" if version else "ccusage"
    known = f"{dollars(block.cost_usd)} and " if block.cost_usd else ""
    return f"{known}{names}, which {program} has no price for"


def _spending(usage: Usage) -> Iterator[Fact]:
    today, week = usage.spending
    parts = [f"{dollars(today)} today"] if today is not None else []
    parts += [f"{dollars(week)} in 7 days"] if week is not None else []
    if parts:
        yield Fact(Rank.SPENDING, "Spent", DOT.join(parts), "API-equivalent")


def _ways_out(usage: Usage) -> Iterator[Fact]:
    """Name the ways to a better limit, where only the default plan's estimate is known."""
    is_guess = usage.limit.source == "plan" and not usage.rules.is_plan_chosen
    is_estimate = usage.five_hour.window is None and usage.reached is None
    if is_guess and is_estimate and usage.is_settled:
        text = "pro is assumed: choose yours with --plan, or get the official limits"
        yield Fact(Rank.HINT, "Plan", text, role="dim")


def _clock_after(usage: Usage, first: datetime, when: datetime) -> str:
    """Write a time after `first`, with its day if that is another."""
    time_format = usage.rules.time_format
    days = {time_format.day(nearest_minute(moment)) for moment in (first, when)}
    return time_format.minute(when) if len(days) == 1 else usage.clock(when)
