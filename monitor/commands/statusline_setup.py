"""`statusline --install` and `--uninstall`: show what changes in settings.json, ask, and do it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Optional

import click
from click.core import ParameterSource

from monitor.app import exits
from monitor.claude.settings import (
    KEY,
    ClaudeSettings,
    add_hook,
    hook_for,
    read_settings,
    remove_hook,
    status_line_before,
)
from monitor.claude.status_line import session_dir
from monitor.config.settings import Settings
from monitor.errors import MonitorError
from monitor.model.formatting import visible
from monitor.store.paths import expand_user

NOT_OF_HOOK = ("yes", "account")
"""Options that the hook does not need: Claude Code tells whose session it is."""


def install(settings: Settings, typed: Sequence[str], chain: Optional[str]) -> int:
    """Make us Claude Code's status line, with the options in `typed`, and run `chain` too.

    Raises MonitorError with nothing changed.
    """
    with _claude_settings(settings) as current:
        new = hook_for(current.status_line, typed, chain)
        if new == current.status_line or (current.is_installed and not (typed or chain)):
            print(f"Already installed in {_path(current)}.")
            return exits.OK
        print(f"In {_path(current)}, {KEY} changes from\n  {_shown(current.status_line)}")
        print(f"to\n  {_shown(new)}")
        if current.exists and not current.is_installed:
            print(f"A backup is stored beside it: {visible(current.backup.name)}")
        _confirm(settings, "Change it?", current)
        add_hook(current, new)
    print("Done. Claude Code shows the line after its next answer.")
    return exits.OK


def uninstall(settings: Settings) -> int:
    """Put the status line back that was there before. Raises MonitorError with nothing changed."""
    with _claude_settings(settings) as current:
        if not current.is_installed:
            print(f"Not installed in {_path(current)}.")
            return exits.OK
        print(
            f"In {_path(current)}, {KEY} changes back to\n  {_shown(status_line_before(current))}"
        )
        _confirm(settings, "Change it back?", current)
        remove_hook(current)
    print("Done.")
    return exits.OK


def typed_options(root: click.Context) -> Iterator[str]:
    """Yield the options that were typed before the command, with paths that hold from anywhere."""
    for param in root.command.params:
        name = param.name or ""
        typed = root.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if not typed or name in NOT_OF_HOOK or not isinstance(param, click.Option):
            continue
        values = root.params[name] if param.multiple else [root.params[name]]
        for value in values:
            yield param.opts[-1]
            if not param.is_flag:
                is_path = isinstance(param.type, click.Path)
                yield str(expand_user(value).absolute() if is_path else value)


@contextmanager
def _claude_settings(settings: Settings) -> Iterator[ClaudeSettings]:
    """Lend Claude Code's settings.json; what fails in between changes nothing."""
    dirs = settings.data.claude_dirs
    home = session_dir(None, dirs, os.environ)
    if dirs and not home.is_dir():
        advice = "Name the directory that holds Claude Code's settings.json; nothing was changed."
        raise MonitorError(f"{home} is not a directory.", advice)
    # A settings.json that is a link into somebody's dotfiles stays one.
    path = (home / "settings.json").resolve()
    try:
        yield read_settings(path)
    except OSError as error:
        reason = f"{path} could not be changed: {error.strerror or error}."
        raise MonitorError(reason, "Nothing was changed.") from error


def _confirm(settings: Settings, question: str, current: ClaudeSettings) -> None:
    """Return if the user agrees and nobody has changed the file meanwhile. Raises MonitorError."""
    if not settings.yes:
        if not (sys.stdin and sys.stdin.isatty()):
            reason = "Nothing was changed: there is nobody to ask."
            raise MonitorError(reason, "Add --yes to change it.")
        if not click.confirm(question, default=True, err=True):
            raise MonitorError("Nothing was changed.")
    if read_settings(current.path).data != current.data:
        raise MonitorError(f"{current.path} has changed meanwhile.", "Nothing was done; try again.")


def _shown(value: Any) -> str:
    return "nothing" if value is None else visible(json.dumps(value, ensure_ascii=False))


def _path(current: ClaudeSettings) -> str:
    return visible(str(current.path))
