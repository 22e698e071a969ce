"""Read the usage of each account; one that fails does not hide the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from monitor.errors import CcusageNotFoundError, MonitorError
from monitor.model.accounts import AccountUsage
from monitor.model.usage import Usage

NamedRead = tuple[str, Callable[[], Usage]]
"""The name of an account, and what reads its usage."""


def read_each(reads: Iterable[NamedRead]) -> tuple[AccountUsage, ...]:
    """Return the usage of each account, or why there is none.

    Raises the first MonitorError if no account could be read, and CcusageNotFoundError at once: all
    need the same ccusage, and the user was offered one.
    """
    accounts, errors = [], []
    for name, read in reads:
        try:
            accounts.append(AccountUsage(name, read()))
        except CcusageNotFoundError:
            raise
        except MonitorError as error:
            errors.append(error)
            accounts.append(AccountUsage(name, error=error.reason))
    if len(errors) == len(accounts):
        raise errors[0]
    return tuple(accounts)
