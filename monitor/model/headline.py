"""What the headline's percentage is measured with: official, bridged, or the token estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Optional

from monitor.model.blocks import SESSION, Event
from monitor.model.bridge import Bridge, Start, bridge, worth
from monitor.model.official import RateLimitWindow, is_fresh

WHOLE = 100.0

LEAST_SHARE = 0.25
"""Of the limit in charge: what is learned as the whole of an official limit is hardly less."""


@dataclass(frozen=True)
class Headline:
    """A percentage of the limit, its source, and what one percent is in counted tokens.

    `tokens_per_percent` is None when the official percentage is known, but not yet what a token is
    worth. `window` and `bridge` are what an official or bridged percentage rests on.
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
        return max(0.0, WHOLE - self.used_percent) * self.tokens_per_percent

    @property
    def limit_tokens(self) -> Optional[float]:
        """The count of local tokens at which the limit is reached."""
        left = self.tokens_left
        if self.tokens_per_percent is None or left is None:
            return None
        over = max(0.0, self.used_percent - WHOLE) * self.tokens_per_percent
        return self.used_tokens + left - over

    def percent_at(self, tokens: float) -> float:
        """Return the percentage used when `tokens` have been counted."""
        if not self.tokens_per_percent:
            return self.used_percent
        return self.used_percent + (tokens - self.used_tokens) / self.tokens_per_percent


def start_of(window: RateLimitWindow, limit: int) -> Start:
    """Return what is known of the start of a five-hour window, where `limit` tokens are the plan's.

    >>> start_of(RateLimitWindow(51.0, None, datetime(2026, 6, 10)), 7_000).least
    17.5
    """
    began = window.resets_at - SESSION if window.resets_at else None
    return Start(began, LEAST_SHARE * limit / WHOLE)


def choose_headline(
    counted: int,
    limit: int,
    window: Optional[RateLimitWindow],
    events: Optional[Sequence[Event]],
    now: datetime,
    last_activity: Optional[datetime] = None,
) -> Headline:
    """Choose: a fresh official percentage, one bridged from an older capture, the estimate.

    `window` is the official five-hour window if it is known and not over. `events` and
    `last_activity` are those of the active block; None if not known, or without a block.
    """
    if window is None:
        return Headline("estimate", counted, WHOLE * counted / limit, limit / WHOLE)
    own, start = events or (), start_of(window, limit)
    bridged = bridge(window.rising, own, now, start)
    if bridged is not None:
        percent = max(bridged.used_percent, window.used_percent)
        return Headline("bridged", counted, percent, bridged.tokens_per_percent, window, bridged)
    per_percent = worth(window.rising, own, start)
    if is_fresh(window, now):
        return Headline("official", counted, window.used_percent, per_percent, window)
    used_at = own[-1].at if own else last_activity
    if used_at is None or used_at <= window.captured_at:
        # Nothing was used here since: what was official then is the best that is known now.
        return Headline("bridged", counted, window.used_percent, per_percent, window)
    return Headline("estimate", counted, WHOLE * counted / limit, limit / WHOLE)
