"""The running monitor's last reading, for whoever would otherwise run ccusage again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Optional

from monitor.model.reading import Reading
from monitor.store.json_file import digest, load, save
from monitor.store.records import reading_as_json, reading_from_json

CLOCK_SLACK = timedelta(seconds=10)

FAULTS = (KeyError, TypeError, ValueError, AttributeError)


def last_path(directory: Path, data_dirs: Sequence[str], options_key: str) -> Path:
    """Return the file for these data directories, however their paths are spelled."""
    return directory / f"{_name(data_dirs)}{digest(options_key)}.json"


def _name(data_dirs: Sequence[str]) -> str:
    names = "\0".join(sorted(os.path.realpath(name) for name in data_dirs))
    return f"last-{digest(names)}-"


Saved = Optional[tuple[int, int]]
"""Tells the file that one has saved or confirmed from another one in its place."""


def save_last(directory: Path, reading: Reading) -> Saved:
    """Keep a reading; a directory that cannot be written to costs only the sharing."""
    path = last_path(directory, reading.data_dirs, reading.options_key)
    try:
        save(path, reading_as_json(reading))
        return _saved(path)
    except OSError:
        return None


def confirm_last(directory: Path, reading: Reading, saved: Saved) -> Saved:
    """Say that the reading saved is still the present one, without writing it again.

    Another monitor may have put an older reading in its place since: then it is written again.
    """
    path = last_path(directory, reading.data_dirs, reading.options_key)
    try:
        if saved is not None and _saved(path) == saved:
            os.utime(path)
            return _saved(path)
    except OSError:
        pass
    return save_last(directory, reading)


def _saved(path: Path) -> Saved:
    info = path.stat()
    return info.st_ino, info.st_mtime_ns


def has_last(directory: Path) -> bool:
    """Whether a reading is kept of any data directories."""
    try:
        return any(name.startswith("last-") for name in os.listdir(directory))  # noqa: PTH208
    except OSError:
        return False


def load_last(
    directory: Path, data_dirs: Sequence[str], options_key: Optional[str] = None
) -> Optional[Reading]:
    """Return the last reading, read at when it was last confirmed; None when there is none.

    Without `options_key` it is the newest of any kind.
    """
    if options_key is not None:
        return _load(last_path(directory, data_dirs, options_key))
    readings = filter(None, map(_load, directory.glob(f"{_name(data_dirs)}*[0-9a-f].json")))
    return max(readings, key=lambda reading: reading.read_at, default=None)


def _load(path: Path) -> Optional[Reading]:
    data = load(path)
    if data is None:
        return None
    try:
        confirmed = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
        reading = reading_from_json(data)
        # A file older than what is in it: one of the two is of a wrong clock.
        wrong = reading.read_at - confirmed > CLOCK_SLACK
        return None if wrong else replace(reading, read_at=confirmed)
    except (OSError, *FAULTS):
        return None
