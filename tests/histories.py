"""Make Claude data directories as Claude Code writes them, for the real ccusage to read.

Lines are compact JSON: ccusage 20 ignores a line with a space after a colon. Everything follows
from the arguments, so one seed gives one history.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

MODELS = ("claude-opus-4-20250514", "claude-sonnet-4-20250514", "claude-3-5-haiku-20241022")


@dataclass(frozen=True)
class Row:
    """One line of a transcript: an answer (or a part of one, while it is streamed) and its tokens.

    Lines with one `message` and `request` are one answer. Without them each line is its own.
    """

    when: datetime
    input: int = 10
    output: int = 100
    cache_creation: int = 1_000
    cache_read: int = 20_000
    model: str = MODELS[1]
    message: Optional[str] = None
    request: Optional[str] = None
    text: str = "Done."
    is_error: bool = False

    @property
    def counted(self) -> int:
        """Input + output."""
        return self.input + self.output


def write_messages(
    directory: Path,
    rows: Sequence[Row],
    *,
    project: str = "-home-dev-project",
    session: str = "5f0c7a52-0001-4000-8000-000000000001",
    append: bool = False,
) -> Path:
    """Write (or add to) one transcript, its modification time that of the last message."""
    path = directory / "projects" / project / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if append else "w", encoding="utf-8", newline="\n") as file:
        for number, row in enumerate(rows):
            file.write(json.dumps(_line(row, session, number), separators=(",", ":")) + "\n")
    if rows:
        last = rows[-1].when.timestamp()
        os.utime(path, (last, last))
    return path


def streamed(row: Row, parts: int = 4) -> list[Row]:
    """Return the lines Claude Code writes while an answer streams: one id, growing output tokens.

    ccusage 15–18 count the first line, 19 and 20 the largest.
    """
    name = f"{row.when.timestamp():.3f}"
    whole = replace(row, message=row.message or f"msg_{name}", request=row.request or f"req_{name}")
    return [
        replace(
            whole,
            when=row.when + timedelta(seconds=part),
            output=max(1, row.output * (part + 1) // parts),
        )
        for part in range(parts)
    ]


def limit_message(when: datetime, resets_at: datetime) -> Row:
    """Return the error message that ccusage 15–18 read `usageLimitResetTime` from."""
    text = f"Claude AI usage limit reached|{resets_at.timestamp():.0f}"
    return Row(when, 0, 0, 0, 0, model="<synthetic>", text=text, is_error=True)


def busy_history(
    directory: Path, now: datetime, days: int = 3, seed: int = 1, *, streams: bool = False
) -> list[Row]:
    """Write a believable history that ends in an active block, and return its messages.

    Work sessions of half an hour to seven, with breaks of one hour to fourteen, one transcript
    each, in four projects; then twelve hours of silence and a session that began 95 minutes before
    `now` and is still under way. With `streams`, every answer is several lines.
    """
    rng = random.Random(seed)
    written: list[Row] = []
    for number, (start, end) in enumerate(_sessions(rng, now, days)):
        rows = list(_session(rng, start, end))
        lines = [line for row in rows for line in streamed(row)] if streams else rows
        project = f"-home-dev-project-{rng.randrange(4)}"
        session = f"5f0c7a52-{number:04x}-4000-8000-{seed:012x}"
        write_messages(directory, lines, project=project, session=session)
        written += rows
    return written


def _sessions(rng: random.Random, now: datetime, days: int) -> Iterable[tuple[datetime, datetime]]:
    start = now - timedelta(days=days)
    last = now - timedelta(minutes=95, hours=12)
    while start < last:
        end = min(start + timedelta(hours=rng.uniform(0.5, 7)), last)
        yield start, end
        start = end + timedelta(hours=rng.choice([1, 2.5, 6, 9, 14]))
    yield now - timedelta(minutes=95), now - timedelta(seconds=10)


def _session(rng: random.Random, start: datetime, end: datetime) -> Iterable[Row]:
    when = start
    while when < end - timedelta(seconds=10):  # an answer may stream for some seconds
        yield Row(
            when,
            input=rng.randrange(1, 60),
            output=rng.randrange(20, 900),
            cache_creation=rng.randrange(6_000),
            cache_read=rng.randrange(5_000, 90_000),
            model=rng.choices(MODELS, [3, 6, 1])[0],
        )
        when += timedelta(seconds=15 + rng.expovariate(1 / 200))


def _line(row: Row, session: str, number: int) -> dict[str, Any]:
    own = f"{session[9:13]}{row.when.timestamp():.3f}-{number}"
    line = {
        "parentUuid": None,
        "isSidechain": False,
        "userType": "external",
        "cwd": "/home/dev/project",
        "sessionId": session,
        "version": "2.1.30",
        "type": "assistant",
        "timestamp": _stamp(row.when),
        "requestId": row.request or f"req_{own}",
        "uuid": own,
        "message": _message(row, row.message or f"msg_{own}"),
    }
    return {**line, "isApiErrorMessage": True} if row.is_error else line


def _message(row: Row, name: str) -> dict[str, Any]:
    return {
        "id": name,
        "type": "message",
        "role": "assistant",
        "model": row.model,
        "content": [{"type": "text", "text": row.text}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": row.input,
            "cache_creation_input_tokens": row.cache_creation,
            "cache_read_input_tokens": row.cache_read,
            "output_tokens": row.output,
            "service_tier": "standard",
        },
    }


def _stamp(when: datetime) -> str:
    return when.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
