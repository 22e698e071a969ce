"""One usage for many askers: the running monitor's last reading, else one look for all."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Optional

from monitor import exits
from monitor.clock import utc_now
from monitor.looks import kept_usage
from monitor.model.usage import Usage
from monitor.run import look_once, open_usage
from monitor.settings import Settings
from monitor.source.ccusage import CcusageError
from monitor.source.datadirs import data_dirs
from monitor.state import locked, state_dir

LEAST_AGE = timedelta(seconds=10)
"""A reading this young is shared, whatever the refresh."""


def shared_usage(settings: Settings) -> Usage:
    """Return the present usage, without running ccusage where somebody just has.

    Of many that ask at once the first looks and the others wait for what it finds. Raises
    exits.Failure when no reading can be had.
    """
    if settings.demo:
        return _looked(settings)
    found = _shared(settings)
    if found is not None:
        return found
    try:
        with locked(state_dir() / "look"):
            return _shared(settings) or _looked(settings)
    except OSError:
        return _looked(settings)  # a read-only home: nothing can be shared


def _looked(settings: Settings) -> Usage:
    with open_usage(settings) as (chosen, looks):
        return look_once(chosen, looks)


def _shared(settings: Settings) -> Optional[Usage]:
    """Return the usage from a reading that is young enough; None when there is none."""
    try:
        roots = data_dirs(settings.source.claude_dirs, os.environ)
    except CcusageError as error:
        raise exits.Failure(error.reason, error.advice) from error
    usage = kept_usage(state_dir(), [str(root) for root in roots], settings.rules, utc_now())
    if usage is None or not timedelta() <= usage.now - usage.reading.read_at <= _fresh(settings):
        return None
    return usage


def _fresh(settings: Settings) -> timedelta:
    return max(LEAST_AGE, 2 * timedelta(seconds=settings.refresh))
