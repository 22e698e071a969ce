"""The history in slices against a read of everything by the same real ccusage: identical, always.

The slices are of a few kilobytes, so that even a small history has many.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from monitor.app import history_reader
from monitor.app.poller import Poller, PollResult
from monitor.app.reader import Reader
from monitor.ccusage.report import parse_report
from monitor.clock import utc_now
from monitor.config.settings import DataOptions
from monitor.errors import MonitorError
from monitor.model.blocks import Block, active_block
from monitor.model.slices import Interval, Round
from monitor.store.counted_files import counted_path
from monitor.store.history import change_history
from monitor.transcripts.files import TranscriptFile
from tests.conftest import examples
from tests.test_exactness import each_version, fields, new_home, plans, tails
from tests.world import KINDS, LOSES, Change, Stretch, World

SMALL, WHOLE = 5_000, 10**12
DAY = timedelta(hours=25)

growths = st.builds(
    Change,
    kind=st.sampled_from(sorted({*KINDS, "stream", "break", "touch", "antedate"} - LOSES)),
    which=st.one_of(st.integers(0, 1), st.integers(0, 50)),
    minutes=st.sampled_from([0, 2, 59, 250, 299, 301, 420, 2_000, 9_000]),
)


class Monitor:
    """A poller with a home of its own, and what it has given to ccusage."""

    def __init__(
        self, world: World, home: Path, ccusage: Path, slices: int, state: Optional[Path] = None
    ) -> None:
        (home / "work").mkdir(parents=True, exist_ok=True)
        options = DataOptions(ccusage=str(ccusage), claude_dirs=world.roots)
        self.reader = Reader(options, home / "work", home / "cache")
        self.ahead = timedelta()
        self.poller = Poller(self.reader, state or home / "state", lambda: utc_now() + self.ahead)
        self.given: list[Optional[int]] = []
        """Bytes of each slice, or part of one; None for a read of everything."""
        self.marked = 0
        """How many parts were given markers."""
        self._slices = slices
        self._spy()

    @property
    def completed(self) -> list[Block]:
        history = self.poller.result.history
        assert history is not None
        return [item.block for item in history.ended(utc_now())]

    def poll(self) -> PollResult:
        self.poller._watcher._tree._walk._next = 0  # as if the time until the next walk had passed
        result = self.poller.poll(series=False)
        assert result.error is None
        return result

    def read(self, on_slice: Callable[[PollResult], None] = lambda _: None) -> PollResult:
        """Read what is due of the history."""
        self.poll()
        self.given.clear()
        history_reader.SLICE_BYTES = history_reader.PART_BYTES = self._slices
        result = self.poller.read_history(on_slice)
        assert (result.error, result.history_error) == (None, None)
        return result

    def a_day_passes(self) -> None:
        change_history(
            self.poller._history.path, lambda h: replace(h, read_at=h.read_at and h.read_at - DAY)
        )

    def _spy(self) -> None:
        read_files, read_all = self.reader.read_files, self.reader.read_all

        def spy_files(files: list[TranscriptFile], markers: list[datetime]) -> Any:
            self.given.append(sum(file.size for file in files))
            self.marked += bool(markers)
            return read_files(files, markers)

        def spy_all(*args: Any) -> Any:
            self.given.append(None)
            return read_all(*args)

        self.reader.read_files = spy_files  # type: ignore[assignment, method-assign]
        self.reader.read_all = spy_all  # type: ignore[assignment, method-assign]


@pytest.fixture(autouse=True)
def slice_bytes_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test set how large a slice is, and put it back."""
    monkeypatch.setattr(history_reader, "SLICE_BYTES", SMALL)
    monkeypatch.setattr(history_reader, "PART_BYTES", SMALL)


