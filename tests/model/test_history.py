"""The kept history: joined without losing what only one side knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest
import pytz

from monitor.model.blocks import Block, TokenCounts
from monitor.model.formatting import TimeFormat
from monitor.model.history import (
    CompletedBlock,
    History,
    Spending,
    as_checked,
    block_hours,
    by_day,
    by_hour_of_week,
    hourly_tokens,
    spending,
    total_cost,
    with_scan,
    with_seen,
)
from tests.samples import NOW, OK, PAST, past_block

OLD, NEW = past_block(2, 500), past_block(1, 800)


def checked(block: Block, percent: Optional[float] = None) -> CompletedBlock:
    return CompletedBlock(block, percent, is_checked=True)


def test_what_a_window_shows_is_added_oldest_first() -> None:
    items = with_seen([CompletedBlock(NEW)], [CompletedBlock(OLD)])
    assert [item.block for item in items] == [OLD, NEW]


def test_a_window_never_changes_or_displaces_what_a_full_scan_has_counted() -> None:
    more = CompletedBlock(past_block(2, 12_250))
    assert with_seen([checked(OLD)], [more]) == (checked(OLD),)
    assert with_seen([checked(OLD)], [moved(OLD, 1, 12_250)]) == (checked(OLD),)


def test_an_ended_block_counts_as_a_full_scan_has_counted_it() -> None:
    now = NEW.end + timedelta(days=9)
    active = replace(OLD, start=now, end=now + timedelta(hours=5))
    wrong, moved_wrong = past_block(2, 12_250), moved(OLD, 1, 12_250).block
    history = History((checked(OLD), CompletedBlock(past_block(1, 9))))
    assert as_checked([wrong, NEW, active], history, now) == (OLD, NEW, active)
    assert as_checked([moved_wrong, active], history, now) == (OLD, active)
    assert as_checked([active], history, now) == (active,)


def test_of_two_sights_through_a_window_the_larger_saw_more_of_the_block() -> None:
    less, more = CompletedBlock(OLD), CompletedBlock(past_block(2, 700))
    assert with_seen([less], [more]) == with_seen([more], [less]) == (more,)


def test_a_full_scan_replaces_what_a_window_counted_up_or_down() -> None:
    for counted in (12_250, 1):
        unchecked = CompletedBlock(past_block(2, counted))
        assert with_scan([unchecked], [CompletedBlock(OLD)]) == (checked(OLD),)
    elsewhere = moved(OLD, 12, 12_250)
    assert with_scan([elsewhere], [CompletedBlock(OLD)]) == (checked(OLD),)
    overlapping = moved(OLD, 1, 12_250)
    assert with_scan([overlapping], [CompletedBlock(OLD)]) == (checked(OLD),)


def test_a_block_whose_transcripts_are_gone_is_kept() -> None:
    assert with_scan([checked(OLD)], []) == (checked(OLD),)
    assert with_scan([checked(OLD)], [CompletedBlock(NEW)]) == (checked(OLD), checked(NEW))
    assert with_scan([CompletedBlock(OLD)], [CompletedBlock(NEW)])[0].block == OLD
    part = CompletedBlock(past_block(2, 100))
    assert with_scan([checked(OLD)], [part]) == (checked(OLD),)


def test_a_scan_that_counts_more_of_a_block_replaces_it() -> None:
    more = past_block(2, 700)
    assert with_scan([checked(OLD)], [CompletedBlock(more)]) == (checked(more),)


def test_an_official_percentage_stays_until_a_newer_one_is_known() -> None:
    assert with_scan([checked(OLD, 41.0)], [CompletedBlock(OLD)]) == (checked(OLD, 41.0),)
    assert with_scan([checked(OLD)], [CompletedBlock(OLD, 41.0)]) == (checked(OLD, 41.0),)
    assert with_scan([checked(OLD, 41.0)], [CompletedBlock(OLD, 0.0)])[0].official_percent == 0.0


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
    last = end - timedelta(seconds=1)
    tokens = TokenCounts(0, counted)
    return CompletedBlock(replace(block, start=start, end=end, last_activity=last, tokens=tokens))


def seen(items: Iterable[CompletedBlock]) -> list[CompletedBlock]:
    return [replace(item, is_checked=True) for item in items]


def test_where_transcripts_are_gone_the_stored_blocks_of_that_time_are_kept() -> None:
    # 09-14 and 14-19; a transcript of the day is gone, and the rest is cut 10-15 and 15-20.
    whole = seen([moved(OLD, 0, 900), moved(OLD, 5, 600)])
    rest = seen([moved(OLD, 1, 100), moved(OLD, 6, 300)])
    untouched = replace(moved(OLD, 24, 50), is_checked=True)
    assert with_scan([*whole, untouched], [*rest, untouched]) == (*whole, untouched)
    assert with_scan(with_scan(whole, rest), rest) == tuple(whole)


def test_what_the_active_block_holds_now_is_not_taken_for_gone() -> None:
    # 02-07; an older message is found, and the same hours are cut 01-06 and 06-11.
    before = seen([moved(OLD, 2, 3_274)])
    after = [moved(OLD, 1, 2_318)]
    active = moved(OLD, 6, 1_970).block
    active = replace(active, is_active=True, last_activity=active.start + timedelta(hours=1.5))
    assert with_scan(before, after, active) == (*seen(after),)
    assert with_scan(before, after)[-1].block == before[0].block


def round_the_clock(hours: range, first: int) -> list[CompletedBlock]:
    """Blocks of work without a pause, 100 tokens an hour, divided from the first hour on."""
    return [moved(OLD, hour, 500) for hour in range(first, hours.stop - 4, 5)]


@pytest.mark.parametrize("days_kept", [30, 10, 2])
def test_who_works_round_the_clock_loses_nothing_when_the_oldest_transcripts_go(
    days_kept: int,
) -> None:
    """Each day the oldest day is deleted, and without a silence all blocks begin at other hours."""
    history: tuple[CompletedBlock, ...] = ()
    for day in range(40):
        present = range(max(0, day - days_kept) * 24 + day * 7 % 5, (day + 1) * 24)
        history = with_scan(history, round_the_clock(present, present.start))
    total = sum(item.block.tokens.counted for item in history)
    worked = 40 * 24 * 100
    assert 0.995 * worked < total <= 1.001 * worked
    ends = [item.block.end for item in history]
    assert all(end <= item.block.start for end, item in zip(ends, history[1:]))


def test_blocks_that_only_touch_are_both_kept() -> None:
    pair = seen([moved(OLD, 0, 900), moved(OLD, 5, 1)])
    assert with_scan(pair[:1], pair[1:]) == tuple(pair)


# What the last days have cost.


def spent(
    *items: CompletedBlock,
    active: Optional[tuple[datetime, Optional[float]]] = None,
    read_at: Optional[datetime] = NOW,
    zone: str = "UTC",
) -> Spending:
    return spending(History(items, read_at), active, TimeFormat(pytz.timezone(zone)), NOW)


def costing(days: int, cost: Optional[float], hour: int = 9) -> CompletedBlock:
    return CompletedBlock(replace(past_block(days, 500, hour), cost_usd=cost))


def test_todays_and_the_last_seven_days_costs_are_added_up() -> None:
    items = costing(8, 100.0), costing(6, 2.0), costing(1, 1.0), costing(0, 0.5, hour=3)
    assert spent(*items) == Spending(0.5, 3.5)
    assert spent(*items, active=(NOW - timedelta(hours=2), 0.25)) == Spending(0.75, 3.75)


def test_the_active_block_counts_once_and_by_its_own_cost() -> None:
    # As stored it may be older, if a clock was wrong.
    stored = costing(0, 5.0, hour=12)
    assert spent(stored, active=(stored.block.start, 9.0)) == Spending(9.0, 9.0)


def test_one_cost_that_is_not_known_makes_its_sums_unknown() -> None:
    assert spent(costing(3, None), costing(0, 0.5, hour=3)) == Spending(0.5, None)
    assert spent(costing(3, 1.0), costing(0, None, hour=3)) == Spending(None, None)
    assert spent(costing(8, None), costing(3, 1.0)) == Spending(None, 1.0)
    assert spent(costing(3, 1.0), active=(NOW, None)) == Spending(None, None)


def test_without_a_history_no_sum_is_whole() -> None:
    assert spent(costing(3, 1.0), read_at=None) == Spending(None, None)
    assert spent() == Spending(None, None)


def test_a_block_counts_for_the_day_on_which_it_began_on_the_users_clock() -> None:
    early = costing(0, 2.0, hour=3)  # 23:00 of the day before in New York
    assert spent(early).today == 2.0
    assert spent(early, zone="America/New_York") == Spending(None, 2.0)


def test_blocks_that_have_not_ended_are_not_counted_as_completed() -> None:
    assert spent(costing(-1, 7.0), costing(1, 1.0)) == Spending(None, 1.0)


def test_without_costs_all_are_unknown_and_all_else_is_kept() -> None:
    history = History((costing(1, 2.0),), NOW, store_error="It is full.")
    (item,) = history.costless.completed
    assert item == costing(1, None)
    assert replace(history.costless, completed=history.completed) == history


@pytest.mark.parametrize(
    ("costs", "total"),
    [([], None), ([0.0], 0.0), ([1.5, 2.0], 3.5), ([1.5, None], None), ([None], None)],
)
def test_a_total_is_whole_or_not_known(
    costs: list[Optional[float]], total: Optional[float]
) -> None:
    assert total_cost(costs) == total


def test_a_day_with_the_active_block_is_running() -> None:
    clock = TimeFormat(pytz.utc)
    (past,) = by_day([CompletedBlock(PAST[-1])], clock)
    (today,) = by_day([CompletedBlock(OK.blocks[-1])], clock)
    assert (past.is_running, today.is_running) == (False, True)
