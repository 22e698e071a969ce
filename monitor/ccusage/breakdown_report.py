"""Turn ccusage's daily reports into the tokens of each model of each group or agent.

This and `report.py` are the only places that see a raw report.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple, Optional

from monitor.ccusage import fields
from monitor.errors import MonitorError
from monitor.model.blocks import TokenCounts

NEWER = "Install a newer ccusage, or name one: --ccusage 'npx --yes ccusage@20'."

TOKEN_KINDS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
"""In a daily report, in the order of TokenCounts."""


class ModelUsage(NamedTuple):
    """What one model has used on one day: in a project, or through an agent.

    `group` is that project's or agent's name, and `day` is `2026-11-26`. The cost is None if
    ccusage has no price.
    """

    group: str
    model: str
    tokens: TokenCounts
    cost_usd: Optional[float]
    day: str = ""


def parse_breakdown(text: str) -> tuple[ModelUsage, ...]:
    """Read the output of `daily --json --instances --breakdown`.

    Raises MonitorError if the text is no JSON, or a field is missing or has no sane value.

    >>> parse_breakdown('{"projects": {}}')
    ()
    """
    try:
        return tuple(_by_project(fields.parse_json(text)))
    except fields.FieldError as error:
        raise fields.no_report(error) from None


def parse_agents(text: str) -> tuple[ModelUsage, ...]:
    """Read the output of `--json --by-agent --sections daily`. Raises MonitorError.

    >>> parse_agents('{"daily": []}')
    ()
    """
    try:
        return tuple(_by_agent(fields.parse_json(text)))
    except fields.FieldError as error:
        raise fields.no_report(error) from None


def _by_project(report: Any) -> Iterator[ModelUsage]:
    # Without any usage, versions before 20 print `[]`, and 20 prints an empty list "daily".
    if report == [] or (isinstance(report, dict) and report.get("daily") == []):
        return
    if "daily" in _report(report):  # what was asked for by project
        raise MonitorError("This ccusage has no report by project.", NEWER)
    for name, days in _mapping(_report(report).get("projects"), "projects").items():
        for index, day in enumerate(_list(days, f"projects.{name}")):
            path = f"projects.{name}[{index}]"
            yield from _models(name, day, path, _date(_mapping(day, path).get("date"), path))


def _by_agent(report: Any) -> Iterator[ModelUsage]:
    for number, day in enumerate(_list(_report(report).get("daily"), "daily")):
        path = f"daily[{number}].agents"
        for index, agent in enumerate(_list(_mapping(day, path).get("agents"), path)):
            name = fields.text_of(_mapping(agent, path).get("agent"), f"{path}[{index}].agent")
            yield from _models(name, agent, f"{path}[{index}]")


def _models(group: str, raw: Any, path: str, day: str = "") -> Iterator[ModelUsage]:
    models = _list(_mapping(raw, path).get("modelBreakdowns"), f"{path}.modelBreakdowns")
    for index, model in enumerate(models):
        try:
            yield _model_usage(group, _mapping(model, "the model"), day)
        except fields.FieldError as error:
            raise fields.FieldError(f"{path}.modelBreakdowns[{index}].{error}") from None


def _model_usage(group: str, raw: dict[str, Any], day: str) -> ModelUsage:
    tokens = TokenCounts(*[fields.count(fields.field(raw, name), name) for name in TOKEN_KINDS])
    cost = fields.cost(raw.get("cost"), "cost")
    # ccusage adds nothing for a model it has no price for; version 20 says that, too.
    is_free = raw.get("missingPricing") is True or (cost == 0 and tokens.total > 0)
    name = fields.text_of(fields.field(raw, "modelName"), "modelName")
    return ModelUsage(group, name, tokens, None if is_free else cost, day)


def _date(value: Any, path: str) -> str:
    text = fields.text_of(value, f"{path}.date")
    try:
        return str(date.fromisoformat(text))
    except ValueError:
        return fields.reject(f"{path}.date", "a date", value)


def _report(value: Any) -> dict[str, Any]:
    return _mapping(value, "the report")


def _mapping(value: Any, name: str) -> dict[str, Any]:
    return value if isinstance(value, dict) else fields.reject(name, "an object", value)


def _list(value: Any, name: str) -> list[Any]:
    return value if isinstance(value, list) else fields.reject(name, "a list", value)
