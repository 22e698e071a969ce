"""The official limits that Claude Code reports: checked, dated, and merged over sessions.

The status line's `rate_limits` hold a percentage and a reset time for each window. Each may be
missing, late or wrong: what cannot be true is dropped, and an absent window is not 0 %.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import reduce
from types import MappingProxyType
from typing import Any, NamedTuple, Optional, Union

from monitor.model.blocks import SESSION, Block
from monitor.model.formatting import visible

FRESH = timedelta(minutes=10)
"""A capture older than this no longer leads: it is shown with its age."""

MAX_PERCENT = 110.0
"""Percentages up to 105 were seen; so were absurd ones, such as an epoch in their place."""

FULL = 100.0
"""At this percentage a limit is used up."""

SAME_WINDOW = timedelta(minutes=5)
"""Reset times of one window differ by seconds between sessions."""

CLOCK_SLACK = timedelta(minutes=1)
"""So far may the clocks of two machines that share a home directory differ."""

SUSPECT_PERCENT = 90.0
SUSPECT_AGE = timedelta(minutes=10)
"""Near 100 % this soon after a window's start is most likely the last window's percentage."""

FALL = 5.0
"""Answers differ by a point or two; a fall of more means another limit, or another account."""

MAX_CAPTURES = 60
CAPTURE_EVERY = timedelta(minutes=1)
CAPTURE_WEEK_EVERY = timedelta(hours=1)
"""Captures are at least so far apart: the file is written with each status line."""

MAX_WEEK_CAPTURES = 168

MAX_SESSIONS = 100
"""Sessions that are remembered: one that was left open for days still repeats what it knew."""

MAX_PAST = 60
"""Past five-hour windows: about two weeks of them, for the history."""

WEEKS_KEPT, MAX_WEEKS = timedelta(weeks=12), 60
"""Past weekly windows: twelve weeks of five limits, for the projection of the present ones."""

ENOUGH_COST = 1000.0
"""Of so many five-hour points the older half is forgotten: plans and models change."""

FIVE_HOUR, SEVEN_DAY, SPEND_LIMIT = "five_hour", "seven_day", "spend_limit"
"""Ids of windows, as Claude Code names them."""

STATUS_LINE, CLAUDE, TRANSCRIPT = "statusline", "claude", "transcript"
"""Who reports a window: Claude Code's status line, its answer to a question, or a transcript."""

MODEL_PREFIX = "model:"
"""The id of a weekly limit of one model is `model:<name>`."""

APART = "@"
"""Before the data directory, in the id of a window that is only about one of several."""

WEEK = timedelta(days=7)


class WindowKind(NamedTuple):
    """How a window is called in a table and in a sentence, and how long it is; None if unknown."""

    label: str
    name: str
    length: Optional[timedelta]


WINDOW_KINDS: Mapping[str, WindowKind] = MappingProxyType(
    {
        FIVE_HOUR: WindowKind("5 h", "5-hour limit", SESSION),
        SEVEN_DAY: WindowKind("7 d", "weekly limit", WEEK),
        "seven_day_opus": WindowKind("7 d Opus", "weekly limit of Opus", WEEK),
        "seven_day_sonnet": WindowKind("7 d Sonnet", "weekly limit of Sonnet", WEEK),
        SPEND_LIMIT: WindowKind("spend", "spend limit", None),
        "seven_day_overage_included": WindowKind("7 d extra", "weekly limit", WEEK),
        "overage": WindowKind("extra", "limit of extra usage", None),
    }
)

OF_ONE_MODEL = ("seven_day_opus", "seven_day_sonnet")


class Capture(NamedTuple):
    """The official percentage (0-105) of a window at a time in UTC."""

    at: datetime
    used_percent: float


class Report(NamedTuple):
    """What one session reports of a window: the percentage used, and when it resets (UTC)."""

    used_percent: float
    resets_at: Optional[datetime] = None


class ExtraUsage(NamedTuple):
    """Usage that is paid for beyond the limits: US dollars, and percent of what may be spent.

    What is not known is None.
    """

    used_usd: Optional[float] = None
    limit_usd: Optional[float] = None
    used_percent: Optional[float] = None


