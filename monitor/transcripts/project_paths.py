"""Find the directory that a project of Claude Code stands for, by looking which ones exist."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

MOST_TRIED = 1000
"""Directories that are listed for one name at most."""


def encoded(path: str) -> str:
    """Return the name that Claude Code gives to a project: what is no letter or digit is lost.

    >>> encoded("/home/me/my_app"), encoded("/home/me/my/app")
    ('-home-me-my-app', '-home-me-my-app')
    """
    return re.sub("[^a-zA-Z0-9]", "-", path)


def project_path(name: str, home: Path) -> Optional[Path]:
    """Return the only directory that bears this name; None if there is none, or another one."""
    top = home if name.startswith(f"{encoded(str(home))}-") else Path(home.anchor or os.sep)
    if name == encoded(str(home)):
        return home
    found = []
    for number, path in enumerate(_candidates(top, name)):
        found += [path] if encoded(str(path)) == name else []
        if len(found) > 1 or number > MOST_TRIED:
            return None
    return found[0] if found else None


def _candidates(top: Path, name: str) -> Iterator[Path]:
    """Yield the directories below `top` whose names begin what is looked for."""
    waiting = [top]
    while waiting:
        place = waiting.pop()
        for path in _directories(place):
            start = encoded(str(path))
            if name == start or name.startswith(f"{start}-"):
                yield path
                waiting.append(path)


def _directories(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir()]
    except OSError:
        return []
