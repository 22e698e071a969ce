"""The stored reading: passed over where it cannot be true, kept apart by options."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.app.sharing import PollFailure
from monitor.model.reading import Reading, Source
from monitor.store.json_file import load, save
from monitor.store.reading import ReadingFile, load_reading, reading_path
from tests.app.reports import NOW, store
from tests.samples import RUNS_OUT, past_block, with_source

READING = Reading((), NOW, Source(data_dirs=("/home/me/.claude",), options_key="mine"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_pipe_in_place_of_a_state_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(reading_path(tmp_path, ["x"], ""))
    assert load_reading(tmp_path, ["x"], "") is None


def test_a_reading_comes_back_without_gaps_and_missing_directories(tmp_path: Path) -> None:
    gap = replace(past_block(2, 0, hour=14), is_gap=True)
    reading = with_source(RUNS_OUT, missing_dirs=("/gone",))
    reading = replace(reading, blocks=(*RUNS_OUT.blocks, gap))
    store(reading, tmp_path)
    stored = load_reading(tmp_path, reading.source.data_dirs)
    assert stored is not None
    assert replace(stored, read_at=RUNS_OUT.read_at) == RUNS_OUT


def test_a_reading_of_the_older_format_is_set_aside(tmp_path: Path) -> None:
    old = (Path(__file__).parent / "version_1" / "last.json").read_text()
    path = reading_path(tmp_path, READING.source.data_dirs, "mine")
    path.write_text(old)
    assert load_reading(tmp_path, READING.source.data_dirs, "mine") is None
    assert path.with_name(f"{path.name}.unreadable").read_text() == old
    store(READING, tmp_path)
    assert load_reading(tmp_path, READING.source.data_dirs, "mine") is not None


def test_the_record_of_a_failure_is_no_reading_and_stays(tmp_path: Path) -> None:
    path = reading_path(tmp_path, READING.source.data_dirs, "mine").with_suffix(".failed.json")
    save(path, PollFailure(NOW, "It failed.", "Try again."))
    assert load_reading(tmp_path, READING.source.data_dirs) is None
    assert load(path, PollFailure) == PollFailure(NOW, "It failed.", "Try again.")


def test_readings_of_another_ccusage_are_kept_apart(tmp_path: Path) -> None:
    reading = READING
    store(reading, tmp_path)
    assert load_reading(tmp_path, reading.source.data_dirs, "another") is None
    assert load_reading(tmp_path, reading.source.data_dirs, reading.source.options_key) is not None
    assert load_reading(tmp_path, reading.source.data_dirs) is not None


def test_an_older_reading_put_in_ones_place_is_not_confirmed(
    tmp_path: Path,
) -> None:
    mine = with_source(READING, ccusage_version="mine")
    file = ReadingFile(tmp_path)
    file.store(mine, is_confirmed=False)
    store(with_source(mine, ccusage_version="another's"), tmp_path)
    file.store(mine, is_confirmed=True)
    stored = load_reading(tmp_path, mine.source.data_dirs, mine.source.options_key)
    assert stored is not None
    assert stored.source.ccusage_version == "mine"
