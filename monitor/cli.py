"""Options and commands in, exit code out."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Optional

import click
from click.core import ParameterSource

from monitor.config.accounts import AccountName, only_account
from monitor.config.options import DataDirectory, Hour, Number, TokenLimit, Zone
from monitor.config.settings import Settings, settings_from
from monitor.config.settings_file import (
    PlanName,
    accounts_of,
    check_named_file,
    plans_of,
    use_settings_file,
)

COMMANDS = {
    "doctor": "Check ccusage, Node.js, the usage data and the terminal.",
    "breakdown": "Show who used it: by project, model, session or agent.",
    "history": "Show past blocks: table, days, heat map, JSON or HTML page.",
    "line": "Print the usage in one line, for status bars and prompts.",
    "check": "Say whether enough is left for a task; sets the exit code.",
    "config": "Show the settings in force, or write a settings file.",
    "statusline": "Hook for Claude Code's status line; brings official limits.",
    "serve-metrics": "Serve metrics for Prometheus, over HTTP or in a file.",
}

PLANS = ("pro", "max5", "max20", "custom_max")


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value and not ctx.resilient_parsing:
        from monitor.commands.version import print_version

        print_version()
        ctx.exit()


def _print_json_schema(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value and not ctx.resilient_parsing:
        from importlib.resources import files

        schema = files("monitor.views").joinpath("snapshot.schema.json")
        click.echo(schema.read_text(encoding="utf-8"), nl=False)
        ctx.exit()


OPTIONS = {
    "Limit and reset": (
        click.Option(
            ["--plan"],
            type=PlanName(PLANS),
            default="pro",
            show_default=True,
            help="Whose limit applies: about 7,000, 35,000 or 140,000 tokens, or your"
            " highest block.",
        ),
        click.Option(
            ["--token-limit"],
            type=TokenLimit(),
            help="A limit of your own, such as 44000 or 44k; overrides --plan.",
        ),
        click.Option(
            ["--reset-hour"],
            type=Hour(),
            help="The limit resets daily at this hour of --timezone, not at the block's end.",
        ),
        click.Option(
            ["--timezone"],
            type=Zone(),
            help="Time zone of all times, such as US/Eastern.  [default: this machine's]",
        ),
    ),
    "Output": (
        click.Option(["--once"], is_flag=True, help="Print one frame and exit."),
        click.Option(["--json"], is_flag=True, help="Print one snapshot as JSON and exit."),
        click.Option(
            ["--follow"],
            is_flag=True,
            help="With --json: print a snapshot per line, at every refresh.",
        ),
        click.Option(
            ["--json-schema"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_json_schema,
            help="Print the JSON schema of a snapshot and exit.",
        ),
        click.Option(
            ["--refresh"],
            type=Number("SECONDS", 1, 3600),
            default=3,
            show_default=True,
            help="How often to look for new usage, 1 to 3600.",
        ),
        click.Option(["--no-cost"], is_flag=True, help="Hide costs."),
        click.Option(["--ascii"], is_flag=True, help="Draw with ASCII characters only."),
        click.Option(["--no-color"], is_flag=True, help="No colours (as NO_COLOR does)."),
        click.Option(
            ["--time-format"],
            type=click.Choice(["12", "24"]),
            help="12- or 24-hour clock.  [default: your locale's]",
        ),
    ),
    "ccusage and data": (
        click.Option(
            ["--ccusage"],
            metavar="CMD",
            help="The ccusage to run: a path, or a command line such as"
            " 'npx --yes ccusage@20'.  [default: the one found]",
        ),
        click.Option(
            ["--claude-dir"],
            type=DataDirectory(),
            multiple=True,
            help="Claude's data directory; repeatable.  [default: as ccusage finds it]",
        ),
        click.Option(
            ["--account"],
            type=AccountName(),
            help="One of the accounts that the settings file names.  [default: all of them]",
        ),
        click.Option(
            ["--official"],
            type=click.Choice(["statusline", "ask", "off"]),
            default="statusline",
            show_default=True,
            help="Official limits: as the status line captured them; also by asking Claude"
            " Code; or none.",
        ),
        click.Option(
            ["--claude"],
            metavar="CMD",
            help="The Claude Code to ask for them.  [default: the one on PATH]",
        ),
        click.Option(["--online"], is_flag=True, help="Let ccusage fetch prices."),
        click.Option(
            ["--full-scan"],
            is_flag=True,
            help="Give ccusage the whole history at every change.",
        ),
        click.Option(["--demo"], is_flag=True, help="Show the monitor on sample usage."),
    ),
    "Alerts": (
        click.Option(
            ["--alert-at"],
            type=Number("PERCENT", 1, 1000),
            multiple=True,
            help="Alert at this percentage; repeatable.  [default: 80 and 95]",
        ),
        click.Option(["--bell"], is_flag=True, help="Alert with the terminal's bell."),
        click.Option(
            ["--notify"],
            is_flag=True,
            help="Alert with a desktop notification, through the terminal.",
        ),
        click.Option(
            ["--alert-command"],
            metavar="CMD",
            help="Alert with a command of yours; its data is in CCUSAGE_ALERT_*.",
        ),
        click.Option(
            ["--test-alert"],
            is_flag=True,
            help="Send one alert in the ways chosen, and exit.",
        ),
    ),
    "Other": (
        click.Option(
            ["--config"],
            type=click.Path(),
            metavar="FILE",
            is_eager=True,
            callback=use_settings_file,
            help="The settings file, TOML.  [default: config.toml in the platform's place]",
        ),
        click.Option(
            ["-y", "--yes"],
            is_flag=True,
            help="Answer yes to questions, such as installing ccusage.",
        ),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Print the versions of this and of the ccusage found, and exit.",
        ),
    ),
}
"""The options as `--help` and the manual page group them."""

NAME_WIDTH = 22
"""Columns of an option's name in `--help`; a longer one gets a line of its own."""


