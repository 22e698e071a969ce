"""`check`: say in one sentence and an exit code whether enough is left for a task."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Optional

import click

from monitor.app.opening import print_errors, print_missing_dirs
from monitor.app.sharing import shared_accounts
from monitor.config.accounts import AccountName, only_account
from monitor.config.options import TokenLimit
from monitor.config.settings import Settings
from monitor.model.accounts import binds_first, named
from monitor.model.check import Need, best, check
from monitor.model.formatting import visible

OLDEST = timedelta(minutes=1)
"""Greatest age of a shared reading, however long the refresh: a decision rests on the answer."""

TIME = re.compile(r"(?:(\d{1,4}(?:\.\d+)?)\s*h)?\s*(?:(\d{1,4}(?:\.\d+)?)\s*m(?:in)?)?")


class NeedType(click.ParamType):
    """Tokens (`20000`, `20k`, `1.5M`) or a time (`30m`, `45min`, `2h`)."""

    name = "AMOUNT"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> Need:
        """Return tokens or a time. Raises click.BadParameter with examples."""
        match = TIME.fullmatch(str(value).strip())
        if match and any(match.groups()):
            return timedelta(hours=float(match[1] or 0), minutes=float(match[2] or 0))
        try:
            return TokenLimit().convert(value, param, ctx)
        except click.BadParameter:
            advice = "try 20000, 20k, 30m, 2h or 1h30m"
            self.fail(f"{value!r} is neither tokens nor a time; {advice}.", param, ctx)


@click.command()
@click.option(
    "--need", type=NeedType(), help="Tokens (20000, 20k) or a time at this pace (30m, 2h)."
)
@click.option("--account", type=AccountName(), help="Answer for one of your accounts.")
@click.option("--any", "any_account", is_flag=True, help="Answer for the account with most left.")
@click.pass_context
def command(
    ctx: click.Context, /, need: Optional[Need], account: Optional[str], *, any_account: bool
) -> Callable[[], int]:
    """Say whether enough is left for a task.

    The exit code is 0 if it is, 10 if that is tight, 11 if it is not, and 20 if nobody knows or
    no block is active. Without --need the task is to go on until the reset. Of several accounts
    the answer is about the one whose limit binds first.
    """
    if account and any_account:
        raise click.UsageError("--account and --any exclude each other: leave one out.")
    settings = only_account(ctx, ctx.obj, account)
    return lambda: _check(settings, need, any_account=any_account)


def _check(settings: Settings, need: Optional[Need], *, any_account: bool) -> int:
    accounts = shared_accounts(settings, OLDEST)
    print_missing_dirs(settings)
    print_errors(accounts)
    known = [account for account in accounts if account.usage is not None]
    chosen = known if any_account else [accounts[binds_first(accounts)]]
    answers = [(a.name, a.usage, check(a.usage, need)) for a in chosen if a.usage is not None]
    name, answer = best(answers)
    print(visible(named(name, answer.sentence)))
    return answer.code
