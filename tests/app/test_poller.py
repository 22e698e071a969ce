"""Polling: what another process has read is taken over; the thread; errors."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

import pytest

from monitor.app.poller import Poller, PollResult, _PollThread
from monitor.app.reader import Reader
from monitor.ccusage.runner import Command
from monitor.config.settings import DataOptions
from monitor.errors import MonitorError, NoDataError
from monitor.model.reading import Reading
from monitor.store.history import change_history
from tests.app.reports import (
    HOUR,
    NOW,
    START,
    Fake,
    Polled,
    lengths,
    raw_block,
    store,
    touch,
    transcript,
)


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
    assert first.source.fingerprint is None
    reader_after(first, fake, tmp_path, root).poll(NOW)
    assert lengths(fake.calls())[0] == "5"


@pytest.mark.parametrize(
    "harm",
    [
        {"size": [float("inf"), 1]},
        {"events": [["2026-06-10T16:00:00+00:00", 1e999, None]]},
        {"events": [["2026-06-10T16:00:00+00:00", -5, None]]},
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


# --- the thread


class Changes:
    """Keeps the results that a poller has announced."""

    def __init__(self, poller: Poller) -> None:
        self.results: list[PollResult] = []
        self._poller = poller
        self._more = threading.Condition()

    def __call__(self) -> None:
        with self._more:
            self.results.append(self._poller.result)
            self._more.notify_all()

    def wait_for(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.results) >= count, timeout=30)


@pytest.fixture
def started(poller: Poller) -> Iterator[tuple[Poller, Changes]]:
    """A poller that polls only when it is told to, after its first polls."""
    changes = Changes(poller)
    poller.start(3600, changes)
    yield poller, changes
    poller.stop()


def test_the_thread_shows_the_numbers_first_then_the_series_then_the_history(
    started: tuple[Poller, Changes], fake: Fake
) -> None:
    poller, changes = started
    changes.wait_for(3)
    assert poller.result.reading is not None
    assert poller.result.reading.events is not None
    assert poller.result.history is not None
    assert lengths(fake.calls())[:3] == ["5", "0.02", "5"]


def test_poll_now_does_not_wait_and_what_is_the_same_is_not_announced(
    started: tuple[Poller, Changes], fake: Fake, root: Path
) -> None:
    poller, changes = started
    changes.wait_for(3)
    poller.poll_now()
    fake.says(raw_block(START, NOW, 450))
    touch(root)
    poller.poll_now()
    changes.wait_for(4)
    reading = poller.result.reading
    assert reading is not None
    assert reading.blocks[-1].tokens.counted == 450
    assert len(changes.results) == 4


def test_a_bug_in_a_poll_becomes_an_error_and_the_thread_goes_on(
    poller: Poller, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.app.poller.FIRST_RETRY", 0.01)
    command = poller.reader.command
    bugs = iter([ZeroDivisionError("planted")])

    def failing() -> Command:
        for bug in bugs:
            raise bug
        return command()

    monkeypatch.setattr(poller.reader, "command", failing)
    changes = Changes(poller)
    poller.start(3600, changes)
    changes.wait_for(2)
    poller.stop()
    assert changes.results[0].error is not None
    assert "ZeroDivisionError: planted" in changes.results[0].error.reason
    assert changes.results[1].error is None
    assert changes.results[1].reading is not None


def test_a_failed_poll_keeps_the_last_reading_as_stale_and_says_why(
    poller: Poller, fake: Fake, root: Path
) -> None:
    before = poller.poll().reading
    fake.breaks()
    touch(root)
    result = poller.poll()
    assert before is not None and result.reading is not None and result.error is not None
    assert result.reading == replace(before, error=result.error.reason)


def test_after_an_install_a_new_start_does_not_show_the_old_error(
    poller: Poller, fake: Fake
) -> None:
    fake.path.unlink()
    assert poller.poll().error is not None
    fake.write()
    changes = Changes(poller)
    poller.start(3600, changes)
    changes.wait_for(1)
    poller.stop()
    assert changes.results[0].error is None


def test_stopping_before_the_thread_has_started_is_no_error(poller: Poller) -> None:
    _PollThread(poller, 3.0, Changes(poller)).stop()


def test_each_failure_doubles_the_time_to_the_next_poll_up_to_a_minute(poller: Poller) -> None:
    thread = _PollThread(poller, 3.0, Changes(poller))
    rests = []
    for _ in range(7):
        thread._failures += 1
        rests.append(thread._rest(0.1))
    assert rests == [3, 6, 12, 24, 48, 60, 60]


def test_a_data_directory_that_is_not_there_is_looked_for_at_every_refresh(
    poller: Poller, root: Path
) -> None:
    root.rename(root.with_name("aside"))
    thread = _PollThread(poller, 3.0, Changes(poller))
    for _ in range(5):
        thread._poll()
    assert isinstance(poller.result.error, NoDataError)
    assert thread._rest(0.1) == 3.0


def test_after_a_read_of_the_history_by_another_process_the_window_is_wide_once(
    poller: Poller, monkeypatch: pytest.MonkeyPatch
) -> None:
    poller.poll()
    widened: list[None] = []
    monkeypatch.setattr(poller.reader, "widen_window", lambda: widened.append(None))
    poller.read_history()
    poller.poll()
    assert not widened  # it was this process
    change_history(poller._history.path, lambda history: replace(history, read_at=NOW + HOUR))
    poller.poll()
    poller.poll()
    assert len(widened) == 1


def test_a_failed_poll_after_a_good_one_counts_as_one_failure(
    poller: Poller, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = _PollThread(poller, 3.0, Changes(poller))
    thread._poll()

    def gone() -> Command:
        raise MonitorError("gone")

    monkeypatch.setattr(poller.reader, "command", gone)
    thread._poll()
    assert (poller.result.error is not None, thread._failures) == (True, 1)
    thread._poll()
    assert thread._failures == 2


def test_a_slow_poll_rests_longer_than_the_refresh(poller: Poller) -> None:
    thread = _PollThread(poller, 3.0, Changes(poller))
    assert (thread._rest(0.1), thread._rest(4.0)) == (3.0, 12.0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of changes here")
def test_of_several_pollers_those_that_are_not_shown_rest_longer_while_changes_are_told(
    poller: Poller,
) -> None:
    crowd = Poller(poller.reader, poller._state_dir, pollers=3)
    thread = _PollThread(crowd, 3.0, Changes(crowd))
    crowd.is_shown = False
    assert thread._rest(0.1) == 3.0  # nobody listens yet
    crowd.listen(thread.notice)
    try:
        crowd.poll()
        assert thread._rest(0.1) == 9.0
        crowd.is_shown = True
        assert thread._rest(0.1) == 3.0
    finally:
        crowd.stop()
