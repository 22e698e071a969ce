"""Parts of a long slice: which transcripts they need, what of their blocks is exact."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Optional

from monitor.model.blocks import SESSION, Block, TokenCounts
from monitor.model.slice_parts import LAST, MARKED, PartsRead
from monitor.model.slices import ANSWER, Piece, Span, with_copies

START = datetime(2026, 6, 1, 8, tzinfo=timezone.utc)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SINCE = START - 8 * HOUR
"""A silence follows, until the first block begins."""


def block(hours: float) -> Block:
    start = START + hours * HOUR
    return Block("", start, start + SESSION, start, False, False, 1, TokenCounts(), None, ())


def starts(blocks: tuple[Block, ...]) -> list[float]:
    return [(b.start - START) / HOUR for b in blocks]


WORK = [
    Piece(n, 10, Span(START + n * HOUR, START + (n + 2) * HOUR - MINUTE)) for n in range(29, -1, -1)
]
"""Thirty hours, with two transcripts at each time."""


def numbers(known: PartsRead, limit: int) -> tuple[list[int], Optional[datetime]]:
    part = known.next_part(WORK, limit)
    return [piece.number for piece in part.pieces], part.end


# --- which transcripts


def test_a_part_ends_before_the_transcript_that_would_be_too_much() -> None:
    assert numbers(PartsRead(START, None, is_cut=False), 80) == (
        list(range(8)),
        START + 8 * HOUR - ANSWER,
    )


def test_a_part_holds_a_whole_block_at_least() -> None:
    assert numbers(PartsRead(START, None, is_cut=True), 10) == (
        list(range(6)),
        START + 6 * HOUR - ANSWER,
    )


def test_the_last_part_is_larger_instead_of_a_small_one_after_it() -> None:
    chosen, end = numbers(PartsRead(START, None, is_cut=False), round(300 / LAST))
    assert (len(chosen), end) == (30, None)
    assert numbers(PartsRead(START, None, is_cut=False), 200)[1] is not None


def test_long_sessions_that_are_read_again_leave_a_part_room_for_half_its_limit() -> None:
    session = Piece(99, 200, Span(START - 9 * HOUR, START + 99 * HOUR))
    part = PartsRead(START, None, is_cut=True).next_part(with_copies([*WORK, session]), 200)
    assert len(part.pieces) == 11 and part.end == START + 10 * HOUR - ANSWER


def test_without_a_beginning_it_begins_with_the_oldest_transcript() -> None:
    assert numbers(PartsRead(None, None, is_cut=True), 80)[0] == list(range(8))


def test_no_transcripts_are_the_last_part() -> None:
    assert PartsRead(START, None, is_cut=False).next_part([], 10) == ([], None)


def test_a_later_part_needs_the_lines_of_an_answer_that_ended_before_it() -> None:
    known = PartsRead(START + 6 * HOUR, None, is_cut=True, blocks=(block(0),))
    assert numbers(known, 80)[0][0] == 4  # its last message came a minute before


# --- what is exact


def test_the_blocks_that_end_before_the_part_does_are_exact() -> None:
    first = PartsRead(SINCE, None, is_cut=False)
    known = first.with_part([block(0), block(5), block(10)], START + 12 * HOUR)
    assert (known.is_cut, known.cut) == (True, START)
    assert starts(known.blocks) == [0, 5]
    assert known.begin == START + 10 * HOUR
    assert known.markers == [START + MARKED, START + 5 * HOUR + MARKED]


def test_the_next_part_goes_on_with_the_first_block_that_was_not_complete() -> None:
    first = PartsRead(SINCE, None, is_cut=False)
    known = first.with_part([block(0), block(5), block(10)], START + 12 * HOUR)
    known = known.with_part([block(0), block(5), block(10), block(15)], None)
    assert starts(known.blocks) == [0, 5, 10, 15]


def test_after_a_part_that_ends_in_a_silence_the_next_block_may_begin_with_its_hour() -> None:
    first = PartsRead(SINCE, None, is_cut=False)
    known = first.with_part([block(0)], START + 13 * HOUR - ANSWER)
    known = known.with_part([block(0), block(12)], None)
    assert starts(known.blocks) == [0, 12]


def test_nothing_is_exact_before_a_silence_is_seen() -> None:
    first = PartsRead(START, None, is_cut=False)
    known = first.with_part([block(0), block(5)], START + 7 * HOUR)
    assert (known.is_cut, known.blocks, known.begin) == (False, (), START + 5 * HOUR)
    known = known.with_part([block(5), block(17)], None)
    assert (known.cut, starts(known.blocks)) == (START + 17 * HOUR, [17])


def test_from_the_beginning_everything_is_exact() -> None:
    known = PartsRead(None, None, is_cut=True).with_part([block(0), block(5)], START + 7 * HOUR)
    assert (known.cut, starts(known.blocks)) == (None, [0])


def test_blocks_after_the_slice_are_not_its_own() -> None:
    known = PartsRead(None, START + 20 * HOUR, is_cut=True).with_part([block(0), block(20)], None)
    assert starts(known.blocks) == [0]


def test_a_line_of_an_answer_that_is_counted_elsewhere_misleads_a_part() -> None:
    known = PartsRead(START + 5 * HOUR, None, is_cut=True, cut=START, blocks=(block(0),))
    earlier = block(-7)  # of a long session: nothing is said of it
    assert not known.is_misled([earlier, block(0), block(5)])
    assert known.is_misled([earlier, block(5)])  # the marker began no block
    assert known.is_misled([earlier, block(0), block(3), block(8)])
    reaching = replace(block(-1), last_activity=START + 6 * HOUR)
    assert known.is_misled([reaching, block(0)])


def test_the_blocks_of_markers_are_known() -> None:
    known = PartsRead(START + 5 * HOUR, None, is_cut=True, blocks=(block(0),))
    assert known.unmarked([block(0), block(5)]) == [block(5)]
