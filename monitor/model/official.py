"""What Claude Code itself reports of its limits: checked, merged over sessions, dated.

The status line's `rate_limits` hold a percentage and a reset time for the five-hour and the
seven-day window. Each may be missing, late or wrong: what cannot be true is dropped, and what is
absent is not 0 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, Optional

from monitor.model.blocks import SESSION, Block
from monitor.model.bridge import Capture

FRESH = timedelta(minutes=10)
"""A capture older than this no longer leads: it is shown with its age."""

MOST_PERCENT = 1000.0
"""Values such as an epoch in `used_percentage` were seen; 100 to 105 are real."""

SAME_WINDOW = timedelta(minutes=5)
"""Reset times of one window differ by seconds between sessions."""

SUSPECT_PERCENT = 90.0
SUSPECT_AGE = timedelta(minutes=10)
"""Near 100 % this soon after a window's start is most likely the last window's percentage."""

CAPTURES_KEPT = 60
CAPTURE_EVERY = timedelta(minutes=1)

PAST_KEPT = 60
"""Past five-hour windows: about two weeks of them, for the history."""

LENGTHS: Mapping[str, timedelta] = {"five_hour": SESSION, "seven_day": timedelta(days=7)}


@dataclass(frozen=True)
class RateLimitWindow:
    """One official limit: the percentage used, and when it resets (UTC, None when not said).

    `captures` are the sights of this window, oldest first; `suspect` is a percentage that is not
    believed until it is seen once more.
    """

    used_percent: float
    resets_at: Optional[datetime]
    captured_at: datetime
    captures: tuple[Capture, ...] = ()
    suspect: Optional[float] = None

    def __post_init__(self) -> None:
        if not 0 <= self.used_percent <= MOST_PERCENT:
            raise ValueError(f"{self.used_percent} is no percentage")

    @property
    def began(self) -> Optional[datetime]:
        """When the window began, were it a five-hour one; None where its reset is not known."""
        return self.resets_at - SESSION if self.resets_at else None

    def is_over(self, now: datetime) -> bool:
        """Whether its reset has passed: what it says is about the past.

        One that does not say when it resets is not believed for longer than five hours.
        """
        return (self.resets_at or self.captured_at + SESSION) <= now

    @property
    def is_believed(self) -> bool:
        """Whether there is a percentage, not only a suspect one."""
        return bool(self.captures)


class PastWindow(NamedTuple):
    """A five-hour window that is over: when it was reset (UTC), and the last percentage seen."""

    resets_at: datetime
    used_percent: float


@dataclass(frozen=True)
class OfficialLimits:
    """The windows that are known; each is None when Claude Code has not spoken of it.

    `past` are five-hour windows before the present one, oldest first.
    """

    five_hour: Optional[RateLimitWindow] = None
    seven_day: Optional[RateLimitWindow] = None
    spend_limit: Optional[RateLimitWindow] = None
    past: tuple[PastWindow, ...] = ()

    @property
    def captured_at(self) -> Optional[datetime]:
        """When the newest of them was captured."""
        windows = (self.five_hour, self.seven_day, self.spend_limit)
        return max((w.captured_at for w in windows if w), default=None)


def captured(raw: object, now: datetime) -> OfficialLimits:
    """Read `rate_limits` as Claude Code hands it over at `now`. Never raises."""
    found = raw if isinstance(raw, dict) else {}
    return OfficialLimits(
        _window(found.get("five_hour"), now, LENGTHS["five_hour"]),
        _window(found.get("seven_day"), now, LENGTHS["seven_day"]),
        _window(found.get("spend_limit"), now, None),
    )


def merged(old: OfficialLimits, new: OfficialLimits, now: datetime) -> OfficialLimits:
    """Join what was known with what a session has just reported; sessions disagree.

    For one window the highest percentage counts, since usage only grows; of two windows the one
    that resets later.
    """
    five_hour = _newer(old.five_hour, new.five_hour, now)
    return OfficialLimits(
        five_hour,
        _newer(old.seven_day, new.seven_day, now),
        _newer(old.spend_limit, new.spend_limit, now),
        _past(old, five_hour),
    )


def joined(one: OfficialLimits, other: OfficialLimits) -> OfficialLimits:
    """Join what was kept for two data directories: the sessions of one account, as in `merged`."""
    past = {window.resets_at: window for window in (*other.past, *one.past)}
    return OfficialLimits(
        _joined(one.five_hour, other.five_hour),
        _joined(one.seven_day, other.seven_day),
        _joined(one.spend_limit, other.spend_limit),
        tuple(past[at] for at in sorted(past))[-PAST_KEPT:],
    )


def final_percent(limits: Optional[OfficialLimits], block: Block, now: datetime) -> Optional[float]:
    """Return the last percentage of the window that a completed block was; None if not known.

    ccusage floors a block's start to the hour, so its window ends at most an hour after it does.
    One that another device began earlier is another window, and says nothing of this block.
    """
    if limits is None:
        return None
    ended = limits.past
    if limits.five_hour is not None and limits.five_hour.is_over(now):
        ended = _past(limits, None)
    first, last = block.end - SAME_WINDOW, block.end + timedelta(hours=1)
    found = [past.used_percent for past in ended if first <= past.resets_at <= last]
    return found[-1] if found else None


def present(limits: Optional[OfficialLimits], now: datetime) -> Optional[OfficialLimits]:
    """Leave out what is past or not believed; None when nothing is left."""
    if limits is None:
        return None
    kept = OfficialLimits(
        _shown(limits.five_hour, now),
        _shown(limits.seven_day, now),
        _shown(limits.spend_limit, now),
    )
    return kept if kept.captured_at is not None else None


def is_fresh(window: RateLimitWindow, now: datetime) -> bool:
    """Whether a window was captured recently enough to lead."""
    return now - window.captured_at <= FRESH


def epoch(value: object) -> Optional[datetime]:
    """Read seconds since 1970 as a UTC time; None for anything else."""
    seconds = _number(value)
    if seconds is None or not 1e9 <= seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc)


def percentage(value: object) -> Optional[float]:
    """Read a percentage from 0 to 1000; None for anything else.

    >>> percentage(37.5), percentage(1767615455), percentage("50"), percentage(True)
    (37.5, None, None, None)
    """
    number = _number(value)
    return number if number is not None and 0 <= number <= MOST_PERCENT else None


def _number(value: object) -> Optional[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _window(raw: object, now: datetime, length: Optional[timedelta]) -> Optional[RateLimitWindow]:
    found: dict[str, Any] = raw if isinstance(raw, dict) else {}
    percent, resets_at = percentage(found.get("used_percentage")), epoch(found.get("resets_at"))
    if percent is None or (resets_at is not None and resets_at <= now):
        return None
    if resets_at is not None and length is not None and resets_at - now > length + SAME_WINDOW:
        resets_at = None  # no window is that long
    if _is_suspect(percent, resets_at, length, now):
        return RateLimitWindow(0.0, resets_at, now, (), suspect=percent)
    return RateLimitWindow(percent, resets_at, now, (Capture(now, percent),))


def _is_suspect(
    percent: float, resets_at: Optional[datetime], length: Optional[timedelta], now: datetime
) -> bool:
    if resets_at is None or length is None or percent < SUSPECT_PERCENT:
        return False
    return now - (resets_at - length) < SUSPECT_AGE


def _newer(
    old: Optional[RateLimitWindow], new: Optional[RateLimitWindow], now: datetime
) -> Optional[RateLimitWindow]:
    old = _unless_over(old, now)
    if old is None or new is None:
        return new or old
    if not _same(old, new):
        return new if _end(new) > _end(old) else old
    if new.suspect is not None:
        return _confirmed(old, new)
    percent = max(old.used_percent, new.used_percent)
    return replace(
        new,
        used_percent=percent,
        resets_at=new.resets_at or old.resets_at,
        captures=_with(old.captures, Capture(new.captured_at, percent)),
        suspect=old.suspect,
    )


def _joined(
    one: Optional[RateLimitWindow], other: Optional[RateLimitWindow]
) -> Optional[RateLimitWindow]:
    if one is None or other is None or not (one.is_believed and other.is_believed):
        return next((w for w in (one, other) if w and w.is_believed), one or other)
    old, new = sorted((one, other), key=lambda window: window.captured_at)
    if not _same(old, new):
        return new if _end(new) > _end(old) else old
    captures = sorted({*old.captures, *new.captures}, key=lambda capture: capture.at)
    return replace(
        new,
        used_percent=max(old.used_percent, new.used_percent),
        resets_at=new.resets_at or old.resets_at,
        captures=tuple(captures[-CAPTURES_KEPT:]),
    )


def _confirmed(old: RateLimitWindow, new: RateLimitWindow) -> RateLimitWindow:
    """Believe a suspect percentage at its second sight; until then keep what was known."""
    assert new.suspect is not None  # noqa: S101 - the caller has looked
    if old.suspect is None and old.used_percent < SUSPECT_PERCENT:
        return replace(old, suspect=new.suspect)
    capture = Capture(new.captured_at, max(new.suspect, old.used_percent))
    captures = _with(old.captures, capture)
    return RateLimitWindow(capture.used_percent, new.resets_at, new.captured_at, captures)


def _past(old: OfficialLimits, five_hour: Optional[RateLimitWindow]) -> tuple[PastWindow, ...]:
    """Add the five-hour window that `five_hour` takes the place of."""
    gone = old.five_hour
    if gone is None or gone.resets_at is None or not gone.is_believed:
        return old.past
    if five_hour is not None and _same(gone, five_hour):
        return old.past
    return (*old.past, PastWindow(gone.resets_at, gone.used_percent))[-PAST_KEPT:]


def _with(captures: tuple[Capture, ...], new: Capture) -> tuple[Capture, ...]:
    """Add a capture, in the place of the last if that was not needed.

    It was not when it is the second within a minute, or when the same percentage was seen before
    and after it: so the first sight of each percentage stays.
    """
    kept = captures
    if len(kept) > 1:
        same = kept[-2].used_percent == kept[-1].used_percent == new.used_percent
        if same or new.at - kept[-2].at < CAPTURE_EVERY:
            kept = kept[:-1]
    return (*kept, new)[-CAPTURES_KEPT:]


def _same(old: RateLimitWindow, new: RateLimitWindow) -> bool:
    if old.resets_at is None:
        # Nobody said whose percentage it was; but usage only grows within a window.
        return new.used_percent >= old.used_percent
    return new.resets_at is None or abs(old.resets_at - new.resets_at) <= SAME_WINDOW


def _end(window: RateLimitWindow) -> datetime:
    return window.resets_at or window.captured_at


def _unless_over(window: Optional[RateLimitWindow], now: datetime) -> Optional[RateLimitWindow]:
    return None if window is None or window.is_over(now) else window


def _shown(window: Optional[RateLimitWindow], now: datetime) -> Optional[RateLimitWindow]:
    kept = _unless_over(window, now)
    return kept if kept is not None and kept.is_believed else None
