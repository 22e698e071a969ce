"""`line`: a Usage in one line, as fields for a template, and as JSON for waybar."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Optional, TypeVar

from monitor.model import sentence
from monitor.model.accounts import named
from monitor.model.formatting import age, chance, count, dollars, duration, percent, rate
from monitor.model.limit_hits import Reached
from monitor.model.official import FIVE_HOUR, window_kind
from monitor.model.usage import Usage
from monitor.model.weekly import Weekly
from monitor.views.bars import bar
from monitor.views.states import css_class
from monitor.views.style import Glyphs, Style
from monitor.views.text import DOT, Line, Span, fit

Value = TypeVar("Value", float, datetime)

ACCOUNT = "account"

FIELD = re.compile(r"\{([\w-]+)\}")


def one_line(usage: Usage, width: int, glyphs: Glyphs) -> Line:
    """Return the most important facts in at most `width` cells; the last ones are cut first."""
    if usage.reached is not None:
        facts = _reached_facts(usage, usage.reached)
    elif usage.state == "weekly" and usage.binding_week:
        facts = _week_facts(usage, usage.binding_week)
    elif usage.block is None:
        facts = _idle_facts(usage)
    else:
        facts = _active_facts(usage)
    if usage.reading.error:
        facts.append(f"{glyphs.warning} read {_age(usage)} ago")
    text = DOT.join(fact for fact in facts if fact)
    return fit((Span(text),), width, glyphs.ellipsis)


def _reached_facts(usage: Usage, reached: Reached) -> list[str]:
    name, at = window_kind(reached.window).name, usage.reset.at
    wait = f"resets {usage.clock(at)}, in {duration(at - usage.now)}" if at else ""
    return [f"{name} reached", wait]


def _week_facts(usage: Usage, week: Weekly) -> list[str]:
    name, window = window_kind(week.window_id).name, week.window
    return [
        f"{name} {percent(window.used_percent)}",
        "" if week.is_full or week.projection is None else f"{chance(week.risk)} chance to run out",
        f"resets {usage.clock(window.resets_at)}" if window.resets_at else "",
    ]


def _idle_facts(usage: Usage) -> list[str]:
    official = usage.official.windows.get(FIVE_HOUR)
    if official is not None:
        known = f"{percent(official.used_percent)} official"
    else:
        known = f"last ended {usage.clock(usage.last.end)}" if usage.last else ""
    nothing = "usage cannot be read" if usage.state == "unknown" else "no active block"
    return [*([] if official else [nothing]), known, _reset(usage)]


def _active_facts(usage: Usage) -> list[str]:
    if not usage.is_settled:
        return [f"{count(usage.limit.used)} used", _reset(usage)]
    return [percent(usage.five_hour.used_percent), _left(usage), _risk(usage), _reset(usage)]


def _left(usage: Usage) -> str:
    if usage.forecast.verdict == "exceeded":
        over = usage.limit.tokens_over
        return f"{count(over)} past the limit" if over else ""
    left = usage.headline.tokens_left
    return "" if left is None else f"{count(left)} left"


def _risk(usage: Usage) -> str:
    forecast = usage.forecast
    if forecast.probability is None or forecast.verdict not in ("tight", "runs_out"):
        return ""
    return f"{chance(forecast.probability)} chance to run out"


def _reset(usage: Usage) -> str:
    return f"resets {usage.clock(usage.reset.at)}" if usage.reset.at else ""


def _limit(usage: Usage) -> str:
    """Return the limit in tokens that the percentage is of."""
    if usage.five_hour.source == "estimate":
        return count(usage.limit.tokens)
    worth = usage.five_hour.tokens_per_percent
    return "" if worth is None else count(round(100 * worth))


def _windows(usage: Usage) -> Iterator[str]:
    for key, window in usage.official.windows.items():
        yield f"{window_kind(key).label} {percent(window.used_percent)}"


def _cost(usage: Usage) -> Optional[float]:
    return usage.cost_usd


def _age(usage: Usage) -> str:
    return age(usage.now - usage.reading.read_at)


def _bar(usage: Usage, glyphs: Glyphs) -> str:
    return _text(bar(usage.headline.used_percent or 0.0, None, 10, "", glyphs.bar), glyphs)


def _known(write: Callable[[Value], str], value: Optional[Value]) -> str:
    return "" if value is None else write(value)


def _text(spans: Line, glyphs: Glyphs) -> str:
    return Style(glyphs).paint(spans)


FIELDS: Mapping[str, Callable[[Usage, Glyphs], str]] = MappingProxyType(
    {
        "line": lambda usage, glyphs: _text(one_line(usage, 1000, glyphs), glyphs),
        "sentence": lambda usage, _: sentence.summary(usage),
        "status": lambda usage, _: usage.status,
        "verdict": lambda usage, _: usage.forecast.verdict,
        "percent": lambda usage, _: _known(percent, usage.headline.used_percent),
        "source": lambda usage, _: usage.headline.source,
        "bar": _bar,
        "used": lambda usage, _: count(usage.limit.used),
        "left": lambda usage, _: _known(count, usage.headline.tokens_left),
        "limit": lambda usage, _: _limit(usage),
        "plan": lambda usage, _: usage.limit.plan or "",
        "pace": lambda usage, _: _known(rate, usage.burn.tokens_per_minute),
        "runs_out": lambda usage, _: _known(usage.clock, usage.forecast.runs_out_at),
        "likely": lambda usage, _: _known(percent, usage.forecast.likely_percent),
        "reset": lambda usage, _: _known(usage.clock, usage.reset.at),
        "reset_in": lambda usage, _: duration(usage.reset.at - usage.now) if usage.reset.at else "",
        "windows": lambda usage, _: DOT.join(_windows(usage)),
        "week": lambda usage, _: percent(usage.weekly.window.used_percent) if usage.weekly else "",
        "cost": lambda usage, _: _known(dollars, _cost(usage)),
        "age": lambda usage, _: _age(usage),
    }
)
"""The fields of `line --format`; one that is not known is empty."""


def fill_template(template: str, usage: Usage, glyphs: Glyphs, account: str = "") -> str:
    """Replace the fields of a template; other text in braces stays as it is.

    The field `account` is the account's name, and `line` begins with it.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] == ACCOUNT:
            return account
        text = FIELDS[match[1]](usage, glyphs) if match[1] in FIELDS else match[0]
        return named(account, text) if match[1] == "line" else text

    return FIELD.sub(value, template)


def unknown_fields(template: str) -> list[str]:
    """Return the names in braces that are no fields."""
    return [name for name in FIELD.findall(template) if name not in (*FIELDS, ACCOUNT)]


def waybar(usage: Usage, glyphs: Glyphs, account: str = "") -> str:
    """Return the JSON of a custom waybar module."""
    return json.dumps(
        {
            "text": named(account, _text(one_line(usage, 1000, glyphs), glyphs)),
            "tooltip": sentence.summary(usage),
            "class": css_class(usage),
            "percentage": min(100, round(usage.headline.used_percent or 0.0)),
        }
    )