class Commands(click.Group):
    """Commands by name, imported only when one is run: `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command's name."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Optional[click.Command]:
        """Import and return a command; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"monitor.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[Optional[str], Optional[click.Command], list[str]]:
        """Return the command that `args` begin with. Raises click.UsageError with the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            advice = (
                f"Did you mean {near[0]}?" if near else f"The commands are {', '.join(COMMANDS)}."
            )
            ctx.fail(f"No such command {name!r}. {advice}")
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options in groups, then the commands without importing them."""
        for title, options in grouped_options(ctx):
            with formatter.section(title):
                rows = [(name.ljust(NAME_WIDTH), text) for name, text in options]
                formatter.write_dl(rows, col_max=NAME_WIDTH)
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def grouped_options(ctx: click.Context) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the title of each group, and name and help of its options; `--help` in the last."""
    for title, options in OPTIONS.items():
        group = [*options, ctx.command.get_help_option(ctx)] if title == "Other" else options
        yield title, list(filter(None, (o.get_help_record(ctx) for o in group if o)))


@click.group(
    cls=Commands,
    params=[option for group in OPTIONS.values() for option in group],
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "CCUSAGE_MONITOR",
        "max_content_width": 100,
    },
)
@click.pass_context
def cli(ctx: click.Context, /, **params: Any) -> Optional[Callable[[], int]]:
    """Watch Claude Code's 5-hour block against its limit, live in the terminal.

    Without a COMMAND this is the live monitor; q or Ctrl+C leaves it.
    """
    if params["follow"] and not params["json"]:
        raise click.UsageError("--follow goes with --json.")
    check_named_file(ctx)
    chosen = ctx.get_parameter_source("plan") is not ParameterSource.DEFAULT
    settings = settings_from(params, plans_of(ctx), is_plan_chosen=chosen)
    settings = replace(settings, accounts=accounts_of(ctx))
    ctx.obj = settings = only_account(ctx, settings, params["account"])
    if ctx.invoked_subcommand is not None:
        return None
    typed = ctx.get_parameter_source("alert_at") is ParameterSource.COMMANDLINE
    if typed and not settings.alerts.enabled:
        ways = "--bell, --notify or --alert-command"
        raise click.UsageError(f"--alert-at needs a way to alert: add {ways}.")
    if params["test_alert"]:
        return lambda: _test_alert(settings)
    return lambda: _monitor(settings)


def main() -> None:
    """Run the program; ends the process with an exit code of the contract."""
    from monitor.app.exits import exit_with

    exit_with(_start)


def _start() -> int:
    """Parse the command line with click, then run what it asks for outside of click.

    click would turn Ctrl+C and a closed pipe into exit codes of its own.
    """
    try:
        action = cli.main(standalone_mode=False)
        return int(action()) if callable(action) else int(action or 0)
    except click.ClickException as error:
        return _print_error(error)
    except click.Abort:
        return 130
    except Exception as error:
        if _is_status_line():
            return _print_status_line(str(error))
        raise


def _is_status_line() -> bool:
    """Return whether Claude Code runs this: it must not see its status line fail."""
    return "statusline" in sys.argv and not {"--install", "--uninstall"} & set(sys.argv)


def _print_status_line(reason: str) -> int:
    from monitor.model.formatting import visible

    click.echo(f"ccusage-monitor: {visible(reason)}")
    return 0


def _is_global(option: str) -> bool:
    return any(option in param.opts for param in cli.params)


def _print_error(error: click.ClickException) -> int:
    """Print what is wrong in one line, and where to look: not the whole usage each time."""
    if _is_status_line():
        return _print_status_line(error.format_message())
    from monitor.model.formatting import visible

    click.echo(f"Error: {visible(error.format_message())}", err=True)
    command = error.ctx.info_name if isinstance(error, click.UsageError) and error.ctx else None
    inner = f" {command}" if command in COMMANDS else ""
    advice = f"See `ccusage-monitor{inner} --help`."
    if isinstance(error, click.NoSuchOption) and _is_global(error.option_name):
        advice = f"{error.option_name} goes before the command: ccusage-monitor [OPTIONS] COMMAND."
    click.echo(advice, err=True)
    return error.exit_code


def _monitor(settings: Settings) -> int:
    from monitor.app.run import run

    return run(settings)


def _test_alert(settings: Settings) -> int:
    from monitor.commands.send_alert import send

    return send(settings.each_account()[0])
