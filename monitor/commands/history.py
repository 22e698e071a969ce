"""`history`: show past blocks as a table, by day, as a heat map, as JSON or as a page."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import click

from monitor.app import exits
from monitor.app.exits import as_monitor_error
from monitor.app.opening import first_poll, open_account, output_style, print_missing_dirs
from monitor.app.poller import Poller, PollResult
from monitor.clock import utc_now
from monitor.commands.sections import for_each_account
from monitor.config.accounts import AccountName, only_account
from monitor.config.options import Since
from monitor.config.settings import Settings
from monitor.errors import MonitorError
from monitor.model.blocks import Block, active_block, with_known_cost
from monitor.model.breakdown import Part
from monitor.model.formatting import TimeFormat, first_day, size, visible
from monitor.model.history import (
    CompletedBlock,
    History,
    HourlyTokens,
    by_day,
    by_hour_of_week,
    hourly_tokens,
)
from monitor.model.limit_hits import LimitHit
from monitor.model.plans import past_limit
from monitor.store.json_file import mode_of, replace_file
from monitor.terminal import terminal_size
from monitor.views.heat_map import heat_map
from monitor.views.history_json import blocks_as_json, days_as_json
from monitor.views.history_table import (
    TableOptions,
    block_rows,
    day_rows,
    dim_lines,
    hits_text,
    table,
)
from monitor.views.html.report import page
from monitor.views.text import Line

EPOCH = date(1970, 1, 1)


class Options(NamedTuple):
    """What to show; `since` is a day, or how many days back one lies."""

    daily: bool
    heatmap: bool
    json: bool
    since: Union[date, timedelta, None]
    html: Optional[str]

    @property
    def needs_hours(self) -> bool:
        """Whether the tokens of each hour are shown, which takes a run of ccusage."""
        return self.heatmap or bool(self.html) or (self.json and not self.daily)


class PastUsage(NamedTuple):
    """The past blocks to show, the tokens of their hours, and how to show them.

    `running` is the active block, and `hits` are the limits that stopped the user. `parts` say who
    used what on each day.
    """

    completed: Sequence[CompletedBlock]
    hours: HourlyTokens
    table_options: TableOptions
    running: Optional[Block]
    hits: Sequence[LimitHit]
    parts: Sequence[Part] = ()


@click.command()
@click.option("--daily", is_flag=True, help="One row per day instead of per block.")
@click.option("--heatmap", is_flag=True, help="Counted tokens by hour of the week.")
@click.option("--json", is_flag=True, help="Print the blocks as JSON.")
@click.option("--since", type=Since(), help="Only from this day on: 2026-11-01 or 30d.")
@click.option("--html", type=click.Path(), metavar="FILE", help="Write one page of it all to FILE.")
@click.option("--account", type=AccountName(), help="One of your accounts.")
@click.pass_context
def command(ctx: click.Context, /, **params: Any) -> Callable[[], int]:
    """Show the past blocks: start, length, messages, counted tokens, limit, cost, models.

    --daily shows days instead, also with --json.
    """
    settings = only_account(ctx, ctx.obj, params.pop("account"))
    options = Options(**params)
    options = options._replace(json=options.json or settings.output in ("json", "follow"))
    if options.html and (options.json or options.daily or options.heatmap):
        raise click.UsageError("--html goes with --since, not with --json, --daily or --heatmap.")
    if options.heatmap and (options.json or options.daily):
        raise click.UsageError("--heatmap goes with --since, not with --json or --daily.")
    whole = bool(options.json or options.html)
    return for_each_account(settings, lambda own: _history(own, options), whole=whole)


def _history(settings: Settings, options: Options) -> int:
    with open_account(settings) as (settings, poller):  # noqa: PLR1704 - the demo changes them
        past = _read(settings, poller, options)
    if options.json:
        print(json.dumps(_as_json(past, options, show_cost=settings.show_cost), indent=2))
    elif options.html:
        _write(
            Path(os.path.realpath(options.html)),
            page(past.completed, past.hours, past.table_options, utc_now(), past.parts),
        )
    elif options.since is not None and not (past.completed or past.running):
        day = first_day(options.since, settings.rules.time_format, utc_now())
        print(f"No completed block since {day}.")
    else:
        style = output_style(settings)
        lines = _lines(past, options, terminal_size(sys.stdout)[0])
        print("\n".join(style.paint(line).rstrip() for line in lines))
    return exits.OK


def _read(settings: Settings, poller: Poller, options: Options) -> PastUsage:
    everything, history = _completed(settings, poller), poller.result.history or History()
    print_missing_dirs(settings)
    time_format, reading = settings.rules.time_format, poller.result.reading
    completed = _from_day(everything, options.since, time_format)
    hours = _hours(poller) if completed and options.needs_hours else {}
    running = active_block(reading.blocks, utc_now()) if reading else None
    if running and reading:
        running = with_known_cost(running, reading.unpriced_models)
    first = first_day(options.since, time_format, utc_now()) if options.since else date.min
    hits = [hit for hit in history.hits if time_format.local(hit.at).date() >= first]
    parts = _parts(poller, max(first, EPOCH), settings) if completed and options.html else ()
    table_options = _table_options(settings, everything)
    return PastUsage(completed, hours, table_options, running, hits, parts)


def _as_json(past: PastUsage, options: Options, *, show_cost: bool) -> dict[str, Any]:
    if options.daily:
        days = by_day(past.completed, past.table_options.time_format)
        return days_as_json(days, show_cost=show_cost)
    return blocks_as_json(past.completed, past.hours, past.hits, show_cost=show_cost)


def _lines(past: PastUsage, options: Options, width: int) -> Sequence[Line]:
    completed, hours, table_options, running, hits, _ = past
    time_format = table_options.time_format
    if options.heatmap:
        heat = by_hour_of_week(completed, hours, time_format)
        return heat_map(heat, width, table_options.glyphs)
    if options.daily:
        every = [*completed, *([CompletedBlock(running)] if running else [])]
        return table(day_rows(by_day(every, time_format)), width, table_options, "day")
    rows = block_rows(completed, table_options, running)
    return [
        *table(rows, width, table_options),
        *dim_lines(hits_text(hits, time_format), width),
    ]


def _from_day(
    completed: Sequence[CompletedBlock],
    since: Union[date, timedelta, None],
    time_format: TimeFormat,
) -> Sequence[CompletedBlock]:
    """Return the blocks that began on the day of `--since` or later; all of them without it."""
    if since is None:
        return completed
    # Days are compared, not instants: midnight has another offset before the clocks changed.
    first = first_day(since, time_format, utc_now())
    return [item for item in completed if time_format.local(item.block.start).date() >= first]


def _hours(poller: Poller) -> HourlyTokens:
    """Read the tokens of each hour; if that fails, say so and go on without them."""
    try:
        return hourly_tokens(poller.read_hours())
    except (MonitorError, OSError) as error:
        print(f"The hours could not be read: {as_monitor_error(error).reason}", file=sys.stderr)
        return {}


def _parts(poller: Poller, first: date, settings: Settings) -> Sequence[Part]:
    """Read who used what on each day; if that fails, say so and go on without it."""
    try:
        return poller.split_days(first, settings.rules.zone)
    except (MonitorError, OSError) as error:
        print(f"Who used it could not be read: {as_monitor_error(error).reason}", file=sys.stderr)
        return ()


def _write(path: Path, text: str) -> None:
    """Write the page to a path without links: neither they nor /dev/stdout may be replaced."""
    data = text.encode("utf-8")
    try:
        _replace(path, data)
    except OSError as error:
        reason = f"The page could not be written to {visible(str(path))}: {error.strerror}."
        raise MonitorError(reason, "Give --html a file that you can write.") from error
    print(f"Wrote {visible(str(path))} ({size(len(data))}).")


def _replace(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file")
    replace_file(path, data, mode_of(path))


def _completed(settings: Settings, poller: Poller) -> Sequence[CompletedBlock]:
    """Return the stored blocks; read the whole history first if they are too old."""
    first_poll(settings, poller)
    poller.ask_official()
    if poller.is_history_due():
        _read_history(poller)
    history = poller.result.history
    if poller.result.history_error and (history is None or history.read_at is None):
        reason = f"The history could not be read: {poller.result.history_error}"
        raise MonitorError(reason, "See `ccusage-monitor doctor`.")
    if poller.result.history_error and history and history.read_at:
        day = settings.rules.time_format.day(history.read_at)
        print(f"{poller.result.history_error} This is the history of {day}.", file=sys.stderr)
    return history.ended_with_hits(utc_now()) if history else ()


def _read_history(poller: Poller) -> None:
    """Read what is due of the history; on a terminal, show how far that has come."""
    if not sys.stderr.isatty():
        poller.read_history()
        return
    try:
        _show("Reading the history …")
        poller.read_history(_show_progress)
    finally:
        print(file=sys.stderr)


def _show_progress(result: PollResult) -> None:
    running = result.history.round if result.history else None
    if running is not None:
        _show(f"Reading the history … {running.progress}")


def _show(text: str) -> None:
    """Replace the line on standard error; later texts are longer, never shorter."""
    print(f"\r{text}", end="", file=sys.stderr, flush=True)


def _table_options(settings: Settings, completed: Sequence[CompletedBlock]) -> TableOptions:
    rules, glyphs = settings.rules, output_style(settings).glyphs
    limit = past_limit(rules, [item.block for item in completed])
    return TableOptions(limit.tokens, rules.time_format, glyphs, settings.show_cost)
