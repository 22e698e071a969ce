"""Score forecasts of a block's final tokens on a usage series; print Markdown.

    python benchmarks/usage_series.py > series.json
    python benchmarks/forecast.py series.json

At every five minutes of every completed block, from five minutes after its first message on, each
rule forecasts the final counted tokens (input + output), a 10-90 % band if it has one, and the
probability that a limit is reached before the block ends. The limits are the 50th, 75th and 90th
percentile of the series' blocks; moments at which a limit is already reached are not scored for it.
A rule that states no probability is taken to be certain: 0 or 1.
"""

from __future__ import annotations

import argparse
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Callable, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.usage_series import HOUR, MINUTE, UsageBlock, completed_blocks
from monitor.model.blocks import Event
from monitor.model.forecast_table import TABLE, ForecastTable
from monitor.model.projection import project

STEP = timedelta(minutes=5)
LIMIT_PERCENTILES = (0.5, 0.75, 0.9)
CLASSES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 1.01)  # of probabilities, to compare with what happened


@dataclass(frozen=True)
class Moment:
    """What is known of a block at one instant. Times are in hours, unless named otherwise."""

    block: UsageBlock
    now: datetime
    known: tuple[Event, ...]
    counted: int
    last_hour: int

    @property
    def left(self) -> float:
        return (self.block.end - self.now) / HOUR

    @property
    def since_first(self) -> float:
        return (self.now - self.known[0].at) / HOUR

    @property
    def idle_minutes(self) -> float:
        return (self.now - self.known[-1].at) / MINUTE


@dataclass(frozen=True)
class Forecast:
    """The final tokens that a rule expects; `probability` is that of reaching a limit."""

    low: float
    median: float
    high: float
    probability: Callable[[float], float]


Rule = Callable[[Moment], Forecast]
Limits = dict[float, float]


@dataclass
class Score:
    """How a rule did at each moment; errors and widths are shares of the final count."""

    errors: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    pairs: dict[float, list[tuple[float, bool]]] = field(default_factory=dict)
    """For each percentile of the limits: the probability, and whether the limit was reached."""

    def add(self, forecast: Forecast, moment: Moment, limits: Limits) -> None:
        final = moment.block.final
        self.inside.append(forecast.low <= final + 0.5 and final - 0.5 <= forecast.high)
        if final:
            self.errors.append(abs(forecast.median - final) / final)
            self.widths.append((forecast.high - forecast.low) / final)
        for percentile, limit in limits.items():
            if moment.counted < limit:
                pair = (forecast.probability(limit), final >= limit)
                self.pairs.setdefault(percentile, []).append(pair)

    def briers(self) -> list[float]:
        """The Brier score for each limit: the mean squared error of its probabilities."""
        return [mean([(p - hit) ** 2 for p, hit in self.pairs[k]]) for k in sorted(self.pairs)]

    @property
    def brier(self) -> float:
        return mean(self.briers())


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) lies, with linear interpolation."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def moments(block: UsageBlock) -> Iterator[Moment]:
    times = [event.at for event in block.events]
    sums = [0]
    for event in block.events:
        sums.append(sums[-1] + event.tokens)
    now = times[0] + STEP
    while now <= block.end:
        count, hour_ago = bisect_right(times, now), bisect_right(times, now - HOUR)
        known = block.events[:count]
        yield Moment(block, now, known, sums[count], sums[count] - sums[hour_ago])
        now += STEP


# The rules


def constant(rate: Callable[[Moment], float]) -> Rule:
    """Return the rule that `rate`, in tokens per hour, goes on to the end for certain."""

    def rule(moment: Moment) -> Forecast:
        final = moment.counted + rate(moment) * moment.left
        return Forecast(final, final, final, lambda limit: float(final >= limit))

    return rule


def ccusage_rate(moment: Moment) -> float:
    """Return what ccusage projects with: the tokens over the time from first to last message."""
    span = (moment.known[-1].at - moment.known[0].at) / HOUR
    return moment.counted / span if span > 0 else 0.0