class Session(NamedTuple):
    """What one session of Claude Code reported last, by window, and when it was drawn last (UTC).

    `api_ms` is how long it had waited for answers by then, in milliseconds; None if not given.
    """

    drawn_at: datetime
    reports: Mapping[str, Report] = MappingProxyType({})
    api_ms: Optional[float] = None


@dataclass(frozen=True)
class RateLimitWindow:
    """One official limit: the percentage used, and when it resets (UTC, None if not given).

    `captured_at` is when that was news; `captures` are its percentages so far, oldest first.
    `origin` says who reported it, such as `statusline`.
    """

    used_percent: float
    resets_at: Optional[datetime]
    captured_at: datetime
    captures: tuple[Capture, ...] = ()
    origin: str = STATUS_LINE

    def __post_init__(self) -> None:
        if not 0 <= self.used_percent <= MAX_PERCENT:
            raise ValueError(f"{self.used_percent} is no percentage")

    def is_over(self, now: datetime) -> bool:
        """Return whether its reset has passed, so that it is about the past.

        A window without a reset time is not believed for longer than five hours, and one from the
        future not at all: the clock was ahead when it was captured.
        """
        is_ahead = self.captured_at - now > CLOCK_SLACK
        return is_ahead or (self.resets_at or self.captured_at + SESSION) <= now

    @property
    def rising(self) -> tuple[Capture, ...]:
        """The captures since the percentage last fell: those of the limit that applies now."""
        percents = [capture.used_percent for capture in self.captures]
        falls = [i for i in range(1, len(percents)) if percents[i - 1] - percents[i] > FALL]
        return self.captures[falls[-1] :] if falls else self.captures


class PastWindow(NamedTuple):
    """A five-hour window that is over: when it was reset (UTC), and its last percentage."""

    resets_at: datetime
    used_percent: float


class PastWeek(NamedTuple):
    """A weekly window that is over: its id, its reset (UTC), and its last percentage.

    It ended at `ended_at` (UTC): at the reset, or when another reset took its place. It was used up
    at `reached_at` (UTC), None if it was not.
    """

    window: str
    resets_at: datetime
    ended_at: datetime
    used_percent: float
    reached_at: Optional[datetime] = None


class WeekCost(NamedTuple):
    """How many points the five-hour and the seven-day percentage rose together."""

    five_hour: float = 0.0
    seven_day: float = 0.0


NO_COST = WeekCost()


class UsageAnswer(NamedTuple):
    """What Claude Code answered: reports by window, the subscription, and extra usage."""

    reports: Mapping[str, Report]
    plan: Optional[str] = None
    extra_usage: Optional[ExtraUsage] = None


class Asked(NamedTuple):
    """When Claude Code was asked last for its limits (UTC), and why it gave none ("" if it did)."""

    at: datetime
    fault: str = ""


Windows = Mapping[str, RateLimitWindow]
"""By id, such as `five_hour`."""


@dataclass(frozen=True)
class OfficialLimits:
    """The windows that are known, past five-hour windows (oldest first), and the sessions by id.

    `plan` is the subscription (`pro`, `max`, `team`, `enterprise`) and `extra_usage` what is paid
    beyond it, both as Claude Code answered last; `asked` says when and how it was asked last.
    `past_weeks` are past weekly windows, oldest first; `week_cost` tells what a five-hour window
    costs of the week.
    """

    windows: Windows = field(default_factory=dict)
    past: tuple[PastWindow, ...] = ()
    sessions: Mapping[str, Session] = field(default_factory=dict)
    plan: Optional[str] = None
    extra_usage: Optional[ExtraUsage] = None
    asked: Optional[Asked] = None
    past_weeks: tuple[PastWeek, ...] = ()
    week_cost: WeekCost = NO_COST

    @property
    def captured_at(self) -> Optional[datetime]:
        """When the newest of the windows was captured; None if there is none."""
        return max((window.captured_at for window in self.windows.values()), default=None)


