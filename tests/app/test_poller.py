"""One look after another: when ccusage is run, on what, and what a failure leaves behind.

The fake ccusage logs its calls and prints the report that a test has put in place.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

import pytest

from monitor.app.history_cache import HISTORY_RETRY
from monitor.app.poller import Poller
from monitor.app.reader import EVENTS_EVERY, SPAN_KEPT, Reader
from monitor.ccusage.runner import Command
from monitor.config.settings import DataOptions
from monitor.errors import MonitorError
from monitor.model.blocks import Block, active_block
from monitor.model.history import block_hours, hourly_tokens
from monitor.model.reading import DataSize, Reading
from monitor.model.sentence import warnings
from monitor.model.usage import Rules
from monitor.store.reading import ReadingFile, load_reading, reading_path

NOW = datetime(2026, 6, 10, 18, 30, tzinfo=timezone.utc)
START = datetime(2026, 6, 10, 16, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)

FAKE = """#!{python}
import json, os, sys, time
here = {here!r}
if "--version" in sys.argv:
    print("{version}")
    sys.exit()
length = sys.argv[sys.argv.index("--session-length") + 1] if "--session-length" in sys.argv else "5"
tops = [os.path.join(d, "projects") for d in os.environ["CLAUDE_CONFIG_DIR"].split(",")]
found = sorted(f for top in tops for _, _, names in os.walk(top) for f in names)
running = os.path.join(here, "running")
if os.path.exists(running):
    open(os.path.join(here, "two-at-once"), "w").close()
open(running, "w").close()
with open(os.path.join(here, "calls"), "a") as log:
    log.write(json.dumps([length, found, os.environ["CLAUDE_CONFIG_DIR"]]) + "\\n")
time.sleep({sleep})
os.remove(running)
report = os.path.join(here, "report-" + length)
if not os.path.exists(report):
    report = os.path.join(here, "report-5")
print(open(report).read())
"""


def stamp(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


def raw_block(start: datetime, last: datetime, tokens: int, hours: float = 5) -> dict[str, Any]:
    counts = dict.fromkeys(("inputTokens", "cacheCreationInputTokens", "cacheReadInputTokens"), 0)
    return {
        "id": stamp(start),
        "startTime": stamp(start),
        "endTime": stamp(start + hours * HOUR),
        "actualEndTime": stamp(last),
        "isActive": last + 5 * HOUR > NOW,
        "isGap": False,
        "entries": 3,
        "tokenCounts": {**counts, "outputTokens": tokens},
        "costUSD": 1.5,
        "models": [],
    }


BUSY = [raw_block(NOW - n * HOUR, NOW - (n - 4) * HOUR, 5) for n in range(1600, 4, -4)]
"""Weeks without a silence."""


class Fake:
    """A ccusage that says what it is told to, and what it was asked."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.path = home / "ccusage"
        self.write()

    def write(self, *, version: str = "20.0.24", sleep: float = 0) -> None:
        text = FAKE.format(
            python=sys.executable, here=str(self._home), version=version, sleep=sleep
        )
        self.path.write_text(text)
        self.path.chmod(0o755)

    def says(self, *blocks: dict[str, Any], length: str = "5") -> None:
        (self._home / f"report-{length}").write_text(json.dumps({"blocks": blocks}))

    def breaks(self) -> None:
        (self._home / "report-5").write_text("no report")

    def calls(self) -> list[list[Any]]:
        """Return what was asked since the last time: length, files handed over, directories."""
        log = self._home / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    def ran_two_at_once(self) -> bool:
        return (self._home / "two-at-once").exists()


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    (tmp_path / "fake").mkdir()
    made = Fake(tmp_path / "fake")
    made.says(raw_block(START, NOW - HOUR, 300))
    made.says(raw_block(NOW - HOUR, NOW - HOUR, 300, 0.02), length="0.02")
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data directory with a file of today and one of last month."""
    transcript(tmp_path / "claude", "p/new.jsonl", NOW - HOUR)
    transcript(tmp_path / "claude", "p/old.jsonl", NOW - 700 * HOUR)
    return tmp_path / "claude"


def transcript(root: Path, name: str, when: datetime) -> Path:
    path = root / "projects" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")
    os.utime(path, (when.timestamp(), when.timestamp()))
    return path


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Polled:
    """A poller whose clock each poll sets, and whose errors are raised."""

    def __init__(self, reader: Reader, state: Path) -> None:
        self.reader = reader
        self._clock = Clock()
        self._poller = Poller(reader, state, self._clock)

    def poll(self, now: datetime, *, series: bool = True) -> Reading:
        self._clock.now = now
        result = self._poller.poll(series=series)
        if result.error is not None:
            raise result.error
        assert result.reading is not None
        return result.reading

    def read_all(self) -> Sequence[Block]:
        return self.reader.read_all(self._poller._watcher.transcripts)

    def hours(self) -> Sequence[Block]:
        return self._poller.read_hours()


def reader_of(fake: Fake, tmp_path: Path, roots: Sequence[Path], **options: Any) -> Reader:
    (tmp_path / "work").mkdir(exist_ok=True)
    chosen = DataOptions(ccusage=str(fake.path), claude_dirs=tuple(roots), **options)
    return Reader(chosen, tmp_path / "work", tmp_path / "cache")


def polled(fake: Fake, tmp_path: Path, roots: Sequence[Path], **options: Any) -> Polled:
    return Polled(reader_of(fake, tmp_path, roots, **options), tmp_path / "polled")


@pytest.fixture(autouse=True)
def walks_at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files here bear a past date, and are not asked about at every look as today's are."""
    monkeypatch.setattr("monitor.transcripts.watcher.USUAL_SHARE", 0)
    monkeypatch.setattr("monitor.transcripts.watcher.LEAST_SHARE", 0)


