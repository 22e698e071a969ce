"""Judge the official weekly limits: how likely each stops the user, and which one binds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Optional

from monitor.model.forecast import NEARLY_FULL, RUNS_OUT, TIGHT
from monitor.model.official import FULL, RateLimitWindow, is_of_model_in_use
from monitor.model.week_projection import WeekProjection

SOON = timedelta(days=1)
"""A weekly limit binds if it would stop the user within a day."""


@dataclass(frozen=True)
class Weekly:
    """A weekly window, its projection to the reset (None if too little is known), and its end.

    `runs_out_at` (UTC) is when it is used up at the projection's median, None if not before the
    reset. `comes_first` says that this is before the five-hour limit is reached or resets, and
    `is_soon` that the limit may well be reached within a day.
    """

    window_id: str
    window: RateLimitWindow
    projection: Optional[WeekProjection]
    runs_out_at: Optional[datetime]
    comes_first: bool
    is_soon: bool

    @property
    def is_full(self) -> bool:
        """Whether all of it is used."""
        return self.window.used_percent >= FULL

    @property
    def verdict(self) -> str:
        """How likely it is reached before the reset, in the words of `Forecast.verdict`."""
        if self.projection is None:
            return "tight" if self.window.used_percent >= NEARLY_FULL else "unknown"
        if self.projection.probability >= RUNS_OUT:
            return "runs_out"
        return "tight" if self.projection.probability >= TIGHT else "ok"

    @property
    def severity(self) -> str:
        """How serious that is, as `Headline.severity`: nothing is while it is days away."""
        if self.is_full:
            return "alarm"
        of_verdict = {"tight": "warn", "runs_out": "alarm"}
        return of_verdict.get(self.verdict, "none") if self.is_soon else "none"

    @property
    def risk(self) -> float:
        """The probability of reaching the limit before its reset, 0 while it is not known."""
        return self.projection.probability if self.projection else 0.0


def weekly(
    window_id: str,
    window: RateLimitWindow,
    projection: Optional[WeekProjection],
    five_hour_ends: Optional[datetime],
    now: datetime,
) -> Weekly:
    """Judge a window; `five_hour_ends` is when the five-hour limit is reached, or resets."""
    at = projection.reached_at(projection.likely, now) if projection else None
    first = at is not None and five_hour_ends is not None and at < five_hour_ends
    return Weekly(window_id, window, projection, at, first, _is_soon(window, projection, now))


def _is_soon(window: RateLimitWindow, projection: Optional[WeekProjection], now: datetime) -> bool:
    if window.used_percent >= FULL:
        return True
    if projection is None:
        return window.resets_at is not None and window.used_percent >= NEARLY_FULL
    return projection.probability_by(now + SOON) >= TIGHT


def binding_week(weeks: Iterable[Weekly], models: Iterable[str]) -> Optional[Weekly]:
    """Return the weekly limit that most likely stops the user, if within a day; None if none does.

    A limit of one model counts only while `models`, those of the active block, contain it.
    """
    in_use = tuple(models)
    soon = [
        week
        for week in weeks
        if week.severity != "none" and is_of_model_in_use(week.window_id, in_use)
    ]
    return max(soon, key=lambda week: (week.is_full, week.risk), default=None)
