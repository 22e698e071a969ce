"""Score projections of the weekly limit on simulated weeks of a usage series; print Markdown.

    python benchmarks/usage_series.py > series.json
    python benchmarks/weekly.py series.json [--seed N]

The series is cut into whole weeks and joined to a ring. Simulated weeks begin at every seventh hour
of it; the weeks before in the ring are the user's history, of which nothing, one week, two weeks or
everything is known. In a third of the cases the user has Saturday off, in a third the weekend. A
token costs 1 to 3 units, by the model of the hour. In two of five cases 10 to 60 % of the work is
done on another device, so that it is in no local block. The limit is the 10th, 30th, 50th, 70th or
90th percentile of the cases' weeks; in earlier weeks it stopped the user.

Captures are whole percents, rounded down. They come in each hour with local use (dense), or in two
of five of these (sparse). Every six hours, while the limit is not reached, each rule forecasts the
percentage at the reset and the probability of reaching 100 %. A rule that states no probability is
taken to be certain: 0 or 1. Errors are those of the percentage, at most 100, in points: nobody sees
a higher one. Only the band is scored against the percentage that there would be without the limit.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import cached_property, partial
from pathlib import Path
from typing import Callable, NamedTuple, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.forecast import mean, print_classes, quantile
from benchmarks.usage_series import HOUR, load
from monitor.model.blocks import SESSION, Block, Event, TokenCounts
from monitor.model.official import SEVEN_DAY, Capture, PastWeek, RateLimitWindow
from monitor.model.week_projection import project_week
from monitor.model.week_shape import WEEK, WeekShape, learn_shape

WEEK_HOURS = 168
MONDAY = datetime(2026, 3, 2, tzinfo=timezone.utc)
EVERY_START, EVERY_MOMENT = 7, 6
"""Hours between the starts of two cases, and between two moments of one."""

LIMIT_PERCENTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
DAYS_OFF: tuple[tuple[int, ...], ...] = ((), (5,), (5, 6))
RECENT = 2 * HOUR


@dataclass(frozen=True)
class Life:
    """Some weeks of a user, the last of which is to be forecast; each list has one item an hour.

    `counted` are local tokens as ccusage would count them without a limit, `units` what the limit
    counts, here and elsewhere.
    """

    start: datetime
    counted: Sequence[float]
    units: Sequence[float]
    known: int
    sparse: bool
    seed: int

    @property
    def final(self) -> float:
        """Units of the last week."""
        return sum(self.units[-WEEK_HOURS:])


@dataclass(frozen=True)
class Week:
    """One week of a life under a limit: percent by hour, and what is seen of it."""

    start: datetime
    percents: Sequence[float]
    """After each hour, without the limit."""

    counted: Sequence[float]
    """Local tokens of each hour. If the limit stopped the user, they end there."""

    captures: Sequence[Capture]

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The local blocks, as ccusage would report them."""
        return tuple(blocks_of(self.start, self.counted))

    def past(self) -> Optional[PastWeek]:
        if not self.captures:
            return None
        full = [capture.at for capture in self.captures if capture.used_percent >= 100]
        last = self.captures[-1].used_percent
        end = self.start + WEEK
        return PastWeek(SEVEN_DAY, end, end, last, full[0] if full else None)


class Moment(NamedTuple):
    """What is known at a time, and what comes: `final` is the percentage without the limit."""

    now: datetime
    window: RateLimitWindow
    past: Sequence[PastWeek]
    shape: WeekShape
    used_at: Optional[datetime]
    final: float

    @property
    def start(self) -> datetime:
        assert self.window.resets_at is not None  # noqa: S101 - the cases have one
        return self.window.resets_at - WEEK


class Forecast(NamedTuple):
    """The percentage at the reset, the probability of reaching the limit, and the 10-90 % band."""

    final: float
    probability: float
    band: Optional[tuple[float, float]] = None


Rule = Callable[[Moment], Forecast]


@dataclass
class Score:
    """How a rule did."""

    errors: list[float] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    pairs: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, forecast: Forecast, final: float) -> None:
        self.errors.append(abs(min(100, forecast.final) - min(100, final)))
        self.pairs.append((forecast.probability, final >= 100))
        if forecast.band is not None:
            low, high = forecast.band
            self.inside.append(low - 1 <= final <= high + 1)  # percents are whole

    @property
    def brier(self) -> float:
        return mean([(p - hit) ** 2 for p, hit in self.pairs])


