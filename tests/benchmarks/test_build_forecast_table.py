from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from benchmarks.build_forecast_table import PACES, SHAPES, logistic_regression
from monitor.model.forecast_table import TABLE
from tests.scripts import ROOT, benchmark, run_script


@pytest.fixture
def series(tmp_path: Path) -> Path:
    path = tmp_path / "series.json"
    path.write_text(benchmark("usage_series.py", "--simulate", 4), encoding="utf-8")
    return path


def test_every_pair_of_the_grid_is_tried_and_the_best_is_marked(series: Path) -> None:
    output = benchmark("build_forecast_table.py", series, "--folds", 2)
    assert re.search(
        r"^stop = \(-?[\d.]+, [\d.]+, -?[\d.]+\), in the program \(", output, re.MULTILINE
    )
    tried = re.findall(
        r"^\| ([\d.]+) \| ([\d.]+) \| 0\.\d{3} \| 0\.\d{3} \| 0\.\d{4} \|", output, re.MULTILINE
    )
    assert tried == [(str(pace), str(shape)) for pace in PACES for shape in SHAPES]
    assert len(re.findall(r"\| best(?:, in the program)? \|$", output, re.MULTILINE)) == 1
    assert re.search(
        rf"^\| {TABLE.pace} \| {TABLE.shape} \|.*in the program \|$", output, re.MULTILINE
    )
    scored = output[output.index("Each of 2 parts") :]
    assert re.search(r"^\| ours \| \d+% \|.* \| 0\.\d{3} \|$", scored, re.MULTILINE)


@pytest.mark.parametrize("folds", [1, 999])
def test_a_number_of_folds_that_cannot_be_is_refused(series: Path, folds: int) -> None:
    done = run_script(ROOT / "benchmarks" / "build_forecast_table.py", series, "--folds", folds)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("--folds: from 2 to ")


def test_the_regression_finds_the_odds_that_made_the_data() -> None:
    chance = random.Random(1)
    rows = [(1.0, float(chance.random() < 0.5)) for _ in range(4_000)]
    results = [chance.random() < (0.8 if x else 0.5) for _, x in rows]
    base, slope = logistic_regression(rows, results)
    # Log-odds: ln(0.5 / 0.5) = 0, and ln(0.8 / 0.2) = 1.39.
    assert base == pytest.approx(0, abs=0.1) and slope == pytest.approx(1.39, abs=0.15)
