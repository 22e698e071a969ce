"""Compare accounts: which of their limits stops the user first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import NamedTuple, Optional

from monitor.model.headline import ALARM, SEVERITIES, WARN
from monitor.model.usage import Usage

NEVER = datetime.max.replace(tzinfo=timezone.utc)


class AccountUsage(NamedTuple):
    """An account by name, and its usage; without one, `error` says why, "" while it is read."""

    name: str
    usage: Optional[Usage] = None
    error: str = ""


def binds_first(accounts: Sequence[AccountUsage]) -> int:
    """Return the place of the account whose limit stops the user first.

    That is the one with the worst severity; of several the one that is stopped, or will be, first,
    then the one that has used the larger share. Accounts without usage come last.
    """
    return min(range(len(accounts)), key=lambda place: _order(accounts[place].usage))


def _order(usage: Optional[Usage]) -> tuple[int, datetime, float]:
    if usage is None:
        return 1, NEVER, 0.0
    lead = usage.headline
    return -SEVERITIES.index(lead.severity), _stopped_at(usage), -(lead.used_percent or 0.0)


def _stopped_at(usage: Usage) -> datetime:
    """Return when the limit that leads stops the user (UTC); NEVER if that is not likely."""
    if usage.headline.severity not in (WARN, ALARM):
        return NEVER
    if usage.reached is not None:
        return usage.reached.since or usage.now
    week = usage.binding_week
    if not usage.headline.is_five_hour and week is not None:
        return week.runs_out_at or NEVER
    return usage.forecast.likely_at or usage.forecast.runs_out_at or NEVER
