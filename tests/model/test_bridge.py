from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.model import bridge as model
from monitor.model.blocks import MAX_TOKENS, Event
from monitor.model.bridge import MAX_PERCENT, Bridge, WindowStart, tokens_per_percent
from monitor.model.official import Capture

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def captures_of(*seen: tuple[float, float]) -> tuple[Capture, ...]:
    return tuple(Capture(at(minute), percent) for minute, percent in seen)


def events_of(*counted: tuple[float, int]) -> tuple[Event, ...]:
    return tuple(Event(at(minute), tokens) for minute, tokens in counted)


BELIEVED = 0.0
"""Tokens in a percent: less than any start gives here, so that each is believed."""


def begun(events: Sequence[Event]) -> WindowStart:
    """The start of the window in most of these tests: with the first token here."""
    return WindowStart(events[0].at if events else None, BELIEVED)


def bridge(captures: Sequence[Capture], events: Sequence[Event], now: datetime) -> Optional[Bridge]:
    return model.bridge(captures, events, now, begun(events))


def bridge_errors(captures: Sequence[Capture], events: Sequence[Event]) -> tuple[float, ...]:
    return model.bridge_errors(captures, events, begun(events))


def worth(captures: Sequence[Capture], events: Sequence[Event]) -> Optional[float]:
    return tokens_per_percent(captures, events, begun(events))


def found(captures: tuple[Capture, ...], events: tuple[Event, ...], minute: float) -> Bridge:
    result = bridge(captures, events, at(minute))
    assert result is not None
    return result


# 51 % at 25,500 tokens: a percent is worth 500 of them.
CAPTURES = captures_of((100, 51.0))
EVENTS = events_of((20, 10_500), (90, 15_000), (110, 2_000))


def test_tokens_since_the_capture_are_added_at_the_worth_they_had_before() -> None:
    assert bridge(CAPTURES, EVENTS, at(120)) == Bridge(
        used_percent=55.0, base=CAPTURES[0], tokens_since=2_000, tokens_per_percent=500.0
    )


def test_the_newest_capture_is_the_base() -> None:
    captures = captures_of((50, 21.0), (100, 51.0))
    assert found(captures, EVENTS, 120).base == captures[1]


@pytest.mark.parametrize(
    ("captures", "events", "minute"),
    [
        pytest.param((), EVENTS, 120, id="without a capture"),
        pytest.param(captures_of((100, 2.9)), EVENTS, 120, id="below 3 percent"),
        pytest.param(captures_of((95, 51.0), (100, 2.9)), EVENTS, 120, id="below 3 percent again"),
        pytest.param(captures_of((100, 51.0)), EVENTS[:2], 120, id="with no tokens since"),
        pytest.param(captures_of((109.5, 51.0)), EVENTS, 110.4, id="within a minute"),
        pytest.param(
            captures_of((50, 21.0), (109.5, 51.0)), EVENTS, 110.4, id="within a minute of the last"
        ),
        pytest.param(captures_of((130, 51.0)), EVENTS, 120, id="before the capture"),
        pytest.param(CAPTURES, events_of((20, 499), (110, 50)), 120, id="from few tokens"),
        pytest.param(CAPTURES, events_of((110, 2_000)), 120, id="from no tokens"),
        pytest.param(CAPTURES, (), 120, id="without events"),
        pytest.param(
            captures_of((10, 50.0), (30, 52.9)), events_of((20, 900), (40, 10)), 45,
            id="from less than 3 points",
        ),
    ],
)  # fmt: skip
def test_no_bridge_is_attempted(
    captures: tuple[Capture, ...], events: tuple[Event, ...], minute: float
) -> None:
    assert bridge(captures, events, at(minute)) is None


def test_it_is_attempted_at_3_percent_from_500_tokens_after_a_minute() -> None:
    result = found(captures_of((10, 3.0)), events_of((5, 500), (10.5, 50)), 11)
    assert result.used_percent == pytest.approx(3.3)


def test_a_token_counted_at_the_moment_of_the_capture_is_in_its_percent() -> None:
    events = events_of((20, 10_500), (100, 15_000), (110, 2_000))
    assert found(CAPTURES, events, 120).tokens_since == 2_000


def test_a_message_stamped_in_the_future_waits_until_it_is_due() -> None:
    events = (*EVENTS, *events_of((150, 9_000)))
    assert bridge(CAPTURES, events, at(120)) == bridge(CAPTURES, EVENTS, at(120))


def test_the_mix_of_late_counts_more_than_the_mix_of_the_whole_window() -> None:
    captures = captures_of((50, 20.0), (100, 60.0))
    events = events_of((40, 20_000), (90, 8_000), (110, 200))
    # 1,000 tokens a percent at first, 200 of late, 467 on the whole.
    assert 200 < found(captures, events, 120).tokens_per_percent < 300


