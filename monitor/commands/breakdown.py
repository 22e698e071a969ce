"""`breakdown`: show who used it, by project, model, session or agent."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Optional, Union

import click

from monitor.app import exits
from monitor.app.opening import first_poll, open_account, output_style, print_missing_dirs
from monitor.app.poller import Poller
from monitor.clock import utc_now
from monitor.commands.sections import for_each_account
from monitor.config.accounts import AccountName, only_account
from monitor.config.options import Since
from monitor.config.settings import Settings
from monitor.model.breakdown import BLOCK, GROUPINGS, Breakdown, week_start
from monitor.model.formatting import first_day
from monitor.model.official import OfficialLimits, present
from monitor.model.plans import Rules
from monitor.model.reset import moment_of
from monitor.terminal import terminal_size
from monitor.views.breakdown_json import breakdown_as_json
from monitor.views.breakdown_table import BreakdownOptions, breakdown_table

AGENT = "agent"

EARLIEST, LATEST = date(1970, 1, 1), date(9000, 1, 1)
"""The days of --since that a time can be worked out from."""


class Options(NamedTuple):
    """How to split, and which time: `span` is `block`, `today`, `week` or `since`."""

    by: str
    span: str
    since: Union[date, timedelta, None]
    json: bool


def _print_json_schema(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value and not ctx.resilient_parsing:
        from importlib.resources import files

        schema = files("monitor.views").joinpath("breakdown.schema.json")
        click.echo(schema.read_text(encoding="utf-8"), nl=False)
        ctx.exit()


@click.command()
@click.option(
    "--by",
    type=click.Choice(list(GROUPINGS)),
    default="project",
    show_default=True,
    help="What the rows are; agent: today's usage of every agent that ccusage knows.",
)
@click.option("--block", is_flag=True, help="The active block.  [default]")
@click.option("--today", is_flag=True, help="Since midnight.")
@click.option("--week", is_flag=True, help="Since the weekly reset, if known; else 7 days.")
@click.option("--since", type=Since(), help="From this day on: 2026-11-01 or 30d.")
@click.option("--json", is_flag=True, help="Print the rows as JSON.")
@click.option(
    "--json-schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_json_schema,
    help="Print the JSON schema of --json and exit.",
)
@click.option("--account", type=AccountName(), help="One of your accounts.")
@click.pass_context
def command(ctx: click.Context, /, **params: Any) -> Callable[[], int]:
    """Show who used it: counted tokens, share, all tokens and cost of each project.

    The rows of the active block add up to what the monitor shows as used.
    """
    settings = only_account(ctx, ctx.obj, params["account"])
    spans = [
        name for name in (BLOCK, "today", "week", "since") if params[name] not in (False, None)
    ]
    if len(spans) > 1:
        raise click.UsageError("Choose one of --block, --today, --week and --since.")
    by, span = params["by"], spans[0] if spans else BLOCK
    if by == AGENT and spans not in ([], ["today"]):
        raise click.UsageError(
            "--by agent is always about today: leave out --block, --week or --since."
        )
    wants_json = params["json"] or settings.output in ("json", "follow")
    options = Options(by, "today" if by == AGENT else span, params["since"], wants_json)
    return for_each_account(settings, lambda own: _breakdown(own, options), whole=wants_json)


def _breakdown(settings: Settings, options: Options) -> int:
    with open_account(settings) as (settings, poller):  # noqa: PLR1704 - the demo changes them
        result = first_poll(settings, poller, series=False)
        breakdown = _read(settings, poller, options, result.official)
        print_missing_dirs(settings)
    if options.json:
        data = breakdown_as_json(breakdown, options.by, options.span, show_cost=settings.show_cost)
        print(json.dumps(data, indent=2))
        return exits.OK
    if breakdown is None:
        print("No block is active: nothing was used. See --today, --week or --since.")
        return exits.OK
    style, now = output_style(settings), utc_now()
    look = BreakdownOptions(
        options.by, now, settings.rules.time_format, style.glyphs, settings.show_cost
    )
    lines = breakdown_table(breakdown, terminal_size(sys.stdout)[0], look)
    print("\n".join(style.paint(line).rstrip() for line in lines))
    return exits.OK


def _read(
    settings: Settings, poller: Poller, options: Options, official: OfficialLimits
) -> Optional[Breakdown]:
    """Return the breakdown; None if it is of the active block, and none is. Raises MonitorError."""
    rules, now = settings.rules, utc_now()
    if options.by == AGENT:
        return poller.split_agents(_midnight(rules, timedelta(), now), rules.zone)
    if options.span == BLOCK:
        return poller.split_block()
    if options.span == "week":
        start, note = week_start(present(official, now), now)
        return poller.split_since("week", start, rules.zone, note)
    start = _midnight(rules, options.since or timedelta(), now)
    return poller.split_since(options.span, start, rules.zone)


def _midnight(rules: Rules, since: Union[date, timedelta], now: datetime) -> datetime:
    """Return when the first day began on the user's clock (UTC)."""
    day = first_day(since, rules.time_format, now)
    return moment_of(min(max(day, EARLIEST), LATEST), 0, rules.zone)
