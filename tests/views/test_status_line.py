"""The parts of Claude Code's status line."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import Optional

import pytest

from monitor.model.official import OfficialLimits, RateLimitWindow
from monitor.model.usage import measure
from monitor.views.status_line import estimate, official_parts, session_parts
from tests.samples import NOW, RULES, block_of, events_over, reading_of

HOUR = timedelta(hours=1)


def limits(**windows: RateLimitWindow) -> OfficialLimits:
    return OfficialLimits(MappingProxyType(windows))


@pytest.mark.parametrize(
    ("resets_in", "age", "text"),
    [
        (2 * HOUR, timedelta(), "5h 24 % (2h left)"),
        (2 * HOUR + timedelta(minutes=5), timedelta(), "5h 24 % (2h 5m left)"),
        (timedelta(seconds=20), timedelta(), "5h 24 % (under a minute left)"),
        (None, timedelta(), "5h 24 %"),
        (2 * HOUR, timedelta(minutes=25), "5h 24 % (2h left), 25 min old"),
    ],
)
def test_a_window_has_its_percent_the_time_left_and_its_age_if_that_matters(
    resets_in: Optional[timedelta], age: timedelta, text: str
) -> None:
    window = RateLimitWindow(23.5, NOW + resets_in if resets_in else None, NOW - age)
    assert official_parts(limits(five_hour=window), NOW) == [text]


def test_every_window_that_is_known_has_a_part() -> None:
    five_hour = RateLimitWindow(24, NOW + HOUR, NOW)
    seven_day = RateLimitWindow(41, NOW + timedelta(days=3), NOW)
    parts = official_parts(limits(five_hour=five_hour, seven_day=seven_day), NOW)
    assert parts == ["5h 24 % (1h left)", "7d 41 % (3d left)"]
    assert official_parts(OfficialLimits(), NOW) == []


def test_the_estimate_says_when_it_was_read() -> None:
    usage = measure(reading_of(block_of(events_over(140, 28_000))), None, RULES, NOW)
    assert estimate(usage, NOW + timedelta(minutes=3)).startswith("estimate 80 %, read 3 min")
    idle = measure(reading_of(), None, RULES, NOW)
    assert estimate(idle, NOW).startswith("no active block, read ")


def test_the_session_has_its_context_and_its_model_as_far_as_known() -> None:
    assert session_parts(8.0, "Opus") == ["context 8 %", "Opus"]
    assert session_parts(None, None) == []
    (name,) = session_parts(None, "\x1b[2J" + "x" * 99)
    assert name.isprintable() and len(name) == 40
