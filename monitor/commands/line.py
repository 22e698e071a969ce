"""`line`: print the usage in one line, for status bars and prompts; many share one reading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

import click

from monitor.app import exits
from monitor.app.opening import output_style, print_errors, print_missing_dirs
from monitor.app.sharing import shared_accounts
from monitor.config.accounts import AccountName, only_account
from monitor.config.settings import Settings
from monitor.model.accounts import binds_first
from monitor.model.formatting import visible
from monitor.model.usage import without_costs
from monitor.views.line import ACCOUNT, FIELDS, fill_template, unknown_fields, waybar

EPILOG = (
    f"Fields: {', '.join('{' + name + '}' for name in (*FIELDS, ACCOUNT))}. {{verdict}} is about"
    " the 5-hour limit, as forecast.verdict of --json; {likely} is the percentage that will"
    " probably be used at the reset, as forecast.likely_percent."
)


@click.command(epilog=EPILOG)
@click.option(
    "--format",
    "template",
    default="{line}",
    show_default=True,
    help="Text with fields in braces, or `waybar` for its JSON.",
)
@click.option("--account", type=AccountName(), help="One of your accounts.")
@click.pass_context
def command(ctx: click.Context, /, template: str, account: Optional[str]) -> Callable[[], int]:
    """Print the usage in one line.

    Of several accounts this is the one whose limit binds first. Takes the running monitor's
    reading when it is fresh, instead of running ccusage again.
    """
    unknown = unknown_fields(template)
    if unknown:
        there_are = ", ".join((*FIELDS, ACCOUNT))
        raise click.UsageError(f"--format: {{{unknown[0]}}} is no field; there are {there_are}.")
    settings = only_account(ctx, ctx.obj, account)
    return lambda: _line(settings, template)


def _line(settings: Settings, template: str) -> int:
    accounts = shared_accounts(settings)
    print_missing_dirs(settings)
    print_errors(accounts)
    name, usage, _ = accounts[binds_first(accounts)]
    assert usage is not None  # noqa: S101 - shared_accounts() has found one
    if not settings.show_cost:
        usage = without_costs(usage)
    glyphs = output_style(settings).glyphs
    if template == "waybar":
        text = waybar(usage, glyphs, name)
    else:
        text = fill_template(template, usage, glyphs, name)
    print(visible(text))
    return exits.OK
