"""What each state of a Usage is called: the word on the screen, a style class, a colour."""

from __future__ import annotations

from typing import NamedTuple

from monitor.model.headline import ALARM
from monitor.model.usage import Usage


class State(NamedTuple):
    """The word on the screen, what it means, and the class that waybar styles."""

    word: str
    css_class: str
    meaning: str


STATES = {
    "ok": State("OK", "ok", "You will most likely stay below the limit (chance below 25 %)."),
    "tight": State("TIGHT", "tight", "You may reach it (25 to 60 %), or 90 % is used early on."),
    "runs_out": State("RUNS OUT", "runs-out", "You will probably reach it (60 % or more)."),
    "weekly": State("WEEK", "runs-out", "With TIGHT or RUNS OUT: the same for a weekly limit."),
    "exceeded": State(
        "PAST ESTIMATE",
        "exceeded",
        "More is used than assumed; PAST LIMIT: than your own limit, or the official one.",
    ),
    "limit_reached": State("LIMIT REACHED", "limit-reached", "Claude Code has stopped you."),
    "unknown": State("NO FORECAST", "unknown", "Nothing is known yet, as in the first 5 minutes."),
    "idle": State("IDLE", "idle", "No block is active; your next message starts one."),
}
"""The states by the name that `Usage.state` gives them."""

ROLES = {"none": "dim", "ok": "ok", "warn": "warn", "alarm": "alarm"}
"""The role in `style.ROLES` for each severity of a headline."""


def role(usage: Usage) -> str:
    """Return the role that colours the sentence, the word and the bar."""
    return ROLES[usage.headline.severity]


def word(usage: Usage) -> str:
    """Return the word for the state on the screen; that for a week says how it stands."""
    week = usage.binding_week
    if usage.state == "weekly" and week is not None:
        return "WEEK USED UP" if week.is_full else f"WEEK {STATES[week.verdict].word}"
    if usage.state == "exceeded" and usage.headline.severity == ALARM:
        return "PAST LIMIT"
    return STATES[usage.state].word


def css_class(usage: Usage) -> str:
    """Return waybar's class; a weekly limit that is only near is tight."""
    if usage.state == "weekly" and usage.headline.severity == "warn":
        return STATES["tight"].css_class
    return STATES[usage.state].css_class
