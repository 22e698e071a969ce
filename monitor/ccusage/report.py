"""Turn ccusage's JSON report into Block and Event records; the only place that sees a raw report.

Tolerant of what newer versions add (unknown keys are ignored), strict about what is read: an error
names the field that is missing or of the wrong type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, Callable, NoReturn, Optional, TypeVar

from monitor.errors import MonitorError
from monitor.model.blocks import MAX_TOKENS, Block, Event, TokenCounts, unpriced_models

ADVICE = "Try another version of ccusage (--ccusage), and see `ccusage-monitor doctor`."

MAX_COST = 1e12
"""US dollars. No real cost comes near; a larger one is a fault of the report."""

TOKEN_KINDS = ("inputTokens", "outputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")
"""In ccusage's `tokenCounts`, in the order of TokenCounts."""

FAR_FUTURE = re.compile(r"\+?\d{5,}-")
LAST_YEAR = datetime(9999, 12, 1, tzinfo=timezone.utc)

Read = TypeVar("Read")


class _FieldError(ValueError):
    """A field is missing or wrong; the text begins with its name."""


def parse_report(text: str) -> tuple[Block, ...]:
    """Read the output of `ccusage blocks --json`.

    Raises MonitorError if the text is no JSON, or a field is missing or has no sane value.

    >>> parse_report('{"blocks": []}')
    ()
    """
    return tuple(_parsed(text, _block))


def parse_events(text: str, since: datetime) -> tuple[tuple[Event, ...], frozenset[str]]:
    """Read a finely cut report (`--session-length 0.02`) from `since` (UTC) on.

    Returns its events, and the models that ccusage has no price for. Older pieces are skipped
    unread: of thousands only hundreds matter. Raises MonitorError.
    """
    first = since.strftime("%Y-%m-%dT%H:%M:%S")

    def piece(raw: dict[str, Any]) -> Optional[Block]:
        end = raw.get("actualEndTime")
        # All times of one report have the same format, so their texts sort like the times.
        return None if isinstance(end, str) and end < first else _block(raw)

    pieces = [piece for piece in _parsed(text, piece) if piece is not None and not piece.is_gap]
    return tuple(sorted(map(_event, pieces), key=lambda event: event.at)), unpriced_models(pieces)


def _parsed(text: str, parse: Callable[[dict[str, Any]], Read]) -> Iterator[Read]:
    """Yield each element of the report's list, parsed. Raises MonitorError."""
    try:
        for index, raw in enumerate(_raw_blocks(text)):
            if not isinstance(raw, dict):
                _reject(f"blocks[{index}]", "an object", raw)
            try:
                yield parse(raw)
            except _FieldError as error:
                raise _FieldError(f"blocks[{index}].{error}") from None
    except _FieldError as error:
        raise MonitorError(f"ccusage printed no report: {error}.", ADVICE) from None


def _raw_blocks(text: str) -> list[Any]:
    try:
        report = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = f"the output is no JSON ({error.__class__.__name__}: {error})"
        raise _FieldError(reason) from None
    if not isinstance(report, dict) or not isinstance(report.get("blocks"), list):
        raise _FieldError('the output is JSON, but has no list "blocks"')
    return list(report["blocks"])


def _block(raw: dict[str, Any]) -> Block:
    return Block(
        id=_text(_field(raw, "id"), "id"),
        start=_time(_field(raw, "startTime"), "startTime"),
        end=_time(_field(raw, "endTime"), "endTime"),
        last_activity=_optional_time(raw.get("actualEndTime"), "actualEndTime"),
        is_active=_flag(_field(raw, "isActive"), "isActive"),
        is_gap=_flag(raw.get("isGap", False), "isGap"),
        entries=_count(_field(raw, "entries"), "entries"),
        tokens=_token_counts(raw),
        cost_usd=_cost(raw.get("costUSD"), "costUSD"),
        models=_texts(raw.get("models", []), "models"),
        limit_reset=_optional_time(raw.get("usageLimitResetTime"), "usageLimitResetTime"),
    )


def _event(piece: Block) -> Event:
    return Event(piece.last_activity or piece.start, piece.tokens.counted, piece.cost_usd)


def _token_counts(raw: dict[str, Any]) -> TokenCounts:
    counts = _field(raw, "tokenCounts")
    if not isinstance(counts, dict):
        _reject("tokenCounts", "an object", counts)
    try:
        return TokenCounts(*[_count(_field(counts, name), name) for name in TOKEN_KINDS])
    except _FieldError as error:
        raise _FieldError(f"tokenCounts.{error}") from None


def _field(raw: dict[str, Any], name: str) -> Any:
    if name not in raw:
        raise _FieldError(f"{name} is missing")
    return raw[name]


def _time(value: object, name: str) -> datetime:
    """Read an ISO 8601 time with an offset as UTC."""
    if not isinstance(value, str):
        _reject(name, "a time", value)
    if FAR_FUTURE.match(value):
        return LAST_YEAR  # datetime ends at the year 9999: far in the future all the same
    try:
        # As ccusage writes it; anything else takes the longer way.
        usual = len(value) == len("2026-01-05T12:00:00.000Z") and value[-1] == "Z"
        when = datetime.fromisoformat(f"{value[:-1]}+00:00" if usual else _for_old_pythons(value))
        return when.astimezone(timezone.utc) if when.tzinfo else _reject(name, "a time", value)
    except (ValueError, OverflowError):
        _reject(name, "a time", value)


def _for_old_pythons(text: str) -> str:
    """Write a time as Python 3.9 and 3.10 can read it: no Z, and a fraction of six digits."""
    match = re.fullmatch(r"(.*T[\d:]*)\.(\d{1,9})(.*)", text.replace("Z", "+00:00"))
    return f"{match[1]}.{match[2]:0<6.6}{match[3]}" if match else text.replace("Z", "+00:00")


def _optional_time(value: object, name: str) -> Optional[datetime]:
    return None if value is None else _time(value, name)


def _count(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TOKENS:
        _reject(name, "a whole number of 0 or more", value)
    return value


def _cost(value: object, name: str) -> Optional[float]:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < MAX_COST:
        _reject(name, "an amount in dollars", value)
    return float(value)


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        _reject(name, "true or false", value)
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        _reject(name, "a text", value)
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        _reject(name, "a list", value)
    return tuple(_text(item, f"{name}[{index}]") for index, item in enumerate(value))


def _reject(name: str, expected: str, value: object) -> NoReturn:
    shown = repr(value)
    shown = shown if len(shown) < 40 else shown[:37] + "…"
    raise _FieldError(f"{name}: expected {expected}, got {shown}")
