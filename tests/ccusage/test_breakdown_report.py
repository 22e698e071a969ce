"""The daily report becomes the tokens of each model of each project or agent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.ccusage.breakdown_report import ModelUsage, parse_agents, parse_breakdown
from monitor.errors import MonitorError
from monitor.model.blocks import TokenCounts

KINDS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")


NO_MODELS = '{"projects":{"api":[{"date":"2026-06-10"}]}}'


def raw_model(name: str = "claude-opus-4", cost: Any = 1.5, **changes: Any) -> dict[str, Any]:
    return {"modelName": name, **dict(zip(KINDS, (1, 2, 3, 4))), "cost": cost, **changes}


def report(*models: Any) -> str:
    day = {"date": "2026-06-10", "modelBreakdowns": list(models), "aNewKey": {}}
    return json.dumps({"projects": {"api": [day]}, "totals": {}})


def test_every_model_of_every_project_and_day_is_returned() -> None:
    raw = json.loads(report(raw_model(), raw_model("claude-sonnet-4", 0.5)))
    raw["projects"]["web"] = raw["projects"]["api"] * 2
    found = parse_breakdown(json.dumps(raw))
    assert [(usage.group, usage.model) for usage in found] == [
        *[("api", "claude-opus-4"), ("api", "claude-sonnet-4")],
        *[("web", "claude-opus-4"), ("web", "claude-sonnet-4")] * 2,
    ]
    assert found[0] == ModelUsage(
        "api", "claude-opus-4", TokenCounts(1, 2, 3, 4), 1.5, "2026-06-10"
    )


@pytest.mark.parametrize("text", ["[]", '{"daily":[],"totals":{"totalCost":-0.0}}'])
def test_what_the_versions_print_without_usage_is_an_empty_breakdown(text: str) -> None:
    assert parse_breakdown(text) == ()


@pytest.mark.parametrize("model", [raw_model(cost=0), raw_model(missingPricing=True)])
def test_tokens_that_cost_nothing_have_no_known_price(model: dict[str, Any]) -> None:
    assert parse_breakdown(report(model))[0].cost_usd is None


def test_no_tokens_cost_nothing() -> None:
    empty = {**raw_model(cost=0), **dict.fromkeys(KINDS, 0)}
    assert parse_breakdown(report(empty))[0].cost_usd == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no", "the output is no JSON"),
        ("7", "the report: expected an object, got 7"),
        ('{"blocks":[]}', "projects: expected an object, got None"),
        ('{"projects":{"api":{}}}', r"projects\.api: expected a list"),
        ('{"projects":{"api":[7]}}', r"projects\.api\[0\]: expected an object, got 7"),
        ('{"projects":{"api":[{}]}}', r"api\[0\]\.date: expected a text, got None"),
        ('{"projects":{"api":[{"date":"x"}]}}', r"api\[0\]\.date: expected a date, got 'x'"),
        (NO_MODELS, r"api\[0\]\.modelBreakdowns: expected a list, got None"),
        (report({}), r"modelBreakdowns\[0\]\.inputTokens is missing"),
        (report(raw_model(inputTokens=-1)), "inputTokens: expected a whole number"),
        (report(raw_model(cost="1")), "cost: expected an amount"),
        (report(raw_model(modelName=None)), "modelName: expected a text"),
    ],
)
def test_an_error_names_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(MonitorError, match=f"ccusage printed no report: .*{reason}"):
        parse_breakdown(text)


def test_a_version_without_projects_is_named_as_such() -> None:
    with pytest.raises(MonitorError, match="This ccusage has no report by project"):
        parse_breakdown('{"daily":[{"date":"2026-06-10"}],"totals":{}}')


def test_agents_are_told_apart() -> None:
    agents = [{"agent": name, "modelBreakdowns": [raw_model()]} for name in ("claude", "codex")]
    found = parse_agents(json.dumps({"daily": [{"agent": "all", "agents": agents}]}))
    assert [usage.group for usage in found] == ["claude", "codex"]


@pytest.mark.parametrize(
    "text", ['{"projects":{}}', '{"daily":[{}]}', '{"daily":[{"agents":[{}]}]}']
)
def test_a_report_without_agents_is_an_error(text: str) -> None:
    with pytest.raises(MonitorError, match="ccusage printed no report: "):
        parse_agents(text)
