from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.blocks import SESSION, Event
from monitor.model.projection import Projection, _pace, project, reach_times

START = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)
END = START + SESSION


@dataclass(frozen=True)
class Moment:
    """A block as known at one instant."""

    events: tuple[Event, ...]
    now: datetime

    @property
    def counted(self) -> int:
        return sum(event.tokens for event in self.events)

    def project(self) -> Projection:
        found = project(self.events, START, END, self.now)
        assert found is not None
        return found


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def steady(minutes: Sequence[int], tokens: int = 100) -> tuple[Event, ...]:
    return tuple(Event(at(minute), tokens) for minute in minutes)


def seen_at(minute: float, events: Sequence[Event]) -> Optional[Projection]:
    return project(events, START, END, at(minute))


tokens = st.integers(0, 10**9)


@st.composite
def moments(draw: st.DrawFn) -> Moment:
    now = draw(st.floats(5, 300))
    times = sorted(draw(st.lists(st.floats(0, now), max_size=12)))
    first = draw(st.floats(0, min(now - 5, times[0] if times else now)))
    events = tuple(Event(at(time), draw(tokens)) for time in (first, *times))
    return Moment(events, max(at(now), at(first) + timedelta(minutes=5)))


@given(moments())
def test_the_band_starts_at_the_count_so_far_or_above_and_is_in_order(moment: Moment) -> None:
    found = moment.project()
    assert found.counted == moment.counted
    assert moment.counted <= found.final_low <= found.final_median <= found.final_high


@given(moments(), tokens, tokens)
def test_a_higher_limit_is_never_more_likely_to_be_reached(
    moment: Moment, one: int, other: int
) -> None:
    found = moment.project()
    low, high = sorted((one, other))
    assert 0 <= found.probability_above(high) <= found.probability_above(low) <= 1


@given(moments())
def test_the_probability_agrees_with_the_band(moment: Moment) -> None:
    found = moment.project()
    quantiles = ((0.1, found.final_low), (0.5, found.final_median), (0.9, found.final_high))
    for share, final in quantiles:
        if final > found.counted + 1:
            assert found.probability_above(final) == pytest.approx(1 - share, abs=1e-3)
        else:
            assert found.probability_above(final + 2) <= 1 - share + 1e-3


@given(moments())
def test_a_limit_already_reached_is_certain(moment: Moment) -> None:
    found = moment.project()
    assert found.probability_above(found.counted) == found.probability_above(0) == 1


@given(moments())
def test_at_the_end_of_the_block_the_count_is_final(moment: Moment) -> None:
    found = project(moment.events, START, END, END)
    assert found is not None
    assert found.final_low == found.final_high == moment.counted
    assert found.probability_above(moment.counted + 1) == 0


@given(moments(), tokens)
def test_the_times_of_reaching_lie_between_now_and_the_end_and_in_order(
    moment: Moment, limit: int
) -> None:
    found = moment.project()
    earliest, likely, latest = reach_times(found, limit, moment.now, END)
    assert (earliest is None) == (limit > max(found.final_high, found.counted))
    if latest is not None:
        assert earliest is not None
        assert moment.now <= earliest <= latest <= END
        assert likely is not None and earliest <= likely <= latest
    elif likely is not None:
        assert earliest is not None and moment.now <= earliest <= likely <= END
    elif earliest is not None:
        assert moment.now <= earliest <= END
    assert (likely is None) == (limit > max(found.final_median, found.counted))


@given(moments(), st.integers(2, 1000))
def test_counting_in_another_unit_changes_nothing_but_the_unit(moment: Moment, unit: int) -> None:
    events = tuple(Event(event.at, event.tokens * unit) for event in moment.events)
    found = moment.project()
    scaled = project(events, START, END, moment.now)
    assert scaled is not None
    assert scaled.stop == found.stop
    assert scaled.final_high == pytest.approx(found.final_high * unit)


def test_there_is_no_forecast_before_the_first_message_or_in_the_five_minutes_after() -> None:
    events = steady([30])
    assert seen_at(20, ()) is None
    assert seen_at(20, events) is None
    assert seen_at(34.9, events) is None
    assert seen_at(35, events) is not None


def test_events_after_now_are_not_known_yet() -> None:
    assert seen_at(60, steady([10, 50])) == seen_at(60, steady([10, 50, 70]))


def test_messages_without_tokens_promise_nothing() -> None:
    found = seen_at(60, steady([10, 50], tokens=0))
    assert found is not None
    assert found.final_high == 0
    assert found.probability_above(1) == 0


def test_a_long_pause_makes_more_usage_unlikely() -> None:
    found = [seen_at(minute, steady(range(0, 60, 5))) for minute in (60, 90, 150)]
    chances = [o.probability_above(o.counted + 1) for o in found if o]
    assert chances[0] > 0.8
    assert chances[1] < chances[0]
    assert chances[2] < 0.3


def test_steady_work_with_four_hours_left_is_expected_to_go_on() -> None:
    found = seen_at(60, steady(range(0, 60, 5)))
    assert found is not None
    assert found.final_median > 1.3 * found.counted


def test_a_limit_inside_the_band_is_reached_in_time_on_the_fast_edge_only() -> None:
    found = Projection(1_000, 0.5, 500, 0.6, 1_000, 1_200, 2_000)
    assert reach_times(found, 1_500, at(180), END) == (at(240), None, None)
    assert reach_times(found, 1_100, at(180), END) == (at(192), at(240), None)
    assert reach_times(found, 900, at(180), END) == (at(180), at(180), at(180))
    assert reach_times(found, 2_000, at(180), END) == (END, None, None)
    assert reach_times(found, 2_500, at(180), END) == (None, None, None)


# The numbers of the method in docs/accuracy.md, worked out by hand.


def test_the_pace_is_the_mean_of_the_last_hours_and_of_the_time_since_with_an_hour_added() -> None:
    events = (Event(at(0), 100), Event(at(60), 20), Event(at(90), 60))
    assert _pace(events, 180, at(120)) == (60 + 180 / 3) / 2


def test_a_block_ends_where_the_table_and_its_own_pace_say() -> None:
    found = seen_at(120, (Event(at(0), 100), Event(at(89.5), 60)))
    assert found is not None
    log_odds = -2.47 + 1.37 * math.log(1 + 30.5 / 5) - 0.55 * math.log(3.1)
    assert found.stop == pytest.approx(1 / (1 + math.exp(-log_odds)))
    scale = 0.85 * (60 + 160 / 3) / 2 * 3
    assert found.scale == pytest.approx(scale)
    more = scale * math.log((1 - found.stop) / 0.1) ** (1 / 0.6)
    assert found.final_high == pytest.approx(160 + more)
    assert found.probability_above(160 + scale) == pytest.approx((1 - found.stop) / math.e)


def test_in_the_last_hour_too_more_may_come() -> None:
    found = seen_at(270, steady(range(0, 270, 5)))
    assert found is not None
    assert found.stop < 0.9
    assert found.final_high > found.counted
