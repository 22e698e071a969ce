"""The stored reading: passed over where it cannot be true, kept apart by options."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.model.reading import Reading
from monitor.store.reading import ReadingFile, load_reading, reading_path
from tests.app.reports import NOW, store

READING = Reading(blocks=(), read_at=NOW, data_dirs=("/home/me/.claude",), options_key="mine")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_pipe_in_place_of_a_state_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(reading_path(tmp_path, ["x"], ""))
    assert load_reading(tmp_path, ["x"], "") is None


def test_readings_of_another_ccusage_are_kept_apart(tmp_path: Path) -> None:
    reading = READING
    store(reading, tmp_path)
    assert load_reading(tmp_path, reading.data_dirs, "another") is None
    assert load_reading(tmp_path, reading.data_dirs, reading.options_key) is not None
    assert load_reading(tmp_path, reading.data_dirs) is not None


def test_an_older_reading_put_in_ones_place_is_not_confirmed(
    tmp_path: Path,
) -> None:
    mine = replace(READING, ccusage_version="mine")
    file = ReadingFile(tmp_path)
    file.store(mine, is_confirmed=False)
    store(replace(mine, ccusage_version="another's"), tmp_path)
    file.store(mine, is_confirmed=True)
    stored = load_reading(tmp_path, mine.data_dirs, mine.options_key)
    assert stored is not None
    assert stored.ccusage_version == "mine"
