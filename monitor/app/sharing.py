"""Share one reading among processes: use a fresh stored one, else let one process poll for all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Optional

from monitor.app.accounts import read_each
from monitor.app.opening import open_account, read_usage
from monitor.app.stored_usage import stored_usage
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.errors import MonitorError
from monitor.model.accounts import AccountUsage
from monitor.model.usage import Usage
from monitor.store.json_file import load, locked, save
from monitor.store.paths import state_dir
from monitor.store.reading import reading_path
from monitor.transcripts.data_dirs import data_dirs

WAIT_SECONDS = 15.0
"""How long another process is waited for that polls already; then each polls for itself."""

LEAST_AGE = timedelta(seconds=10)
"""A reading this young is shared, whatever the refresh."""


@dataclass(frozen=True)
class PollFailure:
    """Why another process could not read usage, and when (UTC)."""

    at: datetime
    reason: str
    advice: str


def shared_usage(settings: Settings, oldest: Optional[timedelta] = None) -> Usage:
    """Return the present usage, without running ccusage if another process just has.

    If many ask at once, the first polls and the others wait for its result, or for its error.
    `oldest` is the greatest age of a reading, however long the refresh. Raises MonitorError.
    """
    if settings.demo:
        return _polled_usage(settings)
    started_at = utc_now()
    roots = [str(root) for root in data_dirs(settings.data.claude_dirs, os.environ)]
    fresh = max(LEAST_AGE, 2 * timedelta(seconds=settings.refresh))
    fresh = min(fresh, oldest) if oldest else fresh
    usage = _stored_usage(settings, roots, fresh)
    if usage is not None:
        return usage
    path = reading_path(state_dir(), roots, settings.data.key).with_suffix(".failed.json")
    try:
        with locked(path, WAIT_SECONDS):
            return _stored_usage(settings, roots, fresh) or _poll_first(settings, path, started_at)
    except OSError:
        return _polled_usage(settings)  # nothing can be shared, or whoever polls is stopped


def shared_accounts(
    settings: Settings, oldest: Optional[timedelta] = None
) -> tuple[AccountUsage, ...]:
    """Return the present usage of each account, as `shared_usage`.

    Raises MonitorError if no account could be read.
    """
    every = settings.each_account()
    return read_each((own.account, partial(shared_usage, own, oldest)) for own in every)


def _poll_first(settings: Settings, path: Path, started_at: datetime) -> Usage:
    """Poll; if another process has failed since `started_at`, fail with its error instead."""
    failure = load(path, PollFailure)
    if failure is not None and started_at < failure.at <= utc_now():
        raise MonitorError(failure.reason, failure.advice)
    try:
        return _polled_usage(settings)
    except MonitorError as error:
        with suppress(OSError):
            save(path, PollFailure(utc_now(), error.reason, error.advice))
        raise


def _polled_usage(settings: Settings) -> Usage:
    with open_account(settings) as (chosen, poller):
        return read_usage(chosen, poller, ask=False)


def _stored_usage(settings: Settings, roots: Sequence[str], fresh: timedelta) -> Optional[Usage]:
    """Return the usage of a stored reading that is fresh and complete; None if there is none."""
    now = utc_now()
    usage = stored_usage(
        state_dir(), roots, settings.rules, now, settings.data.key, official=settings.official.mode
    )
    if usage is None or not timedelta() <= now - usage.reading.read_at <= fresh:
        return None
    return usage if usage.limit.is_settled else None
