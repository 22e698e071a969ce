"""The official limits that Claude Code reports: checked, dated, and merged over sessions.

The status line's `rate_limits` hold a percentage and a reset time for each window. Each may be
missing, late or wrong: what cannot be true is dropped, and an absent window is not 0 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, NamedTuple, Optional

from monitor.model.blocks import SESSION, Block
from monitor.model.bridge import Capture
from monitor.model.formatting import visible

FRESH = timedelta(minutes=10)
"""A capture older than this no longer leads: it is shown with its age."""

MAX_PERCENT = 1000.0
"""Values such as an epoch in `used_percentage` were seen; 100 to 105 are real."""

SAME_WINDOW = timedelta(minutes=5)
"""Reset times of one window differ by seconds between sessions."""

SUSPECT_PERCENT = 90.0
SUSPECT_AGE = timedelta(minutes=10)
"""Near 100 % this soon after a window's start is most likely the last window's percentage."""

MAX_CAPTURES = 60
CAPTURE_EVERY = timedelta(minutes=1)

MAX_PAST = 60
"""Past five-hour windows: about two weeks of them, for the history."""

FIVE_HOUR, SEVEN_DAY, SPEND_LIMIT = "five_hour", "seven_day", "spend_limit"
"""Ids of windows, as Claude Code names them."""

MODEL_PREFIX = "model:"
"""The id of a weekly limit of one model is `model:<name>`."""

WEEK = timedelta(days=7)


class WindowKind(NamedTuple):
    """How a window is called, and how long it is; None if that is not known."""

    label: str
    length: Optional[timedelta]


WINDOW_KINDS: Mapping[str, WindowKind] = MappingProxyType(
    {
        FIVE_HOUR: WindowKind("5 h", SESSION),
        SEVEN_DAY: WindowKind("7 d", WEEK),
        "seven_day_opus": WindowKind("7 d Opus", WEEK),
        "seven_day_sonnet": WindowKind("7 d Sonnet", WEEK),
        SPEND_LIMIT: WindowKind("spend", None),
    }
)

STOPPING = (FIVE_HOUR, SEVEN_DAY)
"""The windows that stop all use when they are used up."""


@dataclass(frozen=True)
class RateLimitWindow:
    """One official limit: the percentage used, and when it resets (UTC, None if not given).

    `captures` are the captures of this window, oldest first; `suspect` is a percentage that is not
    believed until it is captured once more.
    """

    used_percent: float
    resets_at: Optional[datetime]
    captured_at: datetime
    captures: tuple[Capture, ...] = ()
    suspect: Optional[float] = None

    def __post_init__(self) -> None:
        if not 0 <= self.used_percent <= MAX_PERCENT:
            raise ValueError(f"{self.used_percent} is no percentage")

    def is_over(self, now: datetime) -> bool:
        """Return whether its reset has passed, so that it is about the past.

        A window without a reset time is not believed for longer than five hours.
        """
        return (self.resets_at or self.captured_at + SESSION) <= now

    @property
    def is_believed(self) -> bool:
        """Whether there is a percentage, not only a suspect one."""
        return bool(self.captures)


class PastWindow(NamedTuple):
    """A five-hour window that is over: when it was reset (UTC), and its last percentage."""

    resets_at: datetime
    used_percent: float


Windows = Mapping[str, RateLimitWindow]
"""By id, such as `five_hour`."""

Merge = Callable[[RateLimitWindow, RateLimitWindow], RateLimitWindow]


@dataclass(frozen=True)
class OfficialLimits:
    """The windows that are known, and past five-hour windows, oldest first."""

    windows: Windows = field(default_factory=dict)
    past: tuple[PastWindow, ...] = ()

    @property
    def captured_at(self) -> Optional[datetime]:
        """When the newest of the windows was captured; None if there is none."""
        return max((window.captured_at for window in self.windows.values()), default=None)

    @property
    def reached(self) -> Optional[str]:
        """The id of the window that is used up and stops all use; of two the later reset."""
        windows = {key: self.windows[key] for key in STOPPING if key in self.windows}
        full = [key for key, window in windows.items() if window.used_percent >= 100]
        return max(full, key=lambda key: _end(windows[key]), default=None)


def window_kind(window_id: str) -> WindowKind:
    """Return label and length of any window, of an unknown one too.

    >>> window_kind("seven_day").label, window_kind("model:Fable").label, window_kind("new").label
    ('7 d', '7 d Fable', 'new')
    """
    if window_id.startswith(MODEL_PREFIX):
        return WindowKind(f"7 d {visible(window_id[len(MODEL_PREFIX) :])[:20]}", WEEK)
    return WINDOW_KINDS.get(window_id) or WindowKind(visible(window_id)[:20], None)


def captured(raw: object, now: datetime) -> OfficialLimits:
    """Read `rate_limits` as Claude Code hands it over at `now`. Never raises."""
    raws = raw if isinstance(raw, dict) else {}
    windows = {key: _window(raws.get(key), now, kind.length) for key, kind in WINDOW_KINDS.items()}
    return OfficialLimits({key: window for key, window in windows.items() if window is not None})


def merged(old: OfficialLimits, new: OfficialLimits, now: datetime) -> OfficialLimits:
    """Add what a session has just reported at `now` to what was known."""
    current = {key: window for key, window in old.windows.items() if not window.is_over(now)}
    windows = _by_id(current, new.windows, _updated)
    return OfficialLimits(windows, _past(old, windows.get(FIVE_HOUR)))


def joined(one: OfficialLimits, other: OfficialLimits) -> OfficialLimits:
    """Join what was stored for two data directories; their sessions are of one account."""
    past = {window.resets_at: window for window in (*other.past, *one.past)}
    return OfficialLimits(
        _by_id(one.windows, other.windows, _joined),
        tuple(past[at] for at in sorted(past))[-MAX_PAST:],
    )


def final_percent(limits: OfficialLimits, block: Block, now: datetime) -> Optional[float]:
    """Return the last percentage of the window of a completed block; None if not known.

    ccusage floors a block's start to the hour, so its window ends at most an hour after the block.
    A window that another device began earlier ends at another time, and is not this block's.
    """
    ended, five_hour = limits.past, limits.windows.get(FIVE_HOUR)
    if five_hour is not None and five_hour.is_over(now):
        ended = _past(limits, None)
    first, last = block.end - SAME_WINDOW, block.end + timedelta(hours=1)
    percents = [past.used_percent for past in ended if first <= past.resets_at <= last]
    return percents[-1] if percents else None


def present(limits: OfficialLimits, now: datetime) -> OfficialLimits:
    """Return the windows that are believed and not over, in the order of the table."""
    windows = limits.windows
    order = [*(key for key in WINDOW_KINDS if key in windows), *windows]
    shown = (key for key in order if windows[key].is_believed and not windows[key].is_over(now))
    return OfficialLimits({key: windows[key] for key in shown})


def is_fresh(window: RateLimitWindow, now: datetime) -> bool:
    """Return whether a window was captured recently enough to lead."""
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
    return number if number is not None and 0 <= number <= MAX_PERCENT else None


def _number(value: object) -> Optional[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _window(raw: object, now: datetime, length: Optional[timedelta]) -> Optional[RateLimitWindow]:
    values: dict[str, Any] = raw if isinstance(raw, dict) else {}
    percent, resets_at = percentage(values.get("used_percentage")), epoch(values.get("resets_at"))
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


def _by_id(one: Windows, other: Windows, merge: Merge) -> Windows:
    both = {key: merge(one[key], other[key]) for key in one.keys() & other.keys()}
    return {**one, **other, **both}


def _updated(old: RateLimitWindow, new: RateLimitWindow) -> RateLimitWindow:
    """Add what a session has just reported to what is known of the window."""
    if not _is_same(old, new):
        return _later(old, new)
    if new.suspect is not None:
        return _confirmed(old, new)
    capture = Capture(new.captured_at, _percent(old, new))
    return replace(_combined(old, new, _added(old.captures, capture)), suspect=old.suspect)


def _joined(one: RateLimitWindow, other: RateLimitWindow) -> RateLimitWindow:
    """Join what was stored of a window for two data directories."""
    if not (one.is_believed and other.is_believed):
        return other if other.is_believed else one
    old, new = sorted((one, other), key=lambda window: window.captured_at)
    if not _is_same(old, new):
        return _later(old, new)
    return _combined(old, new, sorted({*old.captures, *new.captures}))


def _percent(old: RateLimitWindow, new: RateLimitWindow) -> float:
    """Return the percentage that counts where sessions disagree about one window.

    The highest one, since usage only grows.
    """
    return max(old.used_percent, new.used_percent)


def _combined(
    old: RateLimitWindow, new: RateLimitWindow, captures: Iterable[Capture]
) -> RateLimitWindow:
    return replace(
        new,
        used_percent=_percent(old, new),
        resets_at=new.resets_at or old.resets_at,
        captures=tuple(captures)[-MAX_CAPTURES:],
    )


def _confirmed(old: RateLimitWindow, new: RateLimitWindow) -> RateLimitWindow:
    """Believe a suspect percentage at its second capture; until then keep what was known."""
    assert new.suspect is not None  # noqa: S101 - the caller has looked
    if old.suspect is None and old.used_percent < SUSPECT_PERCENT:
        return replace(old, suspect=new.suspect)
    capture = Capture(new.captured_at, max(new.suspect, old.used_percent))
    captures = _added(old.captures, capture)
    return RateLimitWindow(capture.used_percent, new.resets_at, new.captured_at, captures)


def _added(captures: tuple[Capture, ...], new: Capture) -> tuple[Capture, ...]:
    """Add a capture; it replaces the last one if that says nothing more.

    That is the case if the last one is the second within a minute, or lies between two of the same
    percentage: the first capture of each percentage stays.
    """
    if len(captures) > 1:
        before, last = captures[-2:]
        is_same = before.used_percent == last.used_percent == new.used_percent
        if is_same or new.at - before.at < CAPTURE_EVERY:
            captures = captures[:-1]
    return (*captures, new)[-MAX_CAPTURES:]


def _past(old: OfficialLimits, five_hour: Optional[RateLimitWindow]) -> tuple[PastWindow, ...]:
    """Return the past windows; the old five-hour one is one of them if `five_hour` replaces it."""
    gone = old.windows.get(FIVE_HOUR)
    if gone is None or gone.resets_at is None or not gone.is_believed:
        return old.past
    if five_hour is not None and _is_same(gone, five_hour):
        return old.past
    return (*old.past, PastWindow(gone.resets_at, gone.used_percent))[-MAX_PAST:]


def _is_same(old: RateLimitWindow, new: RateLimitWindow) -> bool:
    """Return whether both are about the time up to the same reset."""
    if old.resets_at is None:
        # It is not known whose percentage it was; but usage only grows within a window.
        return new.used_percent >= old.used_percent
    return new.resets_at is None or abs(old.resets_at - new.resets_at) <= SAME_WINDOW


def _later(old: RateLimitWindow, new: RateLimitWindow) -> RateLimitWindow:
    """Of two windows return the one that resets later."""
    return new if _end(new) > _end(old) else old


def _end(window: RateLimitWindow) -> datetime:
    return window.resets_at or window.captured_at
