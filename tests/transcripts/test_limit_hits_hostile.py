"""Which lines of a transcript are marks of a reached limit, and what they say."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

import pytest

from monitor.model.limit_hits import LimitHit
from monitor.transcripts.limit_hits import parse_hit

AT = datetime(2026, 6, 10, 18, 32, 7, tzinfo=timezone.utc)


def hit_of(window: Optional[str], resets_in: timedelta) -> Optional[LimitHit]:
    """Parse a mark as Claude Code writes it at AT."""
    quota = {"status": "rejected", "resetsAt": (AT + resets_in).timestamp()}
    raw: dict[str, Any] = {
        "type": "assistant",
        "timestamp": AT.isoformat(),
        "isApiErrorMessage": True,
        "quotaLimits": {**quota, "rateLimitType": window},
    }
    return parse_hit(json.dumps(raw).encode())


@pytest.mark.parametrize(
    ("window", "most"), [("five_hour", timedelta(hours=5)), ("seven_day", timedelta(days=7))]
)
def test_a_reset_that_is_farther_away_than_the_window_is_long_is_not_believed(
    window: str, most: timedelta
) -> None:
    assert hit_of(window, most) == LimitHit(AT, window, AT + most)
    assert hit_of(window, most + timedelta(hours=1)) == LimitHit(AT, window, None)


def test_no_limit_that_is_not_named_resets_in_ten_years() -> None:
    assert hit_of(None, timedelta(days=3650)) == LimitHit(AT, "seven_day", None)
    assert hit_of(None, timedelta(days=3)) == LimitHit(AT, "seven_day", AT + timedelta(days=3))
