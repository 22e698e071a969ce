"""Store the completed blocks, by data directories and way of counting."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Optional

from monitor.model.history import History
from monitor.model.reading import undercounts
from monitor.store.json_file import (
    UNFINISHED,
    digest,
    file_stamp,
    load,
    load_to_change,
    locked,
    save,
)
from monitor.store.paths import private_dir


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


def change_history(path: Path, change: Callable[[History], History]) -> History:
    """Change the stored history, and return it. Raises OSError; then nothing has changed."""
    with locked(path):
        history = change(load_to_change(path, History, _from_version_1) or History())
        save(path, history, durable=True)
        return history


def claim(path: Path, span: timedelta) -> bool:
    """Return whether no process has claimed to read this history for so long; claim it then.

    Where nothing can be stored it cannot be claimed, since what is read would be of no use.
    """
    mark = path.with_suffix(".claimed")
    stamp = file_stamp(mark)
    if stamp is not None and abs(time.time() - stamp[1] / 1e9) < span.total_seconds():
        return False
    try:
        private_dir(mark.parent)
        mark.touch(0o600)
        os.utime(mark)
    except OSError:
        return False
    return True


def forget_history(directory: Path) -> list[Path]:
    """Delete all files that hold past blocks; return their paths. Raises OSError.

    These are the histories, what they count, and the last readings, those of them that were set
    aside or left unfinished, and the claims to read a history.
    """
    forms = ("{}.json", "{}.json.unreadable*", ".{}.json." + UNFINISHED, "{}.claimed")
    names = [form.format(kind) for kind in ("history-*", "counted-*", "last-*") for form in forms]
    paths = sorted(path for name in names for path in directory.glob(name))
    for path in paths:
        path.unlink(missing_ok=True)
    return paths


def _from_version_1(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an older file in today's shape."""
    return {**raw, "completed": [_completed_from_version_1(block) for block in raw["blocks"]]}


def _completed_from_version_1(raw: dict[str, Any]) -> dict[str, Any]:
    block = {**raw, "last_activity": raw["last"], "is_active": raw["active"], "is_gap": False}
    return {"block": block, "official_percent": raw["official_percent"]}
