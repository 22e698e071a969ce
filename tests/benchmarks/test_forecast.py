from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from benchmarks.forecast import Forecast, Score, moments, quantile
from benchmarks.usage_series import UsageBlock
from monitor.model.blocks import Event
from tests.scripts import ROOT, benchmark

START = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)


def rows_of(output: str) -> dict[str, list[str]]:
    """Return the cells of each table row by the row's first cell."""
    rows = [line.strip("| ").split(" | ") for line in output.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows}


def test_the_scores_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    # Two blocks of 100 tokens at once and 100 after an hour, and a last one that is left out.
    starts = [START + timedelta(days=day) for day in range(3)]
    series = [(start + timedelta(hours=hour)).timestamp() for start in starts for hour in (0, 1)]
    path = tmp_path / "series.json"
    path.write_text(json.dumps([[at, 40, 60, 0, 0, 1] for at in series]), encoding="utf-8")
    output = benchmark("forecast.py", path)
    assert output.startswith("2 completed blocks, 120 moments five minutes apart.\n")
    rows = rows_of(output)
    # Of 60 moments in a block, 11 are within the first hour: each of those is off by a half.
    # Every limit is 200 tokens, which "nothing more comes" calls impossible until then.
    assert rows["nothing more comes"] == ["9%", "50%", "–", "–", "–", *["1.000"] * 4]
    # 100 tokens in the first m minutes, so 100 · 300 / m at the end: the limit is foreseen.
    expected = sum(abs(30_000 / m - 200) / 200 for m in range(5, 60, 5))
    expected += sum(abs(60_000 / m - 200) / 200 for m in range(60, 305, 5))
    assert rows["average since the first message"][0] == f"{expected / 60:.0%}"
    assert rows["average since the first message"][-1] == "0.000"
    assert 0 < float(rows["ours"][-1]) < 1 and rows["ours"][2].endswith("%")
    assert 'the best other rule, "average since' in output


def test_the_table_of_simulated_usage_in_the_documentation_is_what_the_script_prints(
    tmp_path: Path,
) -> None:
    path = tmp_path / "series.json"
    path.write_text(benchmark("usage_series.py", "--simulate", 60), encoding="utf-8")
    page = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    assert benchmark("forecast.py", path) in page


def test_moments_know_only_what_came_before_them() -> None:
    events = tuple(Event(START + timedelta(minutes=m), m) for m in (2, 10, 80))
    known = list(moments(UsageBlock(START, events)))
    assert known[0].counted == 2 and known[0].since_first == pytest.approx(5 / 60)
    assert [m.counted for m in known if m.left == pytest.approx(3.55)] == [92]
    assert (known[-1].idle_minutes, known[-1].last_hour) == (217, 0)


def test_a_limit_that_is_already_reached_is_not_scored() -> None:
    block = UsageBlock(START, (Event(START, 100), Event(START + timedelta(hours=1), 100)))
    result = Score()
    for moment in moments(block):
        result.add(Forecast(100, 150, 200, lambda _: 0.5), moment, {0.5: 150, 0.9: 300})
    assert [len(result.pairs[k]) for k in (0.5, 0.9)] == [11, 60]
    assert result.briers() == [0.25, 0.25] and all(result.inside)


def test_a_quantile_lies_between_two_values() -> None:
    assert [quantile([4, 1, 3, 2], share) for share in (0, 0.5, 1)] == [1, 2.5, 4]