@pytest.fixture
def reader(fake: Fake, tmp_path: Path, root: Path) -> Polled:
    return polled(fake, tmp_path, [root])


def touch(root: Path, when: datetime = NOW, name: str = "p/new.jsonl") -> None:
    path = root / "projects" / name
    path.write_text(path.read_text() + "{}\n")
    os.utime(path, (when.timestamp(), when.timestamp()))


def lengths(calls: list[list[Any]]) -> list[str]:
    return [call[0] for call in calls]


def test_a_look_reads_the_blocks_and_the_series_through_the_window(
    reader: Polled, fake: Fake
) -> None:
    reading = reader.poll(NOW)
    assert [(length, files) for length, files, _ in fake.calls()] == [
        ("5", ["new.jsonl"]),
        ("0.02", ["new.jsonl"]),
    ]
    assert (reading.scan, reading.ccusage_version, reading.read_at) == ("window", "20.0.24", NOW)
    assert reading.size.files == 2
    assert reading.events is not None
    assert sum(event.tokens for event in reading.events) == 300


def test_unchanged_files_are_no_reason_to_run_it_again(reader: Polled, fake: Fake) -> None:
    reader.poll(NOW)
    fake.calls()
    for minute in range(1, 4):
        later = NOW + minute * timedelta(minutes=1)
        assert reader.poll(later).read_at == later
    assert fake.calls() == []


def test_a_changed_file_is_read_once_and_the_series_brought_up(
    reader: Polled, fake: Fake, root: Path
) -> None:
    reader.poll(NOW)
    fake.calls()
    fake.says(raw_block(START, NOW, 450))
    touch(root)
    events = reader.poll(NOW + timedelta(seconds=3)).events
    assert lengths(fake.calls()) == ["5"]
    assert events is not None
    assert [event.tokens for event in events] == [300, 150]


def test_the_series_is_read_again_a_minute_later(reader: Polled, fake: Fake, root: Path) -> None:
    reader.poll(NOW)
    fake.calls()
    touch(root)
    reader.poll(NOW + EVENTS_EVERY)
    assert lengths(fake.calls()) == ["5", "0.02"]


