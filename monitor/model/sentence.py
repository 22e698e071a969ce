"""Write what a Usage means in sentences: the headline, and the warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.formatting import age, chance, count, duration, percent, plural, visible
from monitor.model.limit_hits import Reached
from monitor.model.official import FIVE_HOUR, is_of_one_model, split_id, window_kind
from monitor.model.plans import PLAN_TOKENS
from monitor.model.reading import Unreadable, undercounts
from monitor.model.usage import Usage
from monitor.model.week_sentence import at_time, week_sentence, week_warning

SKEW = timedelta(minutes=1)
"""Tolerated, since the clocks of two machines differ by seconds."""

SURELY_NOT, SURE = 0.05, 0.9
"""Below the first probability and from the second on, the sentence says no "likely"."""

ROUNDING = timedelta(minutes=5)
"""A forecast knows no minutes."""


HIDDEN = "Claude Code's usage cannot be read here, so nothing is known."


def summary(usage: Usage) -> str:
    """Return the sentence that says whether a limit stops the user, when, and how surely.

    It follows the probability and never says more: below 0.6 no limit is said to be reached.
    """
    if usage.reached is not None:
        return _limit_reached(usage, usage.reached)
    if not usage.headline.is_five_hour and usage.binding_week is not None:
        return week_sentence(usage, usage.binding_week)
    if usage.block is None:
        return _idle(usage)
    return {
        "exceeded": _exceeded,
        "unknown": _unknown,
        "ok": _ok,
        "tight": _tight,
        "runs_out": _runs_out,
    }[usage.forecast.verdict](usage)


def warnings(usage: Usage) -> tuple[str, ...]:
    """Return sentences about what is wrong or doubtful in the numbers shown."""
    return tuple(_warnings(usage))


def _limit_reached(usage: Usage, reached: Reached) -> str:
    name, at = window_kind(reached.window).name, usage.reset.at
    text = f"{name[0].upper()}{name[1:]} reached"
    text += f" {at_time(usage, reached.since)}" if reached.since else ""
    text += "; other models go on" if is_of_one_model(reached.window) else ""
    if at is None:
        return f"{text}; when it resets is not known."
    return f"{text}; it resets {at_time(usage, at)}, in {duration(at - usage.now)}."


def _idle(usage: Usage) -> str:
    elsewhere = usage.official.windows.get(FIVE_HOUR)
    if elsewhere is not None:
        used, at = percent(elsewhere.used_percent), elsewhere.resets_at
        resets = f"; its window resets {at_time(usage, at)}" if at else ""
        return f"No active block on this machine. Claude Code reports {used} used{resets}."
    if usage.last is not None:
        ended = usage.clock(usage.last.end)
        return f"No active block; the last ended {ended}. A new one starts with your next message."
    if usage.is_hidden:
        return HIDDEN
    if usage.reading.source.size.files:
        return "No active block, and none before. A new one starts with your next message."
    return "No Claude Code usage here yet. The first block starts with your first message."


def _exceeded(usage: Usage) -> str:
    if usage.five_hour.window is not None:
        return f"The limit is used up, but Claude Code still answers; it resets {_reset(usage)}."
    name = LIMIT_NAMES[usage.limit.source]
    text = f"Past {name} of {count(usage.limit.tokens)}"
    text += f" since {usage.clock(usage.crossed_at)}" if usage.crossed_at else ""
    if usage.still_answered and usage.events:
        last = usage.events[-1].at
        pauses = usage.now - last > PAUSE
        text += f" and answered until {usage.clock(last)}" if pauses else " and still going"
        return f"{text}: your true limit is higher; it resets {_reset(usage)}."
    return f"{text}: you may be stopped at any moment; it resets {_reset(usage)}."


PAUSE = timedelta(hours=1)
"""After so long without a message, nobody is still going."""

LIMIT_NAMES = {"user": "your limit", "plan": "the estimate", "custom_max": "your highest block"}
"""What a limit is called, by its source."""


def _unknown(usage: Usage) -> str:
    if not usage.is_settled:
        used = f"{count(usage.limit.used)} tokens used, reset {_reset(usage)}"
        return f"{used}. Your highest block, which is the limit, is being looked up."
    used = f"{percent(usage.five_hour.used_percent)} used, reset {_reset(usage)}"
    if usage.reading.is_partial:
        return f"{used}. The pace is being read."
    if usage.reset_within_block and not usage.limit.used and usage.five_hour.window is None:
        when = at_time(usage, usage.reset_within_block)
        return f"Your limit reset {when}; a new window begins with your next message."
    if usage.five_hour.limit_tokens is None:
        return f"{used}. A forecast needs another report of Claude Code's."
    if usage.events is None:
        return f"{used}. No forecast: the single messages could not be read."
    return f"Just started: {used}. No forecast yet."


def _ok(usage: Usage) -> str:
    likely = usage.forecast.likely_percent
    end = f", with about {percent(likely)} used" if likely is not None else ""
    first = f"the reset {_reset(usage)} comes first{end.replace('about under', 'under')}."
    sure = (usage.forecast.probability or 0.0) < SURELY_NOT
    return f"T{first[1:]}" if sure else f"Most likely {first}"


def _tight(usage: Usage) -> str:
    if usage.forecast.probability is None:
        used, left = percent(usage.five_hour.used_percent), usage.five_hour.tokens_left
        rest = "" if left is None else f", {_tokens(left)} left"
        return f"Tight: {used} used{rest}, no forecast yet; it resets {_reset(usage)}."
    return f"Tight: {_chance(usage)} of reaching the limit before the reset {_reset(usage)}."


def _runs_out(usage: Usage) -> str:
    if usage.five_hour.tokens_left == 0:
        return f"You are at the limit; it resets {_reset(usage)}."
    sure = (usage.forecast.probability or 0.0) >= SURE
    likely = "almost certainly" if sure else "probably"
    at = usage.forecast.likely_at
    text = f"You'll {likely} reach the limit{f' around {about(usage, at)}' if at else ''}"
    return f"{text}: {_chance(usage)} before the reset {_reset(usage)}."


def about(usage: Usage, when: Optional[datetime]) -> str:
    """Write a time of the forecast to five minutes, unless that is past or after the reset."""
    if when is None or usage.reset.at is None:
        return usage.clock(when)
    since_midnight = when - when.replace(hour=0, minute=0, second=0, microsecond=0)
    rounded = when + (round(since_midnight / ROUNDING) * ROUNDING - since_midnight)
    fits = usage.now < rounded < usage.reset.at
    return usage.clock(rounded if fits else when)


def _tokens(number: float) -> str:
    return plural(int(number + 0.5), "token")


def _chance(usage: Usage) -> str:
    return f"{chance(usage.forecast.probability or 0.0)} chance"


def _reset(usage: Usage) -> str:
    return at_time(usage, usage.reset.at)


def _other_week(usage: Usage) -> Iterator[str]:
    """Warn of a weekly limit that binds within a day while the five-hour limit leads."""
    week = usage.binding_week
    if week is not None and usage.headline.is_five_hour and usage.reached is None:
        yield week_warning(usage, week)


def _other_plan(usage: Usage) -> Iterator[str]:
    """Say that the chosen plan is not the subscription; that does not tell max5 from max20."""
    chosen, plan = usage.rules.plan, usage.official.plan
    possible = {"pro": ("pro",), "max": ("max5", "max20")}.get(plan or "")
    is_named = usage.rules.is_plan_chosen and usage.rules.token_limit is None
    if plan and possible and is_named and chosen in PLAN_TOKENS and chosen not in possible:
        yield f"--plan is {chosen}, but Claude Code says that you have {plan.capitalize()}."


def _reset_within(usage: Usage) -> Iterator[str]:
    """Say that the limit reset after a hit within the active block, which counts on."""
    at, before = usage.reset_within_block, usage.tokens_before_reset
    if at is not None and before:
        when, tokens = at_time(usage, at), _tokens(before)
        yield f"Your 5-hour limit reset {when}, within this block: {tokens} of it came before."


def _unreadable(unreadable: Sequence[Unreadable]) -> Iterator[str]:
    """Say that usage is missing, whose files it is in, and how to make them readable."""
    if unreadable:
        yield f"{unreadable_text(unreadable)} {unreadable_advice(unreadable)}"


def unreadable_text(unreadable: Sequence[Unreadable]) -> str:
    """Return what cannot be read; the numbers are too low then."""
    first, owner = unreadable[0], unreadable[0].owner
    whose = f" (owned by {visible(owner)})" if owner else ""
    more = f" and {len(unreadable) - 1:,} more" if len(unreadable) > 1 else ""
    name = visible(first.path)
    return f"{name}{whose}{more} cannot be read: usage is missing, the numbers are too low."


def unreadable_advice(unreadable: Sequence[Unreadable]) -> str:
    """Return what to do about files that cannot be read."""
    return f"Run: {unreadable[0].remedy}"


def left_out(name: str) -> str:
    """Return the sentence about a data directory that was named and does not exist."""
    return f"{visible(name)} is no directory; its usage is left out."


def _warnings(usage: Usage) -> Iterator[str]:
    reading = usage.reading
    if reading.error:
        old = age(usage.now - reading.read_at)
        yield f"The last look failed: {reading.error} Showing the reading of {old} ago."
    for name in reading.source.missing_dirs:
        yield left_out(name)
    yield from _unreadable(reading.source.unreadable)
    if usage.history.store_error:
        yield usage.history.store_error
    if usage.limit.history_error:
        error = usage.limit.history_error
        yield f"The history could not be read, the limit may be too low: {error}"
    if not usage.burn.exact and not reading.is_partial:
        yield "The series of messages could not be read exactly; the pace is the block's average."
    if any(split_id(key)[1] for key in usage.official.windows):
        yield (
            "The data directories report different limits. Name them under [accounts] in the"
            " settings file to see each with its own."
        )
    yield from _other_week(usage)
    yield from _other_plan(usage)
    yield from _reset_within(usage)
    if undercounts(reading.source.ccusage_version):
        yield (
            f"ccusage {reading.source.ccusage_version} undercounts output tokens; "
            "ccusage 20 counts them fully."
        )
    if usage.block and (usage.block.last_activity or usage.now) > usage.now + SKEW:
        yield "Messages stamped in the future are taken for just sent; was a clock wrong?"
    future = [b for b in reading.blocks if not b.is_gap and b.start > usage.now]
    if future:
        yield f"{plural(len(future), 'block')} stamped in the future left out; was a clock wrong?"
