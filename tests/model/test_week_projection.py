"""The projection of a weekly limit: probability, median, band, and when it is reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.official import Capture, PastWeek, RateLimitWindow
from monitor.model.week_projection import WeekProjection, project_week
from monitor.model.week_shape import WeekShape

START = datetime(2026, 3, 2, tzinfo=timezone.utc)
END = START + timedelta(days=7)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PLAIN = WeekShape()


def window(percent: float, captured_at: datetime) -> RateLimitWindow:
    return RateLimitWindow(percent, END, captured_at, (Capture(captured_at, percent),))


def past(*percents: float) -> list[PastWeek]:
    ends = [START - n * 7 * DAY for n in range(len(percents))]
    return [PastWeek("seven_day", end, end, percent) for end, percent in zip(ends, percents)]


def at(day: float, percent: float, *weeks: float, shape: WeekShape = PLAIN) -> WeekProjection:
    now = START + day * DAY
    found = project_week(window(percent, now), past(*weeks), shape, now)
    assert found is not None
    return found


def test_half_of_the_limit_in_half_of_the_week_is_as_likely_reached_as_not() -> None:
    found = at(3.5, 49.5, 100, 100, 100)
    assert found.likely == pytest.approx(100, abs=1)
    assert found.probability == pytest.approx(0.5, abs=0.02)
    low, high = found.band
    assert 50 < low < 80 and high > 120


def test_earlier_weeks_pull_the_expectation_towards_theirs() -> None:
    likely = [at(2, 30, *weeks).likely for weeks in ((40, 40, 40), (), (200, 200, 200))]
    assert likely == sorted(likely) and likely[0] < 100 < likely[2]


def test_an_earlier_week_that_was_used_up_early_counts_for_more_than_100() -> None:
    full = PastWeek("seven_day", START, START, 100, START - 4 * DAY)
    now = START + DAY
    found = [project_week(window(14, now), [each], PLAIN, now) for each in (full, *past(100))]
    assert found[0] and found[1] and found[0].likely > found[1].likely + 20


def test_an_earlier_week_cut_short_by_a_new_reset_counts_by_its_length() -> None:
    half = PastWeek("seven_day", START + 3.5 * DAY, START, 40)
    now = START + DAY
    found = [project_week(window(14, now), [each], PLAIN, now) for each in (half, *past(80))]
    assert found[0] == found[1]


def test_as_the_week_goes_on_the_band_becomes_narrow_and_the_percentage_certain() -> None:
    widths = [at(day, 60 * day / 7, 60, 60).band for day in (1, 3, 5, 6.5, 7)]
    spans = [high - low for low, high in widths]
    assert spans == sorted(spans, reverse=True) and spans[-1] == pytest.approx(0, abs=0.01)


def test_nothing_is_expected_of_days_off() -> None:
    works = WeekShape(days=(1.4,) * 5 + (0.0, 0.0))
    friday_night = at(5, 95, 95, shape=works)
    assert friday_night.likely == pytest.approx(95, abs=0.01)
    assert at(5, 95, 95).likely > 105


def test_a_limit_that_is_used_up_is_reached_and_one_almost_is_almost_surely() -> None:
    assert at(2, 100).probability == 1
    assert at(2, 100).reached_at(150, START + 2 * DAY) == START + 2 * DAY
    assert at(2, 99).probability > 0.95


@pytest.mark.parametrize("percent", [5, 40])
def test_without_an_earlier_week_nothing_is_said_in_the_first_half_day(percent: float) -> None:
    now = START + 11 * HOUR
    assert project_week(window(percent, now), [], PLAIN, now) is None
    assert project_week(window(percent, now), past(50), PLAIN, now) is not None
    later = START + 13 * HOUR
    assert project_week(window(percent, later), [], PLAIN, later) is not None


def test_without_a_reset_nothing_is_said() -> None:
    now = START + 3 * DAY
    assert project_week(replace(window(40, now), resets_at=None), past(50), PLAIN, now) is None


@pytest.mark.parametrize(
    ("used_at", "since"), [(None, 4), (START + 3 * DAY, 4), (START + 3.5 * DAY, 3)]
)
def test_what_was_used_since_an_old_capture_is_still_to_come(
    used_at: Optional[datetime], since: float
) -> None:
    now = START + 4 * DAY
    found = project_week(window(40, START + 3 * DAY), past(80), PLAIN, now, used_at)
    assert found is not None and found.since == START + since * DAY


def test_it_is_reached_where_the_expected_use_passes_100_percent() -> None:
    found, now = at(3.5, 50, 100, 100), START + 3.5 * DAY
    assert found.reached_at(99.9, now) is None
    reached = found.reached_at(150, now)
    assert reached is not None
    assert reached - now == pytest.approx(1.75 * DAY, abs=timedelta(minutes=5))
    assert found.percent_at(reached, 150) == pytest.approx(100, abs=0.1)
    assert found.percent_at(END, 150) == pytest.approx(150)


@given(
    st.floats(0.6, 6.99), st.integers(0, 105), st.lists(st.integers(0, 100), max_size=4), st.data()
)
def test_probability_band_and_time_agree(
    day: float, percent: int, weeks: list[int], data: st.DataObject
) -> None:
    found, now = at(day, percent, *weeks), START + day * DAY
    low, high = found.band
    assert percent <= low <= found.likely <= high
    assert 0 <= found.probability <= 1
    assert (found.probability >= 0.5) == (found.likely >= 100) or percent >= 100
    assert (found.probability >= 0.1) >= (high > 100.001)
    reached = found.reached_at(found.likely, now)
    assert (reached is not None) == (found.likely >= 100)
    assert reached is None or now <= reached <= END
    more = data.draw(st.integers(percent, 105))
    assert at(day, more, *weeks).probability >= found.probability - 1e-9