def test_a_first_look_without_the_series_is_completed_by_the_next(
    reader: Polled, fake: Fake
) -> None:
    first = reader.poll(NOW, series=False)
    assert lengths(fake.calls()) == ["5"]
    assert first.events is None
    assert reader.poll(NOW).events is not None
    assert lengths(fake.calls()) == ["0.02"]
    reader.poll(NOW)
    assert fake.calls() == []


def test_a_series_that_does_not_add_up_is_none_and_not_asked_for_in_vain(
    reader: Polled, fake: Fake
) -> None:
    fake.says(raw_block(NOW - HOUR, NOW - HOUR, 999, 0.02), length="0.02")
    assert reader.poll(NOW).events is None
    fake.calls()
    assert reader.poll(NOW).events is None
    assert fake.calls() == []


def test_the_end_of_a_block_is_a_reason_to_look_again(reader: Polled, fake: Fake) -> None:
    reader.poll(NOW)
    fake.calls()
    after = START + 5 * HOUR
    assert active_block(reader.poll(after).blocks, after) is None
    assert lengths(fake.calls())[0] == "5"


def test_a_clock_put_back_is_a_reason_to_look_again(reader: Polled, fake: Fake) -> None:
    reader.poll(NOW)
    fake.calls()
    reader.poll(NOW - HOUR)
    assert lengths(fake.calls())[0] == "5"


def test_a_clock_that_was_days_ahead_leaves_no_window_in_the_future(
    reader: Polled, fake: Fake, root: Path
) -> None:
    reader.poll(NOW + 72 * HOUR)
    fake.calls()
    touch(root)
    reading = reader.poll(NOW)
    assert active_block(reading.blocks, NOW) is not None
    assert len([call for call in fake.calls() if call[0] == "5"]) == 1


def test_without_a_silence_the_window_grows_until_everything_is_read(
    reader: Polled, fake: Fake
) -> None:
    fake.says(*BUSY)
    assert reader.poll(NOW, series=False).scan == "full"
    tried = [files for _, files, _ in fake.calls()]
    assert tried[0] == ["new.jsonl"]
    assert tried[-1] == ["new.jsonl", "old.jsonl"]


def test_a_grown_window_is_kept_for_hours_then_a_narrow_one_is_tried(
    reader: Polled, fake: Fake, root: Path
) -> None:
    fake.says()
    reader.poll(NOW)
    fake.calls()
    touch(root)
    reader.poll(NOW + HOUR)
    assert [files for _, files, _ in fake.calls()] == [["new.jsonl", "old.jsonl"]]
    later = NOW + SPAN_KEPT + HOUR
    touch(root, later)
    reader.poll(later)
    assert fake.calls()[0][1] == ["new.jsonl"]


def test_a_history_of_today_is_read_in_place(fake: Fake, tmp_path: Path) -> None:
    transcript(tmp_path / "claude", "p/new.jsonl", NOW - HOUR)
    reader = polled(fake, tmp_path, [tmp_path / "claude"])
    assert reader.poll(NOW, series=False).scan == "full"
    assert [dirs for _, _, dirs in fake.calls()] == [str(tmp_path / "claude")]


def test_full_scan_hands_over_everything_at_every_look(
    fake: Fake, tmp_path: Path, root: Path
) -> None:
    reader = polled(fake, tmp_path, [root], full_scan=True)
    for _ in range(2):
        assert reader.poll(NOW, series=False).scan == "full"
        touch(root)
    assert [dirs for _, _, dirs in fake.calls()] == [str(root), str(root)]


def test_where_only_everything_will_do_the_series_is_still_read_from_few_files(
    reader: Polled, fake: Fake
) -> None:
    """Cut into minutes, a gigabyte takes ccusage 20 more than 2 GB of memory."""
    fake.says(*BUSY, raw_block(START, NOW - HOUR, 300))
    reading = reader.poll(NOW)
    assert reading.scan == "full"
    assert fake.calls()[-1][:2] == ["0.02", ["new.jsonl"]]
    assert reading.events is not None


