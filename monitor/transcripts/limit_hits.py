"""Find Claude Code's marks that a limit stopped the user, in the newest lines of transcripts.

The marks are searched for as bytes. Only a line that holds one is parsed, and nothing of it is kept
but the time, the limit and the reset.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

from monitor.model.limit_hits import LimitHit, window_of_reset
from monitor.model.official import epoch, possible_reset, window_kind
from monitor.transcripts.files import TranscriptFile

FIRST_SPAN = timedelta(days=8)
"""A weekly limit that stopped the user this long ago has reset."""

RECENT_SPAN = timedelta(hours=12)
"""What was modified within this time is searched at every start."""

MAX_BYTES = 8 * 2**20
"""Searched at the end of a file: a mark further from it was followed by many answers."""

QUOTA, OLD_TEXT = b'"quotaLimits"', b"limit reached|"
OLD_TEXT_TIME = re.compile(r"limit reached\|(\d{10})\b")
"""How Claude Code marks a limit hit, and how it did so in 2025."""


class HitSearch:
    """Searches transcripts for marks; remembers how far each was searched."""

    def __init__(self) -> None:
        self._searched: dict[str, tuple[int, int, int]] = {}

    def search(self, files: Sequence[TranscriptFile], since: datetime) -> list[LimitHit]:
        """Return the hits in what is new in the files modified after `since`.

        Unreadable files have none. The same hit may be returned twice.
        """
        oldest = since.timestamp()
        return [hit for file in files if file.mtime >= oldest for hit in self._in_file(file)]

    def _in_file(self, file: TranscriptFile) -> list[LimitHit]:
        inode, size, end = self._searched.get(file.path, (file.inode, -1, 0))
        if (inode, size) == (file.inode, file.size):
            return []
        is_longer = inode == file.inode and size < file.size
        start = max(end if is_longer else 0, file.size - MAX_BYTES, 0)
        data = _read(file.path, start)
        if data is None:
            return []
        self._searched[file.path] = (file.inode, file.size, start + data.rfind(b"\n") + 1)
        return list(_hits(data))


def _read(path: str, start: int) -> Optional[bytes]:
    """Return what is new in a file; None if it cannot be read now: it may be later."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - as all paths of transcripts, a text
            file.seek(start)
            return file.read(2 * MAX_BYTES)
    except OSError:
        return None


def _hits(data: bytes) -> Iterator[LimitHit]:
    for mark in (QUOTA, OLD_TEXT):
        at = data.find(mark)
        while at >= 0:
            end = data.find(b"\n", at)
            end = len(data) if end < 0 else end
            hit = parse_hit(data[data.rfind(b"\n", 0, at) + 1 : end])
            if hit is not None:
                yield hit
            at = data.find(mark, end)


def parse_hit(line: bytes) -> Optional[LimitHit]:
    """Read one line of a transcript; None if it is no mark of a limit hit, or cut off.

    A prompt or an answer that contains a mark's text is none: the fields are Claude Code's own.
    """
    try:
        raw = json.loads(line)
        at = _time(raw["timestamp"])
        is_mark = raw["type"] == "assistant" and raw["isApiErrorMessage"] is True
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return None
    if not is_mark:
        return None
    quota = raw.get("quotaLimits")
    if isinstance(quota, dict):
        return _of_quota(quota, at) if quota.get("status") == "rejected" else None
    match = OLD_TEXT_TIME.search(_text(raw.get("message")))
    return _hit(at, None, epoch(int(match[1]))) if match else None


def _of_quota(quota: dict[str, Any], at: datetime) -> LimitHit:
    kind = quota.get("rateLimitType")
    is_name = isinstance(kind, str) and 0 < len(kind) <= 60
    return _hit(at, kind if is_name else None, epoch(quota.get("resetsAt")))


def _hit(at: datetime, named: Optional[str], resets_at: Optional[datetime]) -> LimitHit:
    window = named or window_of_reset(resets_at or at, at)
    return LimitHit(at, window, possible_reset(resets_at, window_kind(window).length, at))


def _time(text: str) -> datetime:
    """Read a time as Claude Code writes it, `2026-11-26T06:22:06.304Z`, as UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


def _text(message: Any) -> str:
    with suppress(LookupError, TypeError):
        content = message["content"]
        return content if isinstance(content, str) else str(content[0]["text"])
    return ""