def no_answer(limits: OfficialLimits) -> str:
    """Say why Claude Code, asked last, gave no limits; "" if it did, or was not asked."""
    if limits.asked is None or not limits.asked.fault:
        return ""
    return f"no {'new ' if limits.windows else ''}official limits: {limits.asked.fault}"


def window_kind(window_id: str) -> WindowKind:
    """Return label and length of any window, of an unknown one too.

    >>> window_kind("seven_day").label, window_kind("model:Fable").label, window_kind("new").label
    ('7 d', '7 d Fable', 'new')
    >>> window_kind("five_hour@/home/you/.claude-work").name
    '5-hour limit of .claude-work'
    """
    window_id, place = split_id(window_id)
    if place:
        kind, short = window_kind(window_id), visible(re.split(r"[/\\]", place)[-1])
        return kind._replace(label=f"{kind.label} {short}", name=f"{kind.name} of {short}")
    if window_id.startswith(MODEL_PREFIX):
        model = visible(window_id[len(MODEL_PREFIX) :])[:20]
        return WindowKind(f"7 d {model}", f"weekly limit of {model}", WEEK)
    label = visible(window_id)[:20]
    return WINDOW_KINDS.get(window_id) or WindowKind(label, f"limit “{label}”", None)


def split_id(window_id: str) -> tuple[str, str]:
    """Return Claude Code's id of a window, and the one data directory that it is about, or ""."""
    plain, _, place = window_id.partition(APART)
    return plain, place


def is_of_one_model(window_id: str) -> bool:
    """Return whether a window limits one model only."""
    window_id, _ = split_id(window_id)
    return window_id in OF_ONE_MODEL or window_id.startswith(MODEL_PREFIX)


def is_of_model_in_use(window_id: str, models: Iterable[str]) -> bool:
    """Return whether a window limits what is in use; one of a model only limits that model.

    >>> is_of_model_in_use("seven_day_opus", ["claude-opus-4-8"])
    True
    >>> is_of_model_in_use("model:Fable", ["claude-opus-4-8"])
    False
    """
    if not is_of_one_model(window_id):
        return True
    window_id, _ = split_id(window_id)
    name = window_id.rpartition("_")[2]
    if window_id.startswith(MODEL_PREFIX):
        name = window_id[len(MODEL_PREFIX) :]
    return any(name.casefold() in model.casefold() for model in models)


def parse_rate_limits(raw: object, now: datetime) -> Mapping[str, Report]:
    """Read `rate_limits` as Claude Code hands it over at `now`. Never raises.

    What cannot be true is dropped.
    """
    raws = raw if isinstance(raw, dict) else {}
    reports = {key: _report(raws.get(key), now, kind.length) for key, kind in WINDOW_KINDS.items()}
    return {key: report for key, report in reports.items() if report is not None}


def with_session(
    limits: OfficialLimits,
    session_id: str,
    reports: Mapping[str, Report],
    now: datetime,
    api_ms: Optional[float] = None,
    origin: str = STATUS_LINE,
) -> OfficialLimits:
    """Add what a session reports at `now`. News is a change: the newest one wins, up or down.

    A session that repeats its last report brings no news, however often its status line is drawn,
    unless it has got an answer since: then it confirms the report that applies.
    """
    before = limits.sessions.get(session_id) or Session(now)
    answered = api_ms is not None and before.api_ms is not None and api_ms > before.api_ms
    windows = {key: window for key, window in limits.windows.items() if not window.is_over(now)}
    for key, report in reports.items():
        old, last = windows.get(key), before.reports.get(key)
        is_repeated = last is not None and _is_same(last, report)
        if is_repeated and not (answered and (old is None or _is_same(old, report))):
            continue
        if is_repeated or origin == CLAUDE or not _is_suspect(key, report, limits.sessions, now):
            windows[key] = _updated(key, old, report, now, origin)
    session = Session(
        now, {**before.reports, **reports}, before.api_ms if api_ms is None else api_ms
    )
    sessions = {**limits.sessions, session_id: session}
    return replace(
        limits,
        windows=windows,
        past=_past(limits, windows.get(FIVE_HOUR)),
        sessions=_newest(sessions),
        past_weeks=_past_weeks(limits, windows, now),
        week_cost=_week_cost(limits, windows),
    )


