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


def only_account(ctx: click.Context, settings: Settings, name: Optional[str]) -> Settings:
    """Return the settings with one account to show; all of them if `name` is None.

    Raises click.UsageError if data directories are named on the command line too.
    """
    if name is None:
        return settings
    source = ctx.find_root().get_parameter_source("claude_dir")
    if source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT):
        raise click.UsageError("--account names a data directory: leave out --claude-dir.")
    chosen = tuple(account for account in settings.accounts if account.name == name)
    return replace(settings, accounts=chosen, data=settings.data._replace(claude_dirs=()))
