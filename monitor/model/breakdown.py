"""Split usage by project, model, session or agent; the rows add up to what is split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import NamedTuple, Optional

from monitor.model.blocks import Block, TokenCounts
from monitor.model.formatting import count, nearest_minute, short_model
from monitor.model.history import total_cost
from monitor.model.official import SEVEN_DAY, OfficialLimits

BLOCK = "block"

WEEK = timedelta(days=7)

SHORT_ID = 8
"""Characters of a session's id that usually tell it from others."""

WESTMOST = 12
"""`Etc/GMT+12` is the westmost zone of a whole offset; the sign of these names is reversed."""


class Part(NamedTuple):
    """What one model has used in one session, or through one agent.

    `project` is ccusage's name of it, and `label` the directory that it stands for, or a shorter
    name. A session includes its subagents; `last_activity` (UTC) is when it was last written to.
    The cost is None if ccusage has no price for the model. `day` is `2026-11-26`, on the clock that
    ccusage was asked for.
    """

    model: str
    tokens: TokenCounts
    cost_usd: Optional[float] = None
    data_dir: str = ""
    project: str = ""
    label: str = ""
    session: str = ""
    last_activity: Optional[datetime] = None
    agent: str = ""
    day: str = ""


@dataclass(frozen=True)
class Breakdown:
    """What was used from `start` to `end` (UTC), and by whom.

    `block` is the block that the parts should add up to; None if they are of another span. `note`
    is a sentence on how exact the span is. `error` says why there are no parts.
    """

    span: str
    start: datetime
    end: datetime
    parts: tuple[Part, ...] = ()
    block: Optional[Block] = None
    note: str = ""
    error: str = ""

    @property
    def counted(self) -> int:
        """Counted tokens of all parts."""
        return sum(part.tokens.counted for part in self.parts)

    @property
    def missing(self) -> int:
        """Counted tokens of the block that are in no part; negative if the parts have more."""
        return self.block.tokens.counted - self.counted if self.block else 0

    def is_of(self, block: Optional[Block]) -> bool:
        """Return whether this is a breakdown of the block."""
        return block is not None and self.block is not None and self.block.start == block.start


class BreakdownRow(NamedTuple):
    """The sum of some parts; `name` is ccusage's, and `label` tells it from the other rows."""

    name: str
    label: str
    tokens: TokenCounts
    cost_usd: Optional[float]
    share_percent: Optional[float]
    last_activity: Optional[datetime]
    parts: tuple[Part, ...]


class _Grouping(NamedTuple):
    """How rows are made: the fields that tell them apart, the last of which is their name.

    `labels` are templates from short to long. `has_activity` is false if it is not known when a row
    was last active: which of a session's models was used last is not known.
    """

    key: tuple[str, ...]
    labels: tuple[str, ...]
    has_activity: bool = True


GROUPINGS: Mapping[str, _Grouping] = MappingProxyType(
    {
        "project": _Grouping(
            ("data_dir", "project"),
            (
                *("{label}", "{label} ({short_data_dir})", "{label} ({data_dir})"),
                "{project} ({data_dir})",
            ),
        ),
        "model": _Grouping(("model",), ("{short_model}", "{model}"), has_activity=False),
        "session": _Grouping(
            ("data_dir", "project", "session"),
            (
                *("{directory} {short_session}", "{directory} {session}"),
                "{project} {session} ({data_dir})",
            ),
        ),
        "agent": _Grouping(("agent",), ("{agent}",)),
    }
)
"""The ways to split usage, by the name of the option's value."""

SHORT_PROJECTS = GROUPINGS["project"]._replace(labels=("{directory}", *GROUPINGS["project"].labels))


def rows(parts: Iterable[Part], by: str) -> list[BreakdownRow]:
    """Sum up the parts by project, model, session or agent; the largest row comes first."""
    return _rows(parts, GROUPINGS[by])


def zone_day(start: datetime, zone: tzinfo) -> Optional[tuple[str, str]]:
    """Return a zone and its day, as YYYYMMDD, that begins at `start`, for ccusage's daily report.

    For a whole hour (UTC) that is a zone of a fixed offset, whatever the user's clocks do. Else it
    is the user's own zone, if a day begins there then. None if there is no such zone.
    """
    if start == _hour_of(start):
        west = start.hour if start.hour <= WESTMOST else start.hour - 24
        day = start - timedelta(hours=west)
        return (f"Etc/GMT{west:+d}" if west else "UTC"), day.strftime("%Y%m%d")
    local, name = start.astimezone(zone), getattr(zone, "zone", None)
    is_midnight = (local.hour, local.minute, local.second) == (0, 0, 0)
    return (str(name), local.strftime("%Y%m%d")) if name and is_midnight else None


