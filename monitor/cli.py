"""Options in, exit code out; joins the stages, holds no formula."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any, Optional

import click

from monitor.config.options import Percent, Seconds, TokenLimit, Zone
from monitor.config.settings_file import PlanName, check_named_file, plans_of, use_settings_file

COMMANDS = {
    "doctor": "Check what the monitor needs: ccusage, Node.js, data, terminal.",
    "history": "Past blocks: a table, by day, a heat map, JSON, an HTML page.",
    "line": "The usage in one line, for status bars and prompts.",
    "check": "Is enough left for a task? One sentence and an exit code.",
    "config": "The settings in force and where they came from; a commented file.",
    "statusline": "A hook for Claude Code: keeps its official limits, prints a line.",
    "serve-metrics": "Metrics for Prometheus, over HTTP or in a file: one view of a team.",
}

PLANS = ("pro", "max5", "max20", "custom_max")


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands for `--help` without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:  # noqa: FBT001
    if asked and not ctx.resilient_parsing:
        from monitor.commands.version import say_version

        say_version(ctx)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "CCUSAGE_MONITOR",
        "max_content_width": 100,
    },
)
@click.option(
    "--plan",
    type=PlanName(PLANS),
    default="pro",
    show_default=True,
    help="The limit that applies: about 7,000, 35,000 or 140,000 tokens, or your highest block.",
)
@click.option(
    "--token-limit", type=TokenLimit(), help="A limit of your own; beats --plan. 44000, 44k, 1.5M."
)
@click.option(
    "--reset-hour",
    type=click.IntRange(0, 23),
    metavar="0-23",
    help="The limit resets daily at this hour of --timezone, not at the block's end.",
)
@click.option(
    "--timezone", type=Zone(), help="Zone of all times, e.g. US/Eastern.  [default: this machine's]"
)
@click.option(
    "--refresh",
    type=Seconds(1, 3600),
    default=3,
    show_default=True,
    help="How often to look for new usage, 1 to 3600.",
)
@click.option("--once", is_flag=True, help="Print one frame and exit.")
@click.option("--json", is_flag=True, help="Print one snapshot as JSON and exit.")
@click.option(
    "--follow", is_flag=True, help="With --json: one compact snapshot per line, at every refresh."
)
@click.option(
    "--ccusage",
    metavar="CMD",
    help="The ccusage to run: a path, or a line such as 'npx --yes ccusage@20'.",
)
@click.option(
    "--claude-dir",
    type=click.Path(),
    multiple=True,
    metavar="DIR",
    help="Claude's data directory; may be given again.  [default: as ccusage finds it]",
)
@click.option("--online", is_flag=True, help="Let ccusage fetch prices.")
@click.option(
    "--full-scan", is_flag=True, help="Hand ccusage the whole history whenever something changed."
)
@click.option("--no-cost", is_flag=True, help="Hide costs.")
@click.option("--ascii", is_flag=True, help="Draw with ASCII characters only.")
@click.option("--no-color", is_flag=True, help="No colours (as NO_COLOR does).")
@click.option(
    "--time-format",
    type=click.Choice(["12", "24"]),
    help="12- or 24-hour clock.  [default: your locale's]",
)
@click.option(
    "-y", "--yes", is_flag=True, help="Answer yes to questions, such as installing ccusage."
)
@click.option(
    "--demo", is_flag=True, help="Show the monitor on sample usage, made for the purpose."
)
@click.option(
    "--alert-at",
    type=Percent(1, 1000),
    multiple=True,
    metavar="PERCENT",
    help="Alert at this percentage; may be given again.  [default: 80 and 95]",
)
@click.option("--bell", is_flag=True, help="Alert by the terminal's bell.")
@click.option("--notify", is_flag=True, help="Alert by a desktop notification of the terminal.")
@click.option(
    "--alert-command", metavar="CMD", help="Alert by a command of yours, data in CCUSAGE_ALERT_*."
)
@click.option("--test-alert", is_flag=True, help="Send one alert in the ways chosen, and exit.")
@click.option(
    "--config",
    type=click.Path(),
    metavar="FILE",
    is_eager=True,
    callback=use_settings_file,
    help="The settings file, TOML.  [default: config.toml in the platform's place]",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the versions of this and of the ccusage found, and exit.",
)
@click.pass_context
def cli(ctx: click.Context, /, **params: Any) -> Optional[Callable[[], int]]:
    """Watch Claude Code's 5-hour block against its limit, live in the terminal.

    Without a COMMAND this is the live monitor; q or Ctrl+C leaves it.
    """
    if params["follow"] and not params["json"]:
        raise click.UsageError("--follow goes with --json.")
    check_named_file(ctx)
    ctx.obj = {**params, "plans": plans_of(ctx)}
    if ctx.invoked_subcommand is None:
        return lambda: _monitor(ctx.obj)
    return None


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
        return _say(error)
    except click.Abort:
        return 130


def _is_global(option: str) -> bool:
    return any(option in param.opts for param in cli.params)


def _say(error: click.ClickException) -> int:
    """Say what is wrong in one line, and where to look: not the whole usage each time."""
    if "statusline" in sys.argv and not {"--install", "--uninstall"} & set(sys.argv):
        # Whatever is wrong with the settings, Claude Code must not see its status line fail.
        click.echo(f"ccusage-monitor: {error.format_message()}")
        return 0
    click.echo(f"Error: {error.format_message()}", err=True)
    command = error.ctx.info_name if isinstance(error, click.UsageError) and error.ctx else None
    inner = f" {command}" if command in COMMANDS else ""
    advice = f"See `ccusage-monitor{inner} --help`."
    if isinstance(error, click.NoSuchOption) and _is_global(error.option_name):
        advice = f"{error.option_name} goes before the command: ccusage-monitor [OPTIONS] COMMAND."
    click.echo(advice, err=True)
    return error.exit_code


def _monitor(params: dict[str, Any]) -> int:
    from monitor.app.run import run
    from monitor.config.settings import settings_from

    if params["test_alert"]:
        from monitor.commands.test_alert import send

        return send(settings_from(params))
    mode = "follow" if params["follow"] else "json" if params["json"] else "once"
    live = not (params["json"] or params["once"])
    return run(settings_from(params), "live" if live else mode)
