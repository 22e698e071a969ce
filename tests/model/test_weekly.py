"""The seven-day limit: its pace, when it runs out, and whether it comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Optional

import pytest

from monitor.model.forecast import Forecast
from monitor.model.official import SEVEN_DAY, OfficialLimits, RateLimitWindow
from monitor.model.sentence import summary, warnings
from monitor.model.weekly import binding_week, weekly
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
    found = weekly(SEVEN_DAY, window(resets_in, *sights), FIVE_HOURS_END, NOW)
    assert found is not None
    return None if found.runs_out_at is None else (found.runs_out_at - NOW) / HOUR


def test_nothing_known_of_the_week_is_nothing_said() -> None:
    assert weekly(SEVEN_DAY, None, FIVE_HOURS_END, NOW) is None


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
    found = weekly(SEVEN_DAY, unknown, FIVE_HOURS_END, NOW)
    assert found is not None
    assert (found.runs_out_at, found.comes_first) == (None, False)


@pytest.mark.parametrize(("hours", "first"), [(1, False), (2.1, True), (None, False)])
def test_it_comes_first_when_it_runs_out_before_the_five_hours_do(
    hours: Optional[float],
    first: bool,  # noqa: FBT001
) -> None:
    ends = None if hours is None else NOW + hours * HOUR
    found = weekly(SEVEN_DAY, window(3 * DAY, (120, 80), (0, 90)), ends, NOW)
    assert found is not None and found.comes_first is first


def test_the_week_that_comes_first_has_the_sentence_and_the_line() -> None:
    usage = usage_in("week-first")
    assert summary(usage) == (
        "The weekly limit comes first: 97 % used, at this pace used up today at 15:08; "
        "it resets Saturday 18:32."
    )
    line = "".join(span.text for span in one_line(usage, 120, UNICODE))
    assert line.startswith("weekly limit 97 % · used up 15:08 at this pace")


def test_the_week_that_does_not_come_first_leaves_the_sentence_to_the_five_hours() -> None:
    usage = usage_of(RUNS_OUT, official=OFFICIAL["official"])
    assert usage.weekly is not None and not usage.weekly.comes_first
    assert "weekly" not in summary(usage).lower()


def test_of_all_sights_before_those_hours_the_last_counts() -> None:
    assert hours_to_go((600, 20), (240, 60), (120, 80), (70, 88), (0, 90)) == pytest.approx(2)


@pytest.mark.parametrize(("age", "left"), [(1.5, 97 / 2), (0.5, 97 / 3)])
def test_a_week_younger_than_an_hour_is_taken_for_an_hour_old(age: float, left: float) -> None:
    assert hours_to_go((0, 3), resets_in=7 * DAY - age * HOUR) == pytest.approx(left)


@pytest.mark.parametrize(
    ("ends_in", "percent", "severity"),
    [
        (0.5, 97, "alarm"),  # before the five hours end
        (0.5, 60, "alarm"),
        (4, 97, "warn"),  # within a day
        (4, 75, "warn"),
        (23.9, 90, "warn"),
        (4, 74.9, "ok"),
        (24.1, 97, "ok"),
        (30, 97, "ok"),
    ],
)
def test_a_week_that_ends_within_a_day_binds_if_it_is_mostly_used_or_comes_first(
    ends_in: float, percent: float, severity: str
) -> None:
    week = week_that_runs_out(ends_in * HOUR, percent)
    usage = usage_of(OK, official=official_limits(None, week))
    ok = replace(usage, forecast=replace(usage.forecast, verdict="ok"))
    assert ok.headline.severity == severity
    assert ok.headline.window == ("five_hour" if severity == "ok" else "seven_day")
    assert warnings(ok) == ()


@pytest.mark.parametrize(
    ("verdict", "ends_in", "leads"),
    [
        ("ok", 4, "seven_day"),
        ("tight", 4, "five_hour"),
        ("runs_out", 4, "five_hour"),
        ("tight", 0.5, "seven_day"),
        ("runs_out", 0.5, "five_hour"),
    ],
)
def test_the_worst_limit_leads_and_of_equals_the_five_hours(
    verdict: str, ends_in: float, leads: str
) -> None:
    week = week_that_runs_out(ends_in * HOUR, 97)
    usage = usage_of(OK, official=official_limits(None, week))
    usage = replace(usage, forecast=Forecast(verdict, probability=0.5))
    assert usage.headline.window == leads
    assert bool(warnings(usage)) == (leads == "five_hour")


def binding(*windows: tuple[str, RateLimitWindow], models: tuple[str, ...] = ()) -> Optional[str]:
    found = binding_week(OfficialLimits(dict(windows)), models, FIVE_HOURS_END, NOW)
    return found.window_id if found else None


def test_of_several_weekly_limits_the_one_that_ends_first_binds() -> None:
    early, late = week_that_runs_out(2 * HOUR), week_that_runs_out(5 * HOUR)
    assert binding(("seven_day", late), ("model:Fable", early), models=("claude-fable-5",)) == (
        "model:Fable"
    )
    assert binding(("seven_day", late)) == "seven_day"
    assert binding() is None


def test_a_weekly_limit_of_a_model_that_is_not_used_does_not_bind() -> None:
    early = week_that_runs_out(2 * HOUR)
    assert binding(("seven_day_opus", early), models=("claude-sonnet-4",)) is None
    assert binding(("seven_day_opus", early), models=("claude-opus-4-8",)) == "seven_day_opus"


def test_only_limits_of_a_week_bind() -> None:
    early = week_that_runs_out(2 * HOUR)
    assert binding(("five_hour", early), ("spend_limit", early), ("new", early)) is None


def test_the_weekly_limit_of_a_model_has_the_sentence_and_the_bar_by_its_name() -> None:
    week = week_that_runs_out(HOUR, 90)
    usage = usage_of(OK, official=OfficialLimits({"seven_day_opus": week}))
    usage = replace(usage, forecast=Forecast("ok"))
    assert summary(usage).startswith(
        "The weekly limit of Opus, not of other models, comes first: 90 % used, "
    )
    assert usage.headline.window == "seven_day_opus"
