"""Decide in which slices the history is read, and which blocks of a slice are exact.

A slice is a region of time, and the transcripts that hold messages of it. As in a window, a block
is exact if a silence of five hours precedes it and all messages since that silence were there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import islice, takewhile
from typing import NamedTuple, Optional

from monitor.model.blocks import SESSION, Block, real_blocks
from monitor.model.formatting import plural

SLACK = timedelta(minutes=1)
"""Messages of a transcript may be this much out of order."""

ANSWER = 3 * SLACK
"""The lines of one answer may be so far apart in two transcripts; ccusage counts one of them."""

GAP = SESSION + timedelta(hours=1) + 3 * SLACK
"""Transcripts this far apart show a silence: a block begins up to an hour before its messages."""

BEFORE = timedelta(hours=24)
"""How far before what is new a slice begins, to find a silence there."""

FAR = 16
"""How many times as large as its limit a slice may become to begin in a silence for certain."""

DAY = timedelta(days=1)

EARLIEST = datetime(1971, 1, 1, tzinfo=timezone.utc)
LATEST = datetime(9990, 1, 1, tzinfo=timezone.utc)
"""Programs write times outside for “none”; no answer has one."""


class Span(NamedTuple):
    """The time of a transcript's first message and of its last (UTC).

    `origin` names its first answer: a session that was copied when it was resumed has the same.
    """

    first: datetime
    last: datetime
    origin: str = ""


class Piece(NamedTuple):
    """A transcript to be read: its number in some list, its bytes, its span."""

    number: int
    size: int
    span: Span


class Size(NamedTuple):
    """How large a slice may be: bytes, and how far it may begin before what is new.

    `tried` are the bytes of the slice before it, if that has shown no silence.
    """

    limit: int
    before: timedelta = BEFORE
    tried: int = 0

    @property
    def next(self) -> Size:
        """The size to try if a slice shows no silence."""
        return Size(2 * self.limit, 2 * self.before, self.limit)


class Interval(NamedTuple):
    """A part of the history (UTC); None: from the beginning, or without an end."""

    since: Optional[datetime] = None
    until: Optional[datetime] = None


@dataclass(frozen=True)
class Round:
    """A read of the history in slices that is under way (UTC).

    `todo` is still to be read, the newest interval first; each ends in a silence. `first` is when
    the oldest message that this round reads was written.
    """

    began_at: datetime
    todo: tuple[Interval, ...]
    first: Optional[datetime] = None

    @property
    def is_possible(self) -> bool:
        """Whether anything can be read by it: a damaged file may hold any times, or none."""
        times = (self.began_at, *(at for interval in self.todo for at in interval if at))
        return bool(self.todo) and all(EARLIEST <= at <= LATEST for at in times)

    @property
    def progress(self) -> Progress:
        """How many days are read, of how many."""
        first = self.first or self.began_at
        left = timedelta()
        for since, until in self.todo:
            begin = max(since or first, first)
            left += max(timedelta(), min(until or self.began_at, self.began_at) - begin)
        days = max(1, -((first - self.began_at) // DAY))
        return Progress(max(0, days + (-left // DAY)), days)

    def without(self, interval: Interval, cut: Optional[datetime]) -> Round:
        """Return the round after the first interval was read from its end down to `cut`.

        If another process has read it meanwhile, nothing changes.
        """
        if not self.todo or self.todo[0] != interval:
            return self
        is_done = cut is None or (interval.since is not None and cut <= interval.since)
        rest = () if is_done else (Interval(interval.since, cut),)
        return replace(self, todo=rest + self.todo[1:])


class Progress(NamedTuple):
    """How many days of the history are read, of how many."""

    days: int
    of: int

    def __str__(self) -> str:
        return f"{self.days:,} of {plural(self.of, 'day')} read"


def with_new(since: Optional[datetime], todo: Sequence[Interval]) -> tuple[Interval, ...]:
    """Return what is to be read if everything from `since` on is: it takes in what it touches.

    >>> with_new(None, [])
    (Interval(since=None, until=None),)
    """
    rest = []
    for interval in todo:
        if since is not None and interval.until is not None and interval.until <= since:
            rest.append(interval)
        elif since is None or interval.since is None:
            since = None
        else:
            since = min(since, interval.since)
    return (Interval(since), *rest)


def with_copies(pieces: Iterable[Piece]) -> list[Piece]:
    """Return the pieces, newest first; those of one origin share the span of them all.

    Sessions that were resumed in 2025 copied old messages with new times. ccusage drops a copy
    only if it reads the original too.
    """
    groups: defaultdict[object, list[Piece]] = defaultdict(list)
    for piece in pieces:
        groups[piece.span.origin or piece.number].append(piece)
    joined = []
    for group in groups.values():
        first = min(piece.span.first for piece in group)
        last = max(piece.span.last for piece in group)
        joined += [piece._replace(span=Span(first, last)) for piece in group]
    return sorted(joined, key=lambda piece: piece.span.last, reverse=True)


def slice_start(
    pieces: Sequence[Piece], interval: Interval, size: Size, now: datetime
) -> Optional[datetime]:
    """Return from when on an interval's next slice reads; None: all that is left.

    `pieces` are newest first. The newest slice is as long as a window at least, whatever its size
    is to be: it must hold the active block.
    """
    start = _start_of(pieces, interval, size)
    earliest = interval.since - size.before if interval.since else None
    since = max((at for at in (start, earliest) if at is not None), default=None)
    is_newest = interval.until is None or interval.until > now
    return min(since, now - BEFORE) if since and is_newest else since


def part_of(
    pieces: Iterable[Piece], since: Optional[datetime], until: Optional[datetime]
) -> list[Piece]:
    """Return the pieces that can hold a message between two times; they are newest first."""
    newest = takewhile(lambda piece: since is None or piece.span.last + SLACK >= since, pieces)
    return [piece for piece in newest if until is None or piece.span.first - ANSWER < until]


def left_of(pieces: Sequence[Piece], cut: Optional[datetime]) -> Sequence[Piece]:
    """Return the pieces that can hold a message before `cut`; none if everything was read."""
    if cut is None:
        return ()
    newest = list(takewhile(lambda piece: piece.span.last >= cut, pieces))
    return [*part_of(newest, None, cut), *pieces[len(newest) :]]


def cut_of(
    blocks: Sequence[Block], since: datetime, until: Optional[datetime]
) -> Optional[datetime]:
    """Return from when on the blocks of a slice are exact, up to `until`; None: from no time on.

    All messages from `since` on are in them, and `until` lies in a silence.
    """
    latest = since
    for block in real_blocks(blocks):
        last = block.last_activity or block.end
        if last < since or (until is not None and block.start >= until):
            continue
        if block.start - latest > SESSION:
            return block.start
        latest = max(latest, last)
    return since if latest == since else None


def contradicts(blocks: Iterable[Block], pieces: Iterable[Piece]) -> bool:
    """Return whether blocks lie outside the spans of the transcripts that they were read from."""
    spans = [piece.span for piece in pieces]
    first = min((span.first for span in spans), default=None)
    last = max((span.last for span in spans), default=None)
    return any(
        first is None
        or last is None
        or block.start < first - SLACK - timedelta(hours=1)
        or (block.last_activity or block.start) > last + SLACK
        for block in blocks
        if not block.is_gap
    )


def _start_of(pieces: Sequence[Piece], interval: Interval, size: Size) -> Optional[datetime]:
    """Return where the slice begins that is made of the newest pieces before the interval's end.

    That is the earliest silence between transcripts within the limit, else the next one that is
    not far, else where the bytes end.
    """
    until = interval.until
    newer = list(takewhile(lambda piece: until is not None and piece.span.last >= until, pieces))
    again = [piece for piece in newer if until is not None and piece.span.first < until]
    first = min((piece.span.first for piece in again), default=until)
    # Each slice reads long sessions again; they must not leave it without room.
    room = max(size.limit - sum(piece.size for piece in again), size.limit // 2)
    used, start, end_of_bytes = 0, None, None
    for piece in islice(pieces, len(newer), None):
        at = piece.span.last + 2 * SLACK
        if used > size.tried and first is not None and first - piece.span.last > GAP:
            if used > room or size.tried or (interval.since is not None and at <= interval.since):
                return at
            start = at
        if used and used + piece.size > room:
            end_of_bytes = end_of_bytes or at
            if start is not None or used > FAR * room:
                return start or end_of_bytes
        used += piece.size
        first = min(first or piece.span.first, piece.span.first)
    return None
