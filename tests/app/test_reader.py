"""When ccusage is run, on what, and what a failure leaves behind."""

from __future__ import annotations

import shutil
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Optional

import pytest

from monitor.app.reader import EVENTS_EVERY, SPAN_KEPT, Reader
from monitor.config.settings import DataOptions
from monitor.errors import MonitorError
from monitor.model.blocks import Event, active_block
from monitor.model.history import block_hours, hourly_tokens
from monitor.model.reading import DataSize
from tests.app.reports import (
    BUSY,
    HOUR,
    NOW,
    START,
    Fake,
    Polled,
    lengths,
    polled,
    raw_block,
    touch,
    transcript,
)
from tests.samples import with_source


def test_a_look_reads_the_blocks_and_the_series_through_the_window(
    reader: Polled, fake: Fake
) -> None:
    reading = reader.poll(NOW)
    assert [(length, files) for length, files, _ in fake.calls()] == [
        ("5", ["new.jsonl"]),
        ("0.02", ["new.jsonl"]),
    ]
    source = reading.source
    assert (source.scan, source.ccusage_version, reading.read_at) == ("window", "20.0.24", NOW)
    assert reading.source.size.files == 2
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


def test_the_next_window_begins_at_the_newest_pause_and_what_was_before_it_is_kept(
    reader: Polled, fake: Fake, root: Path
) -> None:
    yesterday = raw_block(NOW - 15 * HOUR, NOW - 14 * HOUR, 900)
    transcript(root, "p/yesterday.jsonl", NOW - 14 * HOUR)
    fake.says(yesterday, raw_block(START, NOW, 300))
    first = reader.poll(NOW)
    assert fake.calls()[0][1] == ["new.jsonl", "yesterday.jsonl"]
    fake.says(raw_block(START, NOW, 450))
    touch(root)
    second = reader.poll(NOW + timedelta(seconds=3))
    assert fake.calls()[0][1] == ["new.jsonl"]
    assert [block.tokens.counted for block in second.blocks] == [900, 450]
    assert second.blocks[0] == first.blocks[0]
    touch(root)
    reader.poll(NOW + SPAN_KEPT + HOUR)
    assert fake.calls()[0][1] == ["new.jsonl", "yesterday.jsonl"], "a wide window now and then"


def test_other_data_directories_keep_no_blocks_of_the_last(
    reader: Polled, fake: Fake, root: Path
) -> None:
    transcript(root, "p/yesterday.jsonl", NOW - 14 * HOUR)
    fake.says(raw_block(NOW - 15 * HOUR, NOW - 14 * HOUR, 900), raw_block(START, NOW, 300))
    reader.poll(NOW)
    reader.reader.forget()
    fake.says(raw_block(START, NOW, 450))
    touch(root)
    assert [block.tokens.counted for block in reader.poll(NOW).blocks] == [450]


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


@pytest.mark.parametrize("before", [None, START])
def test_the_begin_of_a_block_in_the_future_is_a_reason_to_look_again(
    reader: Polled, fake: Fake, before: Optional[datetime]
) -> None:
    """A message stamped in the future; its block may follow on the active one."""
    begin = START + 5 * HOUR
    future = raw_block(begin, begin + HOUR, 70)
    fake.says(*([raw_block(before, NOW - HOUR, 300)] if before else []), future)
    pieces = [raw_block(NOW - HOUR, NOW - HOUR, 300, 0.02)] if before else []
    fake.says(*pieces, raw_block(begin + HOUR, begin + HOUR, 70, 0.02), length="0.02")
    reader.poll(NOW)
    reading = reader.poll(begin + timedelta(minutes=1))
    assert reading.events == (Event(begin + HOUR, 70, 1.5),)
    fake.calls()
    reader.poll(begin + timedelta(minutes=2))
    assert fake.calls() == []


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
    assert reader.poll(NOW, series=False).source.scan == "full"
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
    assert reader.poll(NOW, series=False).source.scan == "full"
    assert [dirs for _, _, dirs in fake.calls()] == [str(tmp_path / "claude")]


def test_full_scan_hands_over_everything_at_every_look(
    fake: Fake, tmp_path: Path, root: Path
) -> None:
    reader = polled(fake, tmp_path, [root], full_scan=True)
    for _ in range(2):
        assert reader.poll(NOW, series=False).source.scan == "full"
        touch(root)
    assert [dirs for _, _, dirs in fake.calls()] == [str(root), str(root)]


def test_where_only_everything_will_do_the_series_is_still_read_from_few_files(
    reader: Polled, fake: Fake
) -> None:
    """Cut into minutes, a gigabyte takes ccusage 20 more than 2 GB of memory."""
    fake.says(*BUSY, raw_block(START, NOW - HOUR, 300))
    reading = reader.poll(NOW)
    assert reading.source.scan == "full"
    assert fake.calls()[-1][:2] == ["0.02", ["new.jsonl"]]
    assert reading.events is not None


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
    assert reader.poll(NOW) == with_source(before, size=DataSize(2, before.source.size.bytes + 3))


def test_another_ccusage_is_asked_who_it_is(reader: Polled, fake: Fake, root: Path) -> None:
    reader.poll(NOW)
    fake.breaks()
    touch(root)
    with pytest.raises(MonitorError):
        reader.poll(NOW)
    fake.write(version="17.2.1")
    fake.says(raw_block(START, NOW, 450))
    assert reader.poll(NOW).source.ccusage_version == "17.2.1"


@pytest.mark.skipif(sys.platform == "win32", reason="making links takes a privilege there")
def test_another_ccusage_behind_the_link_is_noticed_at_the_next_look(
    fake: Fake, tmp_path: Path, root: Path
) -> None:
    link = tmp_path / "ccusage"
    link.symlink_to(fake.path)
    (tmp_path / "newer").mkdir()
    newer = Fake(tmp_path / "newer")
    newer.write(version="20.0.25")
    newer.says(raw_block(START, NOW, 450))
    newer.says(raw_block(NOW, NOW, 450, 0.02), length="0.02")
    chosen = DataOptions(ccusage=str(link), claude_dirs=(root,))
    (tmp_path / "work").mkdir()
    reader = Polled(Reader(chosen, tmp_path / "work", tmp_path / "cache"), tmp_path / "polled")
    assert reader.poll(NOW).source.ccusage_version == "20.0.24"
    link.unlink()
    assert reader.poll(NOW).source.ccusage_version == "20.0.24"
    link.symlink_to(newer.path)
    reading = reader.poll(NOW)
    assert reading.source.ccusage_version == "20.0.25"
    assert reading.events == (Event(NOW, 450, 1.5),)
    assert lengths(newer.calls()) == ["5", "0.02"]
    reader.poll(NOW)
    assert newer.calls() == []


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
