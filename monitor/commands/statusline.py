"""`statusline`: a hook for Claude Code that keeps the official limits and prints one line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Optional

import click
from click.core import ParameterSource

MAX_INPUT = 2**22
CHAIN_SECONDS = 5.0


@click.command()
@click.option("--chain", metavar="CMD", help="Also run this status-line command on the same input.")
@click.option(
    "--install", is_flag=True, help="Set this up in Claude Code's settings.json; asks first."
)
@click.option("--uninstall", is_flag=True, help="Put Claude Code's settings.json back.")
@click.option("-y", "--yes", is_flag=True, help="Change settings.json without asking.")
@click.pass_context
def command(
    ctx: click.Context, /, *, chain: Optional[str], install: bool, uninstall: bool, yes: bool
) -> Callable[[], int]:
    """Keep the official limits that Claude Code hands its status line, and print them in a line.

    Reads the JSON that Claude Code gives on standard input. Never fails Claude Code: whatever comes
    in, it prints a short line and exits 0.
    """
    params = {**ctx.obj, "yes": yes or ctx.obj["yes"]}
    if install or uninstall:
        from monitor.claude.settings import change_settings
        from monitor.config.settings import directories

        directories(params["claude_dir"])  # refuses an empty one
        if params["demo"]:
            raise click.UsageError("--demo changes nothing of yours: leave it out to install.")
        params["given"] = list(_given(ctx.find_root()))
        return lambda: change_settings(params, install=install, chain=chain)
    return lambda: _statusline(params, chain)


def _given(root: click.Context) -> Iterator[str]:
    """Return the options that were typed before the command, with paths that hold from anywhere."""
    from monitor.store.paths import expand_user

    for param in root.command.params:
        name = param.name or ""
        typed = root.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not typed or name == "yes" or not isinstance(param, click.Option):
            continue
        values = root.params[name] if param.multiple else [root.params[name]]
        for value in values:
            yield param.opts[-1]
            if not param.is_flag:
                is_path = isinstance(param.type, click.Path)
                yield str(expand_user(value).absolute() if is_path else value)


def _statusline(params: Mapping[str, Any], chain: Optional[str]) -> int:
    data = _input()
    try:
        said = _line(data, params)
    except Exception:  # noqa: BLE001 - a status line that fails would trouble Claude Code's user
        said = "ccusage-monitor: no reading"
    if params["ascii"]:
        from monitor.views.style import limit_charset

        said = limit_charset(said, "ascii")
    # Claude Code reads UTF-8, whatever the locale.
    _write(f"{said}\n".encode("utf-8", "replace"))
    if chain:
        _write(_chained(chain, data))
    return 0


def _input() -> bytes:
    """Return what Claude Code says; nothing when a person runs this by hand."""
    try:
        return b"" if sys.stdin.isatty() else sys.stdin.buffer.read(MAX_INPUT)
    except (AttributeError, OSError, ValueError):
        return b""


def _line(data: bytes, params: Mapping[str, Any]) -> str:
    from monitor.clock import utc_now
    from monitor.model.official import present

    now = utc_now()
    told = _parsed(data)
    limits = present(_kept(told, params, now), now)
    parts = _official_parts(limits, now) or [_without_official(params, now)]
    return " · ".join([*parts, *_session_parts(told)])


def _kept(told: Mapping[str, Any], params: Mapping[str, Any], now: datetime) -> Any:
    """Keep what has come in, and return all that is known."""
    from monitor.claude.session import session_dir
    from monitor.model.official import captured
    from monitor.store.official import add_official, load_official
    from monitor.store.paths import state_dir

    new = captured(told.get("rate_limits"), now)
    try:
        home = str(session_dir(told.get("transcript_path"), params["claude_dir"], os.environ))
        if new.captured_at is None:
            return load_official(state_dir(), [home])
        return add_official(state_dir(), home, new, now)
    except (OSError, RuntimeError, ValueError):
        return new  # no home, or a read-only one: what has just come in can still be said


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data.decode(json.detect_encoding(data), "replace"))
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _official_parts(limits: Any, now: datetime) -> list[str]:
    from monitor.model.formatting import age, percent
    from monitor.model.official import is_fresh

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
    from monitor.model.formatting import duration

    return duration(span).replace(" h", "h").replace(" min", "m").replace(" d", "d")


def _without_official(params: Mapping[str, Any], now: datetime) -> str:
    """Say what the monitor read last, with its age; else how to get a number here."""
    from monitor.model.formatting import age, percent

    usage = _last_usage(params, now)
    if usage is None:
        return "no official limits yet; they come with the first answer"
    said = f"estimate {percent(usage.used_percent)}" if usage.block else "no active block"
    return f"{said}, read {age(now - usage.reading.read_at)} ago"


def _last_usage(params: Mapping[str, Any], now: datetime) -> Any:
    from monitor.store.paths import state_dir
    from monitor.store.reading import has_reading

    if not has_reading(state_dir()):
        return None  # before the slow imports: where nobody runs the monitor this is the usual way
    from monitor.app.sharing import stored_usage
    from monitor.errors import MonitorError
    from monitor.model.plans import PLAN_TOKENS
    from monitor.model.usage import Rules
    from monitor.transcripts.data_dirs import data_dirs

    try:
        dirs = data_dirs([Path(name) for name in params["claude_dir"]], os.environ)
    except MonitorError:
        return None
    plans = {**PLAN_TOKENS, **params["plans"]}
    rules = Rules(params["plan"], params["token_limit"], plan_tokens=plans)
    return stored_usage(state_dir(), [str(path) for path in dirs], rules, now)


def _session_parts(told: Mapping[str, Any]) -> list[str]:
    from monitor.model.formatting import percent, visible
    from monitor.model.official import percentage

    parts = []
    context, model = told.get("context_window"), told.get("model")
    used = percentage(context.get("used_percentage")) if isinstance(context, dict) else None
    if used is not None:
        parts.append(f"context {percent(used)}")
    name = model.get("display_name") if isinstance(model, dict) else None
    if isinstance(name, str) and name:
        parts.append(visible(name)[:40])
    return parts


def _chained(command_line: str, data: bytes) -> bytes:
    from monitor.app.signals import signals_unwind
    from monitor.process import run_shell

    with signals_unwind():  # Claude Code ends a status line that is late
        return run_shell(command_line, data=data, limit_seconds=CHAIN_SECONDS)[1]


def _write(data: bytes) -> None:
    """Write bytes as they are, past Python's buffer: what was refused must not come up again."""
    with suppress(OSError, ValueError):
        while data:
            data = data[os.write(sys.stdout.fileno(), data) :]
