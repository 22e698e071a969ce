"""Choose which reset time applies, and say where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Optional

import pytz
from pytz.tzinfo import BaseTzInfo

from monitor.model.blocks import SESSION, Block, Event
from monitor.model.limit_hits import Reached
from monitor.model.official import SAME_WINDOW, window_kind
from monitor.model.plans import Rules


@dataclass(frozen=True)
class Reset:
    """When the limit resets (UTC); `at` is None if nothing is known.

    `source` is `reset_hour`, `official`, `limit_message` or `block_end`. `latest` is given if the
    true reset may be later: ccusage floors a block's start to the hour, Claude's own window starts
    at the first message. `start` is when the block or window began.
    """

    at: Optional[datetime]
    source: Optional[str]
    latest: Optional[datetime] = None
    start: Optional[datetime] = None

    def elapsed_percent(self, now: datetime) -> Optional[float]:
        """Return how much of the time from `start` to the reset has passed; None if not known."""
        if self.at is None or self.start is None:
            return None
        return max(0.0, 100 * (now - self.start) / (self.at - self.start))


def choose_reset(
    block: Optional[Block],
    events: Optional[Sequence[Event]],
    rules: Rules,
    told: Optional[Reset],
    now: datetime,
) -> Reset:
    """Choose the reset hour of the rules, what Claude Code told, or the block's end.

    `told` is the official reset, or that of a limit message.
    """
    start = block.start if block else None
    if rules.reset_hour is not None:
        return Reset(next_reset(now, rules.reset_hour, rules.zone), "reset_hour", start=start)
    if told is not None:
        return told
    if block is None:
        return Reset(None, None)
    return Reset(block.end, "block_end", _latest(block, events), start)


def message_reset(block: Optional[Block], now: datetime) -> Optional[Reset]:
    """Return the reset that ccusage's `usageLimitResetTime` gives, if it is still to come."""
    at = block.limit_reset if block else None
    is_five_hour = at is not None and now < at <= now + SESSION + SAME_WINDOW
    return Reset(at, "limit_message", start=at - SESSION) if at and is_five_hour else None


def reached_reset(reached: Reached) -> Reset:
    """Return when a limit that is reached resets, whatever the user's reset hour."""
    length, at = window_kind(reached.window).length, reached.resets_at
    return Reset(at, reached.source, start=at - length if at and length else None)


def next_reset(now: datetime, hour: int, zone: BaseTzInfo) -> datetime:
    """Return the next moment (UTC) at which the clocks of `zone` show `hour`:00.

    If that hour is skipped, it is the first moment after it; if it comes twice, the earlier one.
    """
    today = now.astimezone(zone).date()
    moments = (moment_of(today + timedelta(days=d), hour, zone) for d in range(-1, 4))
    return next(moment for moment in moments if moment > now)


def moment_of(day: date, hour: int, zone: BaseTzInfo) -> datetime:
    """Return the first moment (UTC) at or after `hour`:00 of a day on the clocks of `zone`."""
    wall = datetime.combine(day, time(hour))
    offsets = {_offset(wall + timedelta(days=d), zone) for d in (-1, 1)}
    # Two offsets around a change of clocks give two candidates. The earlier one that reads `hour`
    # is the answer; if the hour is skipped, neither does.
    candidates = sorted(pytz.utc.localize(wall - offset) for offset in offsets)
    for moment in candidates:
        if moment.astimezone(zone).replace(tzinfo=None) == wall:
            return moment
    return _first_after(wall, candidates[0], candidates[-1], zone)


def _offset(wall: datetime, zone: BaseTzInfo) -> timedelta:
    offset = zone.localize(wall, is_dst=False).utcoffset()
    return offset if offset is not None else timedelta()


def _first_after(wall: datetime, before: datetime, after: datetime, zone: BaseTzInfo) -> datetime:
    """Return the first second in (before, after] whose wall clock is at or past `wall`."""
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