def with_answer(limits: OfficialLimits, answer: UsageAnswer, now: datetime) -> OfficialLimits:
    """Add what Claude Code answered at `now`, as one more session that reports.

    An answer names every window of the plan: one that it no longer names is gone.
    """
    api_ms = now.timestamp() * 1000  # each answer is a new one, so that it confirms what applies
    known = with_session(limits, CLAUDE, answer.reports, now, api_ms, CLAUDE)
    windows = {
        key: window
        for key, window in known.windows.items()
        if key in answer.reports or not _is_of_plan(key)
    }
    plan, extra_usage = answer.plan, answer.extra_usage
    return replace(known, windows=windows, plan=plan, extra_usage=extra_usage, asked=Asked(now))


def _is_of_plan(key: str) -> bool:
    return key in (FIVE_HOUR, SEVEN_DAY) or is_of_one_model(key)


def joined(one: OfficialLimits, other: OfficialLimits) -> OfficialLimits:
    """Join what was stored for two data directories; of one window the newer news counts."""
    both = {
        key: _newer(key, one.windows[key], other.windows[key])
        for key in one.windows
        if key in other.windows
    }
    past = {window.resets_at: window for window in (*other.past, *one.past)}
    newer, older = sorted((one, other), key=_asked_at, reverse=True)
    return OfficialLimits(
        {**one.windows, **other.windows, **both},
        tuple(past[at] for at in sorted(past))[-MAX_PAST:],
        plan=newer.plan or older.plan,
        extra_usage=newer.extra_usage or older.extra_usage,
        asked=_last_asked(newer, older),
        past_weeks=_weeks_of_both(one.past_weeks, other.past_weeks),
        week_cost=max(one.week_cost, other.week_cost),
    )


def _weeks_of_both(one: Iterable[PastWeek], other: Iterable[PastWeek]) -> tuple[PastWeek, ...]:
    """Join past weeks; of one week that both know, the one that was seen last has more used."""
    weeks: list[PastWeek] = []
    for week in sorted((*one, *other), key=lambda week: week.used_percent, reverse=True):
        if not any(week.window == known.window and _is_same_window(week, known) for known in weeks):
            weeks.append(week)
    return tuple(sorted(weeks, key=lambda week: week.resets_at))[-MAX_WEEKS:]


def together(by_dir: Mapping[str, OfficialLimits]) -> OfficialLimits:
    """Join what is known of data directories whose usage is added up.

    Directories of one account report the same windows. A window that differs between them is of
    several accounts: it stays apart, and its id ends with `@` and the directory.
    """
    limits = reduce(joined, by_dir.values(), OfficialLimits())
    apart = [key for key in limits.windows if _differs(key, by_dir.values())]
    windows = {key: window for key, window in limits.windows.items() if key not in apart}
    weeks = [week for week in limits.past_weeks if week.window not in apart]
    for name, own in by_dir.items():
        ids = {key: f"{key}{APART}{name}" for key in apart}
        windows.update({ids[key]: w for key, w in own.windows.items() if key in apart})
        weeks += [w._replace(window=ids[w.window]) for w in own.past_weeks if w.window in apart]
    weeks.sort(key=lambda week: week.resets_at)
    return replace(limits, windows=windows, past_weeks=tuple(weeks))


def _differs(key: str, limits: Iterable[OfficialLimits]) -> bool:
    """Return whether a window has two resets at once."""
    known = [own.windows[key] for own in limits if key in own.windows]
    return any(
        not (_is_same_window(one, other) or one.is_over(other.captured_at))
        for one in known
        for other in known
        if one.captured_at <= other.captured_at
    )


def _last_asked(newer: OfficialLimits, older: OfficialLimits) -> Optional[Asked]:
    """Return when either was asked last; it is no fault if one of two accounts has no limits."""
    if newer.asked and older.asked and not older.asked.fault:
        return Asked(newer.asked.at)
    return newer.asked or older.asked


