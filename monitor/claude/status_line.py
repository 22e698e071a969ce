"""Parse what Claude Code hands its status line, and find the data directory it belongs to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Optional

from monitor.model.official import Report, amount, parse_rate_limits, percentage
from monitor.store.paths import expand_user

MAX_ID = 100
"""Ids have 36 characters. A hundred of them are stored, and read at each line."""


class StatusLineInput(NamedTuple):
    """What one session reports; what is missing or not understood is None, or empty.

    `api_ms` is how long it has waited for answers so far, in milliseconds.
    """

    session_id: str
    reports: Mapping[str, Report]
    api_ms: Optional[float]
    transcript: Optional[str]
    context_percent: Optional[float]
    model: Optional[str]


def parse_input(data: bytes, now: datetime) -> StatusLineInput:
    """Parse the JSON that Claude Code writes to the status line's standard input. Never raises.

    `now` is when it was read. The JSON may be in any of JSON's encodings.
    """
    fields = _json_object(data)
    transcript = fields.get("transcript_path")
    return StatusLineInput(
        session_id=(_text(fields.get("session_id")) or "")[:MAX_ID],
        reports=parse_rate_limits(fields.get("rate_limits"), now),
        api_ms=amount(_member(fields.get("cost"), "total_api_duration_ms")),
        transcript=transcript if isinstance(transcript, str) else None,
        context_percent=percentage(_member(fields.get("context_window"), "used_percentage")),
        model=_text(_member(fields.get("model"), "display_name")),
    )


def session_dir(
    transcript: Optional[str], explicit: Sequence[Path], environ: Mapping[str, str]
) -> Path:
    """Return the data directory of one session.

    `--claude-dir` (of several the one with its transcript, else the first), else what the path of
    its transcript says, else CLAUDE_CONFIG_DIR's first, else the default.
    """
    holder = _holder(transcript) if transcript else None
    chosen = [expand_user(path) for path in explicit]
    if chosen:
        return next((path for path in chosen if holder and _is_same(path, holder)), chosen[0])
    named = environ.get("CLAUDE_CONFIG_DIR", "").split(",")[0].strip()
    return holder or expand_user(named or "~/.claude")


def _holder(transcript: str) -> Optional[Path]:
    """Return the directory whose `projects` hold a transcript."""
    return next((p.parent for p in Path(transcript).parents if p.name == "projects"), None)


def _is_same(path: Path, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


def _json_object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data.decode(json.detect_encoding(data), "replace"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _member(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _text(value: object) -> Optional[str]:
    return value if isinstance(value, str) and value else None