def test_a_distrusted_window_is_not_used_before_the_block_has_ended(
    reader: Polled, fake: Fake, root: Path
) -> None:
    reader.poll(NOW)
    reader.reader.distrust_window(START + 5 * HOUR)
    assert reader.poll(NOW).scan == "full"
    touch(root)
    assert reader.poll(NOW + HOUR).scan == "full"
    assert reader.poll(START + 5 * HOUR).scan == "window"


def test_after_a_failure_nothing_old_is_built_on(reader: Polled, fake: Fake, root: Path) -> None:
    reader.poll(NOW)
    fake.breaks()
    touch(root)
    with pytest.raises(MonitorError):
        reader.poll(NOW)
    (root / "projects" / "p" / "new.jsonl").unlink()
    transcript(root, "p/other.jsonl", NOW)
    fake.says(raw_block(START, NOW, 450))
    fake.calls()
    assert active_block(reader.poll(NOW, series=False).blocks, NOW) is not None
    assert fake.calls()[0][1] == ["other.jsonl"]


def test_a_failure_without_a_change_is_tried_again(reader: Polled, fake: Fake) -> None:
    fake.breaks()
    for _ in range(2):
        with pytest.raises(MonitorError):
            reader.poll(NOW)
    assert lengths(fake.calls()) == ["5", "5"]


def test_a_private_directory_that_a_cleaner_removed_is_made_again(
    reader: Polled, tmp_path: Path, root: Path
) -> None:
    before = reader.poll(NOW)
    shutil.rmtree(tmp_path / "work")
    touch(root)
    assert reader.poll(NOW) == replace(before, size=DataSize(2, before.size.bytes + 3))


def test_another_ccusage_is_asked_who_it_is(reader: Polled, fake: Fake, root: Path) -> None:
    reader.poll(NOW)
    fake.breaks()
    touch(root)
    with pytest.raises(MonitorError):
        reader.poll(NOW)
    fake.write(version="17.2.1")
    fake.says(raw_block(START, NOW, 450))
    assert reader.poll(NOW).ccusage_version == "17.2.1"


