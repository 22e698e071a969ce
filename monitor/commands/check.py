"""`check`: before a long task, say in one sentence and an exit code whether enough is left."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Optional

import click

from monitor.app.session import print_missing_dirs
from monitor.app.sharing import shared_usage
from monitor.config.options import TokenLimit
from monitor.config.settings import Settings
from monitor.model.check import Need, check

OLDEST = timedelta(minutes=1)
"""A decision rests on the answer, so that a rare refresh is no excuse for an old one."""

TIME = re.compile(r"(?:(\d{1,4}(?:\.\d+)?)\s*h)?\s*(?:(\d{1,4}(?:\.\d+)?)\s*m(?:in)?)?")


class NeedType(click.ParamType):
    """Tokens (`20000`, `20k`, `1.5M`) or a time (`30m`, `45min`, `2h`)."""

    name = "AMOUNT"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> Need:
        """Return tokens or a time; fails with examples."""
        found = TIME.fullmatch(str(value).strip())
        if found and any(found.groups()):
            return timedelta(hours=float(found[1] or 0), minutes=float(found[2] or 0))
        try:
            return TokenLimit().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(
                f"{value!r} is no number of tokens and no time; try 20000, 20k, 30m, 2h or 1h30m.",
                param,
                ctx,
            )


@click.command()
@click.option(
    "--need", type=NeedType(), help="Tokens (20000, 20k) or a time at this pace (30m, 2h)."
)
@click.pass_obj
def command(settings: Settings, /, need: Optional[Need]) -> Callable[[], int]:
    """Say whether enough is left: exit 0 enough, 10 tight, 11 not enough, 20 unknown or idle.

    Without --need: whether the limit lasts to the reset.
    """
    return lambda: _check(settings, need)


def _check(settings: Settings, need: Optional[Need]) -> int:
    answer = check(shared_usage(settings, OLDEST), need)
    print_missing_dirs(settings)
    print(answer.sentence)
    return answer.code
