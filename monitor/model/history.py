"""Join and read the history: the completed blocks that are stored between runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple, Optional

from monitor.model.blocks import SESSION, Block, TokenCounts
from monitor.model.formatting import TimeFormat
from monitor.model.limit_hits import LimitHit
from monitor.model.slices import Interval, Round

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

CLEARLY = 1.1
"""How much more overlapping blocks must count: a block is compared as if it had an even pace."""

EVERYTHING = Interval()

HourlyTokens = Mapping[datetime, int]
"""Counted tokens of each clock hour, by the hour's start in UTC."""


@dataclass(frozen=True)
class CompletedBlock:
    """A block that has ended, and its final official percentage if that is known.

    It is checked if a full scan has counted it; a window's count may be wrong. `hits` are the
    limits that stopped the user in it, as `History.ended_with_hits` fills in.
    """

    block: Block
    official_percent: Optional[float] = None
    is_checked: bool = False
    hits: tuple[LimitHit, ...] = ()

    @property
    def limit_hit(self) -> bool:
        """Whether Claude reported that a limit was reached."""
        known = self.block.limit_reset is not None or (self.official_percent or 0) >= 100
        return known or bool(self.hits)


@dataclass(frozen=True)
class Day:
    """The blocks that began on one day of the user's clock."""

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
        """The sum of the costs; None if one of them is not known."""
        return total_cost(item.block.cost_usd for item in self.items)

    @property
    def models(self) -> list[str]:
        """The names of the models used, without repetition."""
        return list(dict.fromkeys(name for item in self.items for name in item.block.models))

    @property
    def is_running(self) -> bool:
        """Whether one of the blocks is still active."""
        return any(item.block.is_active for item in self.items)

    @property
    def limit_hits(self) -> int:
        """How many of the blocks reached their limit."""
        return sum(item.limit_hit for item in self.items)


@dataclass(frozen=True)
class History:
    """The completed blocks, oldest first; `read_at` is when a full scan last saw them (UTC).

    If that scan contradicted the window, the window is not used until `distrusted_until` (UTC).
    `hits` are the marks of reached limits in the transcripts, oldest first, as searched at
    `searched_at` (UTC). `error` says why a later full scan failed, and `store_error` why nothing
    can be stored. `round` is a full scan in slices that is under way, and `unpriced` are the models
    that ccusage was seen to have no price for.
    """

    completed: tuple[CompletedBlock, ...] = ()
    read_at: Optional[datetime] = None
    distrusted_until: Optional[datetime] = None
    hits: tuple[LimitHit, ...] = ()
    searched_at: Optional[datetime] = None
    error: Optional[str] = None
    store_error: Optional[str] = None
    round: Optional[Round] = None
    unpriced: tuple[str, ...] = ()

    def distrusts_window(self, now: datetime) -> bool:
        """Return whether a full scan has contradicted the window, for the block under way."""
        return self.distrusted_until is not None and now < self.distrusted_until

    # Needed at every frame.
    def ended(self, now: datetime) -> tuple[CompletedBlock, ...]:
        """Return the blocks that have ended.

        Blocks that have not ended were stored while the clock was wrong.
        """
        return tuple(item for item in self.completed if item.block.end <= now)

    def ended_with_hits(self, now: datetime) -> tuple[CompletedBlock, ...]:
        """Return the blocks that have ended, with the limits hit in them."""
        return tuple(map(self._with_hits, self.ended(now)))

    def _with_hits(self, item: CompletedBlock) -> CompletedBlock:
        start, end = item.block.start, item.block.end
        hits = tuple(hit for hit in self.hits if start <= hit.at < end)
        return replace(item, hits=hits) if hits else item

    @cached_property
    def costless(self) -> History:
        """The same history without costs."""
        items = (replace(i, block=replace(i.block, cost_usd=None)) for i in self.completed)
        return replace(self, completed=tuple(items))

    # Needed at every frame.
    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks themselves."""
        return [item.block for item in self.completed]


class Spending(NamedTuple):
    """US dollars of the blocks begun today and in the last seven days; None if not known."""

    today: Optional[float] = None
    week: Optional[float] = None


def spending(
    history: History,
    active: Optional[tuple[datetime, Optional[float]]],
    time_format: TimeFormat,
    now: datetime,
) -> Spending:
    """Add up costs; `active` are the start and the cost of the active block.

    One cost that is not known makes a sum unknown, and so does a history that was not read yet.
    """
    if history.read_at is None:
        return Spending()
    costs = {item.block.start: item.block.cost_usd for item in history.ended(now)}
    costs.update([active] if active else [])
    today = time_format.local(now).date()
    recent = {start: cost for start, cost in costs.items() if now - start < timedelta(days=7)}
    of_today = (c for start, c in recent.items() if time_format.local(start).date() == today)
    return Spending(total_cost(of_today), total_cost(recent.values()))


def total_cost(costs: Iterable[Optional[float]]) -> Optional[float]:
    """Add up costs; None if there are none, or one is not known: no sum leaves one out.

    >>> total_cost([1.5, 2.0]), total_cost([1.5, None])
    (3.5, None)
    """
    known = list(costs)
    return sum(filter(None, known)) if known and None not in known else None


def with_seen(
    old: Iterable[CompletedBlock], seen: Iterable[CompletedBlock]
) -> tuple[CompletedBlock, ...]:
    """Add blocks that a window has shown to have ended; they never displace a stored one."""
    stored = {item.block.start: item for item in old}
    for item in seen:
        known = stored.get(item.block.start)
        if known is not None:
            stored[item.block.start] = _joined(known, item)
        elif not any(_overlap(item.block, other.block) for other in stored.values()):
            stored[item.block.start] = item
    return tuple(stored[start] for start in sorted(stored))


def with_scan(
    old: Sequence[CompletedBlock],
    scanned: Iterable[CompletedBlock],
    active: Optional[Block] = None,
    interval: Interval = EVERYTHING,
) -> tuple[CompletedBlock, ...]:
    """Replace what a full scan covers, up or down; keep checked blocks whose transcripts are gone.

    Claude Code deletes transcripts after 30 days, and ccusage may then divide the rest into other
    blocks. Where stored and scanned blocks overlap, those stored are kept if they count more of the
    time that both cover: transcripts are gone. Otherwise a stored block is cut where the first
    scanned one begins, so that no token is counted twice. The scan's `active` block is not added,
    but it may hold what a stored block held: ccusage has divided the hours otherwise since.
    A scan of a slice covers an `interval`.
    """
    newer = [i for i in old if interval.until and i.block.start >= interval.until]
    older = [i for i in old if interval.since and i.block.end <= interval.since]
    old = list(old)[len(older) : -len(newer) or None]
    new = [replace(item, is_checked=True) for item in scanned]
    first = min((item.block.start for item in new), default=None)
    stored = [i for i in old if i.is_checked or first is None or i.block.end <= first]
    result: list[CompletedBlock] = []
    for group in _overlapping([*((i, False) for i in stored), *((i, True) for i in new)]):
        before, after = ([i for i, is_new in group if is_new is side] for side in (False, True))
        result += _chosen(before, after, active)
    return (*older, *result, *newer)


def as_checked(blocks: Sequence[Block], history: History, now: datetime) -> tuple[Block, ...]:
    """Return a window's blocks, those that have ended as a full scan counted them, if one did."""
    ended = [block for block in blocks if not block.is_gap and block.end <= now]
    first = min((block.start for block in ended), default=now)
    checked = [i.block for i in history.ended(now) if i.is_checked and i.block.end > first]
    wrong = [block for block in ended if any(_overlap(block, other) for other in checked)]
    right = [block for block in checked if any(_overlap(block, other) for other in wrong)]
    return (*right, *(block for block in blocks if block not in wrong))


