"""Compare accounts: which of their limits stops the user first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Optional

from monitor.model.headline import ALARM, OK, SEVERITIES, WARN
from monitor.model.usage import Usage


class AccountUsage(NamedTuple):
    """An account by name, and its usage; without one, `error` says why, "" while it is read."""

    name: str
    usage: Optional[Usage] = None
    error: str = ""


def named(account: str, text: str) -> str:
    """Begin a text with the account's name, if it has one.

    >>> named("work", "80 %"), named("", "80 %")
    ('work: 80 %', '80 %')
    """
    return f"{account}: {text}" if account else text


def binds_first(accounts: Sequence[AccountUsage]) -> int:
    """Return the place of the account whose limit most likely stops the user.

    That is the one with the worst severity; of several the one with the highest chance, then the
    one that has used the larger share. A limit without a forecast counts as OK. Accounts without
    usage come last.
    """
    return max(range(len(accounts)), key=lambda place: (_rank(accounts[place].usage), -place))


def _rank(usage: Optional[Usage]) -> tuple[int, float, float]:
    if usage is None:
        return -1, 0.0, 0.0
    lead = usage.headline
    # Below a warning a few percent of chance more or less must not turn the screen.
    chance = _chance(usage) if lead.severity in (WARN, ALARM) else 0.0
    severity = max(SEVERITIES.index(lead.severity), SEVERITIES.index(OK))
    return severity, chance, lead.used_percent or 0.0


def _chance(usage: Usage) -> float:
    """Return the probability of being stopped by the limit that leads; above 1 if that is so."""
    if usage.reached is not None:
        return 2.0
    week = usage.binding_week
    if not usage.headline.is_five_hour and week is not None:
        return 1.0 if week.is_full else week.risk
    return 1.0 if usage.forecast.verdict == "exceeded" else usage.forecast.probability or 0.0