def compare_with_a_whole_read(ccusage: Path, plan: list[Stretch], tail: int, later: Any) -> None:
    with new_home() as home:
        world = World(home)
        world.build(plan, tail, utc_now())
        sliced = Monitor(world, home / "a", ccusage, SMALL)
        whole = Monitor(world, home / "b", ccusage, WHOLE)
        for change in [None, *later]:
            if change is not None:
                world.change(change, utc_now())
            begun = utc_now()
            sliced.read()
            whole.read()
            if utc_now().hour != begun.hour:  # a block may have ended between the two
                return
            assert list(map(fields, sliced.completed)) == list(map(fields, whole.completed))
            distrusts = [
                monitor.poller._history.distrusts_window(begun) for monitor in (sliced, whole)
            ]
            assert distrusts[0] == distrusts[1]
            event("more than one slice" if len(sliced.given) > 1 else "one slice")
            event("parts with markers" if sliced.marked else "no markers")


def of_histories(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        histories = given(plan=plans, tail=tails, later=st.lists(growths, max_size=3))
        return settings(
            max_examples=examples(count),
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.data_too_large,
                HealthCheck.function_scoped_fixture,
            ],
        )(histories(test))

    return decorate


@of_histories(40)
def test_slices_show_the_blocks_that_a_read_of_everything_shows(
    real_ccusage: Callable[[str], Path], plan: list[Stretch], tail: int, later: list[Change]
) -> None:
    compare_with_a_whole_read(real_ccusage("20.0.24"), plan, tail, later)


