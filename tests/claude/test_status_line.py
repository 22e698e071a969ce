"""What Claude Code hands its status line, and the data directory that a session belongs to."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from monitor.claude.status_line import StatusLineInput, parse_input, session_dir
from monitor.model.official import FIVE_HOUR, Report

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=timezone.utc)
NOTHING = StatusLineInput("", {}, None, None, None, None)
LIMITS = {"five_hour": {"used_percentage": 23.5, "resets_at": NOW.timestamp() + 7200}}


def parsed(**fields: Any) -> StatusLineInput:
    return parse_input(json.dumps(fields).encode(), NOW)


def test_every_field_that_is_shown_or_stored_is_read() -> None:
    session = parsed(
        session_id="abc123",
        cost={"total_api_duration_ms": 45_000},
        rate_limits=LIMITS,
        transcript_path="/home/dev/.claude/projects/p/s.jsonl",
        context_window={"used_percentage": 8},
        model={"id": "claude-opus-4-1", "display_name": "Opus"},
    )
    assert session == StatusLineInput(
        session_id="abc123",
        reports={FIVE_HOUR: Report(23.5, NOW + timedelta(hours=2))},
        api_ms=45_000,
        transcript="/home/dev/.claude/projects/p/s.jsonl",
        context_percent=8,
        model="Opus",
    )


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"5", b"\xff\xfe", b"\0" * 9, b"[" * 100_000])
def test_what_is_no_json_object_is_nothing_known(data: bytes) -> None:
    assert parse_input(data, NOW) == NOTHING


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, {"used_percentage": "8"}, True])
def test_a_field_of_another_type_is_nothing_known(value: Any) -> None:
    fields = ("rate_limits", "context_window", "model", "cost")
    assert parsed(**dict.fromkeys(fields, value)) == NOTHING
    assert parsed(transcript_path=None if isinstance(value, str) else value) == NOTHING


def test_of_an_absurdly_long_session_id_only_the_beginning_is_kept() -> None:
    data = json.dumps({"session_id": "a" * 10**6}).encode()
    assert parse_input(data, NOW).session_id == "a" * 100


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_each_encoding_of_json_is_read(encoding: str) -> None:
    data = json.dumps({"model": {"display_name": "Ü"}}, ensure_ascii=False).encode(encoding)
    assert parse_input(data, NOW).model == "Ü"


TRANSCRIPT = "/data/work/projects/-home-dev/s.jsonl"


@pytest.mark.parametrize(
    ("transcript", "explicit", "named", "expected"),
    [
        (TRANSCRIPT, ["/a", "/data/work"], "", "/data/work"),
        (TRANSCRIPT, ["/a", "/b"], "/c", "/a"),
        (TRANSCRIPT, [], "/c", "/data/work"),
        (None, [], " /c , /d", "/c"),
        ("/elsewhere/s.jsonl", [], "/c", "/c"),
        (None, ["/a"], "/c", "/a"),
    ],
)
def test_the_data_directory_is_the_one_named_else_that_of_the_transcript(
    transcript: str, explicit: list[str], named: str, expected: str
) -> None:
    environ = {"CLAUDE_CONFIG_DIR": named}
    assert session_dir(transcript, list(map(Path, explicit)), environ) == Path(expected)


def test_without_any_hint_it_is_the_default(isolated: Path) -> None:
    assert session_dir(None, [], {}) == isolated / ".claude"
