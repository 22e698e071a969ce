"""Measure the stored reading, without anything that could take a new one: this starts quickly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Optional

from monitor.model.history import History
from monitor.model.official import OfficialLimits
from monitor.model.plans import Rules
from monitor.model.usage import Usage, measure
from monitor.store.history import history_path, load_history
from monitor.store.official import load_official
from monitor.store.reading import load_reading


def stored_usage(
    directory: Path,
    data_dirs: Sequence[str],
    rules: Rules,
    now: datetime,
    options_key: Optional[str] = None,
    *,
    official: str = "statusline",
) -> Optional[Usage]:
    """Return the usage of the stored reading; None if there is none that can be trusted."""
    reading = load_reading(directory, data_dirs, options_key)
    if reading is None:
        return None
    history = load_history(history_path(directory, data_dirs, reading.source.ccusage_version))
    if history and reading.source.scan == "window" and history.distrusts_window(now):
        return None
    limits = load_official(directory, data_dirs) if official != "off" else OfficialLimits()
    return measure(reading, history or History(), rules, now, limits)
