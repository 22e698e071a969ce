"""Past weeks, thinned captures, and what a five-hour window costs: what is stored of the limits."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.official import (
    MAX_WEEK_CAPTURES,
    MAX_WEEKS,
    Capture,
    OfficialLimits,
    PastWeek,
    Report,
    UsageAnswer,
    WeekCost,
    joined,
    past_weeks_before,
    present,
    together,
    with_answer,
    with_session,
)
from monitor.store.json_file import save
from monitor.store.official import load_official, official_path

NOW = datetime(2026, 6, 10, 18, 0, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RESET = NOW + 3 * DAY
Sight = tuple[timedelta, float, datetime]


def seen(
    *sights: Sight, key: str = "seven_day", first: Optional[OfficialLimits] = None
) -> OfficialLimits:
    """Join sights of a window: how long after NOW, percentage, reset."""
    limits = first or OfficialLimits()
    for after, percent, resets_at in sights:
        limits = with_session(limits, "s", {key: Report(percent, resets_at)}, NOW + after)
    return limits


def test_a_week_that_another_replaces_is_kept_with_its_last_percentage() -> None:
    limits = seen((DAY, 40, RESET), (2 * DAY, 71, RESET), (4 * DAY, 2, RESET + 7 * DAY))
    assert limits.past_weeks == (PastWeek("seven_day", RESET, RESET, 71),)


def test_when_it_was_used_up_is_kept_too() -> None:
    full = ((DAY, 99, RESET), (DAY + 2 * MINUTE, 100, RESET), (DAY + 4 * MINUTE, 101, RESET))
    limits = seen(*full, (4 * DAY, 2, RESET + 7 * DAY))
    assert limits.past_weeks[0].reached_at == NOW + DAY + 2 * MINUTE


def test_a_week_whose_reset_was_moved_ends_where_the_other_is_first_seen() -> None:
    limits = seen((DAY, 40, RESET), (2 * DAY, 1, RESET + 5 * DAY))
    assert limits.past_weeks == (PastWeek("seven_day", RESET, NOW + 2 * DAY, 40),)


def test_a_reset_that_shifts_by_seconds_is_the_same_week() -> None:
    shifted = RESET + timedelta(seconds=40)
    limits = seen((DAY, 40, RESET), (2 * DAY, 41, shifted), (2.5 * DAY, 42, RESET))
    assert limits.past_weeks == ()
    assert len(limits.windows["seven_day"].captures) == 3


def test_a_session_that_brings_an_older_reset_back_adds_no_second_week() -> None:
    later = RESET + 5 * DAY
    limits = seen((DAY, 40, RESET), (HOUR + DAY, 1, later), (2 * HOUR + DAY, 41, RESET))
    limits = seen((3 * HOUR + DAY, 2, later), first=limits)
    assert [(week.resets_at, week.used_percent) for week in limits.past_weeks] == [
        (RESET, 41),
        (later, 1),
    ]


def test_each_weekly_limit_has_weeks_of_its_own_and_others_have_none() -> None:
    keys = ("five_hour", "seven_day", "seven_day_opus", "model:Fable", "spend_limit")
    answer = UsageAnswer({key: Report(30, RESET) for key in keys})
    limits = with_answer(OfficialLimits(), answer, NOW)
    limits = with_session(limits, "s", {}, RESET + MINUTE)
    assert sorted(week.window for week in limits.past_weeks) == [
        *("model:Fable", "seven_day", "seven_day_opus")
    ]


def test_weeks_are_kept_for_twelve_weeks_and_the_file_stays_small(tmp_path: Path) -> None:
    limits = OfficialLimits()
    for hour in range(0, 30 * 7 * 24, 2):
        at = NOW + hour * HOUR
        week = NOW + (hour // 168 + 1) * 7 * DAY
        percent = (hour % 168) / 168 * 99
        reports = {key: Report(percent, week) for key in ("seven_day", "seven_day_opus")}
        limits = with_session(limits, f"s{hour % 500}", reports, at)
    assert len(limits.past_weeks) <= MAX_WEEKS
    assert len({week.resets_at for week in limits.past_weeks}) == 12
    path = official_path(tmp_path, "/home/you/.claude")
    save(path, replace(limits, sessions={}))
    assert len(path.read_bytes()) < 16_000
    assert load_official(tmp_path, ["/home/you/.claude"]).past_weeks == limits.past_weeks


def test_a_file_without_past_weeks_is_read(tmp_path: Path) -> None:
    path = official_path(tmp_path, "/home/you/.claude")
    save(path, seen((DAY, 40, RESET)))
    assert not {"past_weeks", "week_cost"} & json.loads(path.read_text()).keys()
    limits = load_official(tmp_path, ["/home/you/.claude"])
    assert limits.past_weeks == () and limits.week_cost == WeekCost()


@given(st.lists(st.tuples(st.integers(1, 200), st.integers(0, 104)), max_size=300))
def test_a_weeks_captures_are_an_hour_apart_and_the_newest_and_100_percent_stay(
    steps: list[tuple[int, int]],
) -> None:
    limits, at, percents = OfficialLimits(), NOW, []
    for minutes, percent in steps:
        at += minutes * MINUTE
        if at >= RESET:
            break
        limits = with_session(limits, "s", {"seven_day": Report(percent, RESET)}, at)
        percents.append(percent)
    if not percents:
        return
    captures = limits.windows["seven_day"].captures
    assert len(captures) <= MAX_WEEK_CAPTURES and captures[-1].used_percent == percents[-1]
    assert any(c.used_percent >= 100 for c in captures) or max(percents) < 100
    if max(percents) < 100:
        assert all(after.at - at >= HOUR for (at, _), after in zip(captures, captures[2:]))


def test_the_first_time_of_each_percentage_is_kept_where_they_are_an_hour_apart() -> None:
    sights = [(n * HOUR, float(n // 3), RESET) for n in range(12)]
    captures = seen(*sights).windows["seven_day"].captures
    assert [Capture(NOW + 3 * n * HOUR, n) in captures for n in range(4)] == [True] * 4


def both(five_hour: float, seven_day: float, reset: datetime = RESET) -> dict[str, Report]:
    return {
        "five_hour": Report(five_hour, NOW + 4 * HOUR),
        "seven_day": Report(seven_day, reset),
    }


def cost(*reports: dict[str, Report]) -> WeekCost:
    limits = OfficialLimits()
    for number, each in enumerate(reports):
        limits = with_session(limits, "s", each, NOW + number * 5 * MINUTE)
    return limits.week_cost


def test_what_both_percentages_rose_together_is_added_up() -> None:
    assert cost(both(10, 40), both(30, 42), both(30, 42), both(60, 46)) == WeekCost(50, 6)


@pytest.mark.parametrize(
    "after", [both(5, 41), both(30, 3, RESET + 5 * DAY), {"five_hour": Report(9, RESET)}]
)
def test_what_falls_or_belongs_to_another_window_tells_no_cost(after: dict[str, Report]) -> None:
    assert cost(both(10, 40), after) == WeekCost()


def test_old_costs_are_forgotten() -> None:
    rises = [both(100.0 * (n % 2), 40 + n % 2) for n in range(40)]
    assert cost(*rises).five_hour <= 1100


def test_two_data_directories_have_their_weeks_together() -> None:
    one = seen((DAY, 40, RESET), (4 * DAY, 2, RESET + 7 * DAY))
    other = seen((DAY, 30, RESET - HOUR), (4 * DAY, 2, RESET + 7 * DAY))
    both_weeks = joined(one, other).past_weeks
    assert [week.used_percent for week in both_weeks] == [30, 40]
    assert present(joined(one, other), NOW + 5 * DAY).past_weeks == both_weeks


def test_a_week_that_both_data_directories_of_an_account_know_counts_once() -> None:
    second = timedelta(seconds=1)
    one = seen((DAY, 40, RESET), (4 * DAY, 2, RESET + 7 * DAY))
    other = seen((2 * DAY, 70, RESET + second), (4 * DAY, 2, RESET + 7 * DAY))
    assert [week.used_percent for week in joined(one, other).past_weeks] == [70]
    assert [week.used_percent for week in joined(other, one).past_weeks] == [70]


def test_windows_of_two_accounts_keep_each_their_own_past_weeks() -> None:
    one = seen((DAY, 40, RESET), (4 * DAY, 2, RESET + 7 * DAY))
    other = seen((DAY, 30, RESET - DAY), (4 * DAY, 5, RESET + 6 * DAY))
    limits = together({"/one": one, "/other": other})
    for key, percent in (("seven_day@/one", 40), ("seven_day@/other", 30)):
        assert [week.used_percent for week in past_weeks_before(limits, key)] == [percent]
