"""A Usage as metrics: stable names, base units, nothing made up for what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Optional

from monitor.model.usage import Usage

PREFIX = "ccusage_monitor_"


@dataclass(frozen=True)
class Metric:
    """One metric family: a name without prefix and `_total`, a help text, labelled values.

    Names, label names and units are what dashboards and alert rules rely on: they stay.
    """

    name: str
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]
    is_counter: bool = False


def metrics_of(usage: Usage, version: str, *, show_cost: bool) -> list[Metric]:
    """Return what a usage says: the same numbers as `--json`, in tokens, seconds and ratios."""
    found = (
        _info(usage, version),
        _headline(usage),
        *_tokens(usage),
        *_official(usage),
        *_times(usage),
        *_block(usage, show_cost),
    )
    return [metric for metric in found if metric.samples]


def metrics_of_looks(usage: Optional[Usage], failures: int) -> list[Metric]:
    """Return how the poller go: only a running monitor knows. `usage` is None before the first."""
    age = (usage.now - usage.reading.read_at).total_seconds() if usage else None
    found = (
        _gauge("reading_age_seconds", "Time since usage was last looked at with success.", age),
        Metric(
            "look_failures",
            "Poller at the usage that failed since the monitor was started.",
            (({}, failures),),
            is_counter=True,
        ),
    )
    return [metric for metric in found if metric.samples]


def reading_stale(usage: Optional[Usage]) -> Metric:
    """Return whether what is known is old or nothing at all; None is nothing at all."""
    return _gauge(
        "reading_stale",
        "1 when the last look failed or none has succeeded yet: values are old or missing.",
        usage is None or usage.reading.stale,
    )


def _gauge(name: str, text: str, value: Optional[float]) -> Metric:
    """Make a metric of one value: absent, not 0, when the value is not known."""
    return Metric(name, text, () if value is None else (({}, float(value)),))


def _info(usage: Usage, version: str) -> Metric:
    labels = {
        "version": version,
        "ccusage_version": usage.reading.ccusage_version or "",
        "plan": usage.limit.plan or "",
        "limit_source": usage.limit.source,
    }
    text = "Versions of the monitor and of ccusage; the plan and where its limit is from; always 1."
    return Metric("info", text, ((labels, 1.0),))


def _headline(usage: Usage) -> Metric:
    text = "The percentage in charge, as the screen leads with; its source says what it rests on."
    known = usage.block is not None
    sample = ({"source": usage.headline.source}, usage.percent / 100)
    return Metric("used_ratio", text, (sample,) if known else ())


def _official(usage: Usage) -> Sequence[Metric]:
    """Return what Claude Code itself has said; absent for a window that it has not spoken of."""
    limits = usage.official
    named = {
        "five_hour": limits.five_hour if limits else None,
        "seven_day": limits.seven_day if limits else None,
        "spend_limit": limits.spend_limit if limits else None,
    }
    windows = {name: window for name, window in named.items() if window is not None}
    return (
        _by_window(
            "official_used_ratio",
            "How much of a limit is used, as Claude Code said last.",
            {name: window.used_percent / 100 for name, window in windows.items()},
        ),
        _by_window(
            "official_reset_timestamp_seconds",
            "When a limit resets, as Claude Code said last, in seconds since 1970.",
            {name: w.resets_at.timestamp() for name, w in windows.items() if w.resets_at},
        ),
        _by_window(
            "official_captured_timestamp_seconds",
            "When Claude Code last spoke of a limit, in seconds since 1970.",
            {name: window.captured_at.timestamp() for name, window in windows.items()},
        ),
    )


def _by_window(name: str, text: str, values: Mapping[str, float]) -> Metric:
    return Metric(name, text, tuple(({"window": key}, value) for key, value in values.items()))


def _tokens(usage: Usage) -> Sequence[Metric]:
    limit, used = usage.limit.tokens, usage.used_percent / 100
    probability, sustainable = usage.forecast.probability, usage.forecast.sustainable
    return (
        _gauge(
            "counted_tokens",
            "Input and output tokens counted in the active block; 0 when there is none.",
            usage.tokens.counted,
        ),
        _gauge("limit_tokens", "The limit in counted tokens: an estimate or one's own.", limit),
        _gauge(
            "estimate_used_ratio", "Counted tokens over limit_tokens: above 1 when passed.", used
        ),
        _gauge(
            "limit_reached",
            "1 when Claude Code has said so, or the used ratio is above 1; else 0.",
            usage.status == "limit_reached" or usage.percent > 100,
        ),
        _gauge(
            "burn_rate_tokens_per_second",
            "Counted tokens per second over the last hour of the block, idle time included.",
            _per_second(usage.burn.tokens_per_minute),
        ),
        _gauge(
            "sustainable_tokens_per_second",
            "The pace that lasts to the reset.",
            _per_second(sustainable),
        ),
        _gauge(
            "run_out_probability_ratio",
            "Probability that the limit is reached before the reset, 0 to 1.",
            probability,
        ),
    )


def _times(usage: Usage) -> Sequence[Metric]:
    read_at = usage.reading.read_at.timestamp()
    return (
        _gauge(
            "reset_timestamp_seconds",
            "When the limit resets, in seconds since 1970.",
            usage.reset.at.timestamp() if usage.reset.at else None,
        ),
        _gauge("time_to_reset_seconds", "Time to the reset.", _until(usage, usage.reset.at)),
        _gauge(
            "time_to_run_out_seconds",
            "Time to the limit at the present burn rate; absent when the reset comes first.",
            _until(usage, usage.forecast.runs_out_at),
        ),
        _gauge(
            "reading_timestamp_seconds",
            "When usage was last looked at with success, in seconds since 1970.",
            read_at,
        ),
    )


def _block(usage: Usage, show_cost: bool) -> Sequence[Metric]:  # noqa: FBT001 - as metrics_of has it
    block = usage.block
    return (
        _gauge("block_active", "1 when a 5-hour block is under way, else 0.", block is not None),
        _gauge(
            "block_messages",
            "Messages counted in the active block.",
            block.entries if block else None,
        ),
        _gauge(
            "block_cost_usd",
            "What the active block would have cost through the API, in US dollars.",
            block.cost_usd if block and show_cost else None,
        ),
    )


def _per_second(per_minute: Optional[float]) -> Optional[float]:
    return None if per_minute is None else per_minute / 60


def _until(usage: Usage, when: Optional[datetime]) -> Optional[float]:
    return (when - usage.now).total_seconds() if when else None
