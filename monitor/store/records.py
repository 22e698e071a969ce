"""Blocks and readings as plain JSON values and back, for the state files."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Optional

from monitor.model.blocks import Block, Event, TokenCounts, amount, parse_time, whole_number
from monitor.model.reading import DataSize, Reading


def block_as_json(block: Block) -> dict[str, Any]:
    """Return a block as plain values."""
    tokens = block.tokens
    return {
        "id": block.id,
        "start": block.start.isoformat(),
        "end": block.end.isoformat(),
        "last": _text(block.last_activity),
        "active": block.is_active,
        "entries": block.entries,
        "tokens": [tokens.input, tokens.output, tokens.cache_creation, tokens.cache_read],
        "cost_usd": block.cost_usd,
        "models": list(block.models),
        "limit_reset": _text(block.limit_reset),
    }


def block_from_json(raw: dict[str, Any]) -> Block:
    """Return the block again. Raises KeyError, TypeError or ValueError when it is none."""
    return Block(
        id=str(raw["id"]),
        start=parse_time(raw["start"], "start"),
        end=parse_time(raw["end"], "end"),
        last_activity=_time(raw["last"]),
        is_active=bool(raw["active"]),
        is_gap=False,
        entries=whole_number(raw["entries"], "entries"),
        tokens=TokenCounts(*(whole_number(number, "tokens") for number in raw["tokens"])),
        cost_usd=amount(raw["cost_usd"], "cost_usd"),
        models=tuple(str(name) for name in raw["models"]),
        limit_reset=_time(raw["limit_reset"]),
    )


def reading_as_json(reading: Reading) -> dict[str, Any]:
    """Return a reading as plain values; gaps are left out."""
    events = reading.events
    return {
        "read_at": reading.read_at.isoformat(),
        "ccusage_version": reading.ccusage_version,
        "data_dirs": list(reading.data_dirs),
        "scan": reading.scan,
        "blocks": [block_as_json(block) for block in reading.blocks if not block.is_gap],
        "events": None if events is None else [_event_as_json(event) for event in events],
        "size": [reading.size.files, reading.size.bytes],
        "how": reading.options_key,
        "since": _text(reading.since),
        "state": reading.fingerprint,
    }


def reading_from_json(raw: dict[str, Any]) -> Reading:
    """Return the reading again. Raises KeyError, TypeError or ValueError when it is none."""
    events = raw["events"]
    version = raw["ccusage_version"]
    return Reading(
        blocks=tuple(block_from_json(block) for block in raw["blocks"]),
        read_at=parse_time(raw["read_at"], "read_at"),
        ccusage_version=None if version is None else str(version),
        data_dirs=tuple(str(name) for name in raw["data_dirs"]),
        scan=str(raw["scan"]),
        events=None if events is None else tuple(_event(event) for event in events),
        size=DataSize(*(whole_number(number, "size") for number in raw["size"])),
        options_key=str(raw["how"]),
        since=_time(raw["since"]),
        fingerprint=None if raw["state"] is None else str(raw["state"]),
    )


def _event_as_json(event: Event) -> list[Any]:
    return [event.at.isoformat(), event.tokens, event.cost_usd]


def _event(raw: list[Any]) -> Event:
    at, tokens, cost = raw
    return Event(parse_time(at, "at"), whole_number(tokens, "tokens"), amount(cost, "cost"))


def _text(when: Optional[datetime]) -> Optional[str]:
    return when.isoformat() if when else None


def _time(value: Optional[str]) -> Optional[datetime]:
    return None if value is None else parse_time(value, "time")
