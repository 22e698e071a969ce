"""`config`: show every setting with its origin, or write a commented settings file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Optional

import click
from click.core import ParameterSource

from monitor.app import exits
from monitor.config.settings_file import ALERT_KEYS, META, NOT_IN_FILE, SettingsFile
from monitor.errors import MonitorError
from monitor.model.formatting import visible
from monitor.store.json_file import replace_file
from monitor.store.paths import expand_user, settings_path

NOT_LISTED = NOT_IN_FILE | {"once", "json", "follow"}
"""A file may choose an output for good, but that is seldom meant."""

PLANS_EXAMPLE = """
# Limits of your own, by name: `plan = "team-max"` then works.
[plans]
# team-max = "60k"
"""

ACCOUNTS_EXAMPLE = """
# Claude accounts by name: each is shown by itself, with its own limits.
[accounts]
# work = "~/.claude-work"
"""

ALERTS_EXAMPLE = """
# When to alert, and how. Without a way (bell, notify or command) there are no alerts.
[alerts]"""


@click.command()
@click.option("--show", is_flag=True, help="Print each setting in force and where it came from.")
@click.option("--init", is_flag=True, help="Write a commented settings file.")
@click.pass_context
def command(ctx: click.Context, /, *, show: bool, init: bool) -> Callable[[], int]:
    """Show the settings in force (--show), or write a commented settings file (--init)."""
    if show == init:
        raise click.UsageError("config takes one of --show and --init.")
    root = ctx.find_root()
    return (lambda: _show(root)) if show else (lambda: _init(root))


def _show(root: click.Context) -> int:
    rows = list(_rows(root, root.meta.get(META)))
    name_width, value_width = (max(len(row[i]) for row in rows) for i in (0, 1))
    for name, value, origin in rows:
        print(visible(f"{name:<{name_width}}  {value:<{value_width}}  {origin}"))
    return exits.OK


def _rows(root: click.Context, file: Optional[SettingsFile]) -> Iterator[tuple[str, str, str]]:
    for param in _settings(root):
        value = root.params[param.name or ""]
        origin = _origin(root.get_parameter_source(param.name or ""), param, file)
        yield _key(param), _shown(value, param), origin
    for name, tokens in (file.plans if file else {}).items():
        yield f"plans.{name}", str(tokens), str(file.path) if file else ""
    for account in file.accounts if file else ():
        yield f"accounts.{account.name}", str(account.data_dir), str(file.path) if file else ""
    if file is None:
        yield "config", "-", f"{settings_path()} is not there"


def _init(root: click.Context) -> int:
    named = root.params.get("config")
    path = expand_user(named) if named else settings_path()
    if path.exists():
        raise MonitorError(f"{path} exists already.", "Edit it, or name another with --config.")
    try:
        path.parent.mkdir(0o755, parents=True, exist_ok=True)  # whatever the umask: see trust.py
        replace_file(path, "\n".join(_template(root)).encode(), 0o644)
    except OSError as error:
        raise MonitorError(f"{path} could not be written: {error.strerror}.") from error
    print(f"Wrote {visible(str(path))}.")
    return exits.OK


def _template(root: click.Context) -> Iterator[str]:
    yield "# Settings of ccusage-monitor. The command line and the environment beat this file."
    named = {name: key for key, name in ALERT_KEYS.items()}
    for param in _settings(root):
        if param.name not in named:
            yield from _entry(param, _key(param))
    yield ALERTS_EXAMPLE
    for param in _settings(root):
        if param.name in named:
            yield from _entry(param, named[param.name or ""])
    yield ACCOUNTS_EXAMPLE
    yield PLANS_EXAMPLE


def _entry(param: click.Option, key: str) -> Iterator[str]:
    yield f"\n# {' '.join((param.help or '').split())}"
    yield f"# {key} = {_toml(param)}"


def _settings(root: click.Context) -> Iterator[click.Option]:
    for param in root.command.params:
        if isinstance(param, click.Option) and param.name not in NOT_LISTED:
            yield param


def _key(param: click.Parameter) -> str:
    return (param.name or "").replace("_", "-")


def _shown(value: Any, param: click.Option) -> str:
    if value is None or value == ():
        # What an option without a value means is in its help.
        return "".join(re.findall(r"\[default: (.*)\]", param.help or "")) or "-"
    if isinstance(value, (tuple, list)):
        return ", ".join(_shown(item, param) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _origin(
    source: Optional[ParameterSource], param: click.Option, file: Optional[SettingsFile]
) -> str:
    if source is ParameterSource.COMMANDLINE:
        return "command line"
    if source is ParameterSource.ENVIRONMENT:
        return f"environment, CCUSAGE_MONITOR_{(param.name or '').upper()}"
    if source is ParameterSource.DEFAULT_MAP and file is not None:
        return str(file.path)
    return "default"


EXAMPLES = {
    "token_limit": '"44k"',
    "reset_hour": "9",
    "timezone": '"US/Eastern"',
    "ccusage": '"npx --yes ccusage@20"',
    "account": '"work"',
    "official": '"ask"',
    "claude": '"~/.local/bin/claude"',
    "claude_dir": '["~/.claude"]',
    "time_format": '"24"',
    "alert_at": "[80, 95]",
    "alert_command": '\'notify-send "$CCUSAGE_ALERT_TITLE" "$CCUSAGE_ALERT_SENTENCE"\'',
}


def _toml(param: click.Option) -> str:
    if param.name in EXAMPLES:
        return EXAMPLES[param.name]
    if param.is_flag:
        return "true"
    return f'"{param.default}"' if isinstance(param.default, str) else str(param.default)
