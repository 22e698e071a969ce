"""Compute the numbers of monitor/model/forecast_table.py from a usage series; print Markdown.

    python benchmarks/usage_series.py > series.json
    python benchmarks/build_forecast_table.py series.json [--folds 5]

stop: a logistic regression of "nothing more comes" at moments five minutes apart, on idle time and
hours left. pace and shape: of the pairs on a grid whose 10-90 % band holds at most 85 % and whose
mean error is at most 0.03 above that of "nothing more comes", the pair with the lowest Brier score.

Last, it cross-validates: the blocks are divided by time into --folds parts, and each part is scored
with a table computed from the other parts.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.forecast import (
    PEERS,
    Limits,
    Moment,
    Score,
    limits_of,
    mean,
    moments,
    ours,
    print_rules,
    score,
)
from benchmarks.usage_series import UsageBlock, completed_blocks, cut_into_blocks
from monitor.model.blocks import SESSION
from monitor.model.forecast_table import TABLE, ForecastTable

LATE_STARTS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
"""Hours left out after each silence. This makes blocks with other beginnings, so that the table
does not learn one person's office hours along with the pauses."""

RIDGE = 1.0
NEWTON_STEPS = 20
PACES = (0.55, 0.7, 0.85, 1.0, 1.15)
SHAPES = (0.55, 0.6, 0.65, 0.7, 0.8, 1.0)
MOST_COVERED = 0.85
MOST_WORSE = 0.03


@dataclass(frozen=True)
class Trial:
    """How a table does on the series."""

    table: ForecastTable
    error: float
    coverage: float
    brier: float


def starting_late(blocks: Sequence[UsageBlock], hours: float) -> list[UsageBlock]:
    """Return the blocks if the user had begun `hours` later after each silence of five hours."""
    begin, last, kept = None, None, []
    for event in (event for block in blocks for event in block.events):
        if begin is None or last is None or event.at - last > SESSION:
            begin = event.at
        last = event.at
        if event.at - begin >= timedelta(hours=hours):
            kept.append(event)
    return cut_into_blocks(kept)


def fit_stop(blocks: Sequence[UsageBlock]) -> tuple[float, float, float]:
    """Fit the log-odds that nothing more comes, to two decimals."""
    known = [
        moment
        for hours in LATE_STARTS
        for block in starting_late(blocks, hours)
        for moment in moments(block)
        if moment.left > 0
    ]
    rows = [(1.0, math.log1p(m.idle_minutes / 5), math.log(m.left + 0.1)) for m in known]
    base, by_idle, by_left = logistic_regression(rows, [is_over(moment) for moment in known])
    return round(base, 2), round(by_idle, 2), round(by_left, 2)


def is_over(moment: Moment) -> bool:
    return moment.counted == moment.block.final


def logistic_regression(rows: Sequence[Sequence[float]], results: Sequence[bool]) -> list[float]:
    """Fit log-odds by Newton's method; the ridge does not apply to the first column."""
    size = range(len(rows[0]))
    fit = [0.0 for _ in size]
    for _ in range(NEWTON_STEPS):
        slope = [-RIDGE * fit[i] * (i > 0) for i in size]
        curve = [[RIDGE * (i == j > 0) for j in size] for i in size]
        for row, result in zip(rows, results):
            p = 1 / (1 + math.exp(-sum(w * x for w, x in zip(fit, row))))
            for i in size:
                slope[i] += (result - p) * row[i]
                for j in size:
                    curve[i][j] += p * (1 - p) * row[i] * row[j]
        fit = [w + step for w, step in zip(fit, solve(curve, slope))]
    return fit


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """Solve a small positive definite system by Gaussian elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right)]
    for i, pivot in enumerate(rows):
        for row in rows[:i] + rows[i + 1 :]:
            factor = row[i] / pivot[i]
            row[:] = [a - factor * b for a, b in zip(row, pivot)]
    return [row[-1] / row[i] for i, row in enumerate(rows)]


def trials(blocks: Sequence[UsageBlock], limits: Limits) -> Iterator[Trial]:
    """Try each pair of pace and shape with the fitted stop."""
    stop = fit_stop(blocks)
    for pace in PACES:
        for shape in SHAPES:
            table = ForecastTable(stop, pace, shape)
            result = score(ours(table), blocks, limits)
            yield Trial(table, mean(result.errors), mean(result.inside), result.brier)


def best_of(tried: Sequence[Trial], blocks: Sequence[UsageBlock], limits: Limits) -> Trial:
    """Choose by the rule above; where no trial keeps to its bounds, by the Brier score alone."""
    most = mean(score(PEERS["nothing more comes"], blocks, limits).errors) + MOST_WORSE
    fit = [trial for trial in tried if trial.coverage <= MOST_COVERED and trial.error <= most]
    return min(fit or tried, key=lambda trial: trial.brier)


def print_trials(tried: Sequence[Trial], best: Trial) -> None:
    print(f"stop = {best.table.stop}, in the program {TABLE.stop}")
    print("\n| pace | shape | mean error | band holds | Brier | |\n|---|---|---|---|---|---|")
    for trial in tried:
        table = trial.table
        in_program = (table.pace, table.shape) == (TABLE.pace, TABLE.shape)
        notes = ", ".join(["best"] * (trial is best) + ["in the program"] * in_program)
        figures = f"{trial.error:.3f} | {trial.coverage:.3f} | {trial.brier:.4f}"
        print(f"| {table.pace} | {table.shape} | {figures} | {notes} |")


def print_cross_validation(blocks: Sequence[UsageBlock], folds: int, limits: Limits) -> None:
    print(f"\nEach of {folds} parts of the blocks, scored with a table computed from the others:\n")
    result = Score()
    for number in range(folds):
        first, last = (len(blocks) * n // folds for n in (number, number + 1))
        others = [*blocks[:first], *blocks[last:]]
        table = best_of(list(trials(others, limits)), others, limits).table
        result = score(ours(table), blocks[first:last], limits, result)
    peers = {name: score(rule, blocks, limits) for name, rule in PEERS.items()}
    print_rules({**peers, "ours": result})


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("series", type=Path, help="a file that usage_series.py wrote")
    parser.add_argument("--folds", type=int, default=5, metavar="N", help="default: 5")
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    blocks = completed_blocks(options.series)
    limits = limits_of(blocks)
    if not 2 <= options.folds <= len(blocks):
        sys.exit(f"--folds: from 2 to the number of blocks, {len(blocks)}.")
    print(f"{len(blocks)} completed blocks.\n")
    tried = list(trials(blocks, limits))
    print_trials(tried, best_of(tried, blocks, limits))
    print_cross_validation(blocks, options.folds, limits)


if __name__ == "__main__":
    main()
