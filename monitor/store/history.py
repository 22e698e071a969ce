"""Keep the completed blocks in the state directory, by data directories and way of counting."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

from monitor.model.blocks import parse_time
from monitor.model.history import CompletedBlock, History, merged
from monitor.model.reading import undercounts
from monitor.store.json_file import digest, load, locked, save
from monitor.store.records import block_as_json, block_from_json


def history_path(directory: Path, data_dirs: Sequence[str], version: Optional[str]) -> Path:
    """Return the file for these data directories and this version's way of counting."""
    name = digest("\0".join(sorted(data_dirs)))
    return directory / f"history-{name}-{counting(version)}.json"


def counting(version: Optional[str]) -> str:
    """Return which of the two ways of counting a ccusage version has: `full` or `first`."""
    return "first" if undercounts(version) else "full"


def load_history(path: Path) -> Optional[History]:
    """Return the history that is kept; None when there is none that can be read.

    One that cannot be read is set aside as `<name>.unreadable`.
    """
    data = load(path)
    try:
        return _history(data) if data else None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        with suppress(OSError):
            path.replace(path.with_name(f"{path.name}.unreadable"))
        return None


def add_to_history(
    path: Path, completed: Sequence[CompletedBlock], read_at: Optional[datetime]
) -> History:
    """Add completed blocks to what is kept, and return it all. Never raises OSError.

    `read_at` is the time of a full scan, None when only some blocks were seen.
    """
    try:
        with locked(path):
            history = _added(load_history(path), completed, read_at)
            save(path, _as_json(history))
            return history
    except OSError:
        # A read-only or full home costs the memory of past blocks, not the monitor.
        return _added(load_history(path), completed, read_at)


def forget_history(directory: Path) -> list[Path]:
    """Delete all that is kept of past blocks; return what was deleted. Raises OSError."""
    found = sorted(directory.glob("history-*.json"))
    for path in found:
        path.unlink()
    return found


def _added(
    old: Optional[History], completed: Sequence[CompletedBlock], read_at: Optional[datetime]
) -> History:
    known = old or History()
    return History(merged(known.completed, completed), read_at or known.read_at)


def _as_json(history: History) -> dict[str, Any]:
    return {
        "read_at": history.read_at.isoformat() if history.read_at else None,
        "blocks": [
            {
                **block_as_json(item.block),
                "official_percent": item.official_percent,
            }
            for item in history.completed
        ],
    }


def _history(data: dict[str, Any]) -> History:
    read_at = data["read_at"]
    return History(
        tuple(_completed(raw) for raw in data["blocks"]),
        parse_time(read_at, "read_at") if read_at else None,
    )


def _completed(raw: dict[str, Any]) -> CompletedBlock:
    percent = raw["official_percent"]
    return CompletedBlock(block_from_json(raw), None if percent is None else float(percent))