@of_histories(4)
def test_they_do_with_a_version_that_starts_node_as_well(
    real_ccusage: Callable[[str], Path], plan: list[Stretch], tail: int, later: list[Change]
) -> None:
    compare_with_a_whole_read(real_ccusage("17.2.1"), plan, tail, later)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Twenty working days of seven kilobytes, each after a night, and work that goes on."""
    made = World(tmp_path)
    # A block begins on the hour: a transcript that begins just then is read with the one before.
    twenty_past = (utc_now() - timedelta(hours=1)).replace(minute=20)
    made.build([Stretch(720, 12, 30, 0, "new")] * 20, 1, twenty_past)
    return made


@pytest.fixture
def monitor(world: World, tmp_path: Path, real_ccusage: Callable[[str], Path]) -> Monitor:
    return Monitor(world, tmp_path / "a", real_ccusage("20.0.24"), 20_000)


def ended(monitor: Monitor) -> list[Any]:
    """What a read of everything says now."""
    reader = monitor.reader
    blocks = parse_report(reader.runner.blocks(reader.command(), reader.options.claude_dirs))
    now = utc_now()
    return [fields(b) for b in blocks if not b.is_gap and b.end <= now]


def test_each_transcript_is_read_once_where_nights_part_them(monitor: Monitor) -> None:
    monitor.read()
    assert list(map(fields, monitor.completed)) == ended(monitor)
    sizes = [size for size in monitor.given if size is not None]
    assert len(sizes) == len(monitor.given) >= 8
    assert max(sizes) <= 20_000
    total = sum(
        path.stat().st_size for path in monitor.reader.options.claude_dirs[0].rglob("*.jsonl")
    )
    assert sum(sizes) == total


def test_a_day_later_only_what_is_new_is_read(monitor: Monitor, world: World) -> None:
    monitor.read()
    first = sum(filter(None, monitor.given))
    monitor.a_day_passes()
    world.change(Change("work", 0, 0), utc_now())
    world.change(Change("resume", 0, 0), utc_now())
    monitor.read()
    assert None not in monitor.given
    assert 0 < sum(filter(None, monitor.given)) < first / 4
    assert list(map(fields, monitor.completed)) == ended(monitor)


def test_a_block_that_was_active_is_counted_when_it_has_ended(monitor: Monitor) -> None:
    before = monitor.read()
    assert before.reading is not None
    active = active_block(before.reading.blocks, utc_now())
    assert active is not None
    monitor.ahead = DAY
    history = monitor.read().history
    assert history is not None
    newest = history.completed[-1]
    assert newest.is_checked
    assert (newest.block.start, newest.block.tokens) == (active.start, active.tokens)


def test_an_old_session_that_is_copied_later_is_found_among_old_blocks(
    monitor: Monitor, world: World
) -> None:
    monitor.read()
    monitor.a_day_passes()
    morning = list(world.written.values())[5][0].when
    world.write([world.row(morning - timedelta(hours=6, minutes=20))], 1, "new")
    monitor.read()
    assert list(map(fields, monitor.completed)) == ended(monitor)


def test_what_could_not_be_stored_is_read_again_by_the_next_process(
    monitor: Monitor, world: World, tmp_path: Path, real_ccusage: Callable[[str], Path]
) -> None:
    monitor.read()
    monitor.a_day_passes()
    morning = list(world.written.values())[5][0].when
    world.write([world.row(morning - timedelta(hours=6, minutes=20))], 1, "new")
    (lock,) = (tmp_path / "a" / "state").glob(".history-*.lock")
    lock.unlink()
    lock.mkdir()  # what is stored can be read, but not be replaced
    monitor.read()
    assert list(map(fields, monitor.completed)) == ended(monitor)
    lock.rmdir()
    again = Monitor(world, tmp_path / "a", real_ccusage("20.0.24"), 20_000)
    again.read()
    assert list(map(fields, again.completed)) == ended(again)


def test_a_read_that_was_broken_off_goes_on_where_it_was(
    monitor: Monitor, world: World, tmp_path: Path, real_ccusage: Callable[[str], Path]
) -> None:
    class LeftError(Exception):
        pass

    def leave(result: PollResult) -> None:
        if len(monitor.given) == 3:
            raise LeftError

    with pytest.raises(LeftError):
        monitor.read(leave)
    known = monitor.poller.result.history
    assert known is not None and known.round is not None and known.read_at is None
    again = Monitor(world, tmp_path / "a", real_ccusage("20.0.24"), 20_000)
    again.read()
    assert sum(filter(None, monitor.given + again.given)) == sum(
        path.stat().st_size for path in world.written
    )
    assert list(map(fields, again.completed)) == ended(again)


def test_two_processes_share_a_read(
    monitor: Monitor, world: World, tmp_path: Path, real_ccusage: Callable[[str], Path]
) -> None:
    state = tmp_path / "a" / "state"
    other = Monitor(world, tmp_path / "b", real_ccusage("20.0.24"), 20_000, state)

    def help_once(_: PollResult) -> None:
        if not other.given:
            other.poll()
            other.poller.read_slice()

    monitor.read(help_once)
    assert len(other.given) == 1
    assert list(map(fields, monitor.completed)) == ended(monitor)
    sizes = [size or 0 for size in monitor.given + other.given]
    assert sum(sizes) == sum(path.stat().st_size for path in world.written)


ANCIENT = datetime(1, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "damaged",
    [
        Round(utc_now(), ()),
        Round(ANCIENT, (Interval(),)),
        Round(utc_now(), (Interval(ANCIENT),)),
        None,
    ],
)
def test_a_damaged_record_of_a_read_lets_everything_be_read_again(
    monitor: Monitor, damaged: Optional[Round]
) -> None:
    monitor.read()
    path = monitor.poller._history.path
    change_history(path, lambda h: replace(h, round=damaged, read_at=ANCIENT))
    monitor.read()
    assert len(monitor.given) >= 8
    assert list(map(fields, monitor.completed)) == ended(monitor)
    assert not monitor.poller.is_history_due()


def test_with_another_ccusage_everything_is_read_again(
    monitor: Monitor, world: World, tmp_path: Path, real_ccusage: Callable[[str], Path]
) -> None:
    monitor.read()
    path = counted_path(monitor.poller._history.path)
    path.write_text(path.read_text().replace('"20.0.24 False"', '"20.0.1 False"'))
    monitor.a_day_passes()
    monitor.read()
    assert sum(filter(None, monitor.given)) == sum(p.stat().st_size for p in world.written)


def test_blocks_stay_when_their_transcripts_are_deleted(monitor: Monitor, world: World) -> None:
    monitor.read()
    before = list(map(fields, monitor.completed))
    for path in list(world.written)[:7]:
        path.unlink()
    monitor.a_day_passes()
    monitor.read()
    assert list(map(fields, monitor.completed)) == before


def test_lines_out_of_order_that_hide_the_time_of_a_transcript_let_everything_be_read(
    monitor: Monitor, world: World
) -> None:
    path = list(world.written)[-1]
    rows = world.written[path]
    old = replace(rows[0], when=rows[0].when - timedelta(days=5), message="msg_x", request="req_x")
    world.append(path, [old, *(world.row(rows[-1].when) for _ in range(40))])
    monitor.read()
    assert monitor.given[-1] is None
    assert list(map(fields, monitor.completed)) == ended(monitor)


def test_where_files_cannot_be_linked_everything_is_read(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("monitor.transcripts.linked_files.LinkedFiles.sync", fail)
    monitor.read()
    assert monitor.given[-1] is None
    assert list(map(fields, monitor.completed)) == ended(monitor)


def test_a_slice_that_fails_is_read_by_a_later_call(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_files = monitor.reader.read_files

    def fail_once(files: list[TranscriptFile], markers: list[datetime]) -> Any:
        if len(monitor.given) == 3:
            monitor.reader.read_files = read_files  # type: ignore[method-assign]
            raise MonitorError("It failed.", "Try again.")
        return read_files(files, markers)

    monitor.reader.read_files = fail_once  # type: ignore[assignment, method-assign]
    monitor.poll()
    history_reader.SLICE_BYTES = history_reader.PART_BYTES = 20_000
    result = monitor.poller.read_history()
    assert result.history_error == "It failed."
    assert not monitor.poller.is_history_due()
    monitor.given.clear()
    monitor.read()
    assert list(map(fields, monitor.completed)) == ended(monitor)
    assert monitor.poller.result.history_error is None


def test_how_many_days_are_read_grows_with_each_slice(monitor: Monitor) -> None:
    told: list[str] = []

    def note(result: PollResult) -> None:
        assert result.history is not None and result.history.round is not None
        told.append(str(result.history.round.progress))

    result = monitor.read(note)
    days = [int(text.split()[0]) for text in told]
    assert days == sorted(days)
    assert 0 < days[0] < days[-1]
    assert len({text.split(" of ")[1] for text in told}) == 1
    assert result.history is not None and result.history.round is None


def test_no_link_is_left_when_all_is_read(monitor: Monitor, tmp_path: Path) -> None:
    monitor.read()
    assert not list((tmp_path / "a" / "work" / "slice").rglob("*.jsonl"))


@each_version
@pytest.mark.parametrize("trick", ["lie", "copy_as_in_2025"])
def test_the_newest_slice_contradicts_a_window_that_is_misled(
    tmp_path: Path,
    real_ccusage: Callable[[str], Path],
    version: str,
    trick: str,
) -> None:
    world = World(tmp_path)
    world.build([Stretch(720, 12, 60, 0, "new")] * 10, 1, utc_now())
    world.change(Change(trick, -1, 5), utc_now())
    monitor = Monitor(world, tmp_path / "a", real_ccusage(version), SMALL)
    assert monitor.poll().reading is not None
    result = monitor.read()
    assert len(monitor.given) > 5
    assert result.reading is not None and result.reading.source.scan == "full"
    reader, now = monitor.reader, utc_now()
    whole = parse_report(reader.runner.blocks(reader.command(), reader.options.claude_dirs))
    found, expected = (active_block(b, now) for b in (result.reading.blocks, whole))
    assert fields(found) == fields(expected)


@pytest.mark.skipif(sys.platform == "win32", reason="it needs a pseudo-terminal")
def test_the_command_history_shows_on_a_terminal_how_far_it_has_come(
    world: World, real_ccusage: Callable[[str], Path]
) -> None:
    from tests.pseudo_terminal import Terminal, python

    start = (
        "from monitor.app import history_reader; history_reader.SLICE_BYTES = 20_000;"
        "from monitor.cli import main; main()"
    )
    words = ["--claude-dir", str(world.roots[0]), "--ccusage", str(real_ccusage("20.0.24"))]
    with Terminal([*python(start), *words, "history"], rows=60) as terminal:
        assert terminal.leave_code() == 0
        assert "Reading the history … " in terminal.raw.decode()
        days = [int(day) for day in re.findall(rb"\r.*? (\d+) of 15 days read", terminal.raw)]
    assert len(days) >= 5
    assert days == sorted(days)
