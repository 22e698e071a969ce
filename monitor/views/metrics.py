"""A Usage as Prometheus metrics: stable names, base units, and nothing for what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Optional

from monitor.model.formatting import visible
from monitor.model.official import RateLimitWindow
from monitor.model.usage import Usage, without_costs

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

PREFIX = "ccusage_monitor_"

Labels = Mapping[str, str]
Value = Optional[float]


def _until(usage: Usage, when: Optional[datetime]) -> Value:
    return (when - usage.now).total_seconds() if when else None


def _timestamp(when: Optional[datetime]) -> Value:
    return when.timestamp() if when else None


def _per_second(per_minute: Optional[float]) -> Value:
    return None if per_minute is None else per_minute / 60


GAUGES: tuple[tuple[str, str, Callable[[Usage], Value]], ...] = (
    (
        "counted_tokens",
        "Input and output tokens counted in the active block; 0 when there is none.",
        lambda u: u.tokens.counted,
    ),
    (
        "limit_tokens",
        "The limit in counted tokens: an estimate or one's own.",
        lambda u: u.limit.tokens,
    ),
    (
        "estimate_used_ratio",
        "Counted tokens over limit_tokens: above 1 when passed.",
        lambda u: u.limit.used_percent / 100,
    ),
    (
        "limit_reached",
        "1 when Claude Code has said so, or the used ratio is above 1; else 0.",
        lambda u: u.status == "limit_reached" or (u.is_settled and u.five_hour.used_percent > 100),
    ),
    (
        "burn_rate_tokens_per_second",
        "Counted tokens per second over the last hour of the block, idle time included.",
        lambda u: _per_second(u.burn.tokens_per_minute),
    ),
    (
        "sustainable_tokens_per_second",
        "The pace that lasts to the reset.",
        lambda u: _per_second(u.forecast.sustainable),
    ),
    (
        "run_out_probability_ratio",
        "Probability that the limit is reached before the reset, 0 to 1.",
        lambda u: u.forecast.probability,
    ),
    (
        "reset_timestamp_seconds",
        "When the limit resets, in seconds since 1970.",
        lambda u: _timestamp(u.reset.at),
    ),
    ("time_to_reset_seconds", "Time to the reset.", lambda u: _until(u, u.reset.at)),
    (
        "time_to_run_out_seconds",
        "Time to the limit at the present burn rate; absent when the reset comes first.",
        lambda u: _until(u, u.forecast.runs_out_at),
    ),
    (
        "reading_timestamp_seconds",
        "When usage was last looked at with success, in seconds since 1970.",
        lambda u: u.reading.read_at.timestamp(),
    ),
    ("block_active", "1 when a 5-hour block is under way, else 0.", lambda u: u.block is not None),
    (
        "block_messages",
        "Messages counted in the active block.",
        lambda u: u.block.entries if u.block else None,
    ),
    (
        "block_cost_usd",
        "What the active block would have cost through the API, in US dollars.",
        lambda u: u.cost_usd,
    ),
)

WINDOW_GAUGES: tuple[tuple[str, str, Callable[[RateLimitWindow], Value]], ...] = (
    (
        "official_used_ratio",
        "How much of a limit is used, as Claude Code said last.",
        lambda w: w.used_percent / 100,
    ),
    (
        "official_reset_timestamp_seconds",
        "When a limit resets, as Claude Code said last, in seconds since 1970.",
        lambda w: _timestamp(w.resets_at),
    ),
    (
        "official_captured_timestamp_seconds",
        "When Claude Code last spoke of a limit, in seconds since 1970.",
        lambda w: w.captured_at.timestamp(),
    ),
)
"""Name, help text and value. Dashboards and alert rules rely on the names and units: they stay."""


def usage_families(usage: Usage, version: str, *, show_cost: bool) -> Iterator[Family]:
    """Yield the metrics of a usage: the numbers of `--json`, in tokens, seconds and ratios."""
    usage = usage if show_cost else without_costs(usage)
    lead, used = usage.headline, usage.headline.used_percent
    yield from _family(
        "info",
        "Versions of the monitor and of ccusage; the plan and where its limit is from; always 1.",
        [(_info(usage, version), 1)],
    )
    yield from _family(
        "used_ratio",
        "The percentage in charge, as the screen leads with; its source says what it rests on.",
        [({"source": lead.source}, None if used is None else used / 100)],
    )
    windows = usage.official.windows
    for name, text, of_window in WINDOW_GAUGES:
        samples = [({"window": key}, of_window(window)) for key, window in windows.items()]
        yield from _family(name, text, samples)
    for name, text, of_usage in GAUGES:
        yield from _family(name, text, [({}, of_usage(usage))])


def with_accounts(accounts: Iterable[tuple[str, Iterable[Family]]]) -> Iterator[Family]:
    """Yield the metrics of several accounts, each told by the label `account`."""
    together: dict[str, Family] = {}
    for name, families in accounts:
        for family in families:
            label = {"account": visible(name)}
            samples = [s._replace(labels={**s.labels, **label}) for s in family.samples]
            known = together.setdefault(family.name, family)
            known.samples = samples if known is family else [*known.samples, *samples]
    yield from together.values()


def poll_families(usage: Optional[Usage], failures: int) -> Iterator[Family]:
    """Yield how the polls of a running monitor go; `usage` is None before the first reading."""
    from prometheus_client.core import CounterMetricFamily  # an optional package

    age = (usage.now - usage.reading.read_at).total_seconds() if usage else None
    text = "Time since usage was last looked at with success."
    yield from _family("reading_age_seconds", text, [({}, age)])
    text = "Looks at the usage that failed since the monitor was started."
    yield CounterMetricFamily(PREFIX + "look_failures", text, failures)


def stale_families(usage: Optional[Usage]) -> Iterator[Family]:
    """Yield whether what is known is old, or whether nothing is known (`usage` is None)."""
    text = "1 when the last look failed or none has succeeded yet: values are old or missing."
    return _family("reading_stale", text, [({}, usage is None or usage.reading.is_stale)])


def _family(name: str, text: str, samples: Sequence[tuple[Labels, Value]]) -> Iterator[Family]:
    """Yield a family with the values that are known; nothing, and not 0, if none is."""
    from prometheus_client.core import GaugeMetricFamily  # an optional package

    known = [(labels, value) for labels, value in samples if value is not None]
    if known:
        names = sorted(known[0][0])
        family = GaugeMetricFamily(PREFIX + name, text, labels=names)
        for labels, value in known:
            family.add_metric([visible(labels[name]) for name in names], float(value))
        yield family


def _info(usage: Usage, version: str) -> Labels:
    return {
        "version": version,
        "ccusage_version": usage.reading.source.ccusage_version or "",
        "plan": usage.limit.plan or "",
        "limit_source": usage.limit.source,
    }
