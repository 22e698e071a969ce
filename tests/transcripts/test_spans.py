"""Of which time a transcript is, and what of it is new since it was counted."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

import pytest

from monitor.store.counted_files import CountedFile
from monitor.transcripts.files import TranscriptFile, scan
from monitor.transcripts.spans import LAST_BYTES, counted_file, file_name, first_new
from tests.histories import Row, write_messages

NOON = datetime(2026, 6, 10, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def row(hours: float, name: str = "") -> Row:
    name = name or f"{hours}"
    return Row(NOON + hours * HOUR, message=f"msg_{name}", request=f"req_{name}")


def file_of(root: Path) -> TranscriptFile:
    (file,) = scan([root])
    return file


def seen(root: Path, known: Optional[CountedFile] = None) -> CountedFile:
    file = file_of(root)
    return counted_file(file, file_name(file), known)


def span_in_hours(root: Path) -> Optional[tuple[float, float]]:
    span = seen(root).span
    return span and ((span.first - NOON) / HOUR, (span.last - NOON) / HOUR)


def put_before(path: Path, *lines: Any) -> None:
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    path.write_text(text + path.read_text())


def test_a_transcript_is_of_the_time_of_its_first_and_last_messages(tmp_path: Path) -> None:
    path = write_messages(tmp_path, [row(0), row(1), row(30)])
    os.utime(path, (0, 0))  # a time of the file system that is wrong
    assert span_in_hours(tmp_path) == (0, 30)


def test_lines_of_now_before_copies_of_old_messages_do_not_hide_these(tmp_path: Path) -> None:
    path = write_messages(tmp_path, [row(0), *(row(hour) for hour in range(1, 90))])
    later = {"type": "queue-operation", "timestamp": "2026-06-20T00:00:00.000Z"}
    put_before(path, later, {"type": "summary", "summary": "x" * 20_000})
    first, last = span_in_hours(tmp_path) or (0, 0)
    assert first == 0
    assert last >= 89


def test_an_older_message_at_the_end_is_seen_too(tmp_path: Path) -> None:
    write_messages(tmp_path, [row(0), row(5), row(-7)])
    assert span_in_hours(tmp_path) == (-7, 5)


def test_the_last_time_may_be_far_from_the_end(tmp_path: Path) -> None:
    path = write_messages(tmp_path, [row(0), row(3)])
    with path.open("a") as file:
        file.write(json.dumps({"type": "summary", "summary": "x" * 5 * LAST_BYTES}) + "\n")
    assert span_in_hours(tmp_path) == (0, 3)


@pytest.mark.parametrize(
    ("stamp", "hours"),
    [("2026-06-10T14:00:00+02:00", 0), ("2026-06-10T11:00:00Z", -1), ("2026-06-10T11:00:00", 0)],
)
def test_times_are_read_as_utc_and_those_without_a_zone_left_out(
    tmp_path: Path, stamp: str, hours: float
) -> None:
    path = write_messages(tmp_path, [row(0)])
    put_before(path, {"type": "user", "timestamp": stamp})
    assert span_in_hours(tmp_path) == (hours, 0)


@pytest.mark.parametrize("none", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-13-45T"])
def test_a_time_that_stands_for_none_is_left_out(tmp_path: Path, none: str) -> None:
    path = write_messages(tmp_path, [row(0)])
    put_before(path, {"type": "user", "result": {"timestamp": none}})
    assert span_in_hours(tmp_path) == (0, 0)


@pytest.mark.parametrize("text", [b"", b"\xff\x00\n", b'{"type":"summary"}\n', b'{"usage":1'])
def test_a_transcript_without_an_answer_is_of_no_time(tmp_path: Path, text: bytes) -> None:
    write_messages(tmp_path, []).write_bytes(text)
    assert seen(tmp_path).span is None


def test_what_cannot_be_read_is_of_no_time(tmp_path: Path) -> None:
    path = write_messages(tmp_path, [row(0)])
    file = file_of(tmp_path)
    path.unlink()
    assert counted_file(file, file_name(file), None).span is None


def test_copies_of_a_session_have_the_same_origin_and_other_sessions_another(
    tmp_path: Path,
) -> None:
    for session, rows in (("a", [row(0)]), ("b", [row(50, "0"), row(51)]), ("c", [row(2)])):
        write_messages(tmp_path, rows, session=session)
    found = [counted_file(file, "", None).span for file in sorted(scan([tmp_path]))]
    a, b, c = [span.origin if span else None for span in found]
    assert a == b != c
    assert a


def test_a_transcript_that_is_as_it_was_is_not_opened(tmp_path: Path) -> None:
    path = write_messages(tmp_path, [row(0)])
    known, file = seen(tmp_path), file_of(tmp_path)
    path.unlink()
    assert counted_file(file, file_name(file), known) is known
    assert first_new(file, known, known) is None


# --- what is new


def new_in_hours(root: Path, known: Optional[CountedFile]) -> Optional[float]:
    when = first_new(file_of(root), seen(root, known), known)
    return None if when is None else (when - NOON) / HOUR


def test_all_of_a_new_transcript_is_new(tmp_path: Path) -> None:
    write_messages(tmp_path, [row(-3), row(2)])
    assert new_in_hours(tmp_path, None) == -3


def test_of_a_longer_transcript_only_what_was_added_is_new(tmp_path: Path) -> None:
    write_messages(tmp_path, [row(0), row(1)])
    known = seen(tmp_path)
    write_messages(tmp_path, [row(20), row(21)], append=True)
    assert new_in_hours(tmp_path, known) == 20


def test_a_line_that_was_not_complete_is_new_when_it_is(tmp_path: Path) -> None:
    path = write_messages(tmp_path, [row(0), row(1)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    known = seen(tmp_path)
    path.write_bytes(whole)
    assert new_in_hours(tmp_path, known) == 1


def test_added_lines_without_an_answer_are_nothing_new(tmp_path: Path) -> None:
    path = write_messages(tmp_path, [row(0)])
    known = seen(tmp_path)
    with path.open("a") as file:
        file.write('{"type":"user","timestamp":"2026-06-10T13:00:00Z"}\n')
    assert new_in_hours(tmp_path, known) is None


def test_another_transcript_in_the_place_of_one_is_new_as_a_whole(tmp_path: Path) -> None:
    path = write_messages(tmp_path, [row(0)])
    known = seen(tmp_path)._replace(inode=path.stat().st_ino)
    path.write_text("")  # the same inode
    write_messages(tmp_path, [row(-9, "x"), row(3, "y")])
    assert new_in_hours(tmp_path, known) == -9
    assert new_in_hours(tmp_path, known._replace(inode=1)) == -9


def test_a_shorter_transcript_is_new_as_a_whole(tmp_path: Path) -> None:
    write_messages(tmp_path, [row(0), row(1), row(2)])
    known = seen(tmp_path)
    write_messages(tmp_path, [row(0), row(1)])
    assert new_in_hours(tmp_path, known) == 0