PEERS: dict[str, Rule] = {
    "nothing more comes": constant(lambda _: 0.0),
    "ccusage's projection": constant(ccusage_rate),
    "average since the first message": constant(lambda m: m.counted / m.since_first),
    "last hour (the pace on our screen)": constant(lambda m: m.last_hour / min(1, m.since_first)),
    "average since the block's start": constant(
        lambda m: m.counted / ((m.now - m.block.start) / HOUR)
    ),
}


def ours(table: ForecastTable = TABLE) -> Rule:
    """Return the monitor's own forecast."""

    def rule(moment: Moment) -> Forecast:
        block = moment.block
        found = project(moment.known, block.start, block.end, moment.now, table)
        if found is None:
            raise AssertionError("moments() starts after the warm-up")
        return Forecast(
            found.final_low, found.final_median, found.final_high, found.probability_above
        )

    return rule


# Scoring


def limits_of(blocks: Sequence[UsageBlock]) -> Limits:
    finals = [block.final for block in blocks]
    return {share: quantile(finals, share) for share in LIMIT_PERCENTILES}


def score(
    rule: Rule, blocks: Sequence[UsageBlock], limits: Limits, result: Optional[Score] = None
) -> Score:
    """Score a rule on blocks, or add to a result that there is."""
    result = result or Score()
    for block in blocks:
        for moment in moments(block):
            result.add(rule(moment), moment, limits)
    return result


def print_rules(scores: dict[str, Score]) -> None:
    print("| rule | mean error | 90th pct | band holds | width (mean) | width (median)", end="")
    print(" | Brier p50 | Brier p75 | Brier p90 | Brier mean |")
    print("|---" * 10 + "|")
    for name, result in scores.items():
        errors = (f"{mean(result.errors):.0%}", f"{quantile(result.errors, 0.9):.0%}")
        briers = (f"{value:.3f}" for value in (*result.briers(), result.brier))
        print("| " + " | ".join((name, *errors, *band_cells(result), *briers)) + " |")


def band_cells(result: Score) -> tuple[str, str, str]:
    if not any(result.widths):
        return "–", "–", "–"
    widths = (mean(result.widths), quantile(result.widths, 0.5))
    return f"{mean(result.inside):.0%}", f"{widths[0]:.2f}", f"{widths[1]:.2f}"


def print_comparison(scores: dict[str, Score]) -> None:
    brier, name = min((scores[name].brier, name) for name in PEERS)
    print(f"\nMean Brier score: ours {scores['ours'].brier:.3f}; ", end="")
    print(f'the best other rule, "{name}", {brier:.3f}.')


def print_classes(pairs: Sequence[tuple[float, bool]]) -> None:
    """Print how often what was said with each probability has happened."""
    print("\n| our probability | times | mean probability | happened |\n|---|---|---|---|")
    for low, high in zip(CLASSES, CLASSES[1:]):
        inside = [(p, hit) for p, hit in pairs if low <= p < high]
        if inside:
            stated, happened = mean([p for p, _ in inside]), mean([hit for _, hit in inside])
            label = f"{low:.0%}–{min(high, 1):.0%}"
            print(f"| {label} | {len(inside)} | {stated:.0%} | {happened:.0%} |")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("series", type=Path, help="a file that usage_series.py wrote")
    return parser.parse_args()


def main() -> None:
    blocks = completed_blocks(parse_arguments().series)
    limits = limits_of(blocks)
    rules = {**PEERS, "ours": ours()}
    scores = {name: score(rule, blocks, limits) for name, rule in rules.items()}
    moments_scored = len(scores["ours"].inside)
    print(f"{len(blocks)} completed blocks, {moments_scored} moments five minutes apart.\n")
    print_rules(scores)
    print_comparison(scores)
    print_classes([pair for share in scores["ours"].pairs.values() for pair in share])


if __name__ == "__main__":
    main()