def test_no_two_runs_happen_at_once_whoever_asks(fake: Fake, tmp_path: Path, root: Path) -> None:
    fake.write(sleep=0.1)
    reader = polled(fake, tmp_path, [root])
    reader.poll(NOW)
    fake.calls()
    others = [threading.Thread(target=reader.read_all) for _ in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert len(fake.calls()) == 3
    assert not fake.ran_two_at_once()


def test_a_removed_projects_directory_leaves_nothing_to_count(
    reader: Polled, fake: Fake, root: Path
) -> None:
    reader.poll(NOW)
    fake.calls()
    (root / "projects").rename(root / "elsewhere")
    reader.poll(NOW, series=False)
    ((_, files, _),) = fake.calls()
    assert files == []


def test_a_full_scan_brings_the_blocks_and_another_run_their_hours(
    reader: Polled, fake: Fake
) -> None:
    reader.poll(NOW)
    early = START - 24 * HOUR
    fake.says(raw_block(early, early + 2 * HOUR, 70), raw_block(START, NOW, 300))
    hours = [raw_block(early, early, 30, 1), raw_block(early + 2 * HOUR, early + 2 * HOUR, 40, 1)]
    fake.says(*hours, length="1")
    past, present = reader.read_all()
    by_hour = hourly_tokens(reader.hours())
    assert (block_hours(past, by_hour), block_hours(present, by_hour)) == ((30, 0, 40, 0, 0), ())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def poller(reader: Polled, tmp_path: Path, clock: Clock) -> Poller:
    return Poller(reader.reader, tmp_path / "state", clock)


def highest(poller: Poller) -> Optional[int]:
    history = poller.poll().history
    return max((b.tokens.counted for b in history.blocks), default=None) if history else None


PAST = raw_block(START - 700 * HOUR, START - 698 * HOUR, 9_000)


def test_the_history_is_read_once_kept_and_read_again_a_day_later(
    poller: Poller, fake: Fake, tmp_path: Path, reader: Polled, clock: Clock
) -> None:
    fake.says(PAST, raw_block(START, NOW - HOUR, 300))
    poller.poll()
    assert poller.is_history_due()
    poller.read_history()
    assert highest(poller) == 9_000
    assert not poller.is_history_due()
    again = Poller(reader.reader, tmp_path / "state", clock)
    assert highest(again) == 9_000
    assert not again.is_history_due()
    clock.now += 25 * HOUR
    again.poll()
    assert again.is_history_due()


def test_blocks_that_ended_unseen_before_what_the_window_shows_are_read_anew(
    poller: Poller, fake: Fake, reader: Polled, root: Path, tmp_path: Path, clock: Clock
) -> None:
    poller.poll()
    poller.read_history()
    # This block goes on for hours while nobody watches, and the next is all that a window shows.
    clock.now = NOW + 15 * HOUR
    fake.says(raw_block(clock.now - HOUR, clock.now, 40))
    transcript(root, "p/next.jsonl", clock.now)
    again = Poller(reader_of(fake, tmp_path, [root]), tmp_path / "state", clock)
    assert again.poll().reading is not None
    assert again.is_history_due()
    again.read_history()
    assert not again.is_history_due()


def test_a_history_from_the_future_is_read_anew(poller: Poller, fake: Fake, clock: Clock) -> None:
    clock.now = NOW + 48 * HOUR
    poller.poll()
    poller.read_history()
    clock.now = NOW
    poller.poll()
    assert poller.is_history_due()


def test_a_history_that_cannot_be_read_is_not_tried_again_at_once(
    poller: Poller, fake: Fake, clock: Clock
) -> None:
    poller.poll()
    fake.breaks()
    seen = poller.read_history()
    assert seen.reading is not None
    assert not poller.is_history_due()
    clock.now += HISTORY_RETRY
    fake.says(raw_block(START, NOW - HOUR, 300))
    assert poller.is_history_due()


def test_a_block_that_completes_joins_the_history(
    poller: Poller, fake: Fake, root: Path, clock: Clock
) -> None:
    poller.poll()
    poller.read_history()
    fake.says(raw_block(START, NOW, 450))
    touch(root)
    clock.now = START + 5 * HOUR
    assert highest(poller) == 450


def test_where_nothing_can_be_kept_a_completed_block_does_not_displace_the_others(
    reader: Polled, fake: Fake, root: Path, tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "file").write_text("")
    poller = Poller(reader.reader, tmp_path / "file", clock)
    fake.says(PAST, raw_block(START, NOW - HOUR, 300))
    poller.poll()
    poller.read_history()
    fake.says(raw_block(START, NOW, 450))
    touch(root)
    clock.now = START + 5 * HOUR
    assert highest(poller) == 9_000
    assert not poller.is_history_due()


def test_the_history_of_another_way_of_counting_is_not_used(
    poller: Poller, fake: Fake, tmp_path: Path, root: Path, clock: Clock
) -> None:
    fake.says(PAST, raw_block(START, NOW - HOUR, 300))
    poller.poll()
    poller.read_history()
    fake.write(version="17.2.1")
    other = Poller(reader_of(fake, tmp_path, [root]), tmp_path / "state", clock)
    assert highest(other) is None
    assert other.is_history_due()


@pytest.mark.parametrize("scan", [[], [raw_block(START, NOW - HOUR, 100)]])
def test_a_window_that_counts_more_than_everything_is_distrusted(
    poller: Poller, reader: Polled, fake: Fake, tmp_path: Path, scan: list[dict[str, Any]]
) -> None:
    poller.poll()
    real, window_says = reader.reader.runner.blocks, raw_block(START, NOW - HOUR, 300)

    def blocks(
        command: Command, data_dirs: Sequence[Path], *extra: str, limit_seconds: float = 20.0
    ) -> str:
        in_window = any(tmp_path / "work" in path.parents for path in data_dirs)
        fake.says(*([window_says] if in_window else scan))
        return real(command, data_dirs, *extra, limit_seconds=limit_seconds)

    reader.reader.runner.blocks = blocks  # type: ignore[method-assign]
    seen = poller.read_history()
    assert seen.reading is not None
    assert seen.reading.scan == "full"
    whole = active_block(seen.reading.blocks, NOW)
    assert (whole.tokens.counted if whole else None) == (100 if scan else None)


def test_a_message_that_arrives_during_the_full_scan_is_no_contradiction(
    poller: Poller, fake: Fake, root: Path, reader: Polled
) -> None:
    poller.poll()
    real = reader.reader.read_all

    def read_all(*args: Any) -> Any:
        found = real(*args)
        fake.says(raw_block(START, NOW, 450))
        touch(root)
        return found

    reader.reader.read_all = read_all  # type: ignore[assignment, method-assign]
    seen = poller.read_history()
    assert seen.reading is not None
    assert seen.reading.scan == "window"


def test_a_history_that_cannot_be_read_is_said_beside_the_numbers(
    poller: Poller, fake: Fake
) -> None:
    poller.poll()
    fake.breaks()
    seen = poller.read_history()
    usage = seen.measured(Rules(), NOW)
    assert usage is not None
    assert any(text.startswith("The history could not be read") for text in warnings(usage))


# --- what another monitor has read


@pytest.fixture
def packaged(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The fake, taken for the npm package: only of that is it known what it says next time."""
    command = Command((str(fake.path),), "ccusage", "20.0.24", packaged=True)
    monkeypatch.setattr("monitor.app.reader.find", lambda *_: command)
    return command


def store(reading: Reading, state: Path) -> Path:
    """Store a reading as another process does; return the file."""
    ReadingFile(state).store(reading, is_confirmed=False)
    return reading_path(state, reading.data_dirs, reading.options_key)


def reader_after(
    reading: Optional[Reading], fake: Fake, tmp_path: Path, root: Path, **options: Any
) -> Polled:
    """A new process, to which an earlier one left its reading in a state file."""
    if reading is not None:
        os.utime(store(reading, tmp_path / "state"), (NOW.timestamp(), NOW.timestamp()))
    chosen = DataOptions(ccusage=str(fake.path), claude_dirs=(root,), **options)
    (tmp_path / "work2").mkdir(exist_ok=True)
    return Polled(Reader(chosen, tmp_path / "work2", tmp_path), tmp_path / "state")


@pytest.mark.usefixtures("packaged")
def test_what_another_monitor_has_read_is_taken_over_while_nothing_has_changed(
    reader: Polled, fake: Fake, tmp_path: Path, root: Path
) -> None:
    first = reader.poll(NOW)
    fake.calls()
    later = NOW + HOUR
    assert reader_after(first, fake, tmp_path, root).poll(later) == replace(first, read_at=later)
    assert fake.calls() == []


@pytest.mark.usefixtures("packaged")
def test_the_reading_taken_over_is_the_base_of_the_looks_after_it(
    reader: Polled, fake: Fake, tmp_path: Path, root: Path
) -> None:
    second = reader_after(reader.poll(NOW), fake, tmp_path, root)
    second.poll(NOW)
    fake.calls()
    touch(root)
    second.poll(NOW)
    assert lengths(fake.calls()) == ["5", "0.02"]


Change = Callable[[Fake, Path], object]
CHANGES: dict[str, Change] = {
    "a message": lambda _, root: touch(root),
    "a new file": lambda _, root: transcript(root, "p/other.jsonl", NOW),
    "a file gone": lambda _, root: (root / "projects/p/new.jsonl").unlink(),
    "an old session resumed": lambda _, root: touch(root, name="p/old.jsonl"),
    "another file of the name": lambda _, root: swap(root / "projects/p/new.jsonl"),
    "made readable again": lambda _, root: (root / "projects/p/new.jsonl").chmod(0o640),
    "ccusage replaced": lambda fake, _: fake.write(version="20.0.25"),
}


def swap(path: Path) -> None:
    info, copy = path.stat(), path.with_suffix(".copy")
    copy.write_bytes(path.read_bytes())
    os.utime(copy, ns=(info.st_mtime_ns, info.st_mtime_ns))
    copy.replace(path)


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_since_makes_it_run_ccusage(
    change: Change, reader: Polled, fake: Fake, tmp_path: Path, root: Path
) -> None:
    first = reader.poll(NOW)
    fake.calls()
    change(fake, root)
    reader_after(first, fake, tmp_path, root).poll(NOW)
    assert lengths(fake.calls())[0] == "5"


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize("option", ["full_scan", "online"])
def test_another_way_of_reading_takes_nothing_over(
    option: str, reader: Polled, fake: Fake, tmp_path: Path, root: Path
) -> None:
    first = reader.poll(NOW)
    fake.calls()
    reader_after(first, fake, tmp_path, root, **{option: True}).poll(NOW)
    assert lengths(fake.calls())[0] == "5"


@pytest.mark.usefixtures("packaged")
@pytest.mark.parametrize("when", [START + 5 * HOUR, NOW - HOUR], ids=["block ended", "put back"])
def test_by_another_clock_nothing_is_taken_over(
    when: datetime, reader: Polled, fake: Fake, tmp_path: Path, root: Path
) -> None:
    first = reader.poll(NOW)
    fake.calls()
    reader_after(first, fake, tmp_path, root).poll(when)
    assert lengths(fake.calls())[0] == "5"


def test_of_a_program_that_is_no_package_nothing_is_taken_over(
    reader: Polled, fake: Fake, tmp_path: Path, root: Path
) -> None:
    first = reader.poll(NOW)
    fake.calls()
    assert first.fingerprint is None
    reader_after(first, fake, tmp_path, root).poll(NOW)
    assert lengths(fake.calls())[0] == "5"


@pytest.mark.parametrize(
    "harm",
    [
        {"size": [float("inf"), 1]},
        {"events": [["2026-06-10T16:00:00Z", 1e999, None]]},
        {"events": [["2026-06-10T16:00:00Z", -5, None]]},
        {"options_key": None, "since": 7},
    ],
)
@pytest.mark.usefixtures("packaged")
def test_a_kept_reading_that_cannot_be_is_passed_over(
    harm: dict[str, Any], reader: Polled, fake: Fake, tmp_path: Path, root: Path
) -> None:
    first = reader.poll(NOW)
    kept = store(first, tmp_path / "state")
    kept.write_text(json.dumps({**json.loads(kept.read_text()), **harm}))
    fake.calls()
    assert reader_after(None, fake, tmp_path, root).poll(NOW).blocks == first.blocks
    assert lengths(fake.calls())[0] == "5"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_pipe_in_place_of_a_state_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(reading_path(tmp_path, ["x"], ""))
    assert load_reading(tmp_path, ["x"], "") is None


def test_readings_of_another_ccusage_are_kept_apart(reader: Polled, tmp_path: Path) -> None:
    reading = reader.poll(NOW)
    store(reading, tmp_path)
    assert load_reading(tmp_path, reading.data_dirs, "another") is None
    assert load_reading(tmp_path, reading.data_dirs, reading.options_key) is not None
    assert load_reading(tmp_path, reading.data_dirs) is not None


def test_an_older_reading_put_in_ones_place_is_not_confirmed(
    reader: Polled, tmp_path: Path
) -> None:
    mine = replace(reader.poll(NOW), ccusage_version="mine")
    file = ReadingFile(tmp_path)
    file.store(mine, is_confirmed=False)
    store(replace(mine, ccusage_version="another's"), tmp_path)
    file.store(mine, is_confirmed=True)
    stored = load_reading(tmp_path, mine.data_dirs, mine.options_key)
    assert stored is not None
    assert stored.ccusage_version == "mine"
