"""Join and read the history: the completed blocks that are stored between runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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

    @property
    def limit_hit(self) -> bool:
        """Whether Claude reported that the limit was reached."""
        return self.block.limit_reset is not None or (self.official_percent or 0) >= 100


@dataclass(frozen=True)
class Day:
    """The completed blocks that began on one day of the user's clock."""

    date: date
    items: tuple[CompletedBlock, ...]

    @property
    def counted(self) -> int:
        """Counted tokens."""
        return _counted(self.items)

    @property
    def messages(self) -> int:
        """Messages, as ccusage counts entries."""
        return sum(item.block.entries for item in self.items)

    @property
    def cost_usd(self) -> Optional[float]:
        """The sum of the costs that are known; None if none is."""
        costs = [item.block.cost_usd for item in self.items if item.block.cost_usd is not None]
        return sum(costs) if costs else None

    @property
    def models(self) -> list[str]:
        """The names of the models used, without repetition."""
        return list(dict.fromkeys(name for item in self.items for name in item.block.models))

    @property
    def limit_hits(self) -> int:
        """How many of the blocks reached their limit."""
        return sum(item.limit_hit for item in self.items)


@dataclass(frozen=True)
class History:
    """The completed blocks, oldest first; `read_at` is when a full scan last saw them (UTC)."""

    completed: tuple[CompletedBlock, ...] = ()
    read_at: Optional[datetime] = None

    def ended(self, now: datetime) -> tuple[CompletedBlock, ...]:
        """Return the blocks that have ended; the others were stored while the clock was wrong."""
        return tuple(item for item in self.completed if item.block.end <= now)

    # Needed at every frame.
    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks themselves."""
        return [item.block for item in self.completed]


def merged(
    old: Iterable[CompletedBlock], new: Iterable[CompletedBlock]
) -> tuple[CompletedBlock, ...]:
    """Join two histories by block start.

    A block that only one of them has is kept: Claude Code deletes transcripts after 30 days. With
    one transcript gone, ccusage may divide the rest into other blocks. Where blocks overlap, those
    of the history that counts more are kept, so that no token is counted twice.
    """
    old_by_start, new_by_start = ({item.block.start: item for item in side} for side in (old, new))
    in_both = old_by_start.keys() & new_by_start.keys()
    joined = {start: _joined(old_by_start[start], new_by_start[start]) for start in in_both}
    result: list[CompletedBlock] = []
    for group in _overlapping({**old_by_start, **new_by_start, **joined}):
        sides = (
            [item for item in group if item.block.start in side]
            for side in (new_by_start, old_by_start)
        )
        result += max(sides, key=_counted) if len(group) > 1 else group
    return tuple(result)


def _overlapping(items: Mapping[datetime, CompletedBlock]) -> Iterator[list[CompletedBlock]]:
    """Yield groups of blocks that overlap, oldest first; a block alone is a group of one."""
    group: list[CompletedBlock] = []
    for start in sorted(items):
        if group and start >= group[-1].block.end:
            yield group
            group = []
        group.append(items[start])
    if group:
        yield group


def _counted(items: Iterable[CompletedBlock]) -> int:
    return sum(item.block.tokens.counted for item in items)


def _joined(old: CompletedBlock, new: CompletedBlock) -> CompletedBlock:
    """Return the larger of two records of one block, with the newer official percentage.

    Transcripts get deleted but never shortened, so the larger count includes more of the block.
    """
    block = max(new.block, old.block, key=lambda b: b.tokens.counted)
    known = new.official_percent is not None
    return CompletedBlock(block, new.official_percent if known else old.official_percent)


def hourly_tokens(pieces: Iterable[Block]) -> HourlyTokens:
    """Return the tokens of each hour from a report made with `--session-length 1`.

    ccusage then cuts the history on the clock hour, where blocks begin too.
    """
    hours: dict[datetime, int] = defaultdict(int)
    for piece in pieces:
        if not piece.is_gap:
            hours[piece.start] += piece.tokens.counted
    return hours


def by_day(completed: Iterable[CompletedBlock], time_format: TimeFormat) -> list[Day]:
    """Group blocks by the day on which they began, on the user's clock."""
    days: dict[date, list[CompletedBlock]] = defaultdict(list)
    for item in completed:
        days[time_format.local(item.block.start).date()].append(item)
    return [Day(day, tuple(items)) for day, items in days.items()]


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
