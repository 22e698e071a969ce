"""Past blocks as JSON, schema_version 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.model.history import CompletedBlock, Day, HourlyTokens, block_hours
from monitor.model.limit_hits import LimitHit
from monitor.views.snapshot import SCHEMA_VERSION, tokens_as_json, utc


def blocks_as_json(
    completed: Sequence[CompletedBlock],
    hours: HourlyTokens,
    hits: Sequence[LimitHit],
    *,
    show_cost: bool,
) -> dict[str, Any]:
    """Return the past blocks, and the limits that stopped the user, as values for json.dumps."""
    blocks = [_block(item, hours, show_cost=show_cost) for item in completed]
    return {
        "schema_version": SCHEMA_VERSION,
        "blocks": blocks,
        "limit_hits": [_hit(hit) for hit in hits],
    }


def days_as_json(days: Sequence[Day], *, show_cost: bool) -> dict[str, Any]:
    """Return the days on which past blocks began as plain values for json.dumps."""
    return {
        "schema_version": SCHEMA_VERSION,
        "days": [_day(day, show_cost=show_cost) for day in days],
    }


def _hit(hit: LimitHit) -> dict[str, Any]:
    return {"at": utc(hit.at), "window": hit.window, "resets_at": utc(hit.resets_at)}


def _block(item: CompletedBlock, hours: HourlyTokens, *, show_cost: bool) -> dict[str, Any]:
    block = item.block
    return {
        "start": utc(block.start),
        "end": utc(block.end),
        "last_activity": utc(block.last_activity),
        "messages": block.entries,
        "tokens": tokens_as_json(block.tokens),
        "cost_usd": block.cost_usd if show_cost else None,
        "models": list(block.models),
        "limit_hit": item.limit_hit,
        "official_percent": item.official_percent,
        "hourly": list(block_hours(block, hours)) or None,
    }


def _day(day: Day, *, show_cost: bool) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "blocks": len(day.items),
        "messages": day.messages,
        "tokens": {"counted": day.counted},
        "cost_usd": day.cost_usd if show_cost else None,
        "models": day.models,
        "limit_hits": day.limit_hits,
    }
