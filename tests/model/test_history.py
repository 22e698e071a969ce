"""The kept history: joined without losing what only one side knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytz

from monitor.model.blocks import Block, TokenCounts
from monitor.model.formatting import TimeFormat
from monitor.model.history import (
    CompletedBlock,
    block_hours,
    by_hour_of_week,
    hourly_tokens,
    merged,
)
from tests.samples import past_block

OLD, NEW = past_block(2, 500), past_block(1, 800)


def test_two_histories_are_joined_oldest_first() -> None:
    found = merged([CompletedBlock(NEW)], [CompletedBlock(OLD)])
    assert [item.block for item in found] == [OLD, NEW]


def test_a_block_whose_transcripts_are_gone_is_kept() -> None:
    assert merged([CompletedBlock(OLD)], []) == (CompletedBlock(OLD),)


def test_of_two_records_of_one_block_the_larger_count_saw_more_of_it() -> None:
    more = past_block(2, 700)
    for old, new in ((OLD, more), (more, OLD)):
        assert [i.block for i in merged([CompletedBlock(old)], [CompletedBlock(new)])] == [more]


def test_what_one_record_lacks_comes_from_the_other() -> None:
    rich = CompletedBlock(OLD, official_percent=41.0)
    assert merged([rich], [CompletedBlock(OLD)]) == (rich,)
    assert merged([CompletedBlock(OLD)], [rich]) == (rich,)


def test_of_two_official_percentages_the_newer_counts() -> None:
    old, new = CompletedBlock(OLD, 41.0), CompletedBlock(OLD, 0.0)
    assert merged([old], [new])[0].official_percent == 0.0


def hour_of(block: Block, hours: float, counted: int) -> Block:
    """Make a piece of a report cut by the hour, so many hours after the block began."""
    return replace(
        block, start=block.start + timedelta(hours=hours), tokens=TokenCounts(0, counted)
    )


def test_each_clock_hour_of_a_block_has_its_own_count() -> None:
    pieces = [hour_of(NEW, 0, 300), hour_of(NEW, 4, 400), hour_of(NEW, 3, 60), hour_of(NEW, 3, 40)]
    outside = [hour_of(NEW, -1, 50), hour_of(NEW, 5, 60)]
    gap = replace(hour_of(NEW, 2, 70), is_gap=True)
    hours = hourly_tokens([*pieces, *outside, gap])
    assert block_hours(NEW, hours) == (300, 0, 0, 100, 400)


def test_hours_that_do_not_add_up_to_the_block_are_not_known() -> None:
    assert block_hours(NEW, hourly_tokens([hour_of(NEW, 0, 799)])) == ()


def test_the_hours_of_the_week_are_added_up_on_the_users_clock() -> None:
    sunday = replace(
        OLD,
        start=datetime(2026, 6, 7, 22, tzinfo=timezone.utc),
        tokens=TokenCounts(0, 321),
    )
    weeks = [replace(sunday, start=sunday.start + timedelta(days=days)) for days in (0, 7)]
    counts = ((0, 1), (1, 20), (2, 300))
    hours = hourly_tokens(hour_of(week, hour, n) for week in weeks for hour, n in counts)
    berlin = TimeFormat(pytz.timezone("Europe/Berlin"))
    heat = by_hour_of_week(map(CompletedBlock, weeks), hours, berlin)
    assert {hour: n for hour, n in heat.items() if n} == {(0, 0): 2, (0, 1): 40, (0, 2): 600}


def moved(block: Block, hours: float, counted: int) -> CompletedBlock:
    """Make a block of that count, so many hours after another began."""
    start = block.start + timedelta(hours=hours)
    end = start + timedelta(hours=5)
    return CompletedBlock(replace(block, start=start, end=end, tokens=TokenCounts(0, counted)))


def test_no_token_is_counted_twice_when_the_rest_of_a_day_is_cut_otherwise() -> None:
    # 09-14 and 14-19; the transcript of the morning is gone, and the rest is cut 10-15 and 15-20.
    whole = [moved(OLD, 0, 900), moved(OLD, 5, 600)]
    rest = [moved(OLD, 1, 700), moved(OLD, 6, 300)]
    untouched = moved(OLD, 24, 50)
    assert merged([*whole, untouched], rest) == (*whole, untouched)
    assert merged([*rest, untouched], whole) == (*whole, untouched)
    assert merged(merged(whole, rest), rest) == tuple(whole)


def test_blocks_that_only_touch_are_both_kept() -> None:
    pair = (moved(OLD, 0, 900), moved(OLD, 5, 1))
    assert merged([pair[0]], [pair[1]]) == pair