# The simulated weeks


def ring_of(events: Sequence[Event]) -> list[float]:
    """Return the counted tokens of each hour from the first Monday on, in whole weeks."""
    first = events[0].at.replace(hour=0, minute=0, second=0, microsecond=0)
    first -= timedelta(days=first.weekday())
    weeks = int((events[-1].at - first) / WEEK) + 1
    hours = [0.0] * (weeks * WEEK_HOURS)
    for event in events:
        hours[int((event.at - first) / HOUR)] += event.tokens
    return hours


def lives(ring: Sequence[float], seed: int) -> Iterator[Life]:
    """Yield a life for each start of its last week."""
    rng, size = random.Random(seed), len(ring)
    for number, start in enumerate(range(0, size, EVERY_START)):
        days_off = DAYS_OFF[number % len(DAYS_OFF)]
        hours = [(start + WEEK_HOURS + index) % size for index in range(size)]
        used = [0.0 if hour // 24 % 7 in days_off else ring[hour] for hour in hours]
        elsewhere = rng.uniform(0.1, 0.6) if rng.random() < 0.4 else 0.0
        prices = steps(size, 5, lambda: rng.uniform(1, 3))
        local = steps(size, 4, partial(is_here, rng, elsewhere))
        weeks = size // WEEK_HOURS
        yield Life(
            MONDAY + start * HOUR - (weeks - 1) * WEEK,
            [tokens * here for tokens, here in zip(used, local)],
            [tokens * price for tokens, price in zip(used, prices)],
            rng.choice((0, 1, 2, weeks - 1, weeks - 1)),
            rng.random() < 0.5,
            rng.randrange(2**32),
        )


def steps(size: int, length: int, draw: Callable[[], float]) -> list[float]:
    """Return `size` values that change every `length` hours."""
    return [value for _ in range(0, size, length) for value in [draw()] * length][:size]


def is_here(rng: random.Random, elsewhere: float) -> float:
    """Draw 0 if the hours are worked on another device, else 1."""
    return float(rng.random() >= elsewhere)


def weeks_of(life: Life, limit: float) -> list[Week]:
    """Cut what is known of a life into its weeks under a limit; the last is not over."""
    rng, weeks = random.Random(life.seed), []
    count = len(life.units) // WEEK_HOURS
    for number in range(count):
        hours = range(number * WEEK_HOURS, (number + 1) * WEEK_HOURS)
        total, percents, counted, captures = 0.0, [], [], []
        for hour in hours:
            is_open = total < 100 or number == count - 1
            total += 100 * life.units[hour] / limit
            percents.append(total)
            counted.append(life.counted[hour] if is_open else 0.0)
            if counted[-1] and not (life.sparse and rng.random() < 0.6):
                at = life.start + (hour + 1) * HOUR
                captures.append(Capture(at, float(min(100, int(total)))))
        weeks.append(Week(life.start + number * WEEK, percents, counted, captures))
    return weeks[count - 1 - life.known :]


def blocks_of(start: datetime, counted: Sequence[float]) -> Iterator[Block]:
    hour = 0
    while hour < len(counted):
        if counted[hour]:
            part = counted[hour : hour + 5]
            used = max(index for index, tokens in enumerate(part) if tokens)
            at = start + hour * HOUR
            last = at + (used + 0.9) * HOUR
            tokens = TokenCounts(output=round(sum(part)))
            yield Block("", at, at + SESSION, last, False, False, 1, tokens, None, ())
            hour += 5
        else:
            hour += 1


def moments(life: Life, limit: float) -> Iterator[Moment]:
    """Yield what is known every six hours, from the first capture on, until 100 % are reached."""
    *earlier, week = weeks_of(life, limit)
    past = [each for each in (one.past() for one in earlier) if each is not None]
    stops = [(each.reached_at, each.resets_at) for each in past if each.reached_at]
    blocks = [block for one in (*earlier, week) for block in one.blocks]
    shape = WeekShape()
    for hour in range(EVERY_MOMENT, WEEK_HOURS, EVERY_MOMENT):
        now = week.start + hour * HOUR
        if hour % 24 < EVERY_MOMENT or hour == EVERY_MOMENT:
            ended = [block for block in blocks if block.end <= now]
            shape = learn_shape(ended, stops, timezone.utc, now)
        captures = tuple(capture for capture in week.captures if capture.at <= now)
        if week.percents[hour - 1] >= 100:
            return
        if captures:
            last = captures[-1]
            window = RateLimitWindow(last.used_percent, week.start + WEEK, last.at, captures)
            used = [index for index in range(hour) if week.counted[index]]
            used_at = week.start + (used[-1] + 1) * HOUR
            yield Moment(now, window, past, shape, used_at, week.percents[-1])


# The rules


def certain(final: float) -> Forecast:
    return Forecast(final, float(final >= 100))


def even_line(moment: Moment) -> Forecast:
    """Over the limit if more is used than of the week has passed."""
    return certain(moment.window.used_percent / ((moment.now - moment.start) / WEEK))


def average(moment: Moment) -> Forecast:
    """This week's use a day goes on; a day counts from its first use on, as a whole."""
    days = (moment.now - moment.window.captures[0].at) / timedelta(days=1)
    left = (moment.start + WEEK - moment.now) / timedelta(days=1)
    return certain(moment.window.used_percent * (1 + left / max(1.0, days)))


def last_two_hours(moment: Moment) -> Forecast:
    """The pace of the last two hours goes on; the average if nothing was used then."""
    captures, used = moment.window.captures, moment.window.used_percent
    first = [capture for capture in captures if moment.now - capture.at >= RECENT][-1:]
    first = first or list(captures[:1])
    hours = (moment.now - first[0].at) / HOUR
    pace = (used - first[0].used_percent) / hours if hours >= 0.5 else 0.0
    if pace <= 0:
        pace = used / ((moment.now - moment.start) / HOUR)
    return certain(used + pace * ((moment.start + WEEK - moment.now) / HOUR))


def ours(moment: Moment) -> Forecast:
    """The monitor's own projection; where it gives none, a coin."""
    found = project_week(moment.window, moment.past, moment.shape, moment.now, moment.used_at)
    if found is None:
        return Forecast(moment.window.used_percent, 0.5)
    return Forecast(found.likely, found.probability, found.band)


def without_shape(moment: Moment) -> Forecast:
    """Ours, but all hours of the week are alike."""
    return ours(moment._replace(shape=replace(WeekShape(), spread=moment.shape.spread)))


def without_earlier(moment: Moment) -> Forecast:
    """Ours, but without earlier weeks."""
    return ours(moment._replace(past=()))


PEERS: dict[str, Rule] = {
    "nothing more comes": lambda moment: certain(moment.window.used_percent),
    "even line": even_line,
    "last two hours": last_two_hours,
    "this week's average": average,
}
OURS: dict[str, Rule] = {
    "ours": ours,
    "ours without the shape": without_shape,
    "ours without earlier weeks": without_earlier,
}


# Scoring


def print_rules(scores: dict[str, Score]) -> None:
    print("| rule | mean error | 90th pct | band holds | Brier |\n|---|---|---|---|---|")
    for name, score in scores.items():
        holds = f"{mean(score.inside):.0%}" if score.inside else "–"
        errors = f"{mean(score.errors):.1f} | {quantile(score.errors, 0.9):.0f}"
        print(f"| {name} | {errors} | {holds} | {score.brier:.3f} |")
    brier, name = min((scores[name].brier, name) for name in PEERS)
    print(f"\nBrier score: ours {scores['ours'].brier:.3f}; ", end="")
    print(f'the best other rule, "{name}", {brier:.3f}.')


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("series", type=Path, help="a file that usage_series.py wrote")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    ring = ring_of(load(options.series))
    if len(ring) < 3 * WEEK_HOURS or not any(ring):
        sys.exit(f"{options.series}: too little usage. At least three weeks are needed.")
    people = [life for life in lives(ring, options.seed) if life.final]
    finals = [life.final for life in people]
    limits = [quantile(finals, share) for share in LIMIT_PERCENTILES]
    rules = {**PEERS, **OURS}
    scores = {name: Score() for name in rules}
    for life in people:
        for limit in limits:
            for moment in moments(life, limit):
                for name, rule in rules.items():
                    scores[name].add(rule(moment), moment.final)
    reached = mean([final >= limit for final in finals for limit in limits])
    print(f"{len(people) * len(limits)} weeks, of which {reached:.0%} reach their limit; ", end="")
    print(f"{len(scores['ours'].pairs)} moments six hours apart.\n")
    print_rules(scores)
    print_classes(scores["ours"].pairs)


if __name__ == "__main__":
    main()
