"""Find the user's own Claude Code, without starting it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple, Optional

from monitor.errors import MonitorError
from monitor.store.paths import expand_user


class ClaudeProgram(NamedTuple):
    """How to start Claude Code, where it was found, and its version if its files say that."""

    argv: tuple[str, ...]
    path: str
    version: Optional[str]


def find_claude(named: Optional[str]) -> ClaudeProgram:
    """Return the program that `--claude` names, else `claude` on PATH. Raises MonitorError."""
    if named is None:
        path = shutil.which("claude")
        if path is None or not Path(path).is_absolute():
            raise MonitorError("claude was not found on PATH.", "Name it with --claude CMD.")
        return ClaudeProgram((path,), path, _version(path))
    words = _words(named)
    path = shutil.which(expand_user(words[0]))
    if path is None:
        advice = "Give the path of claude, or a command line that runs it."
        raise MonitorError(f"--claude {named}: there is no such program.", advice)
    path = str(Path(path).absolute())
    return ClaudeProgram((path, *words[1:]), path, _version(path))


def is_claude_there(named: Optional[str]) -> bool:
    """Return whether there is a Claude Code to ask."""
    try:
        find_claude(named)
    except MonitorError:
        return False
    return True


def _words(named: str) -> list[str]:
    if os.path.isfile(expand_user(named)):  # noqa: PTH113 - pathlib's may raise for a long text
        return [named]
    try:
        words = shlex.split(named, posix=os.name != "nt")
    except ValueError as error:
        raise MonitorError(f"--claude {named}: {error}.", "Close the quotes.") from error
    if not words:
        raise MonitorError("--claude names no command.", "Give a path or a command line.")
    return words


def _version(path: str) -> Optional[str]:
    """Return the version in the package.json above a program, as npm installs it."""
    for folder in Path(os.path.realpath(path)).parents:
        try:
            manifest = json.loads((folder / "package.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(manifest, dict) and "claude-code" in str(manifest.get("name")):
            return str(manifest.get("version"))
        return None
    return None
