"""What each state of a Usage is called: the word on the screen, its colour, a style class."""

from __future__ import annotations

from typing import NamedTuple


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
"""The states by the name that `Usage.state` gives them."""