def _asked_at(limits: OfficialLimits) -> float:
    return limits.asked.at.timestamp() if limits.asked else 0.0


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
    """Return the windows that are not over, in the order of the table."""
    windows = limits.windows
    order = [*(key for key in WINDOW_KINDS if key in windows), *windows]
    valid = {key: windows[key] for key in order if not windows[key].is_over(now)}
    return replace(limits, windows=valid, past=(), sessions={})


def past_weeks_before(limits: OfficialLimits, key: str) -> list[PastWeek]:
    """Return the past weeks of a weekly limit, oldest first, without the one that is under way."""
    weeks, window = (
        [week for week in limits.past_weeks if week.window == key],
        limits.windows.get(key),
    )
    return [week for week in weeks if window is None or not _is_same_window(week, window)]


def is_week(key: str) -> bool:
    """Return whether a window lasts a week."""
    return window_kind(key).length == WEEK


def is_fresh(window: RateLimitWindow, now: datetime) -> bool:
    """Return whether a window was captured recently enough to lead."""
    return now - window.captured_at <= FRESH


def epoch(value: object) -> Optional[datetime]:
    """Read seconds since 1970 as a UTC time; None for anything else."""
    seconds = _number(value)
    if seconds is None or not 1e9 <= seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc)


def possible_reset(
    resets_at: Optional[datetime], length: Optional[timedelta], now: datetime
) -> Optional[datetime]:
    """Return when a window of this length resets; None if no such window takes so long."""
    if resets_at is None or length is None or resets_at - now <= length + SAME_WINDOW:
        return resets_at
    return None


def percentage(value: object) -> Optional[float]:
    """Read a percentage from 0 to MAX_PERCENT; None for anything else.

    >>> percentage(37.5), percentage(1767615455), percentage("50"), percentage(True)
    (37.5, None, None, None)
    """
    number = _number(value)
    return number if number is not None and 0 <= number <= MAX_PERCENT else None


def amount(value: object) -> Optional[float]:
    """Read a number of 0 or more; None for anything else."""
    number = _number(value)
    return number if number is not None and 0 <= number < 1e15 else None


