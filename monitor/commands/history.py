"""`history`: past blocks as a table, by day, as a heat map, as JSON or as a page."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Optional

import click

from monitor.app import exits
from monitor.app.exits import as_monitor_error
from monitor.app.poller import Poller
from monitor.app.session import open_session, output_style, print_missing_dirs, read_usage
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.errors import MonitorError
from monitor.model.formatting import TimeFormat, size, visible
from monitor.model.history import (
    CompletedBlock,
    HourlyTokens,
    by_day,
    by_hour_of_week,
    hourly_tokens,
)
from monitor.model.plans import past_limit
from monitor.store.json_file import replace_file
from monitor.terminal import terminal_size
from monitor.views.heat_map import heat_map
from monitor.views.history_json import blocks_as_json, days_as_json
from monitor.views.history_table import (
    TableOptions,
    block_rows,
    day_rows,
    table,
)
from monitor.views.html.report import page


class Since(click.ParamType):
    """A date, `2026-11-01` or `20261101`, or a number of days back, `30d`."""

    name = "DATE"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> str:
        """Return the text when it can be understood; fails with examples."""
        text = str(value).strip()
        if since(text, TimeFormat(utc_now().tzinfo), utc_now()) is None:  # type: ignore[arg-type]
            self.fail(f"{value!r} is no date; try 2026-11-01, 20261101 or 30d.", param, ctx)
        return text


def since(text: str, time_format: TimeFormat, now: datetime) -> Optional[date]:
    """Return the day that `text` names, on the user's clock; None when it is no date."""
    if re.fullmatch(r"\d{1,4}d", text):
        return time_format.local(now).date() - timedelta(days=int(text[:-1]))
    try:
        return datetime.strptime(text.replace("-", ""), "%Y%m%d").date()  # noqa: DTZ007 - a day
    except ValueError:
        return None


@click.command()
@click.option("--daily", is_flag=True, help="One row per day instead of per block.")
@click.option("--heatmap", is_flag=True, help="Counted tokens by hour of the week.")
@click.option("--json", "as_json_", is_flag=True, help="Print the blocks as JSON.")
@click.option("--since", "since_", type=Since(), help="Only from this day on: 2026-11-01 or 30d.")
@click.option("--html", type=click.Path(), metavar="FILE", help="Write one page of it all to FILE.")
@click.pass_obj
def command(settings: Settings, /, **options: Any) -> Callable[[], int]:
    """Show the past blocks: start, length, messages, counted tokens, limit, cost, models.

    --daily shows days instead, also with --json.
    """
    options["json"] = settings.output in ("json", "follow") or options["as_json_"]
    if options["html"] and (options["json"] or options["daily"] or options["heatmap"]):
        raise click.UsageError("--html goes with --since, not with --json, --daily or --heatmap.")
    if options["heatmap"] and (options["json"] or options["daily"]):
        raise click.UsageError("--heatmap goes with --since, not with --json or --daily.")
    return lambda: _history(settings, options)


def _history(settings: Settings, options: dict[str, Any]) -> int:
    with open_session(settings) as (settings, poller):  # noqa: PLR1704 - the demo changes them
        everything = _completed(settings, poller)
        print_missing_dirs(settings)
        completed = _from_day(everything, options["since_"], settings.rules.time_format)
        hours = _hours(poller) if completed and _needs_hours(options) else {}
    table_options = _table_options(settings, everything)
    time_format = settings.rules.time_format
    if options["json"]:
        costs = settings.show_cost
        if options["daily"]:
            report = days_as_json(by_day(completed, time_format), show_cost=costs)
        else:
            report = blocks_as_json(completed, hours, show_cost=costs)
        print(json.dumps(report, indent=2))
        return exits.OK
    if options["html"]:
        return _write(options["html"], page(completed, hours, table_options, utc_now()))
    if options["since_"] and not completed:
        print(f"No completed block since {_first_day(options['since_'], time_format)}.")
        return exits.OK
    style, width = output_style(settings), terminal_size(sys.stdout)[0]
    if options["heatmap"]:
        lines = heat_map(by_hour_of_week(completed, hours, time_format), width, style.glyphs)
    elif options["daily"]:
        rows = day_rows(by_day(completed, time_format))
        lines = table(rows, width, table_options, "day")
    else:
        lines = table(block_rows(completed, table_options), width, table_options)
    print("\n".join(style.paint(line).rstrip() for line in lines))
    return exits.OK


def _first_day(text: str, time_format: TimeFormat) -> date:
    return since(text, time_format, utc_now()) or date.min


def _from_day(
    completed: Sequence[CompletedBlock], text: Optional[str], time_format: TimeFormat
) -> Sequence[CompletedBlock]:
    """Return the blocks that began on the day of `--since` or later; all of them without it."""
    if text is None:
        return completed
    # Days are compared, not instants: midnight has another offset before the clocks changed.
    first = _first_day(text, time_format)
    return [item for item in completed if time_format.local(item.block.start).date() >= first]


def _needs_hours(options: dict[str, Any]) -> bool:
    return bool(options["heatmap"] or options["html"] or (options["json"] and not options["daily"]))


def _hours(poller: Poller) -> HourlyTokens:
    """Read the tokens of each hour; if that fails, say so and go on without them."""
    try:
        return hourly_tokens(poller.read_hours())
    except (MonitorError, OSError) as error:
        print(f"The hours could not be read: {as_monitor_error(error).reason}", file=sys.stderr)
        return {}


def _write(name: str, text: str) -> int:
    # Through links: neither they nor /dev/stdout may be replaced by the page.
    path, data = Path(os.path.realpath(name)), text.encode("utf-8")
    try:
        _replace(path, data)
    except OSError as error:
        reason = f"The page could not be written to {visible(str(path))}: {error.strerror}."
        raise MonitorError(reason, "Give --html a file that you can write.") from error
    print(f"Wrote {visible(str(path))} ({size(len(data))}).")
    return exits.OK


def _replace(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")
    replace_file(path, data, 0o644)


def _completed(settings: Settings, poller: Poller) -> Sequence[CompletedBlock]:
    """Return what is kept; the whole history is read first where that is too old."""
    read_usage(settings, poller, check=False)
    if poller.is_history_due():
        if sys.stderr.isatty():
            print("Reading the whole history once …", file=sys.stderr)
        poller.read_history()
    history = poller.result.history
    if poller.result.history_error and (history is None or history.read_at is None):
        reason = f"The history could not be read: {poller.result.history_error}"
        raise MonitorError(reason, "See `ccusage-monitor doctor`.")
    if poller.result.history_error and history and history.read_at:
        day = settings.rules.time_format.day(history.read_at)
        print(f"{poller.result.history_error} This is the history of {day}.", file=sys.stderr)
    return history.ended(utc_now()) if history else ()


def _table_options(settings: Settings, completed: Sequence[CompletedBlock]) -> TableOptions:
    rules, glyphs = settings.rules, output_style(settings).glyphs
    limit = past_limit(rules, [item.block for item in completed])
    return TableOptions(limit.tokens, rules.time_format, glyphs, settings.show_cost)
