"""Every reading of the window against a full scan by the same real ccusage: identical, always."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from monitor.app.poller import Poller
from monitor.app.reader import Reader
from monitor.ccusage.report import parse_report
from monitor.clock import utc_now
from monitor.config.settings import DataOptions
from monitor.model.blocks import Block, active_block, last_block
from monitor.model.reading import Reading
from tests.conftest import examples
from tests.world import KINDS, MINUTE, PATTERNS, PLACES, Change, Pattern, Stretch, World

each_version = pytest.mark.parametrize("version", ["17.2.1", "20.0.24"])
OLDEST = -1


def plans_of(pattern: Pattern) -> st.SearchStrategy[list[Stretch]]:
    stretches = st.builds(
        Stretch,
        silence=st.sampled_from(pattern.silences),
        count=st.integers(1, 15),
        step=st.sampled_from(pattern.steps),
        root=st.integers(0, 1),
        place=st.sampled_from(PLACES),
    )
    return st.lists(stretches, min_size=pattern.least, max_size=pattern.most)


plans = st.one_of(*map(plans_of, PATTERNS))
changes = st.builds(
    Change,
    kind=st.sampled_from(KINDS),
    which=st.one_of(st.integers(0, 1), st.integers(0, 50)),
    minutes=st.sampled_from([0, 2, 59, 250, 299, 301, 420]),
)
tails = st.sampled_from([1, 1, 1, 30, 120, 200, 299, 301, 359, 500, 1800])


class Comparison:
    """One Poller that goes on polling, and full scans beside it."""

    def __init__(self, world: World, home: Path, ccusage: Path) -> None:
        (home / "work").mkdir()
        options = DataOptions(ccusage=str(ccusage), claude_dirs=world.roots)
        self.roots = world.roots
        self.now: Optional[datetime] = None
        reader = Reader(options, home / "work", home / "cache")
        self.poller = Poller(reader, home / "state", lambda: self.now or utc_now())
        self.before: Optional[Reading] = None

    def check(self) -> Reading:
        """Read both ways; return the window's reading."""
        now = utc_now()
        # As if the time until the next walk over all files had passed.
        self.poller._watcher._tree._walk._next = 0
        reading = self.read()
        whole = self.full()
        if utc_now().hour != now.hour:  # a block may have ended between the two
            return self.check()
        assert fields(active_block(reading.blocks, now)) == fields(active_block(whole, now))
        if self.before is not None and self.is_still_true(self.before):
            event("a new start would take the last reading over")
            assert fields(active_block(self.before.blocks, now)) == fields(active_block(whole, now))
        self.before = reading
        if active_block(whole, now) is None:
            assert fields(last_block(reading.blocks, now)) == fields(last_block(whole, now))
        return reading

    def read(self) -> Reading:
        result = self.poller.poll(series=False)
        assert result.error is None
        assert result.reading is not None
        return result.reading

    def is_still_true(self, reading: Reading) -> bool:
        transcripts = self.poller._watcher.transcripts
        return self.poller.reader.still_true(reading, transcripts) is not None

    def full(self) -> tuple[Block, ...]:
        reader = self.poller.reader
        return parse_report(reader.runner.blocks(reader.command(), self.roots))


def fields(block: Optional[Block]) -> Any:
    """All that a block says but for its name; adding costs up in another order rounds them."""
    if block is None:
        return None
    cost = None if block.cost_usd is None else round(block.cost_usd, 6)
    return replace(block, id="", cost_usd=cost, models=tuple(sorted(block.models)))


@contextmanager
def new_home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def of_histories(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test on so many made histories and what happens to each later."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        given_histories = given(plan=plans, tail=tails, later=st.lists(changes, max_size=7))
        return settings(
            max_examples=examples(count),
            phases=[Phase.generate, Phase.shrink],  # explaining takes long
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )(given_histories(test))

    return decorate


def compare_at_every_step(
    ccusage: Path, plan: list[Stretch], tail: int, later: list[Change]
) -> None:
    with new_home() as home:
        world = World(home)
        world.build(plan, tail, utc_now())
        comparison = Comparison(world, home, ccusage)
        comparison.check()
        for change in later:
            world.change(change, utc_now())
            event(f"{change.kind}: {comparison.check().source.scan}")


@of_histories(50)
def test_the_window_says_what_a_full_scan_says_at_every_step(
    real_ccusage: Callable[[str], Path], plan: list[Stretch], tail: int, later: list[Change]
) -> None:
    compare_at_every_step(real_ccusage("20.0.24"), plan, tail, later)


@of_histories(5)
def test_it_does_with_a_version_that_starts_node_as_well(
    real_ccusage: Callable[[str], Path], plan: list[Stretch], tail: int, later: list[Change]
) -> None:
    compare_at_every_step(real_ccusage("17.2.1"), plan, tail, later)


@pytest.fixture
def long_history(tmp_path: Path) -> World:
    """Ten working days, each after a night of twelve hours, and work that goes on."""
    world = World(tmp_path)
    day = Stretch(720, 12, 60, 0, "new")
    world.build([day] * 10, 1, utc_now())
    return world


@each_version
def test_a_long_history_is_read_through_a_small_window(
    long_history: World, tmp_path: Path, real_ccusage: Callable[[str], Path], version: str
) -> None:
    comparison = Comparison(long_history, tmp_path, real_ccusage(version))
    assert comparison.check().source.scan == "window"
    handed = list((tmp_path / "work" / "window").rglob("*.jsonl"))
    assert 1 <= len(handed) <= 2
    long_history.change(Change("work", 0, 0), utc_now())
    assert comparison.check().source.scan == "window"


# Where window and full scan differ in principle, and how that is noticed and mended.


@each_version
@pytest.mark.parametrize("trick", ["lie", "copy_as_in_2025"])
def test_what_a_window_cannot_know_is_noticed_by_the_history_read_and_mended(
    long_history: World,
    tmp_path: Path,
    real_ccusage: Callable[[str], Path],
    version: str,
    trick: str,
) -> None:
    long_history.change(Change(trick, OLDEST, 5), utc_now())
    comparison = Comparison(long_history, tmp_path, real_ccusage(version))
    poller = comparison.poller
    first = poller.poll()
    assert first.reading is not None
    now = utc_now()
    whole = active_block(comparison.full(), now)
    assert whole is not None
    assert first.reading.source.scan == "window"
    assert fields(active_block(first.reading.blocks, now)) != fields(whole)
    assert poller.is_history_due()
    mended = poller.read_history().reading
    assert mended is not None
    assert mended.source.scan == "full"
    assert fields(active_block(mended.blocks, now)) == fields(whole)
    assert comparison.check().source.scan == "full", "until that block ends"
    comparison.now = whole.end + MINUTE
    assert comparison.read().source.scan == "window"
