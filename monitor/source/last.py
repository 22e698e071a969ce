"""The running monitor's last reading, for whoever would otherwise run ccusage again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Optional

from monitor.model.reading import Reading
from monitor.source.records import reading_as_json, reading_from_json
from monitor.state import digest, load, save

FAULTS = (KeyError, TypeError, ValueError, AttributeError)


def last_path(directory: Path, data_dirs: Sequence[str]) -> Path:
    """Return the file for these data directories, however their paths are spelled."""
    names = "\0".join(sorted(os.path.realpath(name) for name in data_dirs))
    return directory / f"last-{digest(names)}.json"


def save_last(directory: Path, reading: Reading) -> None:
    """Keep a reading; a directory that cannot be written to costs only the sharing."""
    try:
        save(last_path(directory, reading.data_dirs), reading_as_json(reading))
    except OSError:
        return


def confirm_last(directory: Path, reading: Reading) -> None:
    """Say that the reading kept is still the present one, without writing it again."""
    try:
        os.utime(last_path(directory, reading.data_dirs))
    except OSError:
        save_last(directory, reading)


def has_last(directory: Path) -> bool:
    """Whether a reading is kept of any data directories."""
    try:
        return any(name.startswith("last-") for name in os.listdir(directory))  # noqa: PTH208
    except OSError:
        return False


def load_last(directory: Path, data_dirs: Sequence[str]) -> Optional[Reading]:
    """Return the last reading, read at when it was last confirmed; None when there is none."""
    path = last_path(directory, data_dirs)
    data = load(path)
    if data is None:
        return None
    try:
        confirmed = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
        return replace(reading_from_json(data), read_at=confirmed)
    except (OSError, *FAULTS):
        return None
