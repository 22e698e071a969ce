"""The burn rate: over which window, with idle time counted, and when there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.blocks import Block, Event
from monitor.model.burn import BurnRate, burn_rate
from tests.samples import NOW, START, block_of, events_over

BLOCK = block_of(events_over(120, 6_000))


def at(minutes_ago: float, tokens: int) -> Event:
    return Event(NOW - timedelta(minutes=minutes_ago), tokens, 0.5)


def burn_of(*events: Event, block: Block = BLOCK) -> BurnRate:
    return burn_rate(block, events, NOW)


def test_the_headline_rate_is_over_the_last_hour() -> None:
    burn = burn_of(at(100, 90_000), at(50, 3_000), at(5, 600))
    assert (burn.tokens_per_minute, burn.window_minutes) == (60.0, 60.0)


def test_the_rates_of_ten_minutes_and_of_the_whole_block_stand_beside_it() -> None:
    burn = burn_of(at(100, 6_400), at(50, 3_000), at(5, 600))
    assert (burn.recent, burn.whole) == (60.0, 100.0)


def test_the_cost_per_hour_is_over_the_same_window() -> None:
    assert burn_of(at(100, 1), at(50, 1), at(5, 1)).cost_per_hour == 1.0


def test_the_cost_per_hour_is_unknown_where_one_cost_is() -> None:
    unknown = at(5, 600)._replace(cost_usd=None)
    assert burn_of(at(50, 3_000), unknown).cost_per_hour is None


def test_a_block_younger_than_an_hour_is_measured_since_its_first_message() -> None:
    burn = burn_of(at(20, 1_000), at(5, 1_000))
    assert (burn.tokens_per_minute, burn.window_minutes) == (100.0, 20.0)


def test_idle_time_counts_so_that_the_rate_falls_to_nothing() -> None:
    rates = [
        burn_rate(BLOCK, [Event(START, 3_000)], START + timedelta(minutes=m)).tokens_per_minute
        for m in (10, 30, 60, 61, 180)
    ]
    assert rates == [300.0, 100.0, 50.0, 0.0, 0.0]


def test_it_warms_up_for_five_minutes() -> None:
    assert burn_of(at(4.9, 500)) == BurnRate(None)
    assert burn_of(at(5, 500)).tokens_per_minute == 100.0


def test_there_is_no_rate_when_idle() -> None:
    assert burn_rate(None, None, NOW) == BurnRate(0.0, None, 0.0)


def test_without_a_series_it_is_the_average_since_the_block_began_and_is_marked() -> None:
    burn = burn_rate(BLOCK, None, START + timedelta(minutes=150))
    assert (burn.tokens_per_minute, burn.window_minutes) == (40.0, 150.0)
    assert not burn.exact
    assert burn.recent is None


def test_the_average_warms_up_as_well() -> None:
    assert burn_rate(BLOCK, None, START + timedelta(minutes=4)) == BurnRate(None)
    assert burn_rate(BLOCK, None, START + timedelta(minutes=5)).tokens_per_minute == 1_200.0


@pytest.mark.parametrize("cost", [None, 10.0])
def test_the_average_has_a_cost_only_where_the_block_has_one(cost: float) -> None:
    burn = burn_rate(replace(BLOCK, cost_usd=cost), None, START + timedelta(hours=2))
    assert burn.cost_per_hour == (None if cost is None else 5.0)


@given(st.lists(st.tuples(st.floats(-10, 300), st.integers(0, 10**15)), min_size=1))
def test_no_rate_is_ever_negative_or_beyond_what_was_counted(
    messages: list[tuple[float, int]],
) -> None:
    events = sorted((at(ago, tokens) for ago, tokens in messages), key=lambda event: event.at)
    burn = burn_of(*events)
    for rate in (burn.tokens_per_minute, burn.recent, burn.whole):
        assert rate is None or 0 <= rate <= sum(tokens for _, tokens in messages) / 5


def test_a_message_of_just_an_hour_ago_is_in_the_rate_and_in_its_cost() -> None:
    burn = burn_of(at(100, 1), at(60, 3_600))
    assert (burn.tokens_per_minute, burn.cost_per_hour) == (60.0, 0.5)
    assert burn_of(at(100, 1), at(60.01, 3_600)).cost_per_hour == 0
    assert burn_of(at(100, 1), at(0, 3_600)).cost_per_hour == 0.5


def test_a_message_stamped_after_now_is_not_counted_yet() -> None:
    assert burn_of(at(50, 3_000), at(-1, 600)) == burn_of(at(50, 3_000))


def test_rates_are_not_cut_to_whole_tokens() -> None:
    burn = burn_of(at(100, 0), at(5, 9))
    assert (burn.tokens_per_minute, burn.recent, burn.whole) == (0.15, 0.9, 0.09)
    average = burn_rate(block_of((Event(START, 9),)), None, START + timedelta(minutes=100))
    assert (average.tokens_per_minute, average.whole) == (0.09, 0.09)
