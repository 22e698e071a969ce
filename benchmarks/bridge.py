"""Measure the bridge between two official captures against a simulated truth; print Markdown.

    python benchmarks/bridge.py [--windows 100] [--seed 1]

Each window has a hidden limit, messages in bursts and pauses, models whose tokens cost 1 to 5
units and whose mix shifts from burst to burst in half of the windows, a second device that local
tokens do not show in half of them, and captures at some interval, rounded to whole percents in
half of them; in a fifth of them that device began the window, half an hour to three hours before
the first token here. The local block begins up to an hour before the window, as ccusage's do, and
holds tokens of before it in half of them; a new block begins when it ends. Scored each minute from
the first capture to the reset or the limit, in percent points from the truth. One seed, one result.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from monitor.model.blocks import Event
from monitor.model.bridge import WindowStart, bridge
from monitor.model.five_hour import MIN_SHARE
from monitor.model.official import Capture

START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
WINDOW = 300  # minutes
PLAN_LIMITS = (7_000, 35_000, 140_000)
MODEL_COSTS = (5.0, 3.0, 1.0)  # of a token: opus, sonnet, haiku
CONTEXT_SPREAD = 0.6  # log: what an answer costs also follows its context, which is not counted
MEAN_COST = statistics.fmean(MODEL_COSTS) * math.exp(CONTEXT_SPREAD**2 / 2)
LIMIT_SPREAD = 0.5  # log: of true limits about the plan's number
INTERVALS = ((1, 2), (3, 5), (6, 15), (16, 30), (31, 60))  # minutes between captures


@dataclass(frozen=True)
class Message:
    """One answer: `minute` after the window's start, its counted tokens, its cost in quota."""

    minute: float
    tokens: int
    cost: float
    local: bool


@dataclass(frozen=True)
class Window:
    """One official window as it truly was; the first block ends at minute `block_end`."""

    interval: tuple[int, int]
    whole_percents: bool
    second_device: bool
    begun_elsewhere: bool
    shifting: bool
    plan_limit: int
    true_limit: float
    block_end: float
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class Score:
    """Errors of the used percent at one minute, in percent points."""

    window: Window
    minute: int
    base_percent: float
    attempted: bool
    bridged: float
    held: float
    estimate: float


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def make_window(rng: random.Random, interval: tuple[int, int]) -> Window:
    shifting, second_device, whole_percents, carried = (rng.random() < 0.5 for _ in range(4))
    past_hour = rng.uniform(0, 60)
    begun_elsewhere = rng.random() < 0.2
    start = rng.uniform(30, 180) if begun_elsewhere else -past_hour if carried else 0
    messages = list(work(rng, start, shifting=shifting, local=True))
    plan = rng.choice(PLAN_LIMITS)
    limit = plan * MEAN_COST * rng.lognormvariate(0, LIMIT_SPREAD)
    # Scaled so that the local messages of the window would end at 10 to 120 % of the true limit.
    scale = limit * rng.uniform(0.1, 1.2) / sum(m.cost for m in messages if m.minute >= 0)
    if second_device or begun_elsewhere:
        first, share = 0 if begun_elsewhere else rng.uniform(0, 120), rng.random()
        messages += work(rng, first, shifting=shifting, local=False, share=share)
    messages = [replace(m, tokens=round(m.tokens * scale), cost=m.cost * scale) for m in messages]
    return Window(
        interval=interval,
        whole_percents=whole_percents,
        second_device=second_device or begun_elsewhere,
        begun_elsewhere=begun_elsewhere,
        shifting=shifting,
        plan_limit=plan,
        true_limit=limit,
        block_end=WINDOW - past_hour,
        messages=until_limit(messages, limit),
    )


def work(
    rng: random.Random, minute: float, *, shifting: bool, local: bool, share: float = 1.0
) -> Iterator[Message]:
    """Bursts of about 20 minutes, an answer each 24 seconds or so, pauses of about 12 minutes."""
    mix = model_mix(rng)
    while minute < WINDOW:
        burst_end = min(minute + rng.expovariate(1 / 20), WINDOW)
        mix = model_mix(rng) if shifting else mix
        while minute < burst_end:
            tokens = share * rng.lognormvariate(4.5, 1.3)
            cost = rng.choices(MODEL_COSTS, mix)[0] * rng.lognormvariate(0, CONTEXT_SPREAD)
            yield Message(minute, round(tokens) or 1, tokens * cost, local)
            minute += rng.expovariate(1 / 0.4)
        minute += rng.expovariate(1 / 12)


def model_mix(rng: random.Random) -> list[float]:
    """How often each model answers: mostly one of them."""
    return [rng.random() ** 4 + 1e-9 for _ in MODEL_COSTS]


def until_limit(messages: Sequence[Message], limit: float) -> tuple[Message, ...]:
    """Put in order, and leave out what comes after the limit is reached: it is refused."""
    ordered = sorted(messages, key=lambda m: m.minute)
    spent = list(accumulate(m.cost if m.minute >= 0 else 0 for m in ordered))
    return tuple(m for m, now in zip(ordered, spent) if now < limit)


