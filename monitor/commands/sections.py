"""Run a command for each account, under a heading each."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from monitor.app import exits
from monitor.config.settings import Settings
from monitor.errors import CcusageNotFoundError, MonitorError
from monitor.model.accounts import named
from monitor.model.formatting import visible


def for_each_account(
    settings: Settings, run: Callable[[Settings], int], *, whole: bool
) -> Callable[[], int]:
    """Return what runs a command for each account, one after the other.

    Raises click.UsageError if its output is one `whole`, such as JSON, and there are several.
    """
    every = settings.each_account()
    if len(every) == 1:
        return lambda: run(every[0])
    if whole:
        names = ", ".join(own.account for own in every)
        raise click.UsageError(f"Choose one of your accounts with --account: {names}.")

    def run_all() -> int:
        code = exits.OK
        for place, own in enumerate(every):
            print(f"{chr(10) if place else ''}{visible(own.account)}", flush=True)
            code = max(code, _run(own, run))
        return code

    return run_all


def _run(own: Settings, run: Callable[[Settings], int]) -> int:
    """Run the command for one account; a failure must not hide the others."""
    try:
        return run(own)
    except CcusageNotFoundError:
        raise  # the others need it too, and the user was offered one
    except MonitorError as error:
        for text in filter(None, (named(own.account, error.reason), error.advice)):
            print(visible(text), file=sys.stderr)
        return exits.NO_READING
