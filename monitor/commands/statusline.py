"""`statusline`: a hook for Claude Code that stores the official limits and prints one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Optional

import click

from monitor.app.status_line_hook import run_hook
from monitor.commands.sections import for_each_account
from monitor.config.settings import Settings


@click.command()
@click.option("--chain", metavar="CMD", help="Also run this status-line command on the same input.")
@click.option(
    "--install", is_flag=True, help="Set this up in Claude Code's settings.json; asks first."
)
@click.option("--uninstall", is_flag=True, help="Put Claude Code's settings.json back.")
@click.option("-y", "--yes", is_flag=True, help="Change settings.json without asking.")
@click.pass_context
def command(
    ctx: click.Context, /, *, chain: Optional[str], install: bool, uninstall: bool, yes: bool
) -> Callable[[], int]:
    """Store the official limits that Claude Code reports, and print them in one line.

    Reads the JSON that Claude Code writes to standard input. It never fails Claude Code: whatever
    comes in, it prints a short line and exits 0.
    """
    settings: Settings = ctx.obj
    if not (install or uninstall):
        return lambda: run_hook(settings, chain)
    if settings.demo:
        raise click.UsageError("--demo changes nothing of yours: leave it out to install.")
    from monitor.commands import statusline_setup as setup

    settings = replace(settings, yes=yes or settings.yes)
    if install:
        typed = list(setup.typed_options(ctx.find_root()))
        return for_each_account(settings, lambda own: setup.install(own, typed, chain), whole=False)
    return for_each_account(settings, setup.uninstall, whole=False)
