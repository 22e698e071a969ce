"""Measuring: from a reading and the present moment to what every view shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model.blocks import SESSION
from monitor.model.usage import Rules, measure
from tests.samples import (
    EMPTY,
    EXCEEDED,
    HISTORY,
    IDLE,
    LIMIT_REACHED,
    NOW,
    OK,
    RULES,
    RUNS_OUT,
    STALE,
    START,
    WARMING_UP,
    active,
    block_of,
    events_over,
    past_block,
    reading_of,
    usage_of,
)


def test_an_active_block_gives_an_active_usage() -> None:
    usage = usage_of(OK)
    assert (usage.status, usage.tokens.counted, usage.exceeded) == ("active", 9_000, False)


def test_a_gap_after_the_active_block_does_not_hide_it() -> None:
    block = block_of(events_over(138, 9_000))
    gap = replace(block, id="gap", start=NOW, end=NOW + SESSION, is_gap=True, is_active=False)
    assert usage_of(reading_of(block, gap)).block == block


def test_no_active_block_is_idle_with_nothing_used_and_no_forecast() -> None:
    usage = usage_of(IDLE)
    assert (usage.status, usage.block, usage.tokens.counted) == ("idle", None, 0)
    assert (usage.reset.at, usage.forecast.verdict) == (None, "unknown")
    assert usage.last == past_block(1, 26_200)


def test_a_first_start_has_no_last_block_either() -> None:
    usage = measure(EMPTY, None, RULES, NOW)
    assert (usage.status, usage.last) == ("idle", None)


def test_a_block_ends_without_a_new_look() -> None:
    usage = measure(OK, HISTORY, RULES, START + SESSION)
    assert (usage.status, usage.block) == ("idle", None)
    assert usage.last is not None
    assert usage.last.start == START


def test_a_limit_message_stops_the_forecast_until_its_reset() -> None:
    usage = usage_of(LIMIT_REACHED)
    assert (usage.status, usage.reset.source) == ("limit_reached", "limit_message")
    assert usage.forecast.verdict == "unknown"
    later = measure(LIMIT_REACHED, HISTORY, RULES, NOW + timedelta(hours=1, minutes=29))
    assert (later.status, later.reset.source) == ("active", "block_end")


def test_the_used_percentage_is_not_clamped_and_what_is_left_is_never_below_0() -> None:
    usage = usage_of(EXCEEDED)
    assert usage.used_percent == pytest.approx(137.2)
    assert (usage.tokens_left, usage.exceeded) == (0, True)


def test_exactly_the_limit_is_not_over_it() -> None:
    usage = usage_of(active(events_over(138, 35_000)))
    assert (usage.used_percent, usage.tokens_left, usage.exceeded) == (100.0, 0, False)


def test_the_limit_was_crossed_by_the_message_that_went_over_it() -> None:
    events = events_over(110, 11 * 3_500, first=0, count=11)
    crossed = usage_of(active(events)).crossed_at
    assert crossed == events[10].at  # the tenth reached 35,000 exactly
    assert usage_of(RUNS_OUT).crossed_at is None


def test_a_series_that_does_not_add_up_is_not_used() -> None:
    block, events = block_of(events_over(138, 9_000)), events_over(138, 8_999)
    usage = usage_of(reading_of(block, events=events))
    assert usage.events is None
    assert not usage.burn.exact


def test_the_elapsed_time_counts_from_the_blocks_start_to_the_reset() -> None:
    usage = measure(OK, HISTORY, RULES, START + SESSION / 4)
    assert usage.elapsed_percent == 25.0
    assert usage_of(IDLE).elapsed_percent is None


def test_a_stale_reading_gives_the_same_numbers() -> None:
    stale, fresh = usage_of(STALE), usage_of(RUNS_OUT)
    assert (stale.tokens, stale.reset, stale.status) == (fresh.tokens, fresh.reset, fresh.status)


def test_warming_up_has_a_reset_and_a_limit_but_no_forecast() -> None:
    usage = usage_of(WARMING_UP)
    assert usage.burn.tokens_per_minute is None
    assert usage.forecast.verdict == "unknown"
    assert (usage.forecast.runs_out_at, usage.forecast.probability) == (None, None)


def test_the_users_reset_hour_is_known_when_idle_too() -> None:
    usage = usage_of(IDLE, Rules(plan="max5", reset_hour=21))
    assert (usage.reset.at, usage.reset.source) == (
        NOW.replace(hour=21, minute=0, second=0),
        "reset_hour",
    )


def test_measuring_twice_gives_the_same() -> None:
    assert usage_of(OK) == usage_of(OK)
