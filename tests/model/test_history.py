"""The kept history: joined without losing what only one side knows."""

from __future__ import annotations

from datetime import timedelta

from monitor.model.history import CompletedBlock, History, merged
from tests.samples import NOW, past_block

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
    rich = CompletedBlock(OLD, hourly=(300, 200), official_percent=41.0)
    assert merged([rich], [CompletedBlock(OLD)]) == (rich,)
    assert merged([CompletedBlock(OLD)], [rich]) == (rich,)


def test_of_two_official_percentages_the_newer_counts() -> None:
    old, new = CompletedBlock(OLD, (), 41.0), CompletedBlock(OLD, (), 0.0)
    assert merged([old], [new])[0].official_percent == 0.0


def test_the_forecast_learns_from_blocks_with_tokens_only() -> None:
    history = History((CompletedBlock(past_block(3, 0)), CompletedBlock(OLD, (300, 200))), NOW)
    (past,) = history.past()
    assert (past.start, past.tokens, tuple(past.hourly)) == (OLD.start, 500, (300, 200))
    assert history.blocks()[0].start == OLD.start - timedelta(days=1)
