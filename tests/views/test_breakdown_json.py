"""The breakdown as JSON: valid, adding up, and null for what is not known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from monitor.model.blocks import TokenCounts
from monitor.model.breakdown import Breakdown
from monitor.views.breakdown_json import breakdown_as_json
from tests.breakdowns import LONG, SPLIT, UNPRICED
from tests.samples import NOW
from tests.views.test_snapshot import strict

ROOT = Path(__file__).parent.parent.parent
SCHEMA = json.loads((ROOT / "monitor/views/breakdown.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(strict(SCHEMA))


def data_of(breakdown: Breakdown, by: str = "project", *, show_cost: bool = True) -> Any:
    data = breakdown_as_json(breakdown, by, breakdown.span, show_cost=show_cost)
    VALIDATOR.validate(json.loads(json.dumps(data, allow_nan=False)))
    return data


@pytest.mark.parametrize("by", ["project", "model", "session", "agent"])
@pytest.mark.parametrize("breakdown", [SPLIT, UNPRICED, LONG, replace(SPLIT, parts=())])
def test_it_is_as_the_schema_says_and_adds_up(breakdown: Breakdown, by: str) -> None:
    data = data_of(breakdown, by)
    assert data["counted"] == sum(row["counted"] for row in data["rows"])
    assert data["from"] == "2026-06-10T16:00:00.000Z"


def test_the_block_says_how_many_tokens_are_in_no_row() -> None:
    assert (data_of(SPLIT)["missing"], data_of(SPLIT)["warnings"]) == (0, [])
    assert data_of(LONG)["missing"] is None
    less = data_of(replace(SPLIT, parts=SPLIT.parts[1:]))
    assert less["missing"] == 4_000
    assert "4,000 tokens fewer" in less["warnings"][0]


def test_what_is_not_known_is_null() -> None:
    rows = data_of(UNPRICED, "model")["rows"]
    assert [row["cost_usd"] for row in rows] == [6.2, None]
    assert [row["last_activity"] for row in rows] == [None, None]
    assert {row["cost_usd"] for row in data_of(SPLIT, show_cost=False)["rows"]} == {None}
    nothing = replace(SPLIT, parts=(SPLIT.parts[0]._replace(tokens=TokenCounts(0, 0, 1, 1)),))
    assert data_of(nothing)["rows"][0]["share_percent"] is None


def test_without_an_active_block_there_are_no_rows() -> None:
    data = breakdown_as_json(None, "model", "block", show_cost=True)
    VALIDATOR.validate(data)
    assert (data["from"], data["to"], data["counted"], data["rows"]) == (None, None, 0, [])


def test_a_note_on_the_span_is_a_warning() -> None:
    noted = Breakdown("week", NOW, NOW, note="These are the last 7 days.")
    assert data_of(noted)["warnings"] == ["These are the last 7 days."]
