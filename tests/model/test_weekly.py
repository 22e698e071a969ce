"""The seven-day limit: its pace, when it runs out, and whether it comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Optional

import pytest

from monitor.model.sentence import summary, warnings
from monitor.model.weekly import weekly
from monitor.views.line import one_line
from monitor.views.style import UNICODE
from tests.samples import (
    NOW,
    OFFICIAL,
    OK,
    RUNS_OUT,
    official_limits,
    usage_in,
    usage_of,
    week_that_runs_out,
    window,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIVE_HOURS_END = NOW + 3 * HOUR


def hours_to_go(*sights: tuple[float, float], resets_in: timedelta = 3 * DAY) -> Optional[float]:
    found = weekly(window(resets_in, *sights), FIVE_HOURS_END, NOW)
    assert found is not None
    return None if found.runs_out_at is None else (found.runs_out_at - NOW) / HOUR


def test_nothing_known_of_the_week_is_nothing_said() -> None:
    assert weekly(None, FIVE_HOURS_END, NOW) is None


def test_the_pace_of_the_last_two_hours_counts() -> None:
    assert hours_to_go((600, 20), (120, 80), (0, 90)) == pytest.approx(2)


def test_what_was_unchanged_before_those_hours_is_where_they_began() -> None:
    # The percentage of four hours ago was also that of two hours ago, as far as is known.
    assert hours_to_go((240, 80), (0, 90)) == pytest.approx(4)


def test_less_than_half_an_hour_of_sights_says_nothing_of_a_pace() -> None:
    assert hours_to_go((29, 80), (0, 82)) == pytest.approx(18 / (82 / 96))  # the week's own pace
    assert hours_to_go((30, 80), (0, 82)) == pytest.approx(18 / 4)


def test_a_pace_that_lasts_to_the_reset_runs_out_never() -> None:
    assert hours_to_go((120, 40), (0, 41)) is None
    assert hours_to_go((120, 41), (0, 41)) is None
    assert hours_to_go((0, 0)) is None


def test_a_week_over_its_limit_runs_out_now() -> None:
    assert hours_to_go((120, 98), (0, 104)) == 0


def test_without_a_reset_there_is_no_forecast() -> None:
    unknown = replace(window(DAY, (120, 20), (0, 90)), resets_at=None)
    found = weekly(unknown, FIVE_HOURS_END, NOW)
    assert found is not None
    assert (found.runs_out_at, found.comes_first) == (None, False)


@pytest.mark.parametrize(("hours", "first"), [(1, False), (2.1, True), (None, False)])
def test_it_comes_first_when_it_runs_out_before_the_five_hours_do(
    hours: Optional[float],
    first: bool,  # noqa: FBT001
) -> None:
    ends = None if hours is None else NOW + hours * HOUR
    found = weekly(window(3 * DAY, (120, 80), (0, 90)), ends, NOW)
    assert found is not None and found.comes_first is first


def test_the_week_that_comes_first_has_the_sentence_and_the_line() -> None:
    usage = usage_in("week-first")
    assert summary(usage) == (
        "The weekly limit comes first: 97 % used, reached at 15:08 at this pace; "
        "it resets 2026-06-13 18:32."
    )
    line = "".join(span.text for span in one_line(usage, 120, UNICODE))
    assert "weekly limit runs out 15:08" in line


def test_the_week_that_does_not_come_first_leaves_the_sentence_to_the_five_hours() -> None:
    usage = usage_of(RUNS_OUT, official=OFFICIAL["official"])
    assert usage.weekly is not None and not usage.weekly.comes_first
    assert "weekly" not in summary(usage).lower()


def test_of_all_sights_before_those_hours_the_last_counts() -> None:
    assert hours_to_go((600, 20), (240, 60), (120, 80), (70, 88), (0, 90)) == pytest.approx(2)


@pytest.mark.parametrize(("age", "left"), [(1.5, 97 / 2), (0.5, 97 / 3)])
def test_a_week_younger_than_an_hour_is_taken_for_an_hour_old(age: float, left: float) -> None:
    assert hours_to_go((0, 3), resets_in=7 * DAY - age * HOUR) == pytest.approx(left)


@pytest.mark.parametrize(("ends_in", "is_said"), [(0.5, False), (4, True), (30, False)])
def test_a_week_that_ends_after_this_window_but_within_a_day_is_a_warning(
    ends_in: float, *, is_said: bool
) -> None:
    week = week_that_runs_out(ends_in * HOUR, 97)
    five_hour = OFFICIAL["official"].windows["five_hour"]
    said = warnings(usage_of(OK, official=official_limits(five_hour, week)))
    assert any("The weekly limit, 97 % used, is reached" in one for one in said) is is_said
