"""The snapshot: valid in every state, exact types, and null for what is not known."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import jsonschema
import pytest

from monitor.model.official import SPEND_LIMIT, OfficialLimits
from monitor.model.sentence import summary, warnings
from monitor.model.usage import measure
from monitor.views.snapshot import snapshot
from tests.samples import (
    DAYS,
    EMPTY,
    EXCEEDED,
    IDLE,
    LIMIT_REACHED,
    NOW,
    OK,
    RULES,
    RUNS_OUT,
    SAMPLES,
    STALE,
    STATES,
    WARMING_UP,
    usage_in,
    usage_of,
    window,
)

ROOT = Path(__file__).parent.parent.parent
SCHEMA = json.loads((ROOT / "monitor/views/snapshot.schema.json").read_text(encoding="utf-8"))
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
INSTANTS = {"generated_at", "read_at", "start", "end", "last_activity", "at", "runs_out_at"}
INSTANTS |= {"earliest", "latest", "resets_at", "captured_at"}


def items(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from items(inner)


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every description of an object in the schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for inner in schema.values():
            yield from objects(inner)


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that takes no keys but those it names."""
    copied: dict[str, Any] = json.loads(json.dumps(schema))
    for described in objects(copied):
        described["additionalProperties"] = False
    return copied


VALIDATOR = jsonschema.Draft202012Validator(strict(SCHEMA))
SPEND = OfficialLimits({SPEND_LIMIT: window(DAYS, (0.3, 12))})


@pytest.mark.parametrize("state", SAMPLES)
def test_every_key_that_is_printed_is_in_the_schema(state: str) -> None:
    for rules in (RULES, replace(RULES, plan="custom_max", reset_hour=9)):
        data = snapshot(usage_in(state, rules))
        VALIDATOR.validate(json.loads(json.dumps(data, allow_nan=False)))


def test_every_key_of_the_schema_is_printed() -> None:
    # What a schema requires has to be printed, and the samples fit it. So all must be required,
    # and what can be null must be an object in some sample.
    assert [o for o in objects(SCHEMA) if o["required"] != list(o["properties"])] == []
    printed = [snapshot(usage_in("official")), snapshot(usage_of(OK, official=SPEND))]
    assert all(printed[0][key] for key in ("block", "official", "weekly"))
    assert printed[0]["official"]["five_hour"] and printed[1]["official"]["spend_limit"]
    for data in printed:
        VALIDATOR.validate(data)


@pytest.mark.parametrize("without", ["history", "cost"])
def test_the_snapshot_fits_the_schema_while_something_is_unknown(without: str) -> None:
    usage = measure(OK, None, RULES, NOW) if without == "history" else usage_of(OK)
    VALIDATOR.validate(snapshot(usage, show_cost=without != "cost"))


@pytest.mark.parametrize("state", STATES)
def test_every_moment_is_in_utc_and_ends_in_z(state: str) -> None:
    for key, value in items(snapshot(usage_of(STATES[state]))):
        if key in INSTANTS and value is not None:
            assert INSTANT.fullmatch(value), key


def test_local_times_carry_the_offset_of_the_zone() -> None:
    data = snapshot(usage_of(RUNS_OUT))
    assert data["reset"]["local"] == "2026-06-10T17:00:00-04:00"
    assert data["reset"]["timezone"] == "US/Eastern"
    assert data["forecast"]["local"].endswith("-04:00")


def test_whole_numbers_are_whole_and_flags_are_flags() -> None:
    data = snapshot(usage_of(OK))
    counts = [*data["tokens"].values(), data["limit"]["tokens"], data["limit"]["tokens_left"]]
    assert {type(count) for count in [*counts, data["block"]["messages"]]} == {int}
    assert data["limit"]["exceeded"] is False
    assert data["source"]["stale"] is False


def test_counted_tokens_are_input_and_output_without_the_cache() -> None:
    tokens = snapshot(usage_of(OK))["tokens"]
    assert tokens["counted"] == tokens["input"] + tokens["output"] == 9_000
    assert tokens["total"] == 9_000 + tokens["cache_creation"] + tokens["cache_read"]


def test_idle_has_no_block_no_percentage_no_reset_and_no_forecast() -> None:
    for reading in (IDLE, EMPTY):
        data = snapshot(usage_of(reading))
        assert (data["status"], data["block"]) == ("idle", None)
        assert data["headline"]["used_percent"] is None
        assert data["headline"]["source"] == "none"
        assert (data["reset"]["at"], data["reset"]["minutes"], data["reset"]["source"]) == (
            *(None, None, None),
        )
        assert data["forecast"]["verdict"] == "unknown"


def test_over_the_limit_is_not_clamped() -> None:
    data = snapshot(usage_of(EXCEEDED))
    assert data["limit"]["used_percent"] == pytest.approx(137.2)
    assert data["headline"]["used_percent"] == data["limit"]["used_percent"]
    assert (data["limit"]["tokens_left"], data["limit"]["exceeded"]) == (0, True)
    assert data["forecast"]["verdict"] == "exceeded"


def test_a_limit_reached_has_its_own_status() -> None:
    data = snapshot(usage_of(LIMIT_REACHED))
    assert (data["status"], data["reset"]["source"]) == ("limit_reached", "limit_message")


def test_nothing_is_forecast_while_warming_up() -> None:
    data = snapshot(usage_of(WARMING_UP))
    assert data["burn_rate"]["tokens_per_minute"] is None
    unknown = {"runs_out_at", "local", "earliest", "latest", "probability", "likely_percent"}
    assert {data["forecast"][key] for key in unknown} == {None}
    assert data["forecast"]["before_reset"] is False


