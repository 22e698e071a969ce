"""The shape of a user's week: learned on the user's clock, plain while little is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
import pytz

from monitor.model.blocks import SESSION, Block, TokenCounts
from monitor.model.week_shape import MOST_SPREAD, WeekShape, expected_week, learn_shape

MONDAY = datetime(2026, 3, 2, tzinfo=timezone.utc)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
PLAIN = WeekShape()


def block(start: datetime, tokens: int = 1000, hours: float = 0.9) -> Block:
    counts = TokenCounts(output=tokens)
    return Block(
        "", start, start + SESSION, start + hours * HOUR, False, False, 1, counts, None, ()
    )


def mornings(weeks: int, days: int = 5) -> Iterator[Block]:
    """One block at 09:00 UTC from Monday on, on so many days of each week."""
    for week in range(weeks):
        for day in range(days):
            yield block(MONDAY + week * WEEK + day * DAY + 9 * HOUR, 1000 * (week + 1))


def test_nothing_known_is_a_week_in_which_all_hours_are_alike() -> None:
    assert learn_shape([], [], timezone.utc, MONDAY) == PLAIN
    week = expected_week(PLAIN, MONDAY)
    assert [round(week.share_at(MONDAY + n * DAY), 4) for n in (0, 3.5, 7)] == [0, 0.5, 1]


def test_days_off_and_hours_of_work_are_learned_and_one_heavy_week_is_not_all() -> None:
    shape = learn_shape(mornings(8), [], timezone.utc, MONDAY + 8 * WEEK - HOUR)
    assert all(0.95 < value / shape.days[0] < 1.05 for value in shape.days[:5])
    assert all(0 < value < 0.25 for value in shape.days[5:])
    assert shape.hours[9] > 20 and sum(shape.hours) == pytest.approx(24)
    assert sum(shape.days) == pytest.approx(7)


def test_the_less_is_known_the_plainer_is_the_shape() -> None:
    sundays = [
        learn_shape(mornings(n), [], timezone.utc, MONDAY + n * WEEK).days[6] for n in (1, 3, 9)
    ]
    assert 1 > sundays[0] > sundays[1] > sundays[2] > 0


def test_the_days_are_those_of_the_users_clock() -> None:
    evenings = [block(MONDAY + n * WEEK + 22 * HOUR) for n in range(6)]
    tokyo = learn_shape(evenings, [], pytz.timezone("Asia/Tokyo"), MONDAY + 6 * WEEK)
    assert max(range(7), key=tokyo.days.__getitem__) == 1
    assert max(range(24), key=tokyo.hours.__getitem__) == 7
    monday_evening, tuesday_evening = (MONDAY + n * DAY + 22.5 * HOUR for n in (0, 1))
    assert tokyo.weight(monday_evening) > 10 > tokyo.weight(tuesday_evening)


def test_a_time_in_which_the_limit_stopped_the_user_is_no_time_off() -> None:
    until = MONDAY + 6 * WEEK
    stops = [(MONDAY + n * WEEK + 3 * DAY, MONDAY + (n + 1) * WEEK) for n in range(6)]
    blocks = list(mornings(6, days=3))
    unaware, aware = (learn_shape(blocks, known, timezone.utc, until) for known in ([], stops))
    assert unaware.days[4] < 0.5 and aware.days[4] > 0.9


def test_a_block_is_spread_over_the_hours_up_to_its_last_message() -> None:
    shape = learn_shape(
        [block(MONDAY + n * DAY + 22 * HOUR, hours=3.5) for n in range(14)],
        [],
        timezone.utc,
        MONDAY + 15 * DAY,
    )
    assert shape.hours[22] == pytest.approx(shape.hours[1], rel=0.03) and shape.hours[2] < 1


def test_even_days_have_little_spread_and_single_heavy_ones_much_but_never_too_much() -> None:
    even = learn_shape(mornings(8, 7), [], timezone.utc, MONDAY + WEEK)
    uneven = [block(MONDAY + n * DAY, 10**6 if n == 20 else 10) for n in range(40)]
    heavy = learn_shape(uneven, [], timezone.utc, MONDAY + 40 * DAY)
    assert even.spread < 0.5 < heavy.spread == MOST_SPREAD


def test_blocks_of_long_ago_or_of_the_future_say_nothing() -> None:
    blocks = [block(MONDAY), block(MONDAY + 20 * WEEK)]
    assert learn_shape(blocks, [], timezone.utc, MONDAY + 13 * WEEK) == PLAIN


def test_the_time_of_a_share_is_the_inverse_of_the_share_at_a_time() -> None:
    shape = learn_shape(mornings(8), [], timezone.utc, MONDAY + 8 * WEEK)
    week = expected_week(shape, MONDAY + 8 * WEEK + 7.25 * HOUR)
    for hours in (0.5, 30.25, 100, 167.9):
        when = week.start + hours * HOUR
        assert abs(week.time_of(week.share_at(when)) - when) < timedelta(minutes=1)
    assert week.share_at(week.start - DAY) == 0 and week.share_at(week.start + 8 * DAY) == 1
    assert week.time_of(1.5) == week.start + WEEK


def test_a_week_in_which_the_clocks_change_has_all_its_hours() -> None:
    zone = pytz.timezone("Europe/Berlin")
    shape = learn_shape(mornings(4), [], zone, MONDAY + 4 * WEEK)
    week = expected_week(shape, datetime(2026, 3, 26, 8, tzinfo=timezone.utc))
    assert len(week.shares) == 169 and week.shares[-1] == pytest.approx(1)
    assert list(week.shares) == sorted(week.shares)


def test_a_stop_that_several_messages_tell_of_counts_once() -> None:
    end = MONDAY + 6 * WEEK
    stop = (end - 3 * DAY + 17 * HOUR, end - HOUR)
    again = [(stop[0] + n * HOUR, stop[1]) for n in (1, 2, 30)]
    once = learn_shape(mornings(6), [stop], timezone.utc, end)
    assert learn_shape(mornings(6), [stop, *again], timezone.utc, end) == once
