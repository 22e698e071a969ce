"""The fields of `line --format`: a Usage as short texts for status bars and prompts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Optional

from monitor.model import sentence
from monitor.model.formatting import age, count, dollars, duration, percent, rate
from monitor.model.usage import Usage
from monitor.views.bars import bar
from monitor.views.line import one_line
from monitor.views.style import Glyphs
from monitor.views.text import Line

FIELDS: Mapping[str, Callable[[Usage, Glyphs], str]] = MappingProxyType(
    {
        "line": lambda usage, glyphs: _plain(one_line(usage, 1000, glyphs)),
        "sentence": lambda usage, _: sentence.summary(usage),
        "status": lambda usage, _: usage.status,
        "verdict": lambda usage, _: usage.verdict,
        "percent": lambda usage, _: percent(usage.percent) if usage.block else "",
        "source": lambda usage, _: usage.headline.source if usage.block else "none",
        "bar": lambda usage, glyphs: _plain(bar(usage.percent, None, 10, "", glyphs)),
        "used": lambda usage, _: count(usage.tokens.counted),
        "left": lambda usage, _: _amount(usage.headline.tokens_left),
        "limit": lambda usage, _: _limit(usage),
        "plan": lambda usage, _: usage.limit.plan or "",
        "pace": lambda usage, _: _rate(usage.burn.tokens_per_minute),
        "runs_out": lambda usage, _: _time(usage, usage.forecast.runs_out_at),
        "likely": lambda usage, _: _percent(usage.forecast.likely_percent),
        "reset": lambda usage, _: _time(usage, usage.reset.at),
        "reset_in": lambda usage, _: _span(usage),
        "week": lambda usage, _: _percent(usage.weekly.used_percent if usage.weekly else None),
        "cost": lambda usage, _: _cost(usage),
        "age": lambda usage, _: age(usage.now - usage.reading.read_at),
    }
)
"""The fields of `line --format`; one that is not known is empty."""

FIELD = re.compile(r"\{([\w-]+)\}")


def formatted(template: str, usage: Usage, glyphs: Glyphs) -> str:
    """Fill the fields of a template; what is in braces and no field stays as it is."""

    def value(found: re.Match[str]) -> str:
        return FIELDS[found[1]](usage, glyphs) if found[1] in FIELDS else found[0]

    return FIELD.sub(value, template)


def unknown_fields(template: str) -> list[str]:
    """Return the names in braces that are no field."""
    return [name for name in FIELD.findall(template) if name not in FIELDS]


def waybar(usage: Usage, glyphs: Glyphs) -> str:
    """Return the JSON of a custom waybar module."""
    text = _plain(one_line(usage, 1000, glyphs))
    state = usage.status if usage.status != "active" else usage.verdict
    return json.dumps(
        {
            "text": text,
            "tooltip": sentence.summary(usage),
            "class": state.replace("_", "-"),
            "percentage": _whole_percent(usage),
        }
    )


def _whole_percent(usage: Usage) -> int:
    if usage.status == "limit_reached":
        return 100
    return min(100, round(usage.percent)) if usage.block else 0


def _limit(usage: Usage) -> str:
    """Return the limit that the percentage is of, in tokens; "" while that is not known."""
    if usage.headline.source == "estimate":
        return count(usage.limit.tokens)
    worth = usage.headline.tokens_per_percent
    return "" if worth is None else count(round(100 * worth))


def _plain(spans: Line) -> str:
    return "".join(span.text for span in spans)


def _amount(number: Optional[float]) -> str:
    return "" if number is None else count(number)


def _percent(number: Optional[float]) -> str:
    return "" if number is None else percent(number)


def _rate(number: Optional[float]) -> str:
    return "" if number is None else rate(number)


def _time(usage: Usage, when: Optional[datetime]) -> str:
    return usage.rules.time_format.minute_or_day(when, usage.now) if when else ""


def _span(usage: Usage) -> str:
    return duration(usage.reset.at - usage.now) if usage.reset.at else ""


def _cost(usage: Usage) -> str:
    cost = usage.block.cost_usd if usage.block else None
    return "" if cost is None else dollars(cost)
