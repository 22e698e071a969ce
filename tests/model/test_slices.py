"""Slices of the history: where they begin, which files they need, what of their blocks is exact."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest

from monitor.model.blocks import SESSION, Block, TokenCounts
from monitor.model.slices import (
    BEFORE,
    FAR,
    Interval,
    Piece,
    Round,
    Size,
    Span,
    contradicts,
    cut_of,
    left_of,
    part_of,
    slice_start,
    with_copies,
    with_new,
)

NOW = datetime(2026, 6, 30, 12, tzinfo=timezone.utc)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
EVERYTHING = Interval()


def block(start: datetime, last: Optional[datetime] = None) -> Block:
    last = last or start + HOUR
    end = start + SESSION
    return Block("", start, end, last, False, False, 1, TokenCounts(), None, ())


def piece(days_ago: float, hours: float = 3, size: int = 10, origin: str = "") -> Piece:
    """A transcript that began so many days ago and went on for some hours."""
    first = NOW - days_ago * DAY
    return Piece(round(100 * days_ago), size, Span(first, first + hours * HOUR, origin))


DAYS = [piece(days) for days in range(2, 12)]
"""Three hours of work on each day, in one transcript."""


def begins(
    pieces: list[Piece], interval: Interval = EVERYTHING, *, limit: int, tried: int = 0
) -> float:
    """Return how many days ago the next slice begins; 0 if it takes all that is left."""
    start = slice_start(pieces, interval, Size(limit, tried=tried), NOW)
    return (NOW - start) / DAY if start else 0


# --- where a slice begins


def test_a_slice_ends_in_the_silence_before_what_would_be_too_much() -> None:
    assert 4 < begins(DAYS, limit=35) < 5


def test_what_is_left_is_read_to_its_beginning() -> None:
    assert begins(DAYS, limit=100) == 0


def test_without_a_silence_between_transcripts_it_begins_where_the_bytes_end() -> None:
    long = [piece(days, hours=24) for days in range(2, 4 * FAR)]
    assert begins(long, limit=35) == pytest.approx(4, abs=0.01)


def test_one_transcript_is_taken_however_large_it_is() -> None:
    assert 2 < begins([piece(2, size=1000), *DAYS[1:]], limit=35) < 3


def test_the_newest_slice_is_as_long_as_a_window() -> None:
    busy = [piece(hours / 24, hours=0.5) for hours in range(1, 40)]
    assert begins(busy, limit=10) == BEFORE / DAY


def test_what_is_new_is_read_from_the_silence_before_it() -> None:
    since = NOW - 3.5 * DAY
    assert 3.5 < begins(DAYS, Interval(since), limit=10**6) < 4


def test_what_is_new_is_read_from_a_day_before_it_where_no_silence_is_between() -> None:
    long = [piece(days, hours=24) for days in range(2, 12)]
    assert begins(long, Interval(NOW - 3.5 * DAY), limit=10**6) == 4.5


def test_a_long_session_that_is_read_again_leaves_a_slice_room_for_half_its_limit() -> None:
    session = piece(4 * FAR, hours=24 * 4 * FAR - 24, size=1000)
    pieces = with_copies([*(piece(days) for days in range(2, 4 * FAR)), session])
    assert begins(pieces, Interval(None, NOW - 1.5 * DAY), limit=60) == pytest.approx(5, abs=0.2)


BUSY = [piece(2 + hours / 24, hours=2) for hours in range(12)]
"""A day without a silence, in twelve transcripts."""


@pytest.mark.parametrize(
    ("limit", "tried", "to_silence"), [(50, 0, True), (35, 0, True), (5, 0, False), (70, 35, True)]
)
def test_a_slice_becomes_longer_than_its_limit_if_the_next_silence_is_not_far(
    limit: int, tried: int, *, to_silence: bool
) -> None:
    pieces = [*BUSY, *(piece(days) for days in range(4, 20))]
    assert (begins(pieces, limit=limit, tried=tried) > 3.8) is to_silence
    assert begins([*BUSY, piece(4)], limit=FAR * 10**6) == 0


def test_each_further_try_has_twice_the_size() -> None:
    assert Size(10).next == Size(20, 2 * BEFORE, 10)


# --- which files it needs


def test_a_slice_needs_the_transcripts_that_reach_into_it_and_no_others() -> None:
    session = piece(9.5, hours=24 * 6)
    pieces = with_copies([*DAYS, session])
    wanted = part_of(pieces, NOW - 6.5 * DAY, NOW - 4.5 * DAY)
    assert [p.number for p in wanted] == [950, 500, 600]
    assert part_of(DAYS, None, None) == DAYS


def test_what_was_read_is_left_out_of_the_next_slices() -> None:
    session = piece(9.5, hours=24 * 6)
    pieces = with_copies([*DAYS, session])
    assert [p.number for p in left_of(pieces, NOW - 8.5 * DAY)] == [950, 900, 1000, 1100]
    assert not left_of(pieces, None)


def test_a_copied_session_and_its_original_are_in_the_same_slices() -> None:
    copied = with_copies([piece(2, origin="a"), piece(5), piece(9, origin="a")])
    assert [(p.number, p.span.first) for p in copied] == [
        (200, NOW - 9 * DAY),
        (900, NOW - 9 * DAY),
        (500, NOW - 5 * DAY),
    ]


# --- what of its blocks is exact


@pytest.mark.parametrize(("minutes", "exact"), [(1, True), (0, False)])
def test_blocks_after_a_silence_of_more_than_five_hours_are_exact(
    minutes: int, *, exact: bool
) -> None:
    since = NOW - DAY
    cut = since + HOUR + SESSION + minutes * MINUTE
    blocks = [block(since, since + HOUR), block(cut), block(cut + SESSION)]
    assert cut_of(blocks, since, None) == (cut if exact else None)


def test_a_block_that_reaches_into_the_slice_counts_as_work_in_it() -> None:
    since = NOW - DAY
    old, new = block(since - HOUR, since + 2 * HOUR), block(since + 6 * HOUR)
    assert cut_of([old, new], since, None) is None
    assert cut_of([block(since - HOUR, since - MINUTE), new], since, None) == new.start


def test_a_slice_without_messages_is_exact_from_its_beginning() -> None:
    since = NOW - DAY
    outside = [block(since - 3 * HOUR), block(NOW)]
    assert cut_of(outside, since, NOW) == since
    assert cut_of([], since, NOW) == since


def test_a_silence_after_all_messages_proves_nothing_about_them() -> None:
    since = NOW - DAY
    assert cut_of([block(since + HOUR)], since, NOW) is None


@pytest.mark.parametrize(("hours", "wrong"), [(0, False), (-3, True), (4, True)])
def test_blocks_outside_the_time_of_their_transcripts_contradict_it(
    hours: int, *, wrong: bool
) -> None:
    read = piece(2)
    assert contradicts([block(read.span.first + hours * HOUR)], [read]) is wrong


def test_blocks_of_no_transcript_contradict_too() -> None:
    assert contradicts([block(NOW)], [])
    assert not contradicts([], [])


# --- a read that is under way


def test_new_messages_are_read_before_what_an_earlier_read_has_left() -> None:
    left = Interval(None, NOW - 9 * DAY)
    assert with_new(NOW - DAY, [left]) == (Interval(NOW - DAY), left)


def test_what_is_new_takes_in_what_it_touches() -> None:
    left = Interval(NOW - 20 * DAY, NOW - 9 * DAY)
    assert with_new(NOW - 10 * DAY, [left]) == (Interval(NOW - 20 * DAY),)
    assert with_new(NOW - 30 * DAY, [left]) == (Interval(NOW - 30 * DAY),)
    assert with_new(None, [left]) == (Interval(),)
    assert with_new(NOW - DAY, [Interval(None)]) == (Interval(),)


def test_a_slice_shortens_what_is_to_do_and_the_last_one_ends_it() -> None:
    whole = Interval()
    running = Round(NOW, (whole,), NOW - 10 * DAY)
    cut = NOW - 3 * DAY
    left = running.without(whole, cut)
    assert left.todo == (Interval(None, cut),)
    assert left.without(left.todo[0], None).todo == ()


def test_an_interval_is_done_when_a_slice_began_before_it() -> None:
    day = Interval(NOW - DAY)
    assert Round(NOW, (day, EVERYTHING)).without(day, NOW - 2 * DAY).todo == (EVERYTHING,)


def test_what_another_process_has_read_meanwhile_changes_nothing() -> None:
    running = Round(NOW, (Interval(None, NOW - 5 * DAY),))
    assert running.without(Interval(None, NOW - 3 * DAY), NOW - 4 * DAY) is running


@pytest.mark.parametrize(
    ("todo", "text"),
    [
        ((EVERYTHING,), "0 of 10 days read"),
        ((Interval(None, NOW - 3 * DAY),), "3 of 10 days read"),
        ((Interval(NOW - DAY), Interval(None, NOW - 3 * DAY)), "2 of 10 days read"),
        ((Interval(None, NOW - 10 * DAY + HOUR),), "9 of 10 days read"),
    ],
)
def test_progress_is_told_in_days(todo: tuple[Interval, ...], text: str) -> None:
    assert str(Round(NOW, todo, NOW - 10 * DAY).progress) == text
