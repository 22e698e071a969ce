"""Marks of reached limits in transcripts: found wherever they are, and in nothing else."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

import pytest

from monitor.model.limit_hits import LimitHit, with_hits
from monitor.transcripts.files import scan
from monitor.transcripts.limit_hits import MAX_BYTES, HitSearch, parse_hit

AT = datetime(2026, 11, 26, 6, 22, 6, 304000, tzinfo=timezone.utc)
RESET = datetime(2026, 11, 26, 9, 30, 39, tzinfo=timezone.utc)
EPOCH = int(RESET.timestamp())
LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)


def mark(kind: Any = "five_hour", resets_at: Any = EPOCH, **changes: Any) -> dict[str, Any]:
    """A line as Claude Code 2.1.332 writes it."""
    return {
        "type": "assistant",
        "timestamp": "2026-11-26T06:22:06.304Z",
        "isSidechain": False,
        "isApiErrorMessage": True,
        "error": "rate_limit",
        "message": {
            "model": "<synthetic>",
            "content": [{"type": "text", "text": "You've hit your limit · resets 9:30am (UTC)"}],
        },
        "quotaLimits": {
            "status": "rejected",
            "resetsAt": resets_at,
            "rateLimitType": kind,
            "isUsingOverage": False,
        },
        **changes,
    }


def old_mark(
    text: str = f"Claude AI usage limit reached|{EPOCH}", **changes: Any
) -> dict[str, Any]:
    """A line as Claude Code wrote it in 2025: a text only."""
    message = {"model": "<synthetic>", "content": [{"type": "text", "text": text}]}
    line = mark(message=message, **changes)
    del line["quotaLimits"]
    return line


def encoded(line: object) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode()


ANSWER = {"type": "assistant", "message": {"content": [{"type": "text", "text": "Hello."}]}}
HIT = LimitHit(AT, "five_hour", RESET)


# One line.


def test_a_mark_gives_time_limit_and_reset() -> None:
    assert parse_hit(encoded(mark())) == HIT


@pytest.mark.parametrize(
    "kind",
    [
        *("five_hour", "seven_day", "seven_day_opus", "seven_day_sonnet"),
        *("seven_day_overage_included", "overage", "one_of_tomorrow"),
    ],
)
def test_every_kind_of_limit_is_kept_as_claude_code_names_it(kind: str) -> None:
    assert parse_hit(encoded(mark(kind))) == LimitHit(AT, kind, RESET)


@pytest.mark.parametrize("kind", [None, 7, "", [], "x" * 61])
def test_a_mark_that_names_no_limit_is_of_the_one_that_can_reset_then(kind: object) -> None:
    assert parse_hit(encoded(mark(kind))) == HIT
    in_days = EPOCH + 3 * 24 * 3600
    found = parse_hit(encoded(mark(kind, in_days)))
    assert found is not None and found.window == "seven_day"


@pytest.mark.parametrize("resets_at", [None, "soon", True, -1, 10**30, float("inf"), []])
def test_a_mark_without_a_reset_is_a_hit_without_one(resets_at: object) -> None:
    assert parse_hit(encoded(mark(resets_at=resets_at))) == LimitHit(AT, "five_hour", None)


def test_the_old_form_names_the_reset_in_its_text() -> None:
    assert parse_hit(encoded(old_mark())) == HIT
    text = f"Claude AI usage limit reached|{EPOCH}"
    assert parse_hit(encoded({**old_mark(), "message": {"content": text}})) == HIT
    others: list[Any] = [text, None, {"content": []}, {"content": [text]}, {"content": 7}]
    for message in others:
        assert parse_hit(encoded({**old_mark(), "message": message})) is None


@pytest.mark.parametrize(
    "text",
    [
        "Claude AI usage limit reached|",
        "Claude AI usage limit reached|17",
        f"Claude AI usage limit reached|{EPOCH}000",
        "You've hit your limit · resets 9:30am (UTC)",
    ],
)
def test_a_text_that_names_no_date_is_no_hit(text: str) -> None:
    assert parse_hit(encoded(old_mark(text))) is None


@pytest.mark.parametrize(
    "line",
    [
        mark(type="user"),
        mark(isApiErrorMessage=False),
        mark(isApiErrorMessage="true"),
        mark(quotaLimits=None),
        mark(quotaLimits={"status": "allowed_warning", "resetsAt": EPOCH}),
        mark(timestamp=None),
        mark(timestamp="yesterday"),
        old_mark(type="user"),
        old_mark(isApiErrorMessage=False),
        {"quotaLimits": {"status": "rejected"}},
        ["quotaLimits"],
        "quotaLimits",
        None,
    ],
)
def test_what_claude_code_does_not_mark_as_its_own_is_no_hit(line: object) -> None:
    assert parse_hit(encoded(line)) is None


@pytest.mark.parametrize("line", [b"", b"{", b"\xff\xfe", b"[" * 100_000, encoded(mark())[:-1]])
def test_a_line_that_is_no_json_is_no_hit(line: bytes) -> None:
    assert parse_hit(line) is None


def test_prompts_answers_and_tool_results_that_quote_a_mark_are_no_hits(tmp_path: Path) -> None:
    text = encoded(mark()).decode()
    quotes = [
        {"type": "user", "timestamp": "2026-11-26T06:22:06Z", "message": {"content": text}},
        {**ANSWER, "timestamp": "2026-11-26T06:22:06Z", "message": {"content": [{"text": text}]}},
        {"type": "user", "timestamp": "2026-11-26T06:22:06Z", "toolUseResult": mark()},
        {**ANSWER, "timestamp": "2026-11-26T06:22:06Z", "toolUseResult": old_mark()},
    ]
    write(tmp_path, "p/s.jsonl", *quotes)
    assert search(tmp_path) == []


# Files.


def write(root: Path, name: str, *lines: object, end: bytes = b"\n") -> Path:
    path = root / "projects" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(map(encoded, lines)) + end)
    return path


def search(
    root: Path, hits: Optional[HitSearch] = None, since: datetime = LONG_AGO
) -> list[LimitHit]:
    return (hits or HitSearch()).search(scan([root]), since)


def test_a_mark_is_found_among_other_lines(tmp_path: Path) -> None:
    write(tmp_path, "p/s.jsonl", ANSWER, mark(), ANSWER)
    assert search(tmp_path) == [HIT]


def test_marks_of_both_forms_are_found_in_subagents_and_sidechains_too(tmp_path: Path) -> None:
    write(tmp_path, "p/s.jsonl", old_mark())
    write(tmp_path, "p/s/subagents/agent-1.jsonl", mark("seven_day", isSidechain=True))
    found = with_hits((), search(tmp_path), HIT.at)
    assert [hit.window for hit in found] == ["five_hour", "seven_day"]


def test_the_same_hit_in_several_files_is_one(tmp_path: Path) -> None:
    write(tmp_path, "p/s.jsonl", mark())
    write(tmp_path, "p/resumed.jsonl", mark(), ANSWER)
    assert with_hits((), search(tmp_path), HIT.at) == (HIT,)


def test_several_marks_of_one_file_are_all_found(tmp_path: Path) -> None:
    later = mark("seven_day", timestamp="2026-11-26T08:00:00.000Z")
    write(tmp_path, "p/s.jsonl", mark(), ANSWER, later, old_mark())
    assert {hit.window for hit in search(tmp_path)} == {"five_hour", "seven_day"}
    assert len(with_hits((), search(tmp_path), HIT.at)) == 2


def test_what_was_searched_is_not_searched_again(tmp_path: Path) -> None:
    path, hits = write(tmp_path, "p/s.jsonl", mark()), HitSearch()
    assert search(tmp_path, hits) == [HIT]
    assert search(tmp_path, hits) == []
    with path.open("ab") as file:
        file.write(encoded(ANSWER) + b"\n")
    assert search(tmp_path, hits) == []


@pytest.mark.parametrize("piece", [1, 7, 64, 200, 10_000])
def test_a_mark_that_is_appended_in_pieces_is_found_once_it_is_whole(
    tmp_path: Path, piece: int
) -> None:
    path, hits, found = write(tmp_path, "p/s.jsonl", ANSWER), HitSearch(), []
    data = encoded(mark()) + b"\n" + encoded(ANSWER) + b"\n"
    for start in range(0, len(data), piece):
        with path.open("ab") as file:
            file.write(data[start : start + piece])
        found += search(tmp_path, hits)
    assert with_hits((), found, HIT.at) == (HIT,)


def test_a_last_line_without_its_newline_counts_already(tmp_path: Path) -> None:
    write(tmp_path, "p/s.jsonl", ANSWER, mark(), end=b"")
    assert search(tmp_path) == [HIT]


def test_a_file_that_was_replaced_or_cut_is_searched_from_its_start(tmp_path: Path) -> None:
    path, hits = write(tmp_path, "p/s.jsonl", *[ANSWER] * 40), HitSearch()
    assert search(tmp_path, hits) == []
    path.write_bytes(encoded(mark()) + b"\n")  # shorter
    assert search(tmp_path, hits) == [HIT]
    new = write(tmp_path, "p/new.tmp", mark("seven_day"), *[ANSWER] * 40)
    new.replace(path)
    assert [hit.window for hit in search(tmp_path, hits)] == ["seven_day"]


def test_of_a_file_of_100_megabytes_only_the_end_is_searched(tmp_path: Path) -> None:
    path = write(tmp_path, "p/s.jsonl", mark("seven_day"))
    with path.open("r+b") as file:
        file.truncate(100 * 2**20)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + encoded(mark()) + b"\n")
    hits = HitSearch()
    assert search(tmp_path, hits) == [HIT]
    with path.open("ab") as file:
        file.write(encoded(mark("overage")) + b"\n")
    assert [hit.window for hit in search(tmp_path, hits)] == ["overage"]
    assert path.stat().st_size > 10 * MAX_BYTES


def test_a_line_that_the_end_cuts_is_left_out(tmp_path: Path) -> None:
    line = encoded(mark(padding="x" * MAX_BYTES)) + b"\n"
    path = write(tmp_path, "p/s.jsonl", ANSWER)
    path.write_bytes(line + encoded(mark("seven_day")) + b"\n")
    assert [hit.window for hit in search(tmp_path)] == ["seven_day"]


def test_only_files_that_changed_since_are_searched(tmp_path: Path) -> None:
    path = write(tmp_path, "p/s.jsonl", mark())
    os.utime(path, (EPOCH, EPOCH))
    assert search(tmp_path, since=RESET) == [HIT]
    assert search(tmp_path, since=RESET + timedelta(seconds=1)) == []


def test_a_file_that_vanished_has_no_hits_and_one_that_comes_back_has(tmp_path: Path) -> None:
    path, hits = write(tmp_path, "p/s.jsonl", mark()), HitSearch()
    files, data = scan([tmp_path]), path.read_bytes()
    path.unlink()
    assert hits.search(files, LONG_AGO) == []
    path.write_bytes(data)  # as a file that becomes readable: of the same size
    assert hits.search(files, LONG_AGO) == [HIT]
