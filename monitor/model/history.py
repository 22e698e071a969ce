"""The record of completed blocks that is kept between runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Optional

from monitor.model.blocks import SESSION, Block
from monitor.model.formatting import TimeFormat

HOUR = timedelta(hours=1)

HourlyTokens = Mapping[datetime, int]
"""Counted tokens of each clock hour, by the hour's start in UTC."""


@dataclass(frozen=True)
class CompletedBlock:
    """A block that has ended, and its final official percentage if that is known."""

    block: Block
    official_percent: Optional[float] = None


@dataclass(frozen=True)
class History:
    """The completed blocks, oldest first; `read_at` is when a full scan last saw them (UTC)."""

    completed: tuple[CompletedBlock, ...] = ()
    read_at: Optional[datetime] = None

    def ended(self, now: datetime) -> tuple[CompletedBlock, ...]:
        """The blocks that have ended: one that has not was kept by a wrong time_format."""
        return tuple(item for item in self.completed if item.block.end <= now)

    # Asked for at every frame, and the same for as long as the history is.
    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks themselves."""
        return [item.block for item in self.completed]


def merged(
    old: Iterable[CompletedBlock], new: Iterable[CompletedBlock]
) -> tuple[CompletedBlock, ...]:
    """Join two histories by block start; of two records of one block the newer, and what it lacks.

    A block that only the old one has is kept: Claude Code deletes transcripts after 30 days. With
    one transcript gone ccusage may cut the rest into other blocks: of blocks that overlap those of
    the side that counts more are kept, so that no token is counted twice.
    """
    olds, news = ({item.block.start: item for item in side} for side in (old, new))
    both = {start: _joined(olds[start], news[start]) for start in olds.keys() & news.keys()}
    kept: list[CompletedBlock] = []
    for cut in _overlapping({**olds, **news, **both}):
        sides = ([item for item in cut if item.block.start in side] for side in (news, olds))
        kept += max(sides, key=_counted) if len(cut) > 1 else cut
    return tuple(kept)


def _overlapping(items: Mapping[datetime, CompletedBlock]) -> Iterator[list[CompletedBlock]]:
    """Yield blocks by start, those together that overlap."""
    cut: list[CompletedBlock] = []
    for start in sorted(items):
        if cut and start >= cut[-1].block.end:
            yield cut
            cut = []
        cut.append(items[start])
    if cut:
        yield cut


def _counted(items: Iterable[CompletedBlock]) -> int:
    return sum(item.block.tokens.counted for item in items)


def _joined(old: CompletedBlock, new: CompletedBlock) -> CompletedBlock:
    # Transcripts get deleted, never rewritten to say less: the larger count saw more of the block.
    block = max(new.block, old.block, key=lambda b: b.tokens.counted)
    percents = [p for p in (new.official_percent, old.official_percent) if p is not None]
    return CompletedBlock(block, percents[0] if percents else None)


def hourly_tokens(pieces: Iterable[Block]) -> HourlyTokens:
    """Return the tokens of each hour from a report made with `--session-length 1`.

    ccusage then cuts the history on the clock hour, where blocks begin too.
    """
    hours: dict[datetime, int] = defaultdict(int)
    for piece in pieces:
        if not piece.is_gap:
            hours[piece.start] += piece.tokens.counted
    return hours


def block_hours(block: Block, hours: HourlyTokens) -> tuple[int, ...]:
    """Return what each clock hour of the block counted; () when that does not add up to the block.

    It does not where transcripts have been deleted since the block was stored.
    """
    counts = tuple(hours.get(block.start + i * HOUR, 0) for i in range(SESSION // HOUR))
    return counts if sum(counts) == block.tokens.counted else ()


def by_hour_of_week(
    completed: Iterable[CompletedBlock], hours: HourlyTokens, time_format: TimeFormat
) -> dict[tuple[int, int], int]:
    """Add up counted tokens by (weekday, hour) on the user's clock; Monday is 0."""
    heat: dict[tuple[int, int], int] = defaultdict(int)
    for item in completed:
        for index, tokens in enumerate(block_hours(item.block, hours)):
            hour = time_format.local(item.block.start + index * HOUR)
            heat[hour.weekday(), hour.hour] += tokens
    return dict(heat)
