"""Keep the official limits that the status line captured, per Claude data directory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import Any, Optional

from monitor.model.blocks import parse_time
from monitor.model.bridge import Capture
from monitor.model.official import (
    OfficialLimits,
    PastWindow,
    RateLimitWindow,
    joined,
    merged,
    percentage,
)
from monitor.store.json_file import digest, load, locked, save


def official_path(directory: Path, data_dir: str) -> Path:
    """Return the file for one Claude data directory, however its path is spelled.

    ccusage 20 also takes the `projects` in it for the data directory.
    """
    real = Path(os.path.realpath(data_dir))
    home = real.parent if real.name == "projects" else real
    return directory / f"official-{digest(str(home))}.json"


def load_official(directory: Path, data_dirs: Iterable[str]) -> Optional[OfficialLimits]:
    """Return what was captured for the data directories together; None when nothing was."""
    paths = dict.fromkeys(official_path(directory, name) for name in data_dirs)
    found = [limits for limits in map(_read, paths) if limits and limits.captured_at]
    return reduce(joined, found) if found else None


def keep_official(
    directory: Path, data_dir: str, new: OfficialLimits, now: datetime
) -> OfficialLimits:
    """Merge a capture into what is kept, and return all that is known. Raises OSError."""
    path = official_path(directory, data_dir)
    with locked(path):
        limits = merged(_read(path) or OfficialLimits(), new, now)
        save(path, _as_json(limits))
    return limits


def _read(path: Path) -> Optional[OfficialLimits]:
    data = load(path)
    if data is None:
        return None
    try:
        return OfficialLimits(
            _window(data.get("five_hour")),
            _window(data.get("seven_day")),
            _window(data.get("spend_limit")),
            tuple(PastWindow(parse_time(at, "past"), _percent(p)) for at, p in data["past"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _as_json(limits: OfficialLimits) -> dict[str, Any]:
    return {
        "five_hour": _window_as_json(limits.five_hour),
        "seven_day": _window_as_json(limits.seven_day),
        "spend_limit": _window_as_json(limits.spend_limit),
        "past": [[past.resets_at.isoformat(), past.used_percent] for past in limits.past],
    }


def _window_as_json(window: Optional[RateLimitWindow]) -> Optional[dict[str, Any]]:
    if window is None:
        return None
    return {
        "used_percent": window.used_percent,
        "resets_at": window.resets_at.isoformat() if window.resets_at else None,
        "captured_at": window.captured_at.isoformat(),
        "captures": [[c.at.isoformat(), c.used_percent] for c in window.captures],
        "suspect": window.suspect,
    }


def _window(raw: Optional[dict[str, Any]]) -> Optional[RateLimitWindow]:
    if raw is None:
        return None
    resets_at = raw["resets_at"]
    return RateLimitWindow(
        used_percent=_percent(raw["used_percent"]),
        resets_at=parse_time(resets_at, "resets_at") if resets_at else None,
        captured_at=parse_time(raw["captured_at"], "captured_at"),
        captures=tuple(
            Capture(parse_time(at, "captures"), _percent(value)) for at, value in raw["captures"]
        ),
        suspect=None if raw["suspect"] is None else _percent(raw["suspect"]),
    )


def _percent(value: object) -> float:
    found = percentage(value)
    if found is None:
        raise ValueError(f"{value!r} is no percentage")
    return found
