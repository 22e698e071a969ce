"""The breakdown command from outside: a real ccusage, a real history, every way to ask."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import RunMonitor
from tests.histories import MODELS, Row, write_messages
from tests.views.test_breakdown_json import VALIDATOR

OPUS, SONNET, _ = MODELS
MINUTE = timedelta(minutes=1)
NOW = datetime.now(timezone.utc)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def rows_at(minutes_ago: float, outputs: tuple[int, ...], model: str = SONNET) -> list[Row]:
    first = NOW - minutes_ago * MINUTE
    return [Row(first + n * timedelta(seconds=1), 0, o, model=model) for n, o in enumerate(outputs)]


@pytest.fixture
def data(tmp_path: Path, isolated: Path) -> Path:
    """A block under way in two projects, and one of ten days ago."""
    (isolated / "work" / "api").mkdir(parents=True)
    home = "".join(c if c.isalnum() else "-" for c in str(isolated))
    root = tmp_path / "claude"
    for session, rows in {
        "aaaaaaaa-1111": rows_at(14_400, (5_000,)) + rows_at(5, (400, 200)),
        "aaaaaaaa-1111/subagents/agent-1": rows_at(4, (100,), OPUS),
    }.items():
        write_messages(root, rows, project=f"{home}-work-api", session=session)
    write_messages(root, rows_at(3, (300,)), project=f"{home}-gone-web", session="bbbbbbbb-2222")
    return root


@pytest.fixture
def breakdown(data: Path, real_ccusage: Callable[[str], Path], run_monitor: RunMonitor) -> Run:
    def run(*options: object, before: tuple[object, ...] = (), version: str = "20.0.24") -> Any:
        ours = ("--ccusage", real_ccusage(version), "--claude-dir", data, *before)
        return run_monitor(*ours, "breakdown", *options)

    return run


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, "")
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def json_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    VALIDATOR.validate(found)
    return found


@pytest.mark.parametrize("version", ["17.2.1", "20.0.24"])
def test_the_active_block_by_project(breakdown: Run, version: str) -> None:
    shown = lines(breakdown(version=version))
    assert shown[1].startswith("~/work/api 700 70 %")
    assert shown[2].startswith("gone-web 300 30 %")
    assert any(line.startswith("1,000 tokens in the block of") for line in shown)
    assert any("subagents count for the session that started them" in line for line in shown)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("model", [("sonnet-4", 900), ("opus-4", 100)]),
        ("session", [("api aaaaaaaa", 700), ("gone-web bbbbbbbb", 300)]),
    ],
)
def test_the_active_block_by_model_and_session(
    breakdown: Run, by: str, names: list[tuple[str, int]]
) -> None:
    found = json_of(breakdown("--by", by, "--json"))
    assert [(row["label"], row["counted"]) for row in found["rows"]] == names
    assert (found["counted"], found["missing"]) == (1_000, 0)


@pytest.mark.parametrize(
    ("options", "counted"),
    [
        (("--since", "30d"), 6_000),
        (("--since", "0001-01-01"), 6_000),
        (("--since", "5d"), 1_000),
        (("--since", "9999-12-31"), 0),
        (("--week",), 1_000),
    ],
)
def test_other_spans_count_from_their_start(
    breakdown: Run, options: tuple[str, ...], counted: int
) -> None:
    found = json_of(breakdown(*options, "--json"))
    assert found["counted"] == counted
    assert found["missing"] is None


def test_since_0_days_is_today_and_not_the_block(breakdown: Run) -> None:
    assert json_of(breakdown("--since", "0d", "--json"))["span"] == "since"


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "US/Eastern"])
def test_today_begins_at_the_users_midnight(breakdown: Run, zone: str) -> None:
    found = json_of(breakdown("--today", "--json", before=("--timezone", zone)))
    start = datetime.fromisoformat(found["from"].replace("Z", "+00:00"))
    assert found["span"] == "today"
    assert timedelta() <= datetime.now(timezone.utc) - start <= timedelta(hours=25)
    assert start.minute == (30 if zone == "Asia/Kolkata" else 0)


def test_the_week_says_that_its_reset_is_not_known(breakdown: Run) -> None:
    assert "The weekly reset is not known" in " ".join(lines(breakdown("--week")))


def test_agents_need_a_ccusage_that_knows_them(breakdown: Run) -> None:
    found = json_of(breakdown("--by", "agent", "--json"))
    assert [row["name"] for row in found["rows"]] in (["claude"], [])  # at midnight it is not today
    old = breakdown("--by", "agent", version="18.0.11")
    assert old.returncode == 1
    assert old.stderr.splitlines() == [
        "ccusage 18.0.11 knows no other agents.",
        "Install version 20 or newer, or leave out --by agent.",
    ]


def test_without_an_active_block_it_says_so(breakdown: Run, data: Path) -> None:
    for path in data.rglob("*.jsonl"):
        path.unlink()
    write_messages(data, rows_at(2_000, (100,)))
    assert "No block is active" in lines(breakdown())[0]
    assert json_of(breakdown("--json"))["rows"] == []


def test_the_demo_has_a_breakdown(
    run_monitor: RunMonitor, real_ccusage: Callable[[str], Path]
) -> None:
    found = json_of(
        run_monitor("--ccusage", real_ccusage("20.0.24"), "--demo", "breakdown", "--json")
    )
    assert found["counted"] > 0
    assert found["missing"] == 0


def test_costs_can_be_hidden(breakdown: Run) -> None:
    assert "$" in "".join(lines(breakdown()))
    assert "$" not in "".join(lines(breakdown(before=("--no-cost",))))
    hidden = json_of(breakdown("--json", before=("--no-cost",)))
    assert {row["cost_usd"] for row in hidden["rows"]} == {None}


def test_the_schema_is_printed(run_monitor: RunMonitor) -> None:
    done = run_monitor("breakdown", "--json-schema")
    jsonschema.Draft202012Validator.check_schema(json.loads(done.stdout))


@pytest.mark.parametrize(
    "options", [("--block", "--week"), ("--by", "agent", "--week"), ("--since", "soon")]
)
def test_what_does_not_go_together_is_wrong_use(
    run_monitor: RunMonitor, options: tuple[str, ...]
) -> None:
    done = run_monitor("breakdown", *options)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