def test_what_another_device_used_while_nothing_was_counted_here_is_left_out() -> None:
    alone = found(captures_of((100, 51.0)), EVENTS, 120)
    shared = found(captures_of((100, 51.0), (105, 71.0)), EVENTS, 120)
    assert shared.tokens_per_percent == pytest.approx(alone.tokens_per_percent)
    assert shared.used_percent == pytest.approx(75.0)


def test_a_block_that_began_within_the_window_is_judged_by_its_own_steps() -> None:
    captures = captures_of((60, 40.0), (200, 60.0), (230, 65.0))
    events = events_of((210, 1_000), (240, 200))
    assert found(captures, events, 245).used_percent == pytest.approx(66.0)


def test_a_percent_that_went_down_for_a_moment_does_not_count_twice() -> None:
    captures = captures_of((80, 40.0), (90, 30.0), (100, 51.0))
    straight = captures_of((80, 40.0), (90, 40.0), (100, 51.0))
    events = events_of((20, 10_500), (85, 5_000), (95, 10_000), (110, 2_000))
    assert found(captures, events, 120) == found(straight, events, 120)


def test_no_more_is_added_than_the_points_that_it_was_learned_from() -> None:
    assert found(captures_of((10, 5.0)), events_of((5, 600), (20, 90_000)), 30).used_percent == 10.0


def test_a_bridge_never_says_that_the_limit_is_reached() -> None:
    events = events_of((5, 6_000), (20, 5_000))
    assert found(captures_of((10, 60.0)), events, 30).used_percent == MAX_PERCENT


def test_an_official_percent_above_100_is_kept() -> None:
    events = events_of((5, 6_000), (20, 5_000))
    assert found(captures_of((10, 104.0)), events, 30).used_percent == 104.0


def test_errors_tell_at_each_capture_how_far_off_the_bridge_to_it_was() -> None:
    captures = captures_of((100, 51.0), (120, 53.0), (140, 60.0))
    events = events_of((20, 25_500), (110, 2_000), (130, 1_000))
    first, second = bridge_errors(captures, events)
    assert first == pytest.approx(55.0 - 53.0)
    assert second < 0


def test_errors_leave_out_captures_that_no_bridge_led_to() -> None:
    captures = captures_of((5, 0.0), (100, 51.0), (100.5, 51.0), (130, 55.0))
    assert bridge_errors(captures, EVENTS) == pytest.approx((0.0,))


def test_a_single_capture_has_no_error_to_show() -> None:
    assert bridge_errors(CAPTURES, EVENTS) == ()


minutes = st.floats(0, 300)
percents = st.one_of(st.floats(0, 105), st.integers(0, 105).map(float))
all_captures = st.lists(st.builds(Capture, minutes.map(at), percents), max_size=60).map(
    lambda found: tuple(sorted(found, key=lambda capture: capture.at))
)
counts = st.one_of(st.integers(0, 3_000), st.integers(0, MAX_TOKENS))
all_events = st.lists(st.builds(Event, minutes.map(at), counts), max_size=40).map(
    lambda found: tuple(sorted(found, key=lambda event: event.at))
)


@given(all_captures, all_events, minutes)
def test_every_bridge_lies_between_its_base_and_the_limit(
    captures: tuple[Capture, ...], events: tuple[Event, ...], minute: float
) -> None:
    result = bridge(captures, events, at(minute))
    if result:
        assert result.base is captures[-1]
        base = result.base.used_percent
        assert base <= result.used_percent <= max(base, MAX_PERCENT)
        assert result.used_percent <= base + max(capture.used_percent for capture in captures)
        assert result.tokens_since > 0
        assert 0 < result.tokens_per_percent < float("inf")


steps = st.lists(st.tuples(st.integers(1, 20), st.integers(0, 15)), min_size=1, max_size=20)


def climbing(moves: list[tuple[int, int]]) -> tuple[tuple[Capture, ...], tuple[Event, ...]]:
    """Captures each 10 minutes, `points` after `500 * step` tokens each."""
    percent, captures, events = 0, [], []
    for i, (step, points) in enumerate(moves):
        percent = min(105, percent + points)
        captures.append(Capture(at(10 * i + 10), float(percent)))
        events.append(Event(at(10 * i + 5), 500 * step))
    return tuple(captures), tuple(events)


def after(
    captures: tuple[Capture, ...], events: tuple[Event, ...], tokens: int
) -> Optional[Bridge]:
    """Bridge two minutes after the last capture, `tokens` after it."""
    since = Event(captures[-1].at + timedelta(minutes=1), tokens)
    return bridge(captures, (*events, since), captures[-1].at + timedelta(minutes=2))


