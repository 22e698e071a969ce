"""The records of usage: which block is active, and whether a series of events is a block's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Optional

from monitor.model.blocks import (
    SESSION,
    Block,
    Event,
    TokenCounts,
    active_block,
    is_whole,
    last_block,
    real_blocks,
    series,
    unpriced_models,
    with_known_cost,
)
from tests.recordings import Recording, each_recording


@each_recording
def test_gaps_are_kept_apart_from_real_blocks(recorded: Recording) -> None:
    gaps = [b for b in recorded.blocks if b.is_gap]
    assert gaps
    assert not set(gaps) & set(real_blocks(recorded.blocks))
    assert all(b.tokens == TokenCounts() and b.last_activity is None for b in gaps)


@each_recording
def test_the_active_block_contains_now_though_a_later_one_claims_to_be_active(
    recorded: Recording,
) -> None:
    claimed = [b for b in recorded.blocks if b.is_active]
    active = active_block(recorded.blocks, recorded.now)
    assert len(claimed) == 2
    assert active == claimed[0]
    assert active.start <= recorded.now < active.end
    assert recorded.blocks[-1] == claimed[1]


@each_recording
def test_the_order_of_a_report_does_not_matter(recorded: Recording) -> None:
    backwards = tuple(reversed(recorded.blocks))
    assert active_block(backwards, recorded.now) == active_block(recorded.blocks, recorded.now)
    assert real_blocks(backwards) == real_blocks(recorded.blocks)


@each_recording
def test_no_block_is_active_once_the_block_has_ended(recorded: Recording) -> None:
    active = active_block(recorded.blocks, recorded.now)
    assert active
    assert active_block(recorded.blocks, active.end - timedelta(seconds=1)) == active
    assert active_block(recorded.blocks, active.end) is None
    assert last_block(recorded.blocks, active.end) == active


@each_recording
def test_the_last_block_is_the_newest_that_has_ended(recorded: Recording) -> None:
    last = last_block(recorded.blocks, recorded.now)
    assert last == real_blocks(recorded.blocks)[9]
    assert last.end <= recorded.now


def test_counted_tokens_are_input_and_output_and_never_cache_tokens() -> None:
    tokens = TokenCounts(input=1, output=20, cache_creation=300, cache_read=4000)
    assert tokens.counted == 21
    assert tokens.total == 4321


# The series of a block.


START = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)


def block(counted: int, cost: Optional[float] = 1.0) -> Block:
    """An active block from 12:00, with its last activity at 13:30:15."""
    return Block(
        id=START.isoformat(),
        start=START,
        end=START + SESSION,
        last_activity=START + timedelta(minutes=90, seconds=15),
        is_active=True,
        is_gap=False,
        entries=3,
        tokens=TokenCounts(0, counted),
        cost_usd=cost,
        models=("claude-sonnet-4-20250514",),
    )


def event(minute: float, tokens: int, cost: Optional[float] = None) -> Event:
    return Event(START + timedelta(minutes=minute), tokens, cost)


def test_a_series_is_the_blocks_own_events_only() -> None:
    found = block(100)
    assert found.last_activity is not None
    own = (event(0, 40), Event(found.last_activity, 60))
    assert series(found, (event(-1, 7), *own, event(91, 9))) == own


def test_what_the_block_counts_beyond_its_series_arrived_at_its_last_activity() -> None:
    found = block(100)
    own = (event(0, 40, 0.25), event(30, 50))
    assert found.last_activity is not None
    assert series(found, own) == (*own, Event(found.last_activity, 10, 0.75))
    assert series(replace(found, cost_usd=None), own) == (*own, Event(found.last_activity, 10))
    assert series(replace(found, cost_usd=0.1), own) == (*own, Event(found.last_activity, 10, 0.0))


def test_a_series_that_counts_more_than_its_block_is_none() -> None:
    assert series(block(99), (event(0, 100),)) is None
    assert series(replace(block(100), last_activity=None), (event(0, 100),)) is None


def test_a_series_is_whole_when_it_lies_in_the_block_and_adds_up_to_it() -> None:
    found = block(100)
    assert is_whole(found, [event(0, 40), event(300, 60)])
    assert not is_whole(found, [event(0, 40), event(30, 59)])
    assert not is_whole(found, [event(-1, 40), event(30, 60)])
    assert not is_whole(found, [event(0, 40), event(301, 60)])
    assert not is_whole(block(0), [])
    assert not is_whole(block(0), None)


# Models without a price.


def priced(cost: Optional[float], *models: str, tokens: int = 900) -> Block:
    return replace(block(tokens, cost), models=models)


def test_the_models_of_a_block_that_has_tokens_and_cost_nothing_have_no_price() -> None:
    blocks = [priced(0.0, "new-1", "<synthetic>"), priced(0.0, "new-2"), priced(2.5, "old")]
    assert unpriced_models(blocks) == {"new-1", "new-2"}


def test_what_used_nothing_or_has_no_known_cost_says_nothing_of_prices() -> None:
    for found in (priced(0.0, "a", tokens=0), priced(None, "a"), priced(0.01, "a")):
        assert unpriced_models([found]) == set()
    assert unpriced_models([priced(0.0, "<synthetic>")]) == set()


def test_cache_tokens_cost_something_too() -> None:
    cached = replace(priced(0.0, "new"), tokens=TokenCounts(0, 0, 0, 40))
    assert unpriced_models([cached]) == {"new"}


def test_a_cost_that_leaves_a_model_out_is_not_known() -> None:
    both, known = priced(2.5, "old", "new"), priced(2.5, "old")
    assert with_known_cost(both, ["new"]).cost_usd is None
    assert with_known_cost(known, ["new"]) is known
    assert with_known_cost(both, []) is both
