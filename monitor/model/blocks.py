"""Turn ccusage's JSON report into Block and Event records; the only place that sees a raw dict.

Tolerant of what newer versions add (unknown keys are ignored), strict about what is read: a field
that is missing or of the wrong type is named in the error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, NoReturn, Optional, TypeVar

SESSION = timedelta(hours=5)
"""Length of a block, ccusage's default `--session-length`."""

MAX_TOKENS = 10**15
"""No real count comes near; a larger one is a fault of the report."""


TOKEN_KINDS = ("inputTokens", "outputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")
"""In ccusage's `tokenCounts`, in the order of TokenCounts."""

FAR_FUTURE = re.compile(r"\+?\d{5,}-")
LAST_YEAR = datetime(9999, 12, 1, tzinfo=timezone.utc)


class ReportError(ValueError):
    """What ccusage printed is no report; the text says which field is wrong, in one line."""


@dataclass(frozen=True)
class TokenCounts:
    """Tokens by kind, as in ccusage's `tokenCounts`."""

    input: int = 0
    output: int = 0
    cache_creation: int = 0
    cache_read: int = 0

    @property
    def counted(self) -> int:
        """Input + output: what the plan limits are measured in.

        Never ccusage's `totalTokens`, which began to include the cache kinds in 15.4.
        """
        return self.input + self.output

    @property
    def total(self) -> int:
        """All four kinds."""
        return self.counted + self.cache_creation + self.cache_read


@dataclass(frozen=True)
class Block:
    """One 5-hour block (or a gap between two) as ccusage reports it. Times are UTC."""

    id: str
    start: datetime
    end: datetime
    last_activity: Optional[datetime]
    is_active: bool
    is_gap: bool
    entries: int
    tokens: TokenCounts
    cost_usd: Optional[float]
    models: tuple[str, ...]
    limit_reset: Optional[datetime] = None
    """ccusage's `usageLimitResetTime`: when a limit message said that it would reset."""


@dataclass(frozen=True)
class Event:
    """Counted tokens that arrived at one moment (UTC): one message, or a few of the same minute."""

    at: datetime
    tokens: int
    cost_usd: Optional[float] = None


Read = TypeVar("Read")


def parse_report(text: str) -> tuple[Block, ...]:
    """Read the output of `ccusage blocks --json`.

    Raises ReportError when the text is no JSON, or a field is missing or no sane value.

    >>> parse_report('{"blocks": []}')
    ()
    """
    return _each(_block, _raw_blocks(text))


def parse_events(text: str, since: datetime) -> tuple[Event, ...]:
    """Read a report cut finely (`--session-length 0.02`) as the events from `since` (UTC) on.

    What is older is passed over unread: of thousands of pieces some hundreds matter. Raises
    ReportError.
    """
    first = since.strftime("%Y-%m-%dT%H:%M:%S")

    def event(raw: dict[str, Any]) -> Optional[Event]:
        end = raw.get("actualEndTime")
        # Times of one report are written alike, so their texts are in their order.
        return None if isinstance(end, str) and end < first else _event(raw)

    return tuple(sorted(_each(event, _raw_blocks(text)), key=lambda event: event.at))


def series(block: Block, events: Sequence[Event]) -> Optional[tuple[Event, ...]]:
    """Return the block's own events, brought up to the block's count; None when they can't be.

    The block is read more often than the series: what it counts beyond the series has arrived by
    its last activity. A series that counts more belongs to another state of the data.
    """
    last = block.last_activity
    if last is None:
        return None
    own = tuple(event for event in events if block.start <= event.at <= last)
    missing = block.tokens.counted - sum(event.tokens for event in own)
    if missing > 0:
        own += (Event(last, missing, _missing_cost(block, own)),)
    return own if missing >= 0 else None


def is_whole(block: Block, events: Optional[Sequence[Event]]) -> bool:
    """Whether `events` are this block's and add up to what it counts."""
    if not events or not all(block.start <= event.at <= block.end for event in events):
        return False
    return sum(event.tokens for event in events) == block.tokens.counted


