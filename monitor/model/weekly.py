"""Measure the official seven-day limit, and whether it comes before the five-hour limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.official import WEEK, RateLimitWindow

RECENT = timedelta(hours=2)
MIN_SPAN = timedelta(minutes=30)
"""Whole percents are off by up to one, so over a shorter time they give no pace."""


@dataclass(frozen=True)
class Weekly:
    """The seven-day window, and when it runs out (UTC) at the pace of the last two hours.

    With too little data for that it is the pace of the week so far. `runs_out_at` is None if the
    reset comes first.
    """

    window: RateLimitWindow
    runs_out_at: Optional[datetime]
    comes_first: bool


def weekly(
    window: Optional[RateLimitWindow], five_hour_ends: Optional[datetime], now: datetime
) -> Optional[Weekly]:
    """Measure the window; `five_hour_ends` is when the five-hour limit is reached, or resets."""
    if window is None:
        return None
    runs_out_at = _runs_out_at(window, now)
    first = runs_out_at is not None and five_hour_ends is not None and runs_out_at < five_hour_ends
    return Weekly(window, runs_out_at, first)


def _runs_out_at(window: RateLimitWindow, now: datetime) -> Optional[datetime]:
    pace = _percent_per_hour(window, now)
    if window.resets_at is None or not pace:
        return None
    at = now + timedelta(hours=min(1e5, (100 - window.used_percent) / pace))
    return max(now, at) if at < window.resets_at else None


def _percent_per_hour(window: RateLimitWindow, now: datetime) -> Optional[float]:
    before = [c for c in window.rising if now - c.at >= RECENT][-1:] or window.rising[:1]
    if before and now - before[0].at >= MIN_SPAN:
        gained = window.used_percent - before[0].used_percent
        return gained / ((now - before[0].at) / timedelta(hours=1))
    if window.resets_at is None:
        return None
    elapsed = now - (window.resets_at - WEEK)
    return window.used_percent / max(1.0, elapsed / timedelta(hours=1))