def _chosen(
    stored: Sequence[CompletedBlock], scanned: Sequence[CompletedBlock], active: Optional[Block]
) -> Sequence[CompletedBlock]:
    """Choose between stored and scanned blocks that overlap, each oldest first."""
    if not stored or not scanned:
        return stored or scanned
    if [i.block.start for i in stored] == [i.block.start for i in scanned]:
        return [_joined(before, after) for before, after in zip(stored, scanned)]
    begin = max(stored[0].block.start, scanned[0].block.start)
    found = [*scanned, *([CompletedBlock(active)] if active else [])]
    end = min(stored[-1].block.end, found[-1].block.end)
    if _counted_between(stored, begin, end) > CLEARLY * _counted_between(found, begin, end):
        return [*stored, *(i for i in scanned if i.block.start >= stored[-1].block.end)]
    first = scanned[0].block.start
    return [*(_cut(i, first) for i in stored if i.block.start < first), *scanned]


def _counted_between(items: Iterable[CompletedBlock], begin: datetime, end: datetime) -> float:
    """Return the counted tokens between two times, as if each block had an even pace."""
    total = 0.0
    for item in items:
        start, last = item.block.start, item.block.last_activity or item.block.end
        inside = (min(last, end) - max(start, begin)) / max(last - start, MINUTE)
        total += item.block.tokens.counted * max(0.0, min(1.0, inside))
    return total


def _cut(item: CompletedBlock, end: datetime) -> CompletedBlock:
    """Return the part of a block before `end`, as if the block had an even pace."""
    block = item.block
    if block.end <= end:
        return item
    last = block.last_activity or block.end
    share = min(1.0, (end - block.start) / max(last - block.start, MINUTE))
    part = replace(
        block,
        end=end,
        last_activity=min(last, end),
        entries=round(block.entries * share),
        tokens=TokenCounts(*(round(count * share) for count in block.tokens)),
        cost_usd=None if block.cost_usd is None else block.cost_usd * share,
    )
    return replace(item, block=part)


Sided = tuple[CompletedBlock, bool]


def _overlapping(items: Iterable[Sided]) -> Iterator[list[Sided]]:
    """Yield groups of blocks that overlap, oldest first; others form a group of their own."""
    group: list[Sided] = []
    for item in sorted(items, key=lambda sided: sided[0].block.start):
        if group and item[0].block.start >= max(other.block.end for other, _ in group):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _overlap(one: Block, other: Block) -> bool:
    return one.start < other.end and other.start < one.end


def _counted(items: Iterable[CompletedBlock]) -> int:
    return sum(item.block.tokens.counted for item in items)


def _joined(old: CompletedBlock, new: CompletedBlock) -> CompletedBlock:
    """Return the better of two records of one block, with the newer official percentage.

    A checked record is better; of equal ones the larger, since transcripts get deleted but never
    shortened.
    """
    best = max(new, old, key=lambda item: (item.is_checked, item.block.tokens.counted))
    known = new.official_percent is not None
    return replace(best, official_percent=(new if known else old).official_percent)


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
