"""The hook for Claude Code's status line: store the official limits, print one line, quickly."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from monitor.claude.status_line import StatusLineInput
    from monitor.config.settings import Settings
    from monitor.model.official import OfficialLimits
    from monitor.model.usage import Usage

MAX_INPUT = 2**22
CHAIN_SECONDS = 5.0


def run_hook(settings: Settings, chain: Optional[str] = None) -> int:
    """Store what Claude Code writes to standard input, and print one line. Never fails."""
    data = _input()
    try:
        text = _line(data, settings)
    except Exception:  # noqa: BLE001 - a status line that fails would trouble Claude Code's user
        text = "ccusage-monitor: no reading"
    if settings.ascii:
        from monitor.views.style import limit_charset

        text = limit_charset(text, "ascii")
    # Claude Code reads UTF-8, whatever the locale.
    _write(f"{text}\n".encode("utf-8", "replace"))
    if chain:
        _write(_chained(chain, data))
    return 0


def _input() -> bytes:
    """Return what Claude Code hands over; nothing when a person runs this by hand."""
    try:
        return b"" if sys.stdin.isatty() else sys.stdin.buffer.read(MAX_INPUT)
    except (AttributeError, OSError, ValueError):
        return b""


def _line(data: bytes, settings: Settings) -> str:
    from monitor.claude.status_line import parse_input
    from monitor.clock import utc_now
    from monitor.model.official import present
    from monitor.views.status_line import official_parts, session_parts

    now = utc_now()
    session = parse_input(data, now)
    stored, is_stored = _store(session, settings, now)
    parts = official_parts(present(stored, now), now) or [_without_official(settings, now)]
    parts += [] if is_stored else ["not stored, see ccusage-monitor doctor"]
    return " · ".join([*parts, *session_parts(session.context_percent, session.model)])


def _store(
    session: StatusLineInput, settings: Settings, now: datetime
) -> tuple[OfficialLimits, bool]:
    """Store what this session reports; return all that is known, and whether it was stored."""
    from monitor.claude.status_line import session_dir
    from monitor.model.official import OfficialLimits, with_session
    from monitor.store.official import add_reports, load_official
    from monitor.store.paths import state_dir

    new = (session.session_id, session.reports, now, session.api_ms)
    try:
        home = str(session_dir(session.transcript, settings.data.claude_dirs, os.environ))
        if not session.reports:
            return load_official(state_dir(), [home]), True
        return add_reports(state_dir(), home, *new), True
    except (OSError, RuntimeError, ValueError):
        # No home, or a read-only one: what has just come in can still be shown.
        return with_session(OfficialLimits(), *new), False


def _without_official(settings: Settings, now: datetime) -> str:
    """Return what the monitor read last; else how to get a number here."""
    from monitor.views.status_line import estimate

    usage = _last_usage(settings, now)
    return (
        estimate(usage, now) if usage else "no official limits yet; they come with the first answer"
    )


def _last_usage(settings: Settings, now: datetime) -> Optional[Usage]:
    from monitor.store.paths import state_dir
    from monitor.store.reading import has_reading

    if not has_reading(state_dir()):
        return None  # before the slow imports: where nobody runs the monitor this is the usual way
    from monitor.app.stored_usage import stored_usage
    from monitor.errors import MonitorError
    from monitor.transcripts.data_dirs import data_dirs

    try:
        dirs = data_dirs(settings.data.claude_dirs, os.environ)
    except MonitorError:
        return None
    return stored_usage(state_dir(), [str(path) for path in dirs], settings.rules, now)


def _chained(command_line: str, data: bytes) -> bytes:
    from monitor.app.signals import signals_unwind
    from monitor.process import run_shell

    with signals_unwind():  # Claude Code ends a status line that is late
        return run_shell(command_line, data=data, limit_seconds=CHAIN_SECONDS)[1]


def _write(data: bytes) -> None:
    """Write bytes past Python's buffer, which would try again at exit what was refused here."""
    with suppress(OSError, ValueError):
        while data:
            data = data[os.write(sys.stdout.fileno(), data) :]
