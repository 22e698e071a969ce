"""Choose the percentage of the five-hour limit: official, bridged, or the token estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Optional

from monitor.model.blocks import SESSION, Event
from monitor.model.bridge import Bridge, WindowStart, bridge, tokens_per_percent
from monitor.model.official import FULL, RateLimitWindow, is_fresh
from monitor.model.plans import Limit

MIN_SHARE = 0.25
"""Of the limit in tokens. An official limit is hardly worth less than this share of it."""


@dataclass(frozen=True)
class FiveHour:
    """How much of the five-hour limit is used, and what one percent is in counted tokens.

    `source` is `official`, `bridged` or `estimate`. `tokens_per_percent` is None if the official
    percentage is known, but not yet what a token is worth. `window` and `bridge` are the basis of
    an official or bridged percentage.
    """

    source: str
    used_tokens: int
    used_percent: float
    tokens_per_percent: Optional[float]
    window: Optional[RateLimitWindow] = None
    bridge: Optional[Bridge] = None

    @property
    def tokens_left(self) -> Optional[float]:
        """Counted tokens up to the limit, never below 0."""
        if self.tokens_per_percent is None:
            return None
        return max(0.0, FULL - self.used_percent) * self.tokens_per_percent

    @property
    def limit_tokens(self) -> Optional[float]:
        """The count of local tokens at which the limit is reached."""
        left = self.tokens_left
        if self.tokens_per_percent is None or left is None:
            return None
        over = max(0.0, self.used_percent - FULL) * self.tokens_per_percent
        return self.used_tokens + left - over

    def percent_at(self, tokens: float) -> float:
        """Return the percentage used when `tokens` have been counted."""
        if not self.tokens_per_percent:
            return self.used_percent
        return self.used_percent + (tokens - self.used_tokens) / self.tokens_per_percent


def window_start(window: RateLimitWindow, limit_tokens: int) -> WindowStart:
    """Return the start of a five-hour window, for a limit of so many tokens.

    >>> window = RateLimitWindow(51.0, None, datetime(2026, 6, 10))
    >>> window_start(window, 7_000).min_tokens_per_percent
    17.5
    """
    began = window.resets_at - SESSION if window.resets_at else None
    return WindowStart(began, MIN_SHARE * limit_tokens / FULL)


def choose_five_hour(
    limit: Limit,
    window: Optional[RateLimitWindow],
    events: Optional[Sequence[Event]],
    now: datetime,
    last_activity: Optional[datetime] = None,
) -> FiveHour:
    """Choose a fresh official percentage, one bridged from an older capture, or the estimate.

    `window` is the official five-hour window if it is known and not over. `events` and
    `last_activity` are those of the active block; None if not known, or without a block.
    """
    used = limit.used
    estimate = FiveHour("estimate", used, limit.used_percent, limit.tokens / FULL)
    if window is None:
        return estimate
    own, start = events or (), window_start(window, limit.tokens)
    bridged = bridge(window.rising, own, now, start)
    if bridged is not None:
        percent = max(bridged.used_percent, window.used_percent)
        return FiveHour("bridged", used, percent, bridged.tokens_per_percent, window, bridged)
    per_percent = tokens_per_percent(window.rising, own, start)
    if is_fresh(window, now) or window.used_percent >= FULL:
        return FiveHour("official", used, window.used_percent, per_percent, window)
    used_at = own[-1].at if own else last_activity
    if used_at is None or used_at <= window.captured_at:
        # Nothing was used here since, so the old official percentage is the best that is known.
        return FiveHour("bridged", used, window.used_percent, per_percent, window)
    return estimate
