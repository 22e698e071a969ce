"""Store the official limits that Claude Code has reported, per Claude data directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

from monitor.model.official import (
    MAX_PERCENT,
    WINDOW_KINDS,
    OfficialLimits,
    Report,
    together,
    with_session,
)
from monitor.store.json_file import digest, file_stamp, load, load_to_change, locked, save


def official_path(directory: Path, data_dir: str) -> Path:
    """Return the file for one Claude data directory, however its path is spelled.

    ccusage 20 also accepts the `projects` in it as the data directory.
    """
    real = Path(os.path.realpath(data_dir))
    home = real.parent if real.name == "projects" else real
    return directory / f"official-{digest(str(home))}.json"


def load_official(directory: Path, data_dirs: Iterable[str]) -> OfficialLimits:
    """Return what was captured for the data directories together."""
    homes = {official_path(directory, name): name for name in data_dirs}
    return together({name: _load(path) for path, name in homes.items()})


class OfficialFiles:
    """Loads what was captured, each file again only when it is another one: polls are frequent."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loaded: dict[Path, tuple[object, OfficialLimits]] = {}

    def load(self, data_dir: str) -> OfficialLimits:
        """Return what was captured for a data directory."""
        path = official_path(self._directory, data_dir)
        stamp = file_stamp(path)
        if path not in self._loaded or self._loaded[path][0] != stamp:
            self._loaded[path] = stamp, _load(path)
        return self._loaded[path][1]


def add_reports(
    directory: Path,
    data_dir: str,
    session_id: str,
    reports: Mapping[str, Report],
    now: datetime,
    api_ms: Optional[float] = None,
) -> OfficialLimits:
    """Add what a session reports to the stored limits, and return them all. Raises OSError."""
    return change_official(
        directory, data_dir, lambda known: with_session(known, session_id, reports, now, api_ms)
    )


def change_official(
    directory: Path, data_dir: str, change: Callable[[OfficialLimits], OfficialLimits]
) -> OfficialLimits:
    """Change what is stored for a data directory, and return it. Raises OSError."""
    path = official_path(directory, data_dir)
    with locked(path):
        limits = change(load_to_change(path, OfficialLimits, _from_version_1) or OfficialLimits())
        save(path, limits, durable=True)
    return limits


def asking_path(directory: Path, data_dir: str) -> Path:
    """Return the path whose lock is held while Claude Code is asked for a data directory."""
    return official_path(directory, data_dir).with_suffix(".ask")


def _load(path: Path) -> OfficialLimits:
    return load(path, OfficialLimits, _from_version_1) or OfficialLimits()


def _from_version_1(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an older file in today's shape."""
    stored = {key: raw[key] for key in WINDOW_KINDS if raw.get(key) is not None}
    windows = {
        key: window
        for key, window in stored.items()
        if window["captures"] and window["used_percent"] <= MAX_PERCENT
    }
    return {"windows": windows, "past": raw["past"]}
