"""Claude Code's status line: the official limits, else the last estimate, and the session."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Optional

from monitor.model.formatting import age, duration, percent, visible
from monitor.model.official import OfficialLimits, RateLimitWindow, is_fresh, window_kind

if TYPE_CHECKING:
    from monitor.model.usage import Usage

LONGEST_NAME = 40


def official_parts(limits: OfficialLimits, now: datetime) -> list[str]:
    """Return a part of the line for each window that is known, such as `5h 24 % (2h left)`."""
    return [_window(window_kind(key).label, window, now) for key, window in limits.windows.items()]


def estimate(usage: Usage, now: datetime) -> str:
    """Return what the monitor read last, with its age."""
    text = f"estimate {percent(usage.limit.used_percent)}" if usage.block else "no active block"
    return f"{text}, read {age(now - usage.reading.read_at)} ago"


def session_parts(context_percent: Optional[float], model: Optional[str]) -> list[str]:
    """Return a part each for the context window and the model, as far as known."""
    context = [] if context_percent is None else [f"context {percent(context_percent)}"]
    return context + ([visible(model)[:LONGEST_NAME]] if model else [])


def _window(label: str, window: RateLimitWindow, now: datetime) -> str:
    text = f"{_short(label)} {percent(window.used_percent)}"
    if window.resets_at:
        text += f" ({_short(duration(window.resets_at - now))} left)"
    if not is_fresh(window, now):
        text += f", {age(now - window.captured_at)} old"
    return text


def _short(text: str) -> str:
    return re.sub(r"(?<=\d) (h|m|d)(?:in)?\b", r"\1", text)
