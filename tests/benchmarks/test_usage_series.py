from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from benchmarks.usage_series import completed_blocks, cut_into_blocks, load
from monitor.model.blocks import Event
from tests.histories import Row, write_messages
from tests.scripts import ROOT, benchmark, run_script

START = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)
SCRIPT = ROOT / "benchmarks" / "usage_series.py"


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_a_history_read_through_ccusage_has_a_row_for_each_message(
    tmp_path: Path, real_ccusage: Callable[[str], Path]
) -> None:
    write_messages(tmp_path, [Row(at(5), 30, 170, 1_000, 20_000), Row(at(70), 1, 2, 3, 4)])
    ccusage = real_ccusage("20.0.24")
    assert json.loads(benchmark(SCRIPT.name, "--claude-dir", tmp_path, "--ccusage", ccusage)) == [
        [at(5).timestamp(), 30, 170, 1_000, 20_000, 1],
        [at(70).timestamp(), 1, 2, 3, 4, 1],
    ]


def test_simulated_days_are_the_same_for_one_seed_and_in_order(tmp_path: Path) -> None:
    text, again, other = (benchmark(SCRIPT.name, "--simulate", 2, "--seed", n) for n in (1, 1, 2))
    assert text == again != other
    rows = json.loads(text)
    assert len(rows) > 20 and all(len(row) == 6 for row in rows)
    assert rows == sorted(rows)


def test_a_ccusage_that_cannot_be_run_is_named_in_one_line() -> None:
    done = run_script(SCRIPT, "--ccusage", "/nowhere/ccusage")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "/nowhere/ccusage" in done.stderr


def test_a_series_is_read_as_counted_tokens_oldest_first(tmp_path: Path) -> None:
    path = tmp_path / "series.json"
    rows = [[at(9).timestamp(), 1, 2, 3, 4, 1], [at(5).timestamp(), 30, 170, 1_000, 20_000, 1]]
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert load(path) == [Event(at(5), 200), Event(at(9), 3)]


@pytest.mark.parametrize(
    "text", ["", "{", '{"blocks": []}', "[[1]]", '[["a", 1, 2]]', "[[1e99,1,2]]"]
)
def test_what_is_no_series_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "series.json"
    path.write_text(text, encoding="utf-8")
    done = run_script(ROOT / "benchmarks" / "forecast.py", path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert str(path) in done.stderr


def test_a_series_of_one_completed_block_is_too_little(tmp_path: Path) -> None:
    path = tmp_path / "series.json"
    path.write_text(json.dumps([[at(m).timestamp(), 1, 1, 0, 0, 1] for m in (0, 400)]))
    with pytest.raises(SystemExit, match="too little usage"):
        completed_blocks(path)


def test_blocks_begin_as_ccusage_says() -> None:
    minutes = (5, 300, 301, 601, 905, 1300)
    blocks = cut_into_blocks([Event(at(minute), 1) for minute in minutes])
    assert [block.start for block in blocks] == [at(0), at(300), at(600), at(900), at(1260)]
    assert [block.final for block in blocks] == [2, 1, 1, 1, 1]