def real_blocks(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that are no gaps, oldest first."""
    return sorted((b for b in blocks if not b.is_gap), key=lambda b: b.start)


def active_block(blocks: Sequence[Block], now: datetime) -> Optional[Block]:
    """Return the block that is no gap, that ccusage calls active, and that contains `now`.

    A message stamped in the future makes a second active block, and the last element of a report
    may be a gap, so neither position nor `isActive` alone is enough.
    """
    found = [b for b in real_blocks(blocks) if b.is_active and b.start <= now < b.end]
    return found[-1] if found else None


def last_block(blocks: Sequence[Block], now: datetime) -> Optional[Block]:
    """Return the newest block that had ended by `now`."""
    ended = [b for b in real_blocks(blocks) if b.end <= now]
    return ended[-1] if ended else None


def parse_time(value: object, where: str) -> datetime:
    """Read an ISO 8601 time with an offset as UTC.

    >>> parse_time("2026-01-05T12:00:00.000Z", "startTime").isoformat()
    '2026-01-05T12:00:00+00:00'
    """
    if not isinstance(value, str):
        _reject(where, "a time", value)
    if FAR_FUTURE.match(value):
        return LAST_YEAR  # five hours after 9999: in the future all the same
    try:
        # As ccusage writes it; anything else takes the longer way.
        usual = len(value) == len("2026-01-05T12:00:00.000Z") and value[-1] == "Z"
        when = datetime.fromisoformat(f"{value[:-1]}+00:00" if usual else _for_old_pythons(value))
        return when.astimezone(timezone.utc) if when.tzinfo else _reject(where, "a time", value)
    except (ValueError, OverflowError):
        _reject(where, "a time", value)


def _raw_blocks(text: str) -> list[Any]:
    report = _load(text)
    if not isinstance(report, dict) or not isinstance(report.get("blocks"), list):
        raise ReportError('the output is JSON, but has no list "blocks"')
    return list(report["blocks"])


def _load(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"the output is no JSON ({error.__class__.__name__}: {error})") from None


def _each(read: Callable[[dict[str, Any]], Optional[Read]], raws: list[Any]) -> tuple[Read, ...]:
    """Read each element of the report's list; an error says which it is in."""
    found = []
    for index, raw in enumerate(raws):
        if not isinstance(raw, dict):
            _reject(f"blocks[{index}]", "an object", raw)
        try:
            found.append(read(raw))
        except ReportError as error:
            raise ReportError(f"blocks[{index}].{error}") from None
    return tuple(one for one in found if one is not None)


def _block(raw: dict[str, Any]) -> Block:
    return Block(
        id=_text(_field(raw, "id"), "id"),
        start=parse_time(_field(raw, "startTime"), "startTime"),
        end=parse_time(_field(raw, "endTime"), "endTime"),
        last_activity=_optional_time(raw.get("actualEndTime"), "actualEndTime"),
        is_active=_flag(_field(raw, "isActive"), "isActive"),
        is_gap=_flag(raw.get("isGap", False), "isGap"),
        entries=whole_number(_field(raw, "entries"), "entries"),
        tokens=_token_counts(raw),
        cost_usd=amount(raw.get("costUSD"), "costUSD"),
        models=_names(raw.get("models", []), "models"),
        limit_reset=_optional_time(raw.get("usageLimitResetTime"), "usageLimitResetTime"),
    )


def _event(raw: dict[str, Any]) -> Optional[Event]:
    """Read a piece of the report as an event; None when it is a gap."""
    if _flag(raw.get("isGap", False), "isGap"):
        return None
    name = "startTime" if raw.get("actualEndTime") is None else "actualEndTime"
    at, cost = parse_time(_field(raw, name), name), amount(raw.get("costUSD"), "costUSD")
    return Event(at, _token_counts(raw).counted, cost)


def _token_counts(raw: dict[str, Any]) -> TokenCounts:
    counts = _field(raw, "tokenCounts")
    if not isinstance(counts, dict):
        _reject("tokenCounts", "an object", counts)
    try:
        return TokenCounts(*[whole_number(_field(counts, name), name) for name in TOKEN_KINDS])
    except ReportError as error:
        raise ReportError(f"tokenCounts.{error}") from None


def _field(raw: dict[str, Any], name: str) -> Any:
    if name not in raw:
        raise ReportError(f"{name} is missing")
    return raw[name]


def whole_number(value: object, where: str) -> int:
    """Return a count of 0 or more. Raises ReportError, which names `where`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TOKENS:
        _reject(where, "a whole number of 0 or more", value)
    return value


def amount(value: object, where: str) -> Optional[float]:
    """Return an amount of dollars, None for none. Raises ReportError, which names `where`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        _reject(where, "an amount in dollars", value)
    return float(value)


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        _reject(where, "true or false", value)
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        _reject(where, "a text", value)
    return value


def _missing_cost(block: Block, events: Sequence[Event]) -> Optional[float]:
    if block.cost_usd is None:
        return None
    return max(0.0, block.cost_usd - sum(event.cost_usd or 0 for event in events))


def _names(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        _reject(where, "a list", value)
    return tuple(_text(name, f"{where}[{i}]") for i, name in enumerate(value))


def _for_old_pythons(text: str) -> str:
    """Write a time as Python 3.9 and 3.10 read it: no Z, and a fraction of six digits."""
    found = re.fullmatch(r"(.*T[\d:]*)\.(\d{1,9})(.*)", text.replace("Z", "+00:00"))
    return f"{found[1]}.{found[2]:0<6.6}{found[3]}" if found else text.replace("Z", "+00:00")


def _optional_time(value: object, where: str) -> Optional[datetime]:
    return None if value is None else parse_time(value, where)


def _reject(where: str, wanted: str, value: object) -> NoReturn:
    shown = repr(value)
    raise ReportError(
        f"{where}: expected {wanted}, got {shown if len(shown) < 40 else shown[:37] + '…'}"
    )
