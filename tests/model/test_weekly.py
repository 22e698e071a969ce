"""The weekly limits: how likely each stops the user, and which of them binds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Optional

import pytest

from monitor.model.forecast import Forecast
from monitor.model.official import (
    SEVEN_DAY,
    OfficialLimits,
    PastWeek,
    RateLimitWindow,
    past_weeks_before,
)
from monitor.model.sentence import summary, warnings
from monitor.model.usage import measure
from monitor.model.week_projection import WeekProjection
from monitor.model.week_shape import WeekShape, expected_week
from monitor.model.weekly import Weekly, binding_week, weekly
from monitor.views.line import one_line
from monitor.views.style import UNICODE
from tests.samples import (
    HISTORY,
    NOW,
    OFFICIAL,
    OK,
    RULES,
    RUNS_OUT,
    hit,
    official_limits,
    usage_in,
    usage_of,
    week_that_runs_out,
    window,
)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIVE_HOURS_END = NOW + 3 * HOUR


def judged(
    percent: float,
    rest: float,
    *,
    ends: Optional[timedelta] = 3 * HOUR,
    shape: float = 2.0,
    resets_in: timedelta = 4 * DAY,
    key: str = SEVEN_DAY,
) -> Weekly:
    """Judge a week of which `rest` percent are expected to come, as many in each hour."""
    week = expected_week(WeekShape(), NOW + resets_in - 7 * DAY)
    projection = WeekProjection(percent, NOW, rest, shape, week)
    five_hours = None if ends is None else NOW + ends
    return weekly(key, window(resets_in, (0, percent)), projection, five_hours, NOW)


@pytest.mark.parametrize(
    ("rest", "verdict"), [(10, "ok"), (27, "ok"), (30, "tight"), (40, "tight"), (60, "runs_out")]
)
def test_the_verdict_follows_the_probability_as_that_of_the_five_hours(
    rest: float, verdict: str
) -> None:
    found = judged(60, rest)
    assert found.projection is not None and found.risk == found.projection.probability
    assert found.verdict == verdict
    assert (found.risk < 0.25, found.risk >= 0.6) == (verdict == "ok", verdict == "runs_out")


def test_it_runs_out_where_the_median_does_and_never_if_that_lasts() -> None:
    assert judged(60, 80).runs_out_at == pytest.approx(NOW + 2 * DAY, abs=timedelta(minutes=1))
    assert judged(60, 39).runs_out_at is None
    assert judged(104, 39).runs_out_at == NOW


@pytest.mark.parametrize(("hours", "first"), [(1, False), (25, True), (None, False)])
def test_it_comes_first_when_it_runs_out_before_the_five_hours_do(
    hours: Optional[float],
    first: bool,  # noqa: FBT001
) -> None:
    ends = None if hours is None else hours * HOUR
    assert judged(80, 80, ends=ends).comes_first is first


@pytest.mark.parametrize(
    ("percent", "rest", "days", "severity"),
    [
        (80, 80, 4, "alarm"),  # within a day
        (80, 40, 4, "none"),  # probably in two days: nothing has to be done today
        (60, 400, 4, "alarm"),
        (80, 20, 4, "none"),  # even chances, but hardly within a day
        (80, 20, 1, "warn"),
        (100, 1, 4, "alarm"),
        (97, 2.4, 4, "none"),
    ],
)
def test_what_is_more_than_a_day_away_is_not_serious_yet(
    percent: float, rest: float, days: float, severity: str
) -> None:
    found = judged(percent, rest, resets_in=days * DAY)
    assert found.severity == severity
    assert found.is_soon == (severity != "none")


@pytest.mark.parametrize(
    ("percent", "verdict", "severity"),
    [(89, "unknown", "none"), (90, "tight", "warn"), (100, "tight", "alarm")],
)
def test_without_a_projection_only_a_limit_that_is_almost_used_binds(
    percent: float, verdict: str, severity: str
) -> None:
    found = weekly(SEVEN_DAY, window(3 * DAY, (0, percent)), None, FIVE_HOURS_END, NOW)
    assert (found.verdict, found.severity, found.risk) == (verdict, severity, 0)
    assert found.runs_out_at is None and not found.comes_first


def test_the_week_that_comes_first_has_the_sentence_and_the_line() -> None:
    usage = usage_in("week-first")
    assert summary(usage) == (
        "The weekly limit will probably be used up today around 16:00: 99 % chance before the "
        "reset Saturday 18:08."
    )
    line = "".join(span.text for span in one_line(usage, 120, UNICODE))
    assert line.startswith("weekly limit 99 % · 99 % chance to run out · resets ")


def test_the_week_that_does_not_come_first_leaves_the_sentence_to_the_five_hours() -> None:
    usage = usage_of(RUNS_OUT, official=OFFICIAL["official"])
    assert usage.weekly is not None and not usage.weekly.comes_first
    assert "weekly" not in summary(usage).lower()


@pytest.mark.parametrize(
    ("verdict", "ends_in", "leads"),
    [
        ("ok", 4, "seven_day"),
        ("tight", 4, "seven_day"),
        ("runs_out", 4, "five_hour"),
        ("runs_out", 0.5, "five_hour"),
    ],
)
def test_the_worst_limit_leads_and_of_equals_the_five_hours(
    verdict: str, ends_in: float, leads: str
) -> None:
    week = week_that_runs_out(ends_in * HOUR)
    usage = usage_of(OK, official=official_limits(None, week))
    usage = replace(usage, forecast=Forecast(verdict, probability=0.5))
    assert usage.headline.window == leads
    assert bool(warnings(usage)) == (leads == "five_hour")


def test_of_several_weekly_limits_the_most_likely_one_binds() -> None:
    safe, risky = judged(90, 8), judged(90, 40, key="model:Fable")
    found = binding_week([safe, risky], ["claude-fable-5"])
    assert found is risky and binding_week([safe], []) is None and binding_week([], []) is None
    full = judged(100, 0.1, key="seven_day_opus")
    assert binding_week([risky, full], ["claude-fable-5", "claude-opus-4"]) is full


def test_a_weekly_limit_of_a_model_that_is_not_used_does_not_bind() -> None:
    opus = judged(90, 40, key="seven_day_opus")
    assert binding_week([opus], ["claude-sonnet-4"]) is None
    assert binding_week([opus], ["claude-opus-4-8"]) is opus


def test_only_limits_of_a_week_are_judged() -> None:
    early = week_that_runs_out(2 * HOUR)
    keys = ("five_hour", "seven_day", "seven_day_opus", "model:Fable", "spend_limit", "new")
    usage = usage_of(OK, official=OfficialLimits(dict.fromkeys(keys, early)))
    assert set(usage.weeks) == {"seven_day", "seven_day_opus", "model:Fable"}


def test_the_weekly_limit_of_a_model_has_the_sentence_and_the_bar_by_its_name() -> None:
    week = week_that_runs_out(HOUR)
    usage = usage_of(OK, official=OfficialLimits({"seven_day_opus": week}))
    usage = replace(usage, forecast=Forecast("ok"))
    assert summary(usage).startswith(
        "The weekly limit of Opus, not of other models, will probably be used up today "
    )
    assert usage.headline.window == "seven_day_opus"


def likely(official: OfficialLimits, history: object = HISTORY) -> float:
    usage = measure(OK, history, RULES, NOW, official)  # type: ignore[arg-type]
    assert usage.weekly is not None and usage.weekly.projection is not None
    return usage.weekly.projection.likely


def test_the_projection_knows_earlier_weeks_of_the_same_limit_alone() -> None:
    known = official_limits(None, window(4 * DAY, (0, 30)))

    def with_past(key: str, resets_in: timedelta) -> float:
        ended = NOW + min(resets_in, timedelta())
        return likely(replace(known, past_weeks=(PastWeek(key, NOW + resets_in, ended, 10),)))

    own = with_past(SEVEN_DAY, -3 * DAY)
    assert own < likely(known) == with_past("seven_day_opus", -3 * DAY)
    assert with_past(SEVEN_DAY, 4 * DAY) == likely(
        known
    )  # the present week, seen by a late session


def test_a_day_on_which_the_week_had_stopped_the_user_is_no_day_off() -> None:
    known = official_limits(None, window(4 * DAY, (0, 30)))
    stopped = hit("seven_day", 60 * 24 * 2, timedelta(days=-1))
    assert likely(known, stopped) != likely(known, HISTORY)


def test_past_weeks_are_those_of_one_limit() -> None:
    weeks = tuple(PastWeek(key, NOW, NOW, 10) for key in (SEVEN_DAY, "model:Fable"))
    assert past_weeks_before(OfficialLimits(past_weeks=weeks), "model:Fable") == [weeks[1]]


def test_a_window_without_a_reset_has_no_plan_and_no_forecast() -> None:
    unknown = RateLimitWindow(95.0, None, NOW)
    usage = usage_of(OK, official=official_limits(None, unknown))
    assert usage.weekly is not None and usage.weekly.severity == "none"
    assert usage.week_plan(SEVEN_DAY) is None and usage.week_plan("seven_day_opus") is None
