"""One usage for many askers: the running monitor's last reading, else one look for all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Optional

from monitor.app import exits
from monitor.app.once import open_usage, poll_once
from monitor.app.poller import kept_usage, needs_history
from monitor.ccusage.runner import CcusageError
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.model.reading import Reading
from monitor.model.usage import Usage
from monitor.store.history import history_path, load_history
from monitor.store.json_file import load, locked, save, state_dir
from monitor.store.reading import last_path
from monitor.transcripts.data_dirs import data_dirs

LEAST_AGE = timedelta(seconds=10)
"""A reading this young is shared, whatever the refresh."""


def shared_usage(settings: Settings, oldest: Optional[timedelta] = None) -> Usage:
    """Return the present usage, without running ccusage where somebody just has.

    Of many that ask at once the first looks and the others wait for what it finds, be it a failure.
    `oldest` is how old a reading may be even where the refresh is rare.
    Raises exits.Failure when no reading can be had.
    """
    if settings.demo:
        return _looked(settings)
    asked_at, roots = utc_now(), _data_dirs(settings)
    fresh = min(filter(None, (_fresh(settings), oldest)))
    found = _shared(settings, roots, fresh)
    if found is not None:
        return found
    failure = last_path(state_dir(), roots, settings.source.options_key).with_suffix(".failed.json")
    try:
        with locked(failure):
            return _shared(settings, roots, fresh) or _first_looked(settings, failure, asked_at)
    except OSError:
        return _looked(settings)  # a read-only home: nothing can be shared


def _first_looked(settings: Settings, path: Path, asked_at: datetime) -> Usage:
    """Look, unless somebody has failed to since this was asked for: that answers it too."""
    known = load(path) or {}
    at = known.get("at")
    if isinstance(at, float) and asked_at.timestamp() < at <= utc_now().timestamp():
        raise exits.Failure(str(known.get("reason")), str(known.get("advice")))
    try:
        return _looked(settings)
    except exits.Failure as failure:
        said = {"reason": failure.reason, "advice": failure.advice}
        with suppress(OSError):
            save(path, {"at": utc_now().timestamp(), **said})
        raise


def _looked(settings: Settings) -> Usage:
    with open_usage(settings) as (chosen, poller):
        return poll_once(chosen, poller)


def _data_dirs(settings: Settings) -> list[str]:
    try:
        return [str(root) for root in data_dirs(settings.source.claude_dirs, os.environ)]
    except CcusageError as error:
        raise exits.Failure(error.reason, error.advice) from error


def _shared(settings: Settings, roots: Sequence[str], fresh: timedelta) -> Optional[Usage]:
    """Return the usage from a reading that is young enough; None when there is none."""
    options_key = settings.source.options_key
    usage = kept_usage(state_dir(), roots, settings.rules, utc_now(), options_key)
    if usage is None or not timedelta() <= usage.now - usage.reading.read_at <= fresh:
        return None
    if needs_history(settings.rules, usage) and not _history_is_known(usage.reading, roots):
        return None
    return usage


def _history_is_known(reading: Reading, roots: Sequence[str]) -> bool:
    history = load_history(history_path(state_dir(), roots, reading.ccusage_version))
    return history is not None and history.read_at is not None


def _fresh(settings: Settings) -> timedelta:
    return max(LEAST_AGE, 2 * timedelta(seconds=settings.refresh))