def _number(value: object) -> Optional[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _report(raw: object, now: datetime, length: Optional[timedelta]) -> Optional[Report]:
    values: dict[str, Any] = raw if isinstance(raw, dict) else {}
    percent, resets_at = percentage(values.get("used_percentage")), epoch(values.get("resets_at"))
    if percent is None or (resets_at is not None and resets_at <= now):
        return None
    return Report(percent, possible_reset(resets_at, length, now))


def _is_suspect(key: str, report: Report, sessions: Mapping[str, Session], now: datetime) -> bool:
    """Return whether a report is most likely the last window's percentage with the new reset.

    It is believed once another session reports as much, this one has a new percentage, or it
    has got an answer since.
    """
    length = window_kind(key).length
    if report.resets_at is None or length is None or report.used_percent < SUSPECT_PERCENT:
        return False
    if now - (report.resets_at - length) >= SUSPECT_AGE:
        return False
    earlier = (session.reports[key] for session in sessions.values() if key in session.reports)
    return not any(
        _is_same_window(other, report) and other.used_percent >= SUSPECT_PERCENT
        for other in earlier
    )


def _updated(
    key: str, old: Optional[RateLimitWindow], report: Report, now: datetime, origin: str
) -> RateLimitWindow:
    capture = Capture(now, report.used_percent)
    if old is None or not _is_same_window(old, report):
        return RateLimitWindow(report.used_percent, report.resets_at, now, (capture,), origin)
    resets_at, captures = report.resets_at or old.resets_at, _added(key, old.captures, capture)
    return RateLimitWindow(report.used_percent, resets_at, now, captures, origin)


def _newer(key: str, one: RateLimitWindow, other: RateLimitWindow) -> RateLimitWindow:
    old, new = sorted((one, other), key=lambda window: window.captured_at)
    if not _is_same_window(old, new):
        return new
    captures = sorted({*old.captures, *new.captures})[-_max_captures(key) :]
    return replace(new, resets_at=new.resets_at or old.resets_at, captures=tuple(captures))


def _newest(sessions: Mapping[str, Session]) -> Mapping[str, Session]:
    newest = sorted(sessions, key=lambda key: sessions[key].drawn_at)[-MAX_SESSIONS:]
    return {key: sessions[key] for key in newest}


def _max_captures(key: str) -> int:
    return MAX_WEEK_CAPTURES if is_week(key) else MAX_CAPTURES


def _added(key: str, captures: tuple[Capture, ...], new: Capture) -> tuple[Capture, ...]:
    """Add a capture; it replaces the last one if that says nothing more.

    That is the case if the last one is the second within a minute (of a week, within an hour), or
    lies between two of the same percentage: the first capture of each percentage stays, and that of
    100 % always does.
    """
    if len(captures) > 1:
        before, last = captures[-2:]
        is_same = before.used_percent == last.used_percent == new.used_percent
        is_soon = new.at - before.at < (CAPTURE_WEEK_EVERY if is_week(key) else CAPTURE_EVERY)
        if is_same or (is_soon and not before.used_percent < FULL <= last.used_percent):
            captures = captures[:-1]
    return (*captures, new)[-_max_captures(key) :]


def _past_weeks(old: OfficialLimits, windows: Windows, now: datetime) -> tuple[PastWeek, ...]:
    """Return the past weekly windows, with those of `old` that `windows` replace.

    A session that still reports an older reset may bring a window back: it counts once.
    """
    weeks = [week for week in old.past_weeks if abs(now - week.resets_at) <= WEEKS_KEPT]
    for key, gone in old.windows.items():
        if gone.resets_at is None or not is_week(key) or gone.captured_at > now:
            continue
        if key in windows and _is_same_window(gone, windows[key]):
            continue
        full = [capture.at for capture in gone.rising if capture.used_percent >= FULL]
        ended, reached = min(gone.resets_at, now), full[0] if full else None
        weeks = [week for week in weeks if week.window != key or not _is_same_window(week, gone)]
        weeks.append(PastWeek(key, gone.resets_at, ended, gone.used_percent, reached))
    return tuple(sorted(weeks, key=lambda week: week.resets_at))[-MAX_WEEKS:]


def _week_cost(old: OfficialLimits, windows: Windows) -> WeekCost:
    """Add what both percentages rose together, if both go on within the windows they were in."""
    pairs = [(old.windows.get(key), windows.get(key)) for key in (FIVE_HOUR, SEVEN_DAY)]
    gains = [
        new.used_percent - before.used_percent
        for before, new in pairs
        if before is not None and new is not None and _is_same_window(before, new)
    ]
    if len(gains) < 2 or min(gains) < 0:
        return old.week_cost
    five_hour, seven_day = (known + gain for known, gain in zip(old.week_cost, gains))
    share = 0.5 if five_hour > ENOUGH_COST else 1.0
    return WeekCost(five_hour * share, seven_day * share)


def _past(old: OfficialLimits, five_hour: Optional[RateLimitWindow]) -> tuple[PastWindow, ...]:
    """Return the past windows; the old five-hour one is one of them if `five_hour` replaces it."""
    gone = old.windows.get(FIVE_HOUR)
    if gone is None or gone.resets_at is None:
        return old.past
    if five_hour is not None and _is_same_window(gone, five_hour):
        return old.past
    return (*old.past, PastWindow(gone.resets_at, gone.used_percent))[-MAX_PAST:]


Sight = Union[Report, RateLimitWindow, PastWeek]


def _is_same(one: Sight, other: Sight) -> bool:
    """Return whether two reports say the same of one window."""
    return one.used_percent == other.used_percent and _is_same_window(one, other)


def _is_same_window(one: Sight, other: Sight) -> bool:
    """Return whether both are about the time up to the same reset, as far as it is known."""
    if one.resets_at is None or other.resets_at is None:
        return True
    return abs(one.resets_at - other.resets_at) <= SAME_WINDOW
