"""Turn the report of `ccusage blocks` into Block and Event records.

This and `breakdown_report.py` are the only places that see a raw report.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Callable, Optional, TypeVar

from monitor.ccusage import fields
from monitor.model.blocks import Block, Event, TokenCounts, unpriced_models

TOKEN_KINDS = ("inputTokens", "outputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")
"""In ccusage's `tokenCounts`, in the order of TokenCounts."""

Read = TypeVar("Read")


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

    events, unpriced = [], set[str]()
    for block in _parsed(text, piece):  # one at a time: there may be thousands
        if block is not None and not block.is_gap:
            events.append(_event(block))
            unpriced |= unpriced_models([block])
    return tuple(sorted(events, key=lambda event: event.at)), frozenset(unpriced)


def _parsed(text: str, parse: Callable[[dict[str, Any]], Read]) -> Iterator[Read]:
    """Yield each element of the report's list, parsed. Raises MonitorError."""
    try:
        blocks = _raw_blocks(text)
        for index, raw in enumerate(blocks):
            blocks[index] = None  # it is no longer needed
            if not isinstance(raw, dict):
                fields.reject(f"blocks[{index}]", "an object", raw)
            try:
                yield parse(raw)
            except fields.FieldError as error:
                raise fields.FieldError(f"blocks[{index}].{error}") from None
    except fields.FieldError as error:
        raise fields.no_report(error) from None


def _raw_blocks(text: str) -> list[Any]:
    report = fields.parse_json(text)
    if not isinstance(report, dict) or not isinstance(report.get("blocks"), list):
        raise fields.FieldError('the output is JSON, but has no list "blocks"')
    blocks: list[Any] = report["blocks"]
    return blocks


def _block(raw: dict[str, Any]) -> Block:
    return Block(
        id=fields.text_of(fields.field(raw, "id"), "id"),
        start=fields.time(fields.field(raw, "startTime"), "startTime"),
        end=fields.time(fields.field(raw, "endTime"), "endTime"),
        last_activity=fields.optional_time(raw.get("actualEndTime"), "actualEndTime"),
        is_active=fields.flag(fields.field(raw, "isActive"), "isActive"),
        is_gap=fields.flag(raw.get("isGap", False), "isGap"),
        entries=fields.count(fields.field(raw, "entries"), "entries"),
        tokens=_token_counts(raw),
        cost_usd=fields.cost(raw.get("costUSD"), "costUSD"),
        models=fields.texts(raw.get("models", []), "models"),
        limit_reset=fields.optional_time(raw.get("usageLimitResetTime"), "usageLimitResetTime"),
    )


def _event(piece: Block) -> Event:
    return Event(piece.last_activity or piece.start, piece.tokens.counted, piece.cost_usd)


def _token_counts(raw: dict[str, Any]) -> TokenCounts:
    counts = fields.field(raw, "tokenCounts")
    if not isinstance(counts, dict):
        fields.reject("tokenCounts", "an object", counts)
    try:
        return TokenCounts(
            *[fields.count(fields.field(counts, name), name) for name in TOKEN_KINDS]
        )
    except fields.FieldError as error:
        raise fields.FieldError(f"tokenCounts.{error}") from None
