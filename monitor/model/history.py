"""The record of completed blocks that is kept between runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Optional

from monitor.model.blocks import Block
from monitor.model.formatting import TimeFormat
from monitor.model.projection import PastBlock


@dataclass(frozen=True)
class CompletedBlock:
    """A block that has ended; `hourly` are its counted tokens in each clock hour, () if unknown."""

    block: Block
    hourly: tuple[int, ...] = ()
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

    @cached_property
    def past(self) -> tuple[PastBlock, ...]:
        """What the forecast learns from."""
        return tuple(
            PastBlock(item.block.start, item.block.tokens.counted, item.hourly)
            for item in self.completed
            if item.block.tokens.counted
        )


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
    return CompletedBlock(block, new.hourly or old.hourly, percents[0] if percents else None)


def hourly(block: Block, hours: Iterable[Block]) -> tuple[int, ...]:
    """Return what each clock hour of the block counted; () when that does not add up to it.

    `hours` is a report cut with `--session-length 1`: ccusage then cuts on the hour, where blocks
    begin.
    """
    total = [0] * 5
    for hour in hours:
        offset = (hour.start - block.start) // timedelta(hours=1)
        if not hour.is_gap and 0 <= offset < len(total) and hour.start < block.end:
            total[offset] += hour.tokens.counted
    return tuple(total) if sum(total) == block.tokens.counted else ()


def by_hour_of_week(
    completed: Iterable[CompletedBlock], time_format: TimeFormat
) -> dict[tuple[int, int], int]:
    """Add up counted tokens by (weekday, hour) on this time_format; Monday is 0."""
    heat: dict[tuple[int, int], int] = defaultdict(int)
    for item in completed:
        for index, tokens in enumerate(item.hourly):
            hour = time_format.local(item.block.start + timedelta(hours=index))
            heat[hour.weekday(), hour.hour] += tokens
    return dict(heat)
