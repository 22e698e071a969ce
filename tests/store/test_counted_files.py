"""What is stored of the transcripts that the history counts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from monitor.model.slices import Span
from monitor.store.counted_files import (
    CountedFile,
    CountedFiles,
    counted_path,
    load_counted,
    save_counted,
)

NOON = datetime(2026, 6, 10, 12, tzinfo=timezone.utc)
SPAN = Span(NOON, NOON + timedelta(hours=3), "0123")
FILES = CountedFiles(
    "20.0.24 False",
    (
        CountedFile("a", 10, 2**63, 1781092800.1234567, "e", SPAN),
        CountedFile("b", 0, 1, -5.5, "", None),
        CountedFile("c", 7, 2, 0.0, "e", SPAN._replace(origin="")),
    ),
)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history-0123-full.json"


def test_what_is_stored_is_what_is_read(history: Path) -> None:
    save_counted(history, FILES)
    assert load_counted(history) == FILES


def test_no_name_of_a_transcript_is_stored(history: Path) -> None:
    save_counted(history, FILES)
    assert counted_path(history).name == "counted-0123-full.json"
    assert '"a 10 9223372036854775808 1781092800.1234567 e ' in counted_path(history).read_text()


def test_a_file_whose_line_is_damaged_is_not_known(history: Path) -> None:
    save_counted(history, FILES)
    path = counted_path(history)
    path.write_text(path.read_text().replace("b 0 1", "b zero 1"))
    assert load_counted(history).files == (FILES.files[0], FILES.files[2])


@pytest.mark.parametrize("text", ["", "null", '{"version":2,"program":"x","lines":[1]}'])
def test_without_a_file_that_can_be_read_nothing_is_known(history: Path, text: str) -> None:
    assert load_counted(history) == CountedFiles()
    counted_path(history).write_text(text)
    assert load_counted(history) == CountedFiles()


def test_where_nothing_can_be_stored_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    save_counted(tmp_path / "file" / "history-1.json", FILES)
    assert load_counted(tmp_path / "file" / "history-1.json") == CountedFiles()
