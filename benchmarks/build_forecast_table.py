"""Rebuild the numbers of monitor/model/forecast_table.py from Claude histories, through ccusage.

    python benchmarks/build_forecast_table.py [--claude-dir DIR]... [--ccusage CMD]

STOP: logistic regression of "nothing more comes" at 5-minute steps, on idle time and hours left.
PACE, SHAPE: of the pairs on a grid whose 10-90 % band holds at most 85 % and whose mean error is at
most 0.03 above that of predicting nothing more, the one with the smallest Brier score.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.forecast import (
    PEERS,
    History,
    Moment,
    arguments,
    mean,
    moments,
    ours,
    read_histories,
    score,
)
from monitor.model import forecast_table
from monitor.model import projection as probable
from monitor.model.blocks import SESSION, Event

LATE_STARTS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
"""Hours cut off after each silence: blocks of other beginnings, so that no person's office hours
are learned with the pauses."""

RIDGE = 1.0
PACES = (0.55, 0.7, 0.85, 1.0, 1.15)
SHAPES = (0.55, 0.6, 0.65, 0.7, 0.8, 1.0)
MOST_COVERED = 0.85
MOST_WORSE = 0.03
Vector = list[float]


def starting_late(blocks: Sequence[History], hours: float) -> list[History]:
    """Return the blocks that there would be had the user begun `hours` later after each silence."""
    begin, last, kept = None, None, []
    for event in (event for block in blocks for event in block.events):
        if begin is None or last is None or event.at - last > SESSION:
            begin = event.at
        last = event.at
        if event.at - begin >= timedelta(hours=hours):
            kept.append(event)
    return list(cut(kept))


def cut(events: Sequence[Event]) -> Iterator[History]:
    """Cut a history into blocks as ccusage does."""
    inside: list[Event] = []
    for event in events:
        if inside and max(event.at - inside[-1].at, event.at - floor(inside[0])) > SESSION:
            yield History(floor(inside[0]), floor(inside[0]) + SESSION, tuple(inside))
            inside = []
        inside.append(event)
    if inside:
        yield History(floor(inside[0]), floor(inside[0]) + SESSION, tuple(inside))


def floor(event: Event) -> datetime:
    return event.at.replace(minute=0, second=0, microsecond=0)


def stop_table(known: Sequence[Moment]) -> Vector:
    """Fit log-odds of nothing more by Newton's method; the ridge spares the constant."""
    rows = [(1.0, math.log1p(m.idle_minutes / 5), math.log(m.left + 0.1)) for m in known]
    ends = [m.counted == m.block.final for m in known]
    fit = [0.0, 0.0, 0.0]
    for _ in range(20):
        slope = [-RIDGE * fit[i] * (i > 0) for i in range(3)]
        curve = [[RIDGE * (i == j > 0) for j in range(3)] for i in range(3)]
        for row, end in zip(rows, ends):
            p = 1 / (1 + math.exp(-sum(w * x for w, x in zip(fit, row))))
            for i in range(3):
                slope[i] += (end - p) * row[i]
                for j in range(3):
                    curve[i][j] += p * (1 - p) * row[i] * row[j]
        fit = [w + step for w, step in zip(fit, solve(curve, slope))]
    return fit


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> Vector:
    """Solve a small positive definite system by Gaussian elimination."""
    rows = [[*row, value] for row, value in zip(matrix, right)]
    for i, pivot in enumerate(rows):
        for row in rows[:i] + rows[i + 1 :]:
            factor = row[i] / pivot[i]
            row[:] = [a - factor * b for a, b in zip(row, pivot)]
    return [row[-1] / row[i] for i, row in enumerate(rows)]


@dataclass(frozen=True)
class Trial:
    """How a pair does on the history, with own blocks learned in time order."""

    pace: float
    shape: float
    error: float
    coverage: float
    brier: float


def trial(blocks: Sequence[History], pace: float, shape: float) -> Trial:
    # The model reads its table at import; to try a number it has to be set there.
    vars(probable).update(PACE=pace, SHAPE=shape)
    result = score(ours(), blocks)
    return Trial(pace, shape, mean(result.errors), mean(result.inside), mean(result.briers()))


def print_trials(blocks: Sequence[History]) -> None:
    nothing_more = mean(score(PEERS["predict nothing more"], blocks).errors)
    print("\n| PACE | SHAPE | mean error | band holds | Brier | |\n|---|---|---|---|---|---|")
    trials = [trial(blocks, pace, shape) for pace in PACES for shape in SHAPES]
    fit = [t for t in trials if t.coverage <= MOST_COVERED and t.error <= nothing_more + MOST_WORSE]
    best = min(fit, key=lambda t: t.brier, default=None)
    for t in trials:
        shipped = (t.pace, t.shape) == (forecast_table.PACE, forecast_table.SHAPE)
        mark = "best " * (t is best) + "shipped" * shipped
        print(
            f"| {t.pace} | {t.shape} | {t.error:.3f} | {t.coverage:.3f} | {t.brier:.4f} | {mark} |"
        )


def main() -> None:
    options = arguments(__doc__)
    blocks = read_histories(options.ccusage, options.claude_dir)
    if len(blocks) < 2:
        sys.exit("Too little history: at least two completed blocks are needed.")
    known = [
        moment
        for hours in LATE_STARTS
        for block in starting_late(blocks, hours)
        for moment in moments(block)
        if moment.left > 0
    ]
    stop = tuple(round(value, 2) for value in stop_table(known))
    print(f"{len(blocks)} blocks, {len(known)} steps with late starts.\n")
    print(f"STOP = {stop}, shipped {forecast_table.STOP}")
    print_trials(blocks)


if __name__ == "__main__":
    main()
