"""`check`: say in one sentence and an exit code whether enough is left for a task."""

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
@click.pass_obj
def command(settings: Settings, /, need: Optional[Need]) -> Callable[[], int]:
    """Say whether enough is left for a task.

    The exit code is 0 if it is, 10 if that is tight, 11 if it is not, and 20 if nobody knows or
    no block is active. Without --need the task is to go on until the reset.
    """
    return lambda: _check(settings, need)


def _check(settings: Settings, need: Optional[Need]) -> int:
    answer = check(shared_usage(settings, OLDEST), need)
    print_missing_dirs(settings)
    print(visible(answer.sentence))
    return answer.code
