"""Score forecasts on your own Claude history, read through the real ccusage; prints Markdown.

    python benchmarks/forecast.py [--claude-dir DIR]... [--ccusage CMD]

For every completed block, at 5-minute steps from 5 minutes after its first message to its end,
each rule predicts the final counted tokens (input + output), a 10-90 % band where it has one, and
the probability of reaching a limit before the end. Limits are the 50th, 75th and 90th percentile
of the history's blocks; steps where a limit is already reached are skipped for that limit.
Ours learns from earlier blocks only. A rule with no probability of its own says 0 or 1.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Callable, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from monitor.model.blocks import Block, Event, events_of, parse_report, real_blocks
from monitor.model.projection import PastBlock, project

STEP = timedelta(minutes=5)
HOUR = timedelta(hours=1)
FINE = "0.0005"  # hours: cuts the history into its single messages
QUANTILES = (0.1, 0.5, 0.9)
LIMIT_PERCENTILES = (0.5, 0.75, 0.9)
STAGES = (0, 10, 50)


@dataclass(frozen=True)
class History:
    """One completed block with the events in it."""

    start: datetime
    end: datetime
    events: tuple[Event, ...]

    @property
    def final(self) -> int:
        return sum(event.tokens for event in self.events)

    def as_past(self) -> PastBlock:
        hourly = [0] * 5
        for event in self.events:
            hourly[min(4, (event.at - self.start) // HOUR)] += event.tokens
        return PastBlock(self.start, self.final, tuple(hourly))


@dataclass(frozen=True)
class Moment:
    """What is known of a block at one instant. Hours and tokens."""

    block: History
    now: datetime
    seen: tuple[Event, ...]
    counted: int
    last_hour: int

    @property
    def left(self) -> float:
        return (self.block.end - self.now) / HOUR

    @property
    def since_first(self) -> float:
        return (self.now - self.seen[0].at) / HOUR

    @property
    def idle_minutes(self) -> float:
        return (self.now - self.seen[-1].at) / timedelta(minutes=1)


@dataclass(frozen=True)
class Forecast:
    low: float
    median: float
    high: float
    reach: Callable[[float], float]


Rule = Callable[[Moment, Sequence[PastBlock]], Forecast]


@dataclass
class Score:
    """Sums over all steps of all blocks."""

    errors: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    reached: dict[float, list[tuple[float, bool]]] = field(default_factory=dict)

    def add(self, forecast: Forecast, moment: Moment, limits: dict[float, float]) -> None:
        final = moment.block.final
        self.inside.append(forecast.low <= final + 0.5 and final - 0.5 <= forecast.high)
        if final:
            self.errors.append(abs(forecast.median - final) / final)
            self.widths.append((forecast.high - forecast.low) / final)
        for percentile, limit in limits.items():
            if moment.counted < limit:
                pair = (forecast.reach(limit), final >= limit)
                self.reached.setdefault(percentile, []).append(pair)

    def briers(self) -> list[float]:
        return [mean([(p - hit) ** 2 for p, hit in self.reached[k]]) for k in sorted(self.reached)]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) lies, with linear interpolation."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


# Reading the history


def ccusage_blocks(command: str, dirs: Sequence[str], hours: str) -> tuple[Block, ...]:
    environment = dict(os.environ)
    if dirs:
        environment["CLAUDE_CONFIG_DIR"] = ",".join(dirs)
    arguments = [*shlex.split(command), "blocks", "--json", "--offline", "--session-length", hours]
    run = subprocess.run(arguments, env=environment, capture_output=True, check=True)
    return parse_report(run.stdout.decode())


def read_histories(command: str, dirs: Sequence[str]) -> list[History]:
    """Return the completed blocks, oldest first; says on stderr which do not add up."""
    blocks = [b for b in real_blocks(ccusage_blocks(command, dirs, "5")) if not b.is_active]
    events = events_of(ccusage_blocks(command, dirs, FINE))
    times = [event.at for event in events]
    found = []
    for block in blocks:
        last = block.last_activity or block.end
        inside = events[bisect_left(times, block.start) : bisect_right(times, last)]
        if sum(event.tokens for event in inside) == block.tokens.counted and inside:
            found.append(History(block.start, block.end, tuple(inside)))
        else:
            print(f"left out: {block.id}, its events do not add up", file=sys.stderr)
    return found


def moments(block: History) -> Iterator[Moment]:
    times = [event.at for event in block.events]
    sums = [0]
    for event in block.events:
        sums.append(sums[-1] + event.tokens)
    now = times[0] + STEP
    while now <= block.end:
        count = bisect_right(times, now)
        hour_ago = bisect_right(times, now - HOUR)
        seen = block.events[:count]
        yield Moment(block, now, seen, sums[count], sums[count] - sums[hour_ago])
        now += STEP


# The rules


def constant(rate: Callable[[Moment], float]) -> Rule:
    """Return the rule that `rate` tokens per hour go on until the end, for certain."""

    def rule(moment: Moment, _past: Sequence[PastBlock]) -> Forecast:
        final = moment.counted + rate(moment) * moment.left
        return Forecast(final, final, final, lambda limit: float(final >= limit))

    return rule


def ccusage_rate(moment: Moment) -> float:
    span = (moment.seen[-1].at - moment.seen[0].at) / HOUR
    return moment.counted / span if span > 0 else 0.0


PEERS: dict[str, Rule] = {
    "predict nothing more": constant(lambda _: 0.0),
    "ccusage's projection": constant(ccusage_rate),
    "average since first message": constant(lambda m: m.counted / m.since_first),
    "last hour": constant(lambda m: m.last_hour / min(1, m.since_first)),
    "block average": constant(lambda m: m.counted / ((m.now - m.block.start) / HOUR)),
}


class CrudeTable:
    """Remaining usage in hours of recent rate, by time left and idle time, of all other blocks."""

    def __init__(self, blocks: Sequence[History]) -> None:
        self.cells: dict[tuple[int, int], list[tuple[float, datetime]]] = {}
        for moment in (moment for block in blocks for moment in moments(block)):
            rate = self.rate(moment)
            if rate > 0:
                hours = (moment.block.final - moment.counted) / rate
                self.cells.setdefault(self.cell(moment), []).append((hours, moment.block.start))
        for cell in self.cells.values():
            cell.sort()

    @staticmethod
    def rate(moment: Moment) -> float:
        if moment.last_hour:
            return moment.last_hour / min(1, moment.since_first)
        return moment.counted / moment.since_first

    @staticmethod
    def cell(moment: Moment) -> tuple[int, int]:
        return min(4, int(moment.left)), bisect_right((5, 15, 60), moment.idle_minutes)

    def __call__(self, moment: Moment, _past: Sequence[PastBlock]) -> Forecast:
        known = self.cells.get(self.cell(moment), [])
        hours = [h for h, start in known if start != moment.block.start] or [0.0]
        rate = self.rate(moment)
        low, mid, high = (moment.counted + rate * percentile(hours, q) for q in QUANTILES)

        def reach(limit: float) -> float:
            return mean([moment.counted + rate * h >= limit for h in hours])

        return Forecast(low, mid, high, reach)


def ours(newest: Optional[int] = None) -> Rule:
    """Return our rule; with `newest`, it knows at most that many of the latest own blocks."""

    def rule(moment: Moment, past: Sequence[PastBlock]) -> Forecast:
        known = past if newest is None else past[len(past) - min(newest, len(past)) :]
        block = moment.block
        found = project(moment.seen, block.start, block.end, moment.now, known)
        if found is None:
            raise AssertionError("moments() starts after the warm-up")
        return Forecast(
            found.final_low, found.final_median, found.final_high, found.probability_above
        )

    return rule


# Scoring


def score(rule: Rule, blocks: Sequence[History], skip: int = 0) -> Score:
    """Score a rule on the blocks after the first `skip`, each with the blocks before it known."""
    finals = [block.final for block in blocks]
    limits = {share: percentile(finals, share) for share in LIMIT_PERCENTILES}
    past = [block.as_past() for block in blocks]
    result = Score()
    for index, block in enumerate(blocks):
        for moment in moments(block) if index >= skip else ():
            result.add(rule(moment, past[:index]), moment, limits)
    return result


def print_rules(scores: dict[str, Score]) -> None:
    print("| rule | mean error | 90th pct | band holds | width (mean) | width (median)", end="")
    print(" | Brier p50 | Brier p75 | Brier p90 | Brier mean |")
    print("|---" * 10 + "|")
    for name, s in scores.items():
        band = ["–"] * 3
        if any(s.widths):
            band = [
                f"{mean(s.inside):.0%}",
                f"{mean(s.widths):.2f}",
                f"{percentile(s.widths, 0.5):.2f}",
            ]
        errors = (f"{mean(s.errors):.0%}", f"{percentile(s.errors, 0.9):.0%}")
        briers = (f"{b:.3f}" for b in (*s.briers(), mean(s.briers())))
        print("| " + " | ".join((name, *errors, *band, *briers)) + " |")


def print_reduction(scores: dict[str, Score]) -> None:
    own = scores["ours"].briers()
    peers = [scores[name].briers() for name in PEERS]
    gains = [1 - o / min(p[i] for p in peers) for i, o in enumerate(own)]
    overall = 1 - mean(own) / min(mean(p) for p in peers)
    print(
        f"\nBrier score below the best peer rule: {overall:.0%} on the mean of the limits; ", end=""
    )
    print("below the best rule for each limit: " + ", ".join(f"{gain:.0%}" for gain in gains) + ".")


def print_reliability(result: Score) -> None:
    pairs = [pair for share in result.reached.values() for pair in share]
    print("\n| said | steps | mean said | happened |\n|---|---|---|---|")
    edges = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 1.01)
    for low, high in zip(edges, edges[1:]):
        inside = [(p, hit) for p, hit in pairs if low <= p < high]
        if inside:
            said, happened = mean([p for p, _ in inside]), mean([hit for _, hit in inside])
            label = f"{low:.0%}–{min(high, 1):.0%}"
            print(f"| {label} | {len(inside)} | {said:.0%} | {happened:.0%} |")


def print_stages(blocks: Sequence[History]) -> None:
    print("\n| own blocks known | blocks | mean error | band holds | width (mean) | Brier mean |")
    print("|---|---|---|---|---|---|")
    for known in STAGES:
        for skip in sorted({known, 0}):
            if len(blocks) > skip:
                s = score(ours(known), blocks, skip)
                label = str(known) if skip == known else f"up to {known}"
                figures = f"{mean(s.errors):.0%} | {mean(s.inside):.0%} | {mean(s.widths):.2f}"
                briers = f"{mean(s.briers()):.3f}"
                print(f"| {label} | {len(blocks) - skip} | {figures} | {briers} |")


def arguments(description: Optional[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--claude-dir", action="append", default=[], metavar="DIR")
    parser.add_argument("--ccusage", default="ccusage", metavar="CMD")
    return parser.parse_args()


def main() -> None:
    options = arguments(__doc__)
    blocks = read_histories(options.ccusage, options.claude_dir)
    if len(blocks) < 2:
        sys.exit("Too little history: at least two completed blocks are needed.")
    scores = {name: score(rule, blocks) for name, rule in PEERS.items()}
    scores["crude table (other blocks)"] = score(CrudeTable(blocks), blocks)
    scores["ours"] = score(ours(), blocks)
    print(f"{len(blocks)} completed blocks, {len(scores['ours'].inside)} steps of 5 minutes.\n")
    print_rules(scores)
    print_reduction(scores)
    print_reliability(scores["ours"])
    print_stages(blocks)


if __name__ == "__main__":
    main()