class Replay:
    """What was true, captured and counted locally up to each minute of one window."""

    def __init__(self, rng: random.Random, window: Window) -> None:
        self.window = window
        self._minutes = [m.minute for m in window.messages]
        self._spent = [0.0, *accumulate(m.cost if m.minute >= 0 else 0 for m in window.messages)]
        self._local = [m for m in window.messages if m.local]
        self._local_minutes = [m.minute for m in self._local]
        self._events = [Event(at(m.minute), m.tokens) for m in self._local]
        self.captures = tuple(self._capture(rng))

    def truth(self, minute: float) -> float:
        """The official percent before any rounding."""
        return 100 * self._spent[bisect_right(self._minutes, minute)] / self.window.true_limit

    def events(self, minute: float) -> list[Event]:
        """The local counted tokens of the block that is active at `minute`."""
        end = self.window.block_end
        start = end if minute >= end else end - WINDOW - 1
        return self._events[
            bisect_right(self._local_minutes, start) : bisect_right(self._local_minutes, minute)
        ]

    def _capture(self, rng: random.Random) -> Iterator[Capture]:
        """The status line runs with an answer; it was not there for all of them."""
        due = rng.uniform(0, self.window.interval[1])
        for minute in self._local_minutes:
            if minute >= due:
                percent = self.truth(minute)
                yield Capture(at(minute), round(percent) if self.window.whole_percents else percent)
                due = minute + rng.uniform(*self.window.interval)


def scores(replay: Replay) -> Iterator[Score]:
    start = WindowStart(START, MIN_SHARE * replay.window.plan_limit / 100)
    window, taken = replay.window, [capture.at for capture in replay.captures]
    for minute in range(1, WINDOW):
        captures = replay.captures[: bisect_right(taken, at(minute))]
        if not captures:
            continue
        events, truth, base = replay.events(minute), replay.truth(minute), captures[-1]
        found = bridge(captures, events, at(minute), start)
        percent = found.used_percent if found else base.used_percent
        estimate = 100 * sum(event.tokens for event in events) / window.plan_limit
        yield Score(
            window=window,
            minute=minute,
            base_percent=base.used_percent,
            attempted=found is not None,
            bridged=abs(percent - truth),
            held=abs(base.used_percent - truth),
            estimate=abs(estimate - truth),
        )


def simulate(windows: int, seed: int) -> list[Score]:
    rng = random.Random(seed)
    found: list[Score] = []
    for number in range(windows):
        window = make_window(rng, INTERVALS[number % len(INTERVALS)])
        found += scores(Replay(rng, window))
    return found


def row(label: str, found: Sequence[Score]) -> str:
    if len(found) < 2:
        return f"| {label} | {len(found)} | | | | |"
    rules = ([s.bridged for s in found], [s.held for s in found], [s.estimate for s in found])
    errors = [(statistics.median(rule), statistics.quantiles(rule, n=10)[-1]) for rule in rules]
    best = all(errors[0][i] < min(errors[1][i], errors[2][i]) for i in (0, 1))
    cells = " | ".join(f"{median:.2f} / {high:.2f}" for median, high in errors)
    return f"| {label} | {len(found):,} | {cells} | {'yes' if best else 'NO'} |"


def captured_every(interval: tuple[int, int]) -> Callable[[Score], bool]:
    return lambda s: s.window.interval == interval


Groups = dict[str, Callable[[Score], bool]]
BY_INTERVAL: Groups = {f"every {i[0]} to {i[1]} minutes": captured_every(i) for i in INTERVALS}
BY_KIND: Groups = {
    "one device": lambda s: not s.window.second_device,
    "a second device": lambda s: s.window.second_device,
    "begun by another device": lambda s: s.window.begun_elsewhere,
    "one mix of models": lambda s: not s.window.shifting,
    "a mix that shifts": lambda s: s.window.shifting,
    "fractional percents": lambda s: not s.window.whole_percents,
    "whole percents": lambda s: s.window.whole_percents,
    "official below 15 %": lambda s: s.base_percent < 15,
    "official above 80 %": lambda s: s.base_percent > 80,
    "after the local block's end": lambda s: s.minute >= s.window.block_end,
    "worst: second device, shifting, whole": lambda s: (
        s.window.second_device and s.window.shifting and s.window.whole_percents
    ),
}


def table(title: str, found: Sequence[Score], groups: Groups = BY_INTERVAL) -> None:
    print(f"\n{title}\n")
    print("| | minutes | bridged | last official held | token estimate | beats both |")
    print("|---|---:|---:|---:|---:|---|")
    print(row("all", found))
    for label, belongs in groups.items():
        print(row(label, [score for score in found if belongs(score)]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=100, metavar="N", help="default: 100")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default: 1")
    options = parser.parse_args()
    found = simulate(options.windows, options.seed)
    print(f"{options.windows} windows, seed {options.seed}. Errors are in percent points: median /")
    print("90th percentile. Where no bridge is attempted, the last official percent is scored.")
    table("Every minute from the first capture on, by interval of captures:", found)
    attempted = [score for score in found if score.attempted]
    table("Where the bridge is attempted, by what makes it hard:", attempted, BY_KIND)


if __name__ == "__main__":
    main()
