"""Numbers, times and durations in words: rounded as a reader would, agreeing with each other."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.formatting import (
    TimeFormat,
    age,
    count,
    duration,
    nearest_minute,
    percent,
    plural,
    rate,
    short_model,
    size,
    visible,
)

UTC = TimeFormat(pytz.utc)
NOON = datetime(2026, 6, 10, 12, tzinfo=timezone.utc)
SPANS = st.timedeltas(timedelta(), timedelta(days=40))


def test_a_time_is_rounded_to_the_nearest_minute() -> None:
    assert UTC.minute(NOON + timedelta(seconds=29)) == "12:00"
    assert UTC.minute(NOON + timedelta(seconds=30)) == "12:01"
    assert nearest_minute(NOON + timedelta(seconds=29)) == NOON


@pytest.mark.parametrize(
    ("hour", "minute", "second"),
    [
        *((0, "12:05 AM", "12:05:00 AM"), (9, "9:05 AM", "9:05:00 AM")),
        *((11, "11:05 AM", "11:05:00 AM"), (12, "12:05 PM", "12:05:00 PM")),
    ],
)
def test_a_12_hour_clock_has_no_leading_zero_and_its_own_noon(
    hour: int, minute: str, second: str
) -> None:
    when = NOON.replace(hour=hour, minute=5)
    assert TimeFormat(pytz.utc, twelve_hour=True).minute(when) == minute
    assert TimeFormat(pytz.utc, twelve_hour=True).second(when) == second


def test_a_time_is_on_the_clocks_of_the_zone() -> None:
    assert TimeFormat(pytz.timezone("Asia/Kathmandu")).minute(NOON) == "17:45"


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (timedelta(hours=11, minutes=59), "23:59"),
        (timedelta(hours=12), "tomorrow 00:00"),
        (timedelta(hours=11, minutes=59, seconds=40), "tomorrow 00:00"),
        (timedelta(hours=-12, minutes=-1), "yesterday 23:59"),
        (timedelta(hours=36), "Friday 00:00"),
        (timedelta(days=6), "Tuesday 12:00"),
        (timedelta(days=7), "next Wednesday 12:00"),
        (timedelta(days=8), "2026-06-18 12:00"),
        (timedelta(days=-2), "2026-06-08 12:00"),
        (timedelta(hours=35, minutes=59, seconds=40), "Friday 00:00"),
        (timedelta(days=-3), "2026-06-07 12:00"),
    ],
)
def test_a_time_that_is_not_today_names_its_day(ahead: timedelta, expected: str) -> None:
    assert UTC.minute_or_day(NOON + ahead, NOON) == expected


def test_tomorrow_is_tomorrow_on_the_clocks_of_the_zone() -> None:
    tokyo = TimeFormat(pytz.timezone("Asia/Tokyo"))
    assert tokyo.minute_or_day(NOON + timedelta(hours=3), NOON) == "tomorrow 00:00"
    assert UTC.minute_or_day(NOON + timedelta(hours=3), NOON) == "15:00"


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        *((0, "under a minute"), (0.9, "under a minute"), (1, "1 min"), (59.4, "59 min")),
        *((59.5, "1 h"), (60, "1 h"), (96, "1 h 36 min"), (23 * 60 + 10, "23 h 10 min")),
        *((23 * 60 + 59.5, "1 d"), (25 * 60, "1 d 1 h"), (48 * 60, "2 d"), (49.6 * 60, "2 d 2 h")),
    ],
)
def test_a_duration_is_rounded_in_its_two_largest_units(minutes: float, expected: str) -> None:
    assert duration(timedelta(minutes=minutes)) == expected


@given(st.datetimes(timezones=st.just(timezone.utc), min_value=datetime(2020, 1, 1)), SPANS)
def test_a_duration_between_rounded_times_is_what_the_clock_times_differ_by(
    start: datetime, span: timedelta
) -> None:
    if span > timedelta(hours=23):
        return
    first, last = nearest_minute(start), nearest_minute(start + span)
    shown = [
        datetime.strptime(UTC.minute(t), "%H:%M").replace(tzinfo=timezone.utc)
        for t in (first, last)
    ]
    between = (shown[1] - shown[0]) % timedelta(days=1)
    assert duration(last - first) == duration(between)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-5, "0 s"), (0, "0 s"), (119, "119 s"), (120, "2 min")]
)
def test_an_age_has_seconds_while_they_matter_and_is_never_negative(
    seconds: float, expected: str
) -> None:
    assert age(timedelta(seconds=seconds)) == expected


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_the_larger_percentage_never_reads_as_the_smaller(one: float, other: float) -> None:
    low, high = (percent(value).replace("under 1", "0.5") for value in sorted((one, other)))
    assert float(low[:-2]) <= float(high[:-2])


@given(st.floats(0, 100, exclude_min=True, exclude_max=True))
def test_0_and_100_percent_are_said_only_when_they_are_so(number: float) -> None:
    assert percent(number) not in {"0 %", "100 %"}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0"),
        (0.01, "under 0.1"),
        (0.05, "0.1"),
        (4.21, "4.2"),
        (9.96, "10"),
        (6241.588, "6,240"),
    ],
)
def test_a_rate_has_only_the_digits_that_say_something(number: float, expected: str) -> None:
    assert rate(number) == expected


@given(st.integers(0, 10**15))
def test_a_count_has_all_its_digits(number: int) -> None:
    assert int(count(number).replace(",", "")) == number


def test_a_size_is_told_in_the_unit_that_fits() -> None:
    assert [size(n) for n in (0, 900, 3_000, 5 * 2**20, 84 * 2**20)] == [
        *("0 bytes", "900 bytes", "3 kB", "5.0 MB", "84 MB"),
    ]


def test_one_thing_is_singular() -> None:
    assert [plural(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]


@given(st.text())
def test_nothing_from_outside_can_move_the_cursor_or_hide_text(text: str) -> None:
    assert visible(text).isprintable()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.99, "under 1 %"),
        (1, "1 %"),
        (98.4, "98 %"),
        (99, "99 %"),
        (100, "100 %"),
        (100.5, "101 %"),
    ],
)
def test_a_percentage_is_rounded_beside_0_and_100_too(number: float, expected: str) -> None:
    assert percent(number) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        *((1_023, "1023 bytes"), (1_024, "1 kB"), (2**20, "1.0 MB")),
        *((int(9.5 * 2**20), "9.5 MB"), (10 * 2**20, "10 MB"), (2**30, "1.0 GB")),
    ],
)
def test_a_size_has_a_digit_after_the_point_below_10_only(number: int, expected: str) -> None:
    assert size(number) == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(3.0, "3"), (9.9, "9.9"), (9.949, "9.9"), (9.95, "10"), (10.4, "10")]
)
def test_a_rate_from_10_on_is_whole(number: float, expected: str) -> None:
    assert rate(number) == expected


def test_each_control_character_is_shown_as_its_own_picture() -> None:
    assert visible("\0\x1f \x7f\x9b\u202e~") == "␀␟ ␡��~"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("claude-opus-4-20250514", "opus-4"),
        ("claude-3-5-haiku-20241022", "haiku-3.5"),
        ("claude-opus-4-8", "opus-4.8"),
        ("<synthetic>", "<synthetic>"),
        ("gpt-5", "gpt-5"),
        ("claude", "claude"),
    ],
)
def test_a_models_name_is_shown_without_maker_and_date(name: str, short: str) -> None:
    assert short_model(name) == short
