"""Store the newest reading, so that other processes need not run ccusage."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Optional

from monitor.model.blocks import real_blocks
from monitor.model.reading import Reading
from monitor.store.json_file import digest, load, save

CLOCK_SLACK = timedelta(seconds=10)

DIGEST = "[0-9a-f]" * 16
"""What `digest` returns, as a pattern of file names."""


class ReadingFile:
    """Stores the readings of this process; none if the directory cannot be written to."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stamp: Optional[tuple[int, int]] = None

    def store(self, reading: Reading, *, is_confirmed: bool) -> None:
        """Store a reading. If the poll only confirmed it, touch the file instead of writing it.

        Another process may have put an older reading in its place: then it is written again.
        """
        path = reading_path(self._directory, reading.source.data_dirs, reading.source.options_key)
        try:
            if is_confirmed and self._stamp is not None and _stamp_of(path) == self._stamp:
                os.utime(path)
            else:
                blocks = tuple(real_blocks(reading.blocks))
                source = replace(reading.source, missing_dirs=())
                save(path, replace(reading, blocks=blocks, source=source))
            self._stamp = _stamp_of(path)
        except OSError:
            self._stamp = None


def reading_path(directory: Path, data_dirs: Sequence[str], options_key: str) -> Path:
    """Return the file for these data directories, however their paths are spelled."""
    return directory / f"{_prefix(data_dirs)}{digest(options_key)}.json"


def has_reading(directory: Path) -> bool:
    """Return whether a reading of any data directories is stored."""
    try:
        return any(name.startswith("last-") for name in os.listdir(directory))  # noqa: PTH208
    except OSError:
        return False


def load_reading(
    directory: Path, data_dirs: Sequence[str], options_key: Optional[str] = None
) -> Optional[Reading]:
    """Return the stored reading, with the time of its last confirmation; None if there is none.

    Without `options_key` it is the newest one, whatever options it was read with.
    """
    if options_key is not None:
        return _load(reading_path(directory, data_dirs, options_key))
    names = f"{_prefix(data_dirs)}{DIGEST}.json"
    readings = filter(None, map(_load, directory.glob(names)))
    return max(readings, key=lambda reading: reading.read_at, default=None)


def _prefix(data_dirs: Sequence[str]) -> str:
    names = "\0".join(sorted(os.path.realpath(name) for name in data_dirs))
    return f"last-{digest(names)}-"


def _stamp_of(path: Path) -> tuple[int, int]:
    """Return inode and mtime of the file, which tell whether another process replaced it."""
    info = path.stat()
    return info.st_ino, info.st_mtime_ns


def _load(path: Path) -> Optional[Reading]:
    reading = load(path, Reading)
    if reading is None:
        return None
    try:
        confirmed_at = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    except OSError:
        return None
    # If the file is older than its content, a clock was wrong.
    is_wrong = reading.read_at - confirmed_at > CLOCK_SLACK
    return None if is_wrong else replace(reading, read_at=confirmed_at)
