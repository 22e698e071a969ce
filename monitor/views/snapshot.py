"""A Usage as the JSON snapshot, schema_version 1."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Optional

from monitor.model import sentence
from monitor.model.accounts import AccountUsage
from monitor.model.blocks import TokenCounts
from monitor.model.formatting import minutes
from monitor.model.official import (
    FIVE_HOUR,
    FRESH,
    SEVEN_DAY,
    SPEND_LIMIT,
    RateLimitWindow,
    split_id,
    window_kind,
)
from monitor.model.usage import Usage, without_costs

SCHEMA_VERSION = 1

ACCOUNT_KEYS = (
    *("name", "data_dirs", "status", "used_percent", "source", "severity", "window", "sentence"),
    *("resets_at", "weekly_used_percent", "weekly_resets_at", "error"),
)


def snapshot(
    usage: Usage,
    *,
    show_cost: bool = True,
    account: str = "",
    accounts: Sequence[AccountUsage] = (),
) -> dict[str, Any]:
    """Return the snapshot as plain values for json.dumps; what is not known is None.

    `account` names the account that it is about; all of them are in `accounts`.
    """
    usage = usage if show_cost else without_costs(usage)
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": utc(usage.now),
        "status": usage.status,
        "headline": _headline(usage),
        "source": _source(usage),
        "block": _block(usage),
        "tokens": tokens_as_json(usage.tokens),
        "limit": _limit(usage),
        "burn_rate": _burn_rate(usage),
        "reset": _reset(usage),
        "forecast": _forecast(usage),
        "official": _official(usage),
        "weekly": _weekly(usage),
        "warnings": list(sentence.warnings(usage)),
        "account": account or None,
        "accounts": [_account(named) for named in accounts],
    }


def _account(account: AccountUsage) -> dict[str, Any]:
    usage = account.usage
    if usage is None:
        return {**dict.fromkeys(ACCOUNT_KEYS), "name": account.name, "error": account.error}
    week = usage.weekly
    values = (
        account.name,
        list(usage.reading.source.data_dirs),
        usage.status,
        usage.headline.used_percent,
        usage.headline.source,
        usage.headline.severity,
        usage.headline.window,
        sentence.summary(usage),
        utc(usage.reset.at),
        week.window.used_percent if week else None,
        utc(week.window.resets_at) if week else None,
        usage.reading.error,
    )
    return dict(zip(ACCOUNT_KEYS, values))


def utc(when: Optional[datetime]) -> Optional[str]:
    """Write a UTC time as ISO 8601 ending in Z, to the millisecond."""
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z") if when else None


def _local(usage: Usage, when: Optional[datetime]) -> Optional[str]:
    return usage.rules.time_format.local(when).isoformat(timespec="seconds") if when else None


def _headline(usage: Usage) -> dict[str, Any]:
    lead = usage.headline
    return {
        "used_percent": lead.used_percent,
        "source": lead.source,
        "tokens_left": None if lead.tokens_left is None else round(lead.tokens_left),
        "sentence": sentence.summary(usage),
        "severity": lead.severity,
        "window": lead.window,
    }


def _source(usage: Usage) -> dict[str, Any]:
    reading = usage.reading
    return {
        "ccusage_version": reading.source.ccusage_version,
        "data_dirs": list(reading.source.data_dirs),
        "scan": reading.source.scan,
        "read_at": utc(reading.read_at),
        "stale": reading.is_stale,
        "error": reading.error,
        "unreadable_files": len(reading.source.unreadable),
    }


def _block(usage: Usage) -> Optional[dict[str, Any]]:
    block = usage.block
    if block is None:
        return None
    return {
        "id": block.id,
        "start": utc(block.start),
        "end": utc(block.end),
        "last_activity": utc(block.last_activity),
        "elapsed_minutes": minutes(usage.now - block.start),
        "remaining_minutes": minutes(block.end - usage.now),
        "models": list(block.models),
        "messages": block.entries,
        "cost_usd": usage.cost_usd,
        "unpriced_models": list(usage.unpriced_models),
    }


def tokens_as_json(tokens: TokenCounts) -> dict[str, int]:
    """Return token counts as the snapshot writes them."""
    return {
        "input": tokens.input,
        "output": tokens.output,
        "cache_creation": tokens.cache_creation,
        "cache_read": tokens.cache_read,
        "counted": tokens.counted,
        "total": tokens.total,
    }


def _limit(usage: Usage) -> dict[str, Any]:
    return {
        "tokens": usage.limit.tokens,
        "source": usage.limit.source,
        "plan": usage.limit.plan,
        "note": usage.limit.note,
        "used_percent": usage.limit.used_percent,
        "tokens_left": usage.limit.tokens_left,
        "exceeded": usage.limit.tokens_over > 0,
    }


def _burn_rate(usage: Usage) -> dict[str, Any]:
    return {
        "tokens_per_minute": usage.burn.tokens_per_minute,
        "window_minutes": usage.burn.window_minutes,
        "cost_per_hour": usage.burn.cost_per_hour,
    }


def _reset(usage: Usage) -> dict[str, Any]:
    at = usage.reset.at
    return {
        "at": utc(at),
        "latest": utc(usage.reset.latest),
        "local": _local(usage, at),
        "minutes": minutes(at - usage.now) if at else None,
        "source": usage.reset.source,
        "timezone": usage.rules.time_format.name,
    }


def _official(usage: Usage) -> Optional[dict[str, Any]]:
    windows, at = usage.official.windows, usage.official.captured_at
    if at is None:
        return None
    if FIVE_HOUR in windows:
        at = windows[FIVE_HOUR].captured_at  # it may lead, so that its age is the one that matters
    return {
        **{key: _window(windows.get(key)) for key in (FIVE_HOUR, SEVEN_DAY, SPEND_LIMIT)},
        **_capture(usage, at),
        "windows": [_listed(usage, key, window) for key, window in windows.items()],
        "plan": usage.official.plan,
        "extra_usage": usage.official.extra_usage and usage.official.extra_usage._asdict(),
    }


def _capture(usage: Usage, at: datetime) -> dict[str, Any]:
    old = usage.now - at
    return {
        "captured_at": utc(at),
        "age_seconds": max(0.0, old.total_seconds()),
        "stale": old > FRESH,
    }


def _listed(usage: Usage, key: str, window: RateLimitWindow) -> dict[str, Any]:
    plain, place = split_id(key)
    return {
        "id": plain,
        "data_dir": place or None,
        "label": window_kind(key).label,
        "used_percent": window.used_percent,
        "resets_at": utc(window.resets_at),
        **_capture(usage, window.captured_at),
        "from": window.origin,
    }


def _weekly(usage: Usage) -> Optional[dict[str, Any]]:
    weekly = usage.weekly
    if weekly is None:
        return None
    projection, plan = weekly.projection, usage.week_plan(SEVEN_DAY)
    return {
        "used_percent": weekly.window.used_percent,
        "resets_at": utc(weekly.window.resets_at),
        "runs_out_at": utc(weekly.runs_out_at),
        "comes_first": weekly.comes_first,
        "probability": projection.probability if projection else None,
        "likely_percent": projection.likely if projection else None,
        "likely_range": list(projection.band) if projection else None,
        "today_share_percent": plan.today_share if plan else None,
        "today_used_percent": plan.today_used if plan else None,
        "windows_left": plan.windows_left if plan else None,
    }


def _window(window: Optional[RateLimitWindow]) -> Optional[dict[str, Any]]:
    if window is None:
        return None
    return {
        "used_percent": window.used_percent,
        "resets_at": utc(window.resets_at),
        "captured_at": utc(window.captured_at),
    }


def _forecast(usage: Usage) -> dict[str, Any]:
    forecast = usage.forecast
    return {
        "verdict": forecast.verdict,
        "runs_out_at": utc(forecast.runs_out_at),
        "local": _local(usage, forecast.runs_out_at),
        "before_reset": forecast.runs_out_at is not None,
        "earliest": utc(forecast.earliest),
        "latest": utc(forecast.latest),
        "probability": forecast.probability,
        "likely_percent": forecast.likely_percent,
        "likely_range": list(forecast.likely_range) if forecast.likely_range else None,
        "sustainable_tokens_per_minute": forecast.sustainable,
    }
