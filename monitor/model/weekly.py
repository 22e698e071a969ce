"""Measure the official weekly limits, and which of them comes before the five-hour limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.official import (
    WEEK,
    OfficialLimits,
    RateLimitWindow,
    is_of_model_in_use,
    window_kind,
)

RECENT = timedelta(hours=2)
MIN_SPAN = timedelta(minutes=30)
"""Whole percents are off by up to one, so over a shorter time they give no pace."""

SOON = timedelta(days=1)
SOON_PERCENT = 75.0
"""A weekly limit binds if so much is used and it would be reached within a day.

A pace that goes on day and night says little when less is used: people sleep.
"""


@dataclass(frozen=True)
class Weekly:
    """A weekly window, and when it runs out (UTC) at the pace of the last two hours.

    With too little data for that, or if nothing was used then, it is the pace of the week so far.
    `runs_out_at` is None if the reset comes first. `comes_first` says that it runs out before the
    five-hour limit is reached or resets, and `is_soon` that it does so within a day and is mostly
    used already.
    """

    window_id: str
    window: RateLimitWindow
    runs_out_at: Optional[datetime]
    comes_first: bool
    is_soon: bool

    @property
    def severity(self) -> str:
        """How serious that is, as `Headline.severity`."""
        return "alarm" if self.comes_first else "warn" if self.is_soon else "none"


def weekly(
    window_id: str,
    window: Optional[RateLimitWindow],
    five_hour_ends: Optional[datetime],
    now: datetime,
) -> Optional[Weekly]:
    """Measure a window; `five_hour_ends` is when the five-hour limit is reached, or resets."""
    if window is None:
        return None
    at = _runs_out_at(window, now)
    first = at is not None and five_hour_ends is not None and at < five_hour_ends
    soon = at is not None and at <= now + SOON and window.used_percent >= SOON_PERCENT
    return Weekly(window_id, window, at, first, first or soon)


def binding_week(
    official: OfficialLimits,
    models: Iterable[str],
    five_hour_ends: Optional[datetime],
    now: datetime,
) -> Optional[Weekly]:
    """Return the weekly limit that is used up first within a day; None if none is.

    A limit of one model counts only while `models`, those of the active block, contain it.
    """
    in_use = tuple(models)
    weeks = (
        weekly(key, window, five_hour_ends, now)
        for key, window in official.windows.items()
        if window_kind(key).length == WEEK and is_of_model_in_use(key, in_use)
    )
    soon = [week for week in weeks if week is not None and week.is_soon]
    return min(soon, key=lambda week: week.runs_out_at or now, default=None)


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
        if gained > 0:
            return gained / ((now - before[0].at) / timedelta(hours=1))
    if window.resets_at is None:
        return None
    elapsed = now - (window.resets_at - WEEK)
    return window.used_percent / max(1.0, elapsed / timedelta(hours=1))