def week_start(official: OfficialLimits, now: datetime) -> tuple[datetime, str]:
    """Return when the week began (UTC), to the hour, and a note if that is not exactly so.

    That is the last official reset; without one, seven days ago.
    """
    window = official.windows.get(SEVEN_DAY)
    if window is None or window.resets_at is None:
        return _hour_of(now - WEEK), "The weekly reset is not known: these are the last 7 days."
    start = nearest_minute(window.resets_at) - WEEK
    note = "The rows begin at the full hour before the weekly reset: ccusage counts by the hour."
    return _hour_of(start), "" if start == _hour_of(start) else note


def short_project(name: str, home: str) -> str:
    """Shorten the name of a project whose directory is not known; `home` is the home's name.

    >>> short_project("-home-me-work-api", "-home-me"), short_project("-srv-web", "-home-me")
    ('work-api', 'srv-web')
    """
    return (name[len(home) :] if name.startswith(f"{home}-") else name).lstrip("-") or name


def leaders(breakdown: Breakdown) -> list[BreakdownRow]:
    """Return the two projects, by short labels, and the model that have used most."""
    if not breakdown.counted:
        return []
    return [*_rows(breakdown.parts, SHORT_PROJECTS)[:2], *rows(breakdown.parts, "model")[:1]]


def difference(breakdown: Breakdown) -> str:
    """Say that the rows do not add up to the block; "" if they do."""
    missing, block = breakdown.missing, breakdown.block
    if not missing or block is None:
        return ""
    relation = "fewer" if missing > 0 else "more"
    return (
        f"The rows have {count(abs(missing))} tokens {relation} than the block's "
        f"{count(block.tokens.counted)}: messages came meanwhile, or one lies on the block's edge."
    )


def _hour_of(when: datetime) -> datetime:
    return when.replace(minute=0, second=0, microsecond=0)


def _rows(parts: Iterable[Part], grouping: _Grouping) -> list[BreakdownRow]:
    groups: dict[tuple[str, ...], list[Part]] = {}
    for part in parts:
        if part.tokens.total:
            groups.setdefault(_key(part, grouping), []).append(part)
    labels = _labels([group[0] for group in groups.values()], grouping.labels)
    total = sum(part.tokens.counted for group in groups.values() for part in group)
    made = [_row(group, grouping, label, total) for group, label in zip(groups.values(), labels)]
    return sorted(made, key=lambda row: (-row.tokens.counted, -row.tokens.total, row.label))


def _key(part: Part, grouping: _Grouping) -> tuple[str, ...]:
    return tuple(getattr(part, name) for name in grouping.key)


def _labels(firsts: Sequence[Part], templates: Sequence[str]) -> list[str]:
    """Return a label for each group: the shortest that no other group bears."""
    words = [_words(part) for part in firsts]
    chosen = [templates[0].format_map(each) for each in words]
    for template in templates[1:]:
        numbers = Counter(chosen)
        chosen = [
            template.format_map(each) if numbers[label] > 1 else label
            for each, label in zip(words, chosen)
        ]
    return chosen


def _words(part: Part) -> dict[str, object]:
    return {
        **part._asdict(),
        "directory": _last_name(part.label),
        "short_data_dir": _last_name(part.data_dir),
        "short_session": part.session[:SHORT_ID],
        "short_model": short_model(part.model),
    }


def _last_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2] or path


def _row(group: Sequence[Part], grouping: _Grouping, label: str, total: int) -> BreakdownRow:
    tokens = TokenCounts(*map(sum, zip(*(part.tokens for part in group))))
    times = [part.last_activity for part in group if part.last_activity]
    return BreakdownRow(
        _key(group[0], grouping)[-1],
        label,
        tokens,
        total_cost(part.cost_usd for part in group),
        100 * tokens.counted / total if total else None,
        max(times, default=None) if grouping.has_activity else None,
        tuple(group),
    )
