"""What each state of a Usage is called: the word on the screen, its colour, a style class."""

from __future__ import annotations

from typing import NamedTuple

from monitor.model.usage import Usage


class State(NamedTuple):
    """The word on the screen, its role in `style.ROLES`, and the class that waybar styles."""

    word: str
    role: str
    css_class: str


STATES = {
    "ok": State("OK", "ok", "ok"),
    "tight": State("TIGHT", "warn", "tight"),
    "runs_out": State("RUNS OUT", "alarm", "runs-out"),
    "weekly": State("WEEKLY LIMIT", "alarm", "runs-out"),
    "exceeded": State("OVER LIMIT", "alarm", "exceeded"),
    "limit_reached": State("LIMIT REACHED", "alarm", "limit-reached"),
    "unknown": State("WARMING UP", "dim", "unknown"),
    "idle": State("IDLE", "dim", "idle"),
}
"""The states by name: a status other than `active`, a verdict, or `weekly` where the weekly limit
comes first."""


def state_of(usage: Usage) -> State:
    """Return the state that a usage is in."""
    if usage.status != "active":
        return STATES[usage.status]
    weekly_first = usage.weekly is not None and usage.weekly.comes_first
    return STATES["weekly" if weekly_first else usage.forecast.verdict]
