"""Which reset time applies, and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Optional

import pytz
from pytz.tzinfo import BaseTzInfo

from monitor.model.blocks import SESSION, Block, Event


@dataclass(frozen=True)
class Reset:
    """When the limit resets (UTC); `at` is None when nothing is known.

    `source` is `reset_hour`, `official`, `limit_message` or `block_end`. `latest` is given when the
    true reset may be later: ccusage floors a block's start to the hour, Claude's own window starts
    at the first message.
    """

    at: Optional[datetime]
    source: Optional[str]
    latest: Optional[datetime] = None


def choose_reset(
    block: Optional[Block],
    events: Optional[Sequence[Event]],
    reset_hour: Optional[int],
    official: Optional[datetime],
    zone: BaseTzInfo,
    now: datetime,
) -> Reset:
    """Choose: `--reset-hour`, else the official one, the limit message's, the block's end."""
    if reset_hour is not None:
        return Reset(next_reset(now, reset_hour, zone), "reset_hour")
    if official is not None and official > now:
        return Reset(official, "official")
    if block is None:
        return Reset(None, None)
    if block.limit_reset is not None and block.limit_reset > now:
        return Reset(block.limit_reset, "limit_message")
    return Reset(block.end, "block_end", _latest(block, events))


def next_reset(now: datetime, hour: int, zone: BaseTzInfo) -> datetime:
    """Return the next moment (UTC) at which the clocks of `zone` show `hour`:00.

    Where that hour is skipped, the first moment after it; where it comes twice, the earlier.
    """
    today = now.astimezone(zone).date()
    moments = (_moment(today + timedelta(days=d), hour, zone) for d in range(-1, 4))
    return next(moment for moment in moments if moment > now)


def _moment(day: date, hour: int, zone: BaseTzInfo) -> datetime:
    wall = datetime.combine(day, time(hour))
    offsets = {_offset(wall + timedelta(days=d), zone) for d in (-1, 1)}
    # Two offsets around a change of clocks give two candidates; the earlier one that reads `hour`
    # is the answer, and none reads it when the hour is skipped.
    candidates = sorted(pytz.utc.localize(wall - offset) for offset in offsets)
    for moment in candidates:
        if moment.astimezone(zone).replace(tzinfo=None) == wall:
            return moment
    return _first_after(wall, candidates[0], candidates[-1], zone)


def _offset(wall: datetime, zone: BaseTzInfo) -> timedelta:
    offset = zone.localize(wall, is_dst=False).utcoffset()
    return offset if offset is not None else timedelta()


def _first_after(wall: datetime, before: datetime, after: datetime, zone: BaseTzInfo) -> datetime:
    """Return the first second in (before, after] whose wall clock is past `wall`."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            after = middle
        else:
            before = middle
    return after


def _latest(block: Block, events: Optional[Sequence[Event]]) -> Optional[datetime]:
    if not events:
        return None
    latest = events[0].at + SESSION
    return latest if latest > block.end else None