@given(steps, st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_tokens_since_never_lower_the_percent(
    moves: list[tuple[int, int]], some: int, more: int
) -> None:
    few, many = (after(*climbing(moves), tokens) for tokens in (some, some + more))
    assert (few is None) == (many is None)
    if few and many:
        assert few.used_percent <= many.used_percent
        assert few.tokens_per_percent == many.tokens_per_percent


@given(steps, st.integers(1, 10**6))
def test_worth_stays_within_ten_times_the_average_of_the_window(
    moves: list[tuple[int, int]], tokens: int
) -> None:
    captures, events = climbing(moves)
    result = after(captures, events, tokens)
    assume(result is not None)
    assert result is not None
    average = sum(event.tokens for event in events) / captures[-1].used_percent
    assert average / 10.001 <= result.tokens_per_percent <= average * 10.001


@given(st.integers(20, 2_000), st.lists(st.integers(1, 10), min_size=1, max_size=9))
def test_with_one_steady_worth_every_capture_is_met_exactly(worth: int, gains: list[int]) -> None:
    captures, events = climbing([(1, gain) for gain in (30, *gains)])
    events = tuple(event._replace(tokens=worth * gain) for event, gain in zip(events, (30, *gains)))
    assume(captures[-1].used_percent < MAX_PERCENT and worth * 30 >= 500)
    assert bridge_errors(captures, events) == pytest.approx([0.0] * len(gains), abs=1e-6)


def test_a_tokens_worth_is_known_once_a_few_points_were_used() -> None:
    events = [Event(START, 9_000)]
    seen = Capture(START + timedelta(minutes=1), 30.0)
    assert worth([seen], events) == pytest.approx(300.0)
    assert worth([], events) is None
    assert worth([Capture(seen.at, 2.0)], events) is None
    assert worth([seen], [Event(START, 400)]) is None


def test_a_step_of_one_token_is_learned_from_too() -> None:
    captures = captures_of((10, 5.0), (20, 6.0))
    assert worth(captures, events_of((5, 499), (15, 1))) is not None


def test_a_step_counts_half_as_much_ten_points_later_and_never_less_than_a_tenth() -> None:
    captures = captures_of((50, 20.0), (100, 60.0))
    events = events_of((40, 20_000), (90, 8_000))
    first = 0.1 + 0.9 / 2**4  # 40 points ago
    expected = (first * 20_000 + 8_000) / (first * 20 + 40)
    assert worth(captures, events) == pytest.approx(expected)


def test_what_another_device_used_before_the_first_token_here_teaches_nothing() -> None:
    # 60 % went elsewhere from 09:00; here a percent is worth 600 tokens.
    captures, events = captures_of((121, 60), (126, 61)), events_of((120.5, 300), (125, 600))
    start = WindowStart(START, BELIEVED)
    assert model.bridge(captures, (*events, Event(at(127), 300)), at(128), start) is None
    captures = (*captures, *captures_of((140, 64)))
    events = (*events, *events_of((139, 1_800), (141, 300)))
    result = model.bridge(captures, events, at(142), start)
    assert result is not None
    assert result.tokens_per_percent == pytest.approx(600)
    assert result.used_percent == pytest.approx(64.5)


def test_tokens_of_before_the_window_are_not_in_its_percentage() -> None:
    # The block began at 09:00 and holds 40,000; the window began at 12:01, 500 a percent.
    events = events_of((5, 40_000), (182, 1_000), (195, 1_000))
    captures = captures_of((190, 2), (200, 4))
    assert tokens_per_percent(captures, events, WindowStart(at(181), BELIEVED)) == pytest.approx(
        500
    )


def test_a_step_that_began_in_the_block_before_is_left_out() -> None:
    # Of the 20 points from 11:50 on some were used in a block that ended at 12:00.
    captures = captures_of((170, 30), (190, 50), (200, 54))
    events = events_of((185, 500), (195, 2_000))
    assert tokens_per_percent(captures, events, WindowStart(at(20), BELIEVED)) == pytest.approx(500)


def test_where_the_start_of_the_window_is_not_known_only_the_steps_between_captures_count() -> None:
    events = events_of((5, 40_000), (15, 2_000))
    assert tokens_per_percent(captures_of((10, 20)), events, WindowStart(None, BELIEVED)) is None
    assert tokens_per_percent(
        captures_of((10, 20), (20, 24)), events, WindowStart(None, BELIEVED)
    ) == pytest.approx(500)


@pytest.mark.parametrize(("least", "known"), [(500, 500), (501, None)])
def test_the_start_is_learned_from_where_it_gives_a_limit_that_can_be(
    least: float, known: Optional[float]
) -> None:
    # 51 % at 25,500 tokens from the start of the window on: 500 each.
    captures, events = captures_of((130, 51)), events_of((9, 10_000), (120, 15_500))
    found = tokens_per_percent(captures, events, WindowStart(START, least))
    assert found == (None if known is None else pytest.approx(known))


@pytest.mark.parametrize("began", [START, None])
def test_of_a_window_that_began_long_before_the_first_token_here_nothing_is_learned(
    began: Optional[datetime],
) -> None:
    # 63 % were used elsewhere: one message here says nothing of what a percent is worth.
    captures, events = captures_of((130, 63)), events_of((90, 10_000), (120, 15_500))
    assert tokens_per_percent(captures, events, WindowStart(began, BELIEVED)) is None
    assert model.bridge(captures, events, at(140), WindowStart(began, BELIEVED)) is None
