"""The plan of a week: each day's share, what today has used, and the windows that are left."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.official import Capture, RateLimitWindow, WeekCost
from monitor.model.week_plan import WeekPlan, percent_at, plan_week
from monitor.model.week_sentence import plan_sentence
from monitor.model.week_shape import WeekShape, expected_week

START = datetime(2026, 6, 1, 9, tzinfo=timezone.utc)
"""A Monday."""

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WORKS = WeekShape(days=(1.4,) * 5 + (0.0, 0.0), hours=(0.0,) * 9 + (3.0,) * 8 + (0.0,) * 7)


def window(*sights: tuple[float, float]) -> RateLimitWindow:
    """Make a week that began at START, from captures so many hours after it."""
    captures = tuple(Capture(START + hours * HOUR, percent) for hours, percent in sights)
    last = captures[-1]
    return RateLimitWindow(last.used_percent, START + 7 * DAY, last.at, captures)


def plan_at(
    hours: float,
    *sights: tuple[float, float],
    shape: WeekShape = WORKS,
    cost: Optional[WeekCost] = None,
    zone: str = "UTC",
) -> WeekPlan:
    """Plan a week so many hours after its start."""
    week, now = expected_week(shape, START), START + hours * HOUR
    return plan_week(window(*sights), week, cost, pytz.timezone(zone), now)


def test_the_rest_is_spread_over_the_days_of_work_that_are_left() -> None:
    # Wednesday, 09:00: 40 % are used, and Wednesday, Thursday and Friday are to come.
    plan = plan_at(48, (26, 39), (30, 40), (47, 40))
    assert plan.today_share == pytest.approx(20) and plan.today_used == 0
    shares = [day.share for day in plan.days]
    assert shares[:2] == [None, None]
    assert shares[2:] == [pytest.approx(value, abs=1e-6) for value in (20, 20, 20, 0, 0, 0)]
    assert [day.begin.hour for day in plan.days] == [9, *[0] * 7]


def test_using_todays_share_leaves_it_as_it_was() -> None:
    plans = [
        plan_at(48 + hours, (30, 40), (46, 40), (48 + hours, 40 + used))
        for hours, used in ((1, 2), (4, 10), (8, 15))
    ]
    assert [plan.today_share for plan in plans] == [pytest.approx(20)] * 3
    assert [plan.today_used for plan in plans] == [2, 10, 15]
    assert [plan.days[3].share for plan in plans] == [pytest.approx(20)] * 3


def test_what_today_uses_beyond_its_share_is_taken_from_the_days_to_come() -> None:
    plan = plan_at(52, (30, 40), (46, 40), (52, 70))
    assert plan.today_share == pytest.approx(20) and plan.today_used == 30
    assert [day.share for day in plan.days[3:5]] == [pytest.approx(15)] * 2


def test_where_no_capture_tells_what_today_used_nothing_is_claimed() -> None:
    plan = plan_at(52, (4, 10), (50, 40))
    assert plan.today_used is None
    assert plan.today_share == pytest.approx(60 * 4 / (4 + 16))  # from 13:00 on


def test_the_first_day_of_a_week_begins_with_nothing_used() -> None:
    plan = plan_at(3, (3, 5))
    assert plan.today_used == 5 and plan.today_share == pytest.approx(20)


@pytest.mark.parametrize(
    ("sights", "expected"),
    [
        ([(30, 40), (50, 45)], 40),  # nine hours before midnight
        ([(4, 40), (50, 42)], 40),  # a gap in which hardly anything was used
        ([(4, 40), (50, 45)], None),
        ([(4, 40)], None),
        ([(50, 45)], None),
        ([(50, 2)], 0),
        ([(20, 90), (30, 40), (50, 45)], 40),
        ([(30, 90), (50, 4)], None),  # it fell: another limit, of which nothing was seen before
    ],
)
def test_the_percentage_at_midnight_is_known_if_a_capture_tells(
    sights: list[tuple[float, float]], expected: Optional[float]
) -> None:
    assert percent_at(window(*sights), START + 39 * HOUR) == expected


def test_what_was_used_of_the_first_day_is_not_known_before_a_capture() -> None:
    assert percent_at(window((50, 45)), START) == 0
    assert percent_at(window((50, 45)), START + 9 * HOUR) is None


def test_before_the_week_nothing_was_used() -> None:
    assert percent_at(window((30, 40)), START) == 0
    assert percent_at(window((30, 90), (31, 40)), START) is None  # it fell since


@pytest.mark.parametrize(
    ("cost", "left"),
    [
        (None, None),
        (WeekCost(), None),
        (WeekCost(300, 2.9), None),
        (WeekCost(49, 5), None),
        (WeekCost(300, 30), 6),
    ],
)
def test_the_windows_left_are_known_once_enough_was_seen_together(
    cost: Optional[WeekCost], left: Optional[float]
) -> None:
    assert plan_at(48, (47, 40), cost=cost).windows_left == left


@pytest.mark.parametrize(
    ("used", "cost", "text"),
    [
        (40, None, "Today's share is 20 % of the week, nothing used."),
        (
            40,
            WeekCost(300, 30),
            "Today's share is 20 % of the week, nothing used; about 6 full 5-hour windows left.",
        ),
        (
            91,
            WeekCost(300, 30),
            (
                "Today's share is 3 % of the week, nothing used; "
                "less than one full 5-hour window left."
            ),
        ),
        (
            88,
            WeekCost(300, 30),
            "Today's share is 4 % of the week, nothing used; about 1 full 5-hour window left.",
        ),
    ],
)
def test_the_plan_is_said_in_a_sentence(used: float, cost: Optional[WeekCost], text: str) -> None:
    plan = plan_at(48, (30, used), (47, used), cost=cost)
    assert plan_sentence(plan) == text


def test_what_is_not_known_is_not_said() -> None:
    plan = plan_at(52, (4, 10), (50, 40))
    assert plan_sentence(plan) == "12 % of the week is left for today."
    assert plan_sentence(plan._replace(today_share=None)) == ""
    assert plan_sentence(plan._replace(today_share=None, windows_left=2)) == (
        "About 2 full 5-hour windows left."
    )


ZONES = st.sampled_from(["UTC", "US/Eastern", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"])


@given(st.floats(0, 167.9), st.lists(st.integers(0, 105), min_size=1, max_size=5), ZONES)
def test_the_days_make_up_the_week_and_their_shares_the_rest(
    hours: float, percents: list[int], zone: str
) -> None:
    sights = [(hours * n / len(percents), float(p)) for n, p in enumerate(percents)]
    plan = plan_at(hours, *sights, shape=WeekShape(), zone=zone)
    assert plan.days[0].begin == START and plan.days[-1].end == START + 7 * DAY
    assert all(one.end == other.begin for one, other in zip(plan.days, plan.days[1:]))
    assert 7 <= len(plan.days) <= 9
    shares = [day.share for day in plan.days if day.share is not None]
    assert plan.today_share is not None and 0 <= plan.today_share <= 100
    assert shares[0] == plan.today_share
    of_today = max(0.0, plan.today_share - (plan.today_used or 0))
    assert sum(shares[1:]) + of_today <= max(0, 100 - percents[-1]) + 1e-6
    known = [day.used for day in plan.days if day.used is not None]
    assert all(used >= 0 for used in known)
