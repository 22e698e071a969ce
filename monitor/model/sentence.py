"""Write what a Usage means in sentences: the headline, and the warnings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.formatting import age, between, count, duration, percent, plural, visible
from monitor.model.headline import WHOLE
from monitor.model.official import FIVE_HOUR
from monitor.model.reading import undercounts
from monitor.model.usage import Usage

DAY = timedelta(days=1)
"""A weekly limit that is reached within this time is worth a warning."""

SKEW = timedelta(minutes=1)
"""Tolerated, since the clocks of two machines differ by seconds."""

SURE = 0.9
"""From this probability on, "likely" is left out."""


def summary(usage: Usage) -> str:
    """Return the sentence that says whether the limit comes before the reset."""
    if usage.status == "limit_reached":
        return _limit_reached(usage)
    if usage.block is None:
        return _idle(usage)
    if usage.weekly is not None and usage.weekly.comes_first:
        return _weekly_first(usage)
    return {
        "exceeded": _exceeded,
        "unknown": _warming_up,
        "ok": _ok,
        "tight": _tight,
        "runs_out": _runs_out,
    }[usage.forecast.verdict](usage)


def warnings(usage: Usage) -> tuple[str, ...]:
    """Return sentences about what is wrong or doubtful in the numbers shown."""
    return tuple(_warnings(usage))


def _limit_reached(usage: Usage) -> str:
    since = _reached_at(usage)
    name = "Weekly limit" if usage.is_weekly_reached else "Limit"
    text = f"{name} reached" + (f" {_at(usage, since)}" if since else "")
    at = usage.goes_on_at
    if at is None:
        return f"{text}; when it resets is not known."
    return f"{text}; it resets {_at(usage, at)}, in {duration(at - usage.now)}."


def _reached_at(usage: Usage) -> Optional[datetime]:
    """Return when the limit was first known to be reached."""
    reached = usage.official.reached
    captures = usage.official.windows[reached].rising if reached else ()
    full = [capture.at for capture in captures if capture.used_percent >= WHOLE]
    if full:
        return full[0]
    return usage.block.last_activity if usage.block else None


def _weekly_first(usage: Usage) -> str:
    assert usage.weekly is not None  # noqa: S101 - the caller has looked
    used, window = percent(usage.weekly.window.used_percent), usage.weekly.window
    when = _at(usage, usage.weekly.runs_out_at)
    return (
        f"The weekly limit comes first: {used} used, reached {when} at this pace; "
        f"it resets {_at(usage, window.resets_at)}."
    )


def _idle(usage: Usage) -> str:
    elsewhere = usage.official.windows.get(FIVE_HOUR)
    if elsewhere is not None:
        used, at = percent(elsewhere.used_percent), elsewhere.resets_at
        resets = f"; its window resets {_at(usage, at)}" if at else ""
        return f"No active block on this machine. Claude Code reports {used} used{resets}."
    if usage.last is not None:
        ended = usage.clock(usage.last.end)
        return f"No active block; the last ended {ended}. A new one starts with your next message."
    if usage.reading.source.size.files:
        return "No active block, and none before. A new one starts with your next message."
    return "No Claude Code usage here yet. The first block starts with your first message."


def _exceeded(usage: Usage) -> str:
    since = f" since {usage.clock(usage.crossed_at)}" if usage.crossed_at else ""
    over = plural(usage.limit.tokens_over, "token")
    return f"Over the limit{since}, by {over}; it resets {_reset(usage)}."


def _warming_up(usage: Usage) -> str:
    if not usage.is_settled:
        used = f"{count(usage.tokens.counted)} tokens used, reset {_reset(usage)}"
        return f"{used}. Your highest block, which is the limit, is being looked up."
    used = percent(usage.headline.used_percent)
    if usage.reading.is_partial:
        return f"{used} used, reset {_reset(usage)}. The pace is being read."
    if usage.headline.limit_tokens is None:
        return f"{used} used, reset {_reset(usage)}; too little was used here for a forecast."
    return f"Just started: {used} used, reset {_reset(usage)}. A forecast follows."


def _ok(usage: Usage) -> str:
    pace = _at(usage, usage.forecast.runs_out_at)
    if usage.forecast.runs_out_at is None or pace == _reset(usage):
        return f"The reset {_reset(usage)} comes first{_likely(usage)}."
    return f"The reset {_reset(usage)} likely comes first; this pace kept up runs out {pace}."


def _tight(usage: Usage) -> str:
    if usage.forecast.runs_out_at is None:
        risk = _chance(usage)
        return f"It may get tight: {risk} to reach the limit before the reset {_reset(usage)}."
    when = _at(usage, usage.forecast.runs_out_at)
    return f"Tight: this pace hits the limit {when}, {_before_reset(usage)}."


def _runs_out(usage: Usage) -> str:
    if usage.headline.tokens_left == 0:
        return f"You are at the limit; it resets {_reset(usage)}."
    if usage.forecast.runs_out_at is None:
        risk = _chance(usage)
        return f"You'll probably reach the limit before the reset {_reset(usage)} ({risk})."
    when = _at(usage, usage.forecast.runs_out_at)
    chance = usage.forecast.probability
    likely = "" if chance is None or chance >= SURE else "likely "
    return f"You'll {likely}reach the limit {when}, {_before_reset(usage)}."


def _likely(usage: Usage) -> str:
    likely = usage.forecast.likely_percent
    if likely is None:
        return ""
    return f"; you'll {'stay' if 0 < likely < 1 else 'be near'} {percent(likely)}"


def _chance(usage: Usage) -> str:
    return f"{percent(100 * (usage.forecast.probability or 0))} chance"


def _before_reset(usage: Usage) -> str:
    assert usage.reset.at is not None and usage.forecast.runs_out_at is not None  # noqa: S101
    return f"{between(usage.forecast.runs_out_at, usage.reset.at)} before the reset"


def _reset(usage: Usage) -> str:
    return _at(usage, usage.reset.at)


def _at(usage: Usage, when: Optional[datetime]) -> str:
    text = usage.clock(when)
    names_a_day = not text[:1].isdecimal() or text[4:5] == "-"
    return text if names_a_day else f"at {text}"


def _weekly_soon(usage: Usage) -> Iterator[str]:
    """Warn of a weekly limit that comes after this window's reset, but within a day."""
    week = usage.weekly
    at = week.runs_out_at if week else None
    if week is None or at is None or week.comes_first:
        return
    if usage.now < at <= usage.now + DAY:
        used = percent(week.window.used_percent)
        yield f"The weekly limit, {used} used, is reached {_at(usage, at)} at this pace."


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
    if usage.limit.history_error:
        error = usage.limit.history_error
        yield f"The history could not be read, the limit may be too low: {error}"
    reached = usage.official.windows.get(FIVE_HOUR)
    if reached is not None and reached.used_percent >= WHOLE:
        yield f"Claude Code reports {percent(reached.used_percent)} of its limit used."
    if usage.limit.tokens_over and usage.headline.source == "estimate" and usage.is_settled:
        used = percent(usage.limit.used_percent)
        yield f"{used} of the limit is used; you may be stopped at any moment."
    if not usage.burn.exact and not reading.is_partial:
        yield "The series of messages could not be read exactly; the pace is the block's average."
    yield from _weekly_soon(usage)
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
