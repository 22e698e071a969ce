"""Choose accounts by the names that the settings file gives them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import click
from click.core import ParameterSource

from monitor.config.settings import Settings
from monitor.config.settings_file import accounts_of


class AccountName(click.ParamType):
    """The name of an account in the settings file's `[accounts]`; upper or lower case."""

    name = "NAME"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> str:
        """Return the name as the file writes it. Raises click.BadParameter with the names."""
        names = [account.name for account in accounts_of(ctx)]
        if not names:
            example = 'work = "~/.claude-work"'
            self.fail(f"no accounts are named; add [accounts] with {example}.", param, ctx)
        same = [name for name in names if name.casefold() == str(value).strip().casefold()]
        return same[0] if same else str(click.Choice(names).convert(value, param, ctx))


STRENGTH = {
    ParameterSource.COMMANDLINE: 3,
    ParameterSource.ENVIRONMENT: 2,
    ParameterSource.DEFAULT_MAP: 1,
}
"""The command line beats the environment, which beats the settings file."""


def only_account(ctx: click.Context, settings: Settings, name: Optional[str]) -> Settings:
    """Return the settings with one account to show; all of them if `name` is None.

    Of `--account` and `--claude-dir` the stronger counts. Raises click.UsageError if both are on
    the command line, or in the environment.
    """
    if name is None:
        return settings
    of_account = _strength(ctx, "account")
    of_dirs = _strength(ctx.find_root(), "claude_dir")
    if of_dirs > of_account:
        return settings
    if of_dirs == of_account > STRENGTH[ParameterSource.DEFAULT_MAP]:
        raise click.UsageError("--account names a data directory: leave out --claude-dir.")
    chosen = tuple(account for account in accounts_of(ctx) if account.name == name)
    return replace(settings, accounts=chosen, data=settings.data._replace(claude_dirs=()))


def _strength(ctx: click.Context, option: str) -> int:
    source = ctx.get_parameter_source(option)
    return STRENGTH.get(source, 0) if source else 0
