"""Decide which limit has stopped the user, and whether it still does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Optional

from monitor.model.blocks import SESSION, Block, Event, real_blocks
from monitor.model.official import (
    FIVE_HOUR,
    FULL,
    SAME_WINDOW,
    SEVEN_DAY,
    STATUS_LINE,
    TRANSCRIPT,
    Capture,
    OfficialLimits,
    RateLimitWindow,
    is_of_model_in_use,
)

STRAGGLERS = timedelta(minutes=5)
"""Answers under way when a limit is reached still arrive; later ones are paid as extra usage."""

HITS_KEPT = timedelta(weeks=12)


class LimitHit(NamedTuple):
    """A mark of Claude Code's in a transcript that a limit stopped the user.

    `at` is when (UTC), `window` the limit as Claude Code names it, such as `five_hour`, and
    `resets_at` when it resets (UTC, None if the mark does not say).
    """

    at: datetime
    window: str
    resets_at: Optional[datetime] = None


@dataclass(frozen=True)
class Reached:
    """A limit that is used up: its id, since when, when it resets (UTC), and who said so.

    `source` is `official` or `limit_message`, as in `Reset`.
    """

    window: str
    since: Optional[datetime]
    resets_at: Optional[datetime]
    source: str


def with_hits(
    known: Iterable[LimitHit], new: Iterable[LimitHit], now: datetime
) -> tuple[LimitHit, ...]:
    """Join hits, oldest first; the same one in several transcripts counts once.

    Of the hits of one limit within a clock hour, where blocks begin, the first and the last stay: a
    program that tries again and again is stopped each time. What a wrong clock stamped far from
    `now` is left out.
    """
    recent = [hit for hit in {*known, *new} if abs(now - hit.at) <= HITS_KEPT]
    ordered = sorted(recent, key=lambda hit: (hit.at, hit.window))
    last = {_hour_of(hit): hit for hit in ordered}
    first = {_hour_of(hit): hit for hit in reversed(ordered)}
    return tuple(hit for hit in ordered if hit in (first[_hour_of(hit)], last[_hour_of(hit)]))


def _hour_of(hit: LimitHit) -> tuple[str, Optional[datetime], datetime]:
    return hit.window, hit.resets_at, hit.at.replace(minute=0, second=0, microsecond=0)


def with_marks(
    official: OfficialLimits,
    hits: Sequence[LimitHit],
    answered: Optional[datetime],
    now: datetime,
) -> OfficialLimits:
    """Add the windows that hits say are used up; of one window the newest news counts.

    `answered` is when Claude last answered. A status line that is drawn after a hit, but before
    another answer, repeats what an earlier answer brought: the hit is the news.
    """
    newest = {hit.window: hit for hit in hits if hit.at <= now}
    windows = dict(official.windows)
    for key, hit in newest.items():
        known = windows.get(key)
        if known is not None and known.is_over(now):
            known = None
        marked = _marked(known, hit, hits)
        if marked.is_over(now):
            continue
        if known is None or not _is_news(known, hit, answered):
            windows[key] = marked
        elif known.used_percent >= FULL and _is_same_reset(known.resets_at, marked.resets_at):
            # It is used up since the hit, not since it was reported.
            captures = sorted({*known.captures, *marked.captures})
            windows[key] = replace(known, captures=tuple(captures))
    return replace(official, windows=windows)


def _is_news(known: RateLimitWindow, hit: LimitHit, answered: Optional[datetime]) -> bool:
    """Return whether what was reported of a window is news since a hit."""
    if known.captured_at <= hit.at:
        return False
    is_repeated = answered is not None and answered <= hit.at
    is_same = hit.resets_at is None or _is_same_reset(known.resets_at, hit.resets_at)
    return not (is_repeated and is_same and known.origin == STATUS_LINE)


def _is_same_reset(one: Optional[datetime], other: Optional[datetime]) -> bool:
    return one is not None and other is not None and abs(one - other) <= SAME_WINDOW


def _marked(
    known: Optional[RateLimitWindow], hit: LimitHit, hits: Sequence[LimitHit]
) -> RateLimitWindow:
    """Return the window that a hit says is used up; `known` is what was reported before.

    A hit that names no reset is about the window that is known.
    """
    old = known.resets_at if known else None
    resets_at = hit.resets_at or old
    same = {h for h in hits if h.window == hit.window and _is_same_reset(h.resets_at, resets_at)}
    captures = {Capture(h.at, FULL) for h in {hit, *same} if h.at <= hit.at}
    if known is not None and _is_same_reset(old, resets_at):
        captures |= {capture for capture in known.captures if capture.at <= hit.at}
    ordered = tuple(sorted(captures))
    return RateLimitWindow(FULL, resets_at, hit.at, ordered, TRANSCRIPT)


def answered_at(
    blocks: Sequence[Block], events: Optional[Sequence[Event]], now: datetime
) -> Optional[datetime]:
    """Return when Claude last answered with tokens (UTC); None if that is not known.

    `events` are those of the active block. Marks of a limit hit have no tokens.
    """
    if events:
        times = [event.at for event in events if event.tokens and event.at <= now]
    else:
        counting = [block for block in real_blocks(blocks) if block.tokens.counted]
        times = [b.last_activity for b in counting if b.last_activity and b.last_activity <= now]
    return max(times, default=None)


def reset_within(
    hits: Iterable[LimitHit], block: Optional[Block], now: datetime
) -> Optional[datetime]:
    """Return when a five-hour limit that stopped the user reset within the active block (UTC)."""
    resets = [hit.resets_at for hit in hits if hit.window == FIVE_HOUR and hit.resets_at]
    return max((at for at in resets if block and block.start < at <= now), default=None)


def window_of_reset(resets_at: datetime, now: datetime) -> str:
    """Return which limit resets then, for a message that does not say."""
    return FIVE_HOUR if resets_at <= now + SESSION + SAME_WINDOW else SEVEN_DAY


def find_reached(
    official: OfficialLimits,
    hits: Iterable[LimitHit],
    block: Optional[Block],
    answered: Optional[datetime],
    now: datetime,
) -> Optional[Reached]:
    """Return the limit that stops the user now; of several the one that resets last.

    `official` includes the marks of `hits`, `block` is the active one, and `answered` is when
    Claude last answered. A limit stops nobody after its reset, or once a later message was
    answered: extra usage can be bought.
    """
    models = block.models if block else ()
    stops = {hit.at for hit in hits}
    limits = [
        Reached(key, _reached_at(window, stops), window.resets_at, source_of(window))
        for key, window in official.windows.items()
        if window.used_percent >= FULL
        and (window.origin == TRANSCRIPT or is_of_model_in_use(key, models))
        and not _goes_on(window, answered)
    ]
    return max(limits or _of_block(official, block, now), key=_end_of(now), default=None)


def source_of(window: RateLimitWindow) -> str:
    """Return who names the reset of a window, as `Reset.source`."""
    return "limit_message" if window.origin == TRANSCRIPT else "official"


def _end_of(now: datetime) -> Callable[[Reached], datetime]:
    return lambda reached: reached.resets_at or now


def _reached_at(window: RateLimitWindow, stops: Collection[datetime]) -> Optional[datetime]:
    """Return when the window was used up; None if already its first report says that it is.

    `stops` are the times at which Claude Code stopped the user, which are known all the same.
    """
    since = _full_since(window)
    is_first = not window.captures or since == window.captures[0].at
    return None if is_first and since not in stops else since


def _full_since(window: RateLimitWindow) -> datetime:
    full = [capture.at for capture in window.rising if capture.used_percent >= FULL]
    return full[0] if full else window.captured_at


def _goes_on(window: RateLimitWindow, answered: Optional[datetime]) -> bool:
    """Return whether messages are answered although the window is used up.

    A status line repeats that with each of them, a transcript does not.
    """
    if answered is None or answered > window.captured_at:
        return answered is not None
    return window.origin != TRANSCRIPT and answered > _full_since(window) + STRAGGLERS


def _of_block(official: OfficialLimits, block: Optional[Block], now: datetime) -> Iterator[Reached]:
    """Yield the limit of ccusage's `usageLimitResetTime`, unless its window is known better."""
    at = block.limit_reset if block else None
    if block is not None and at is not None and at > now:
        window = window_of_reset(at, now)
        if window not in official.windows:
            yield Reached(window, block.last_activity, at, "limit_message")