def test_a_failed_look_is_marked_stale_with_its_reason() -> None:
    source = snapshot(usage_of(STALE))["source"]
    assert source["stale"] is True
    assert source["error"] == "ccusage did not answer within 20 s."
    assert source["read_at"] == "2026-06-10T18:28:07.000Z"


def test_costs_that_are_not_wanted_are_null() -> None:
    shown, hidden = snapshot(usage_of(OK)), snapshot(usage_of(OK), show_cost=False)
    assert (hidden["block"]["cost_usd"], hidden["burn_rate"]["cost_per_hour"]) == (None, None)
    assert shown["block"]["cost_usd"] == 12.4


@pytest.mark.parametrize("state", SAMPLES)
def test_it_says_the_sentences_that_the_screen_shows(state: str) -> None:
    usage = usage_in(state)
    data = snapshot(usage)
    assert data["headline"]["sentence"] == summary(usage)
    assert data["warnings"] == list(warnings(usage))


def test_elapsed_and_remaining_minutes_make_up_the_block() -> None:
    block = snapshot(usage_of(OK))["block"]
    assert block["elapsed_minutes"] + block["remaining_minutes"] == pytest.approx(300)


def test_the_week_is_told_with_whether_it_comes_first() -> None:
    weekly = snapshot(usage_in("week-first"))["weekly"]
    assert weekly.pop("runs_out_at").startswith("2026-06-10T20:08")
    resets_at = weekly.pop("resets_at")
    assert resets_at == snapshot(usage_in("week-first"))["official"]["seven_day"]["resets_at"]
    low, high = weekly.pop("likely_range")
    assert 0.9 < weekly.pop("probability") < 1 and low < weekly.pop("likely_percent") < high
    used = weekly.pop("used_percent")
    assert 99 < used < 100 and 0 < weekly.pop("today_share_percent") < 100 - used
    # Nothing was captured before today, and never both percentages twice.
    assert weekly == {"comes_first": True, "today_used_percent": None, "windows_left": None}
    assert snapshot(usage_in("ok"))["weekly"] is None


def test_what_is_left_of_the_limit_in_charge_is_told() -> None:
    assert snapshot(usage_in("ok"))["headline"]["tokens_left"] == 26_000
    official = usage_in("official")
    left = official.headline.tokens_left
    assert left is not None and snapshot(official)["headline"]["tokens_left"] == round(left)
    assert snapshot(usage_of(IDLE))["headline"]["tokens_left"] is None


@pytest.mark.parametrize(
    ("name", "window", "severity", "used"),
    [
        ("ok", "five_hour", "ok", 100 * 9_000 / 35_000),
        ("exceeded", "five_hour", "warn", 137.2),
        ("extra-usage", "five_hour", "alarm", 102),
        ("stopped", "five_hour", "alarm", 100),
        ("stopped-week", "seven_day", "alarm", 100),
        ("stopped-opus", "seven_day_opus", "alarm", 100),
        ("week-near", "seven_day", "warn", 88),
        ("week-first", "seven_day", "alarm", 99.4),
        ("warming-up", "five_hour", "none", 100 * 1_200 / 35_000),
        ("idle", None, "none", None),
    ],
)
def test_the_headline_names_the_limit_it_is_about_and_how_serious_that_is(
    name: str, window: Optional[str], severity: str, used: Optional[float]
) -> None:
    lead = snapshot(usage_in(name))["headline"]
    assert (lead["window"], lead["severity"]) == (window, severity)
    assert lead["used_percent"] == (None if used is None else pytest.approx(used, abs=0.1))


@pytest.mark.parametrize("name", ["stopped", "stopped-week"])
def test_a_mark_in_a_transcript_is_an_official_window_from_there(name: str) -> None:
    data = snapshot(usage_in(name))
    (listed,) = data["official"]["windows"]
    assert (listed["from"], listed["used_percent"]) == ("transcript", 100)
    assert (data["status"], data["reset"]["source"]) == ("limit_reached", "limit_message")
    assert data["reset"]["at"] == listed["resets_at"]


def test_every_official_window_known_is_listed_with_its_label_age_and_origin() -> None:
    data = snapshot(usage_of(OK, official=KINDS))
    assert [(listed["id"], listed["label"], listed["from"]) for listed in listed_of(data)] == [
        ("five_hour", "5 h", "statusline"),
        ("seven_day_opus", "7 d Opus", "statusline"),
        ("model:Fable", "7 d Fable", "statusline"),
        ("new", "new", "statusline"),
    ]
    first, *_ = listed_of(data)
    assert (first["age_seconds"], first["stale"]) == (pytest.approx(18), False)
    assert listed_of(data)[1]["stale"] is True


KINDS = OfficialLimits(
    {
        "five_hour": window(DAYS / 30, (0.3, 12)),
        **{key: window(DAYS, (90, 12)) for key in ("seven_day_opus", "model:Fable", "new")},
    }
)


def listed_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data["official"]["windows"]
    return found


def test_a_cost_that_leaves_a_model_out_is_null_and_the_model_is_named() -> None:
    data = snapshot(usage_in("unpriced"))
    assert data["block"]["cost_usd"] is None
    assert data["block"]["unpriced_models"] == ["claude-opus-5-5"]
    assert data["burn_rate"]["cost_per_hour"] is None
    assert snapshot(usage_in("ok"))["block"]["unpriced_models"] == []


def test_transcripts_that_cannot_be_read_are_counted() -> None:
    assert snapshot(usage_in("unreadable"))["source"]["unreadable_files"] == 2
    assert snapshot(usage_in("ok"))["source"]["unreadable_files"] == 0
