"""`statusline`: a hook for Claude Code that keeps the official limits and prints one line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Optional

import click

MAX_INPUT = 2**22
CHAIN_SECONDS = 5.0


@click.command()
@click.option("--chain", metavar="CMD", help="Also run this status-line command on the same input.")
@click.option(
    "--install", is_flag=True, help="Set this up in Claude Code's settings.json; asks first."
)
@click.option("--uninstall", is_flag=True, help="Put Claude Code's settings.json back.")
@click.pass_context
def command(
    ctx: click.Context, /, *, chain: Optional[str], install: bool, uninstall: bool
) -> Callable[[], int]:
    """Keep the official limits that Claude Code hands its status line, and print them in a line.

    Reads the JSON that Claude Code gives on standard input. Never fails Claude Code: whatever comes
    in, it prints a short line and exits 0.
    """
    params = ctx.obj
    if install or uninstall:
        from monitor.commands.hook import change_settings

        return lambda: change_settings(params, install=install, chain=chain)
    return lambda: _statusline(params, chain)


def _statusline(params: Mapping[str, Any], chain: Optional[str]) -> int:
    try:
        data = sys.stdin.buffer.read(MAX_INPUT) if sys.stdin else b""
    except OSError:
        data = b""
    try:
        said = _line(data, params)
    except Exception:  # noqa: BLE001 - a status line that fails would trouble Claude Code's user
        said = "ccusage-monitor: no reading"
    _print(said)
    if chain:
        _print_chained(chain, data)
    return 0


def _line(data: bytes, params: Mapping[str, Any]) -> str:
    from monitor.clock import utc_now
    from monitor.model.official import OfficialLimits, captured, present
    from monitor.source.captures import keep_official
    from monitor.source.places import session_dir
    from monitor.state import state_dir

    now = utc_now()
    told = _parsed(data)
    new = captured(told.get("rate_limits"), now)
    home = str(session_dir(told.get("transcript_path"), params["claude_dir"], os.environ))
    try:
        limits: Optional[OfficialLimits] = keep_official(state_dir(), home, new, now)
    except OSError:
        limits = new  # a read-only or full home: what has just come in can still be said
    parts = _official_parts(present(limits, now), now) or [_without_official(home, params, now)]
    return " · ".join([*parts, *_session_parts(told)])


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _official_parts(limits: Any, now: datetime) -> list[str]:
    from monitor.model.official import is_fresh
    from monitor.model.words import age, percent

    parts = []
    named = (("5h", "five_hour"), ("7d", "seven_day"), ("spend", "spend_limit"))
    for name, field in named:
        window = getattr(limits, field, None)
        if window is None:
            continue
        said = f"{name} {percent(window.used_percent)}"
        if window.resets_at:
            said += f" ({_left(window.resets_at - now)} left)"
        if not is_fresh(window, now):
            said += f", {age(now - window.captured_at)} old"
        parts.append(said)
    return parts


def _left(span: timedelta) -> str:
    from monitor.model.words import duration

    return duration(span).replace(" h", "h").replace(" min", "m").replace(" d", "d")


def _without_official(home: str, params: Mapping[str, Any], now: datetime) -> str:
    """Say what the monitor read last, with its age; else how to get a number here."""
    from monitor.model.words import age, percent
    from monitor.source.last import load_last
    from monitor.state import state_dir

    last = load_last(state_dir(), [home])
    if last is None:
        return "no official limits yet; they come with the first answer"
    from monitor.looks import Seen, measured
    from monitor.settings import settings_from

    usage = measured(Seen(last), settings_from(params).rules, now)
    if usage.block is None:
        return f"no active block ({age(now - last.read_at)} ago)"
    return f"estimate {percent(usage.used_percent)} ({age(now - last.read_at)} ago)"


def _session_parts(told: Mapping[str, Any]) -> list[str]:
    from monitor.model.official import percentage
    from monitor.model.words import percent, visible

    parts = []
    context, model = told.get("context_window"), told.get("model")
    used = percentage(context.get("used_percentage")) if isinstance(context, dict) else None
    if used is not None:
        parts.append(f"context {percent(used)}")
    name = model.get("display_name") if isinstance(model, dict) else None
    if isinstance(name, str) and name:
        parts.append(visible(name)[:40])
    return parts


def _print_chained(command_line: str, data: bytes) -> None:
    """Print what the user's own command prints, byte for byte: it may be coloured."""
    from monitor.source.chain import run_chained

    with suppress(OSError, ValueError):
        sys.stdout.buffer.write(run_chained(command_line, data, CHAIN_SECONDS))
        sys.stdout.buffer.flush()


def _print(text: str) -> None:
    with suppress(OSError, ValueError):
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        sys.stdout.flush()
