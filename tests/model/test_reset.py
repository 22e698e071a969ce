"""The reset: which one applies, and `--reset-hour` on every kind of clock change."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.blocks import SESSION, Block, Event, TokenCounts
from monitor.model.limit_hits import Reached
from monitor.model.plans import Rules
from monitor.model.reset import (
    Reset,
    choose_reset,
    message_reset,
    next_reset,
    reached_reset,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc)


def block(start: datetime = NOON, limit_reset: Optional[datetime] = None) -> Block:
    end = start + timedelta(hours=5)
    return Block("b", start, end, start, True, False, 1, TokenCounts(1, 1), None, (), limit_reset)


def choose(now: datetime, **given_: object) -> tuple[Optional[datetime], Optional[str]]:
    values = {
        "block": block(),
        "events": None,
        "rules": Rules(),
        "told": None,
        **given_,
    }
    reset = choose_reset(now=now, **values)  # type: ignore[arg-type]
    return reset.at, reset.source


def test_the_blocks_end_is_the_reset_when_nothing_else_is_known() -> None:
    assert choose(NOON) == (NOON + timedelta(hours=5), "block_end")


def test_the_reset_hour_beats_what_claude_code_told_which_beats_the_blocks_end() -> None:
    later = NOON + timedelta(hours=3)
    for source in ("official", "limit_message"):
        told = Reset(later, source, start=later - SESSION)
        assert choose(NOON, told=told, rules=Rules(reset_hour=20))[1] == "reset_hour"
        assert choose(NOON, told=told) == (later, source)
        assert choose(NOON, told=told, block=None) == (later, source)


def test_a_message_of_ccusages_gives_its_reset_while_that_is_to_come() -> None:
    at = NOON + timedelta(hours=2)
    assert message_reset(block(limit_reset=at), NOON) == Reset(
        at, "limit_message", start=at - SESSION
    )
    assert message_reset(block(limit_reset=at), at) is None
    assert message_reset(block(), NOON) is None
    assert message_reset(None, NOON) is None


def test_a_message_of_a_later_reset_is_of_the_week_and_no_reset_of_the_five_hours() -> None:
    assert message_reset(block(limit_reset=NOON + timedelta(days=2)), NOON) is None


@pytest.mark.parametrize(
    ("window", "source", "length"),
    [
        ("five_hour", "official", SESSION),
        ("seven_day", "limit_message", timedelta(days=7)),
        ("model:Fable", "official", timedelta(days=7)),
    ],
)
def test_a_limit_that_is_reached_has_the_reset_of_its_window(
    window: str, source: str, length: timedelta
) -> None:
    at = NOON + timedelta(hours=2)
    found = reached_reset(Reached(window, NOON, at, source))
    assert found == Reset(at, source, start=at - length)


def test_a_window_of_unknown_length_or_reset_has_no_start() -> None:
    at = NOON + timedelta(hours=2)
    assert reached_reset(Reached("new", NOON, at, "official")) == Reset(at, "official")
    assert reached_reset(Reached("five_hour", NOON, None, "official")) == Reset(None, "official")


def test_idle_has_no_reset_but_the_users_own_hour() -> None:
    assert choose(NOON, block=None) == (None, None)
    assert choose(NOON, block=None, rules=Rules(reset_hour=13))[0] == NOON + timedelta(hours=1)


def test_the_reset_may_be_five_hours_after_the_first_message() -> None:
    events = [Event(NOON + timedelta(minutes=40), 2)]
    reset = choose_reset(block(), events, Rules(), None, NOON + timedelta(hours=1))
    assert reset.latest == NOON + timedelta(hours=5, minutes=40)


@pytest.mark.parametrize(
    ("zone", "now", "hour", "expected"),
    [
        ("US/Eastern", "2026-03-08T00:30-05:00", 2, "2026-03-08T03:00-04:00"),
        ("US/Eastern", "2026-11-01T00:30-04:00", 1, "2026-11-01T01:00-04:00"),
        ("US/Eastern", "2026-11-01T01:30-04:00", 1, "2026-11-02T01:00-05:00"),
        ("Europe/Warsaw", "2026-03-29T01:30+01:00", 2, "2026-03-29T03:00+02:00"),
        ("Europe/Warsaw", "2026-10-25T01:59+02:00", 2, "2026-10-25T02:00+02:00"),
        ("Australia/Lord_Howe", "2026-10-04T00:30+10:30", 2, "2026-10-04T02:30+11:00"),
        ("America/Sao_Paulo", "2018-11-03T23:30-03:00", 0, "2018-11-04T01:00-02:00"),
        ("Pacific/Apia", "2011-12-29T12:00-10:00", 9, "2011-12-31T00:00+14:00"),
        ("Pacific/Apia", "2011-12-29T12:00-10:00", 7, "2011-12-31T00:00+14:00"),
        ("Asia/Kathmandu", "2026-01-01T10:00+05:45", 9, "2026-01-02T09:00+05:45"),
    ],
)
def test_a_skipped_hour_gives_the_first_moment_after_it_and_a_double_one_the_earlier(
    zone: str, now: str, hour: int, expected: str
) -> None:
    moment = next_reset(datetime.fromisoformat(now), hour, pytz.timezone(zone))
    assert moment == datetime.fromisoformat(expected)


ZONES = st.sampled_from(pytz.common_timezones)
MOMENTS = st.datetimes(
    datetime(2012, 1, 1), datetime(2035, 12, 31), timezones=st.just(timezone.utc)
)


@given(MOMENTS, st.integers(0, 23), ZONES)
def test_the_next_reset_is_within_25_hours_and_reads_that_hour_where_it_exists(
    now: datetime, hour: int, name: str
) -> None:
    zone = pytz.timezone(name)
    moment = next_reset(now, hour, zone)
    assert now < moment <= now + timedelta(hours=25)
    wall = moment.astimezone(zone)
    if (wall.hour, wall.minute) != (hour, 0):
        with pytest.raises(pytz.NonExistentTimeError):
            zone.localize(wall.replace(hour=hour, minute=0, tzinfo=None), is_dst=None)


@given(MOMENTS, st.integers(0, 23), ZONES)
def test_no_earlier_moment_after_now_reads_the_hour(now: datetime, hour: int, name: str) -> None:
    zone = pytz.timezone(name)
    moment = next_reset(now, hour, zone)
    quarters = int((moment - now) / timedelta(minutes=15))
    for step in range(1, quarters):
        wall = (
            now.replace(minute=0, second=0, microsecond=0) + timedelta(minutes=15 * step)
        ).astimezone(zone)
        if now < wall < moment and (wall.hour, wall.minute) == (hour, 0):
            # Only the second of two equal hours may lie between.
            assert zone.localize(wall.replace(tzinfo=None), is_dst=True) <= now


def test_no_later_reset_is_named_when_the_first_message_came_as_the_block_began() -> None:
    for events in ([Event(NOON, 2)], [], None):
        reset = choose_reset(block(), events, Rules(), None, NOON)
        assert reset.latest is None
