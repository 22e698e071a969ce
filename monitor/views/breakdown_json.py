"""Who used it, as JSON, schema_version 1; `breakdown.schema.json` describes it."""

from __future__ import annotations

from typing import Any, Optional

from monitor.model.breakdown import Breakdown, BreakdownRow, difference, rows
from monitor.views.snapshot import SCHEMA_VERSION, utc


def breakdown_as_json(
    breakdown: Optional[Breakdown], by: str, span: str, *, show_cost: bool
) -> dict[str, Any]:
    """Return a breakdown as plain values for json.dumps; without an active block it has no rows."""
    warnings = [difference(breakdown), breakdown.note] if breakdown else []
    return {
        "schema_version": SCHEMA_VERSION,
        "by": by,
        "span": span,
        "from": utc(breakdown.start) if breakdown else None,
        "to": utc(breakdown.end) if breakdown else None,
        "counted": breakdown.counted if breakdown else 0,
        "missing": breakdown.missing if breakdown and breakdown.block else None,
        "rows": [
            _row(row, show_cost=show_cost) for row in rows(breakdown.parts if breakdown else (), by)
        ],
        "warnings": [text for text in warnings if text],
    }


def _row(row: BreakdownRow, *, show_cost: bool) -> dict[str, Any]:
    return {
        "name": row.name,
        "label": row.label,
        "counted": row.tokens.counted,
        "total": row.tokens.total,
        "cost_usd": row.cost_usd if show_cost else None,
        "share_percent": row.share_percent,
        "messages": None,  # ccusage does not count them by project
        "last_activity": utc(row.last_activity),
    }
