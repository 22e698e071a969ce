"""Store the completed blocks, by data directories and way of counting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

from monitor.model.history import CompletedBlock, History, merged
from monitor.model.reading import undercounts
from monitor.store.json_file import digest, load, locked, save


def history_path(directory: Path, data_dirs: Sequence[str], version: Optional[str]) -> Path:
    """Return the file for these data directories and this version's way of counting."""
    name = digest("\0".join(sorted(data_dirs)))
    return directory / f"history-{name}-{counting(version)}.json"


def counting(version: Optional[str]) -> str:
    """Return how a ccusage version counts streamed answers: `full`, or only the `first` line."""
    return "first" if undercounts(version) else "full"


def load_history(path: Path) -> Optional[History]:
    """Return the stored history; None if there is none that can be read."""
    return load(path, History, _from_version_1)


def add_to_history(
    path: Path, completed: Sequence[CompletedBlock], read_at: Optional[datetime]
) -> History:
    """Add completed blocks to the stored ones, and return them all. Never raises OSError.

    `read_at` is the time of a full scan; None if only some blocks were read.
    """
    try:
        with locked(path):
            history = _added(load_history(path), completed, read_at)
            save(path, history)
            return history
    except OSError:
        # A read-only or full home costs the memory of past blocks, not the monitor.
        return _added(load_history(path), completed, read_at)


def forget_history(directory: Path) -> list[Path]:
    """Delete all stored histories; return their paths. Raises OSError."""
    paths = sorted(directory.glob("history-*.json"))
    for path in paths:
        path.unlink()
    return paths


def _added(
    old: Optional[History], completed: Sequence[CompletedBlock], read_at: Optional[datetime]
) -> History:
    known = old or History()
    return History(merged(known.completed, completed), read_at or known.read_at)


def _from_version_1(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an older file in today's shape."""
    return {**raw, "completed": [_completed_from_version_1(block) for block in raw["blocks"]]}


def _completed_from_version_1(raw: dict[str, Any]) -> dict[str, Any]:
    block = {**raw, "last_activity": raw["last"], "is_active": raw["active"], "is_gap": False}
    return {"block": block, "official_percent": raw["official_percent"]}
