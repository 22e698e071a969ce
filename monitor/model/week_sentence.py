"""Write what a weekly limit and its plan mean in sentences."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.formatting import chance, percent, plural
from monitor.model.official import is_of_one_model, window_kind
from monitor.model.usage import Usage
from monitor.model.week_plan import WeekPlan
from monitor.model.week_projection import WeekProjection
from monitor.model.weekly import Weekly

LEAST_RISK = 5
"""Percent: of the weeks with less risk as many were used up, by docs/accuracy.md."""

HALF_HOUR = timedelta(minutes=30)
"""A forecast of days knows no minutes."""


def week_sentence(usage: Usage, week: Weekly) -> str:
    """Say whether a weekly limit is reached before its reset, when, and how surely.

    It follows the probability and never says more: below 0.6 it is not said to be reached.
    """
    name = window_kind(week.window_id).name
    at = week.window.resets_at
    resets = at_time(usage, at)
    if week.is_full:
        answers = "" if usage.reached is not None else ", but Claude Code still answers"
        when = f"it resets {resets}" if at else "when it resets is not known"
        return f"The {name} is used up{answers}; {when}."
    if week.projection is None:
        return _unknown(usage, week)
    if week.verdict == "ok":
        return f"The {name} most likely lasts to the reset {resets}: {_surely(week.projection)}."
    name += ", not of other models," if is_of_one_model(week.window_id) else ""
    risk = f"{chance(week.risk)} chance"
    if week.verdict == "runs_out":
        when = _around(usage, week, week.runs_out_at)
        return f"The {name} will probably be used up{when}: {risk} before the reset {resets}."
    high = week.projection.reached_at(week.projection.band[1], usage.now)
    early = _around(usage, week, high)
    first = f", at the earliest{early}" if early else ""
    return f"The {name} is tight: {risk} of reaching it before the reset {resets}{first}."


def week_warning(usage: Usage, week: Weekly) -> str:
    """Say that a weekly limit binds too, where another one leads."""
    name, used = window_kind(week.window_id).name, percent(week.window.used_percent)
    if week.is_full or week.projection is None:
        return week_sentence(usage, week)
    resets = at_time(usage, week.window.resets_at)
    return f"The {name}, {used} used: {chance(week.risk)} chance of reaching it before {resets}."


def plan_sentence(plan: WeekPlan) -> str:
    """Say what of the week may be used today, what was, and how many windows are left."""
    parts = []
    if plan.today_share is not None:
        share, used = percent(plan.today_share), plan.today_used
        left = f"{share} of the week is left for today"
        today = f"Today's share is {share} of the week"
        parts.append(left if used is None else f"{today}, {_used(used)}")
    if plan.windows_left is not None:
        windows = f"{_windows(plan.windows_left)} left"
        parts.append(windows if parts else windows[0].upper() + windows[1:])
    return f"{'; '.join(parts)}." if parts else ""


def at_time(usage: Usage, when: Optional[datetime]) -> str:
    """Write a time after a verb: `at 17:00`, `tomorrow 17:00`."""
    text = usage.clock(when)
    names_a_day = not text[:1].isdecimal() or text[4:5] == "-"
    return text if names_a_day else f"at {text}"


def _unknown(usage: Usage, week: Weekly) -> str:
    name, used = window_kind(week.window_id).name, percent(week.window.used_percent)
    if week.window.resets_at is None:
        return f"The {name} is {used} used; when it resets is not known, so nothing is forecast."
    resets = at_time(usage, week.window.resets_at)
    if week.verdict == "tight":
        return f"The {name} is tight: {used} used, and it resets {resets}."
    return f"The {name} is {used} used and resets {resets}. A forecast follows in half a day."


def _around(usage: Usage, week: Weekly, at: Optional[datetime]) -> str:
    """Name the half hour of a forecast, if it is one to come."""
    resets = week.window.resets_at
    if at is None or resets is None:
        return ""
    seconds = round(at.timestamp() / HALF_HOUR.total_seconds()) * HALF_HOUR.total_seconds()
    rounded = datetime.fromtimestamp(seconds, at.tzinfo)
    text = at_time(usage, rounded if usage.now < rounded < resets else at)
    return f" today around {text[3:]}" if text.startswith("at ") else f" around {text}"


def _surely(projection: WeekProjection) -> str:
    """Say how likely a limit lasts: the chances of both add up to 100 % as they are written."""
    risk = math.floor(100 * projection.probability + 1e-9)
    sure = f"{100 - risk} %" if risk >= LEAST_RISK else f"over {100 - LEAST_RISK} %"
    low, high = (percent(min(100.0, value)) for value in projection.band)
    return f"{sure} chance, with about {percent(projection.likely)} used then ({low} to {high})"


def _used(used: float) -> str:
    return f"{percent(used)} used" if used else "nothing used"


def _windows(number: float) -> str:
    if number < 1:
        return "less than one full 5-hour window"
    return f"about {plural(int(number + 0.5), 'full 5-hour window')}"
