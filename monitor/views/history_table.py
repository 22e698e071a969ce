"""Past blocks as a table with bars, by block or by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Optional

from monitor.model.blocks import Block
from monitor.model.formatting import (
    TimeFormat,
    count,
    dollars,
    duration,
    model_names,
    percent,
    plural,
)
from monitor.model.history import CompletedBlock, Day, total_cost
from monitor.model.limit_hits import LimitHit
from monitor.model.official import window_kind
from monitor.views.bars import bar
from monitor.views.columns import columns_that_fit, join, room_beside
from monitor.views.style import Glyphs
from monitor.views.text import DOT, Line, Span, fit, line, wrap_list

NO_BLOCK = "No completed block yet."

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

LEAST_BAR, WIDE_BAR = 6, 16
"""Cells for the bars: without, and with models beside them."""

HEADS = {
    "block": ("Start", "Length", "Messages", "Tokens", "Limit", "Cost", "Models"),
    "day": ("Day", "Blocks", "Messages", "Tokens", "Limit", "Cost", "Models"),
}
RIGHT_ALIGNED = ("Messages", "Tokens", "Cost")
LEAST_IMPORTANT = (
    ("Models", WIDE_BAR),
    *((head, LEAST_BAR) for head in ("Messages", "Cost", "Length", "Blocks", "Limit")),
)
"""The columns that are left out where the width is short, and what the bar then lacks."""


@dataclass(frozen=True)
class TableOptions:
    """The limit that percentages are of, and how times, bars and costs are shown."""

    limit: int
    time_format: TimeFormat
    glyphs: Glyphs
    show_cost: bool = True


@dataclass(frozen=True)
class TableRow:
    """One row of the table: a block or a day."""

    name: str
    length: str
    messages: int
    tokens: int
    share: str
    cost: Optional[float]
    models: str
    limit_hit: bool = False
    highest: bool = False
    is_running: bool = False


def block_rows(
    completed: Sequence[CompletedBlock], options: TableOptions, running: Optional[Block] = None
) -> list[TableRow]:
    """Return a row for each block, oldest first, and one for the running block.

    The highest completed block is marked.
    """
    top = max((item.block.tokens.counted for item in completed), default=0)
    rows = [_block_row(item, options, top) for item in completed]
    if running is None:
        return rows
    last = _block_row(CompletedBlock(running), options, -1)
    return [*rows, replace(last, length="running", is_running=True)]


def day_rows(days: Sequence[Day]) -> list[TableRow]:
    """Return a row for each day; the highest is marked."""
    top = max((day.counted for day in days), default=0)
    return [_day_row(day, top) for day in days]


def table(
    rows: Sequence[TableRow],
    width: int,
    options: TableOptions,
    unit: str = "block",
    height: Optional[int] = None,
    first: int = 0,
) -> list[Line]:
    """Draw rows, newest first: as many columns as fit into `width`, and from the row `first` on.

    `rows` are oldest first; a row is a `block` or a `day`. The last lines sum up all rows.
    """
    if not rows:
        return [line(NO_BLOCK)]
    rows = rows[::-1]
    shown = rows if height is None else rows[first : first + max(1, height)]
    lines = _lines(shown, rows, width, options, unit)
    while height is not None and len(lines) > height and len(shown) > 1:
        shown = shown[:-1]
        lines = _lines(shown, rows, width, options, unit)
    return lines


def dim_lines(text: str, width: int) -> list[Line]:
    """Break a remark on a table or a heat map into dim lines."""
    return [line(Span(f" {part}", "dim")) for part in wrap_list(text, width - 2) if part]


def _block_row(item: CompletedBlock, options: TableOptions, top: int) -> TableRow:
    block, time_format = item.block, options.time_format
    share = percent(100 * block.tokens.counted / options.limit)
    if item.official_percent is not None:
        share = f"{percent(item.official_percent)} official"
    return TableRow(
        name=f"{time_format.day(block.start)} {time_format.minute(block.start)}",
        length=duration(block.last_activity - block.start) if block.last_activity else "",
        messages=block.entries,
        tokens=block.tokens.counted,
        share="hit" if item.limit_hit else share,
        cost=block.cost_usd,
        models=model_names(block.models),
        limit_hit=item.limit_hit,
        highest=block.tokens.counted == top,
    )


def _day_row(day: Day, top: int) -> TableRow:
    return TableRow(
        name=f"{day.date} {WEEKDAYS[day.date.weekday()]}",
        length=plural(len(day.items), "block") + (", 1 running" if day.is_running else ""),
        messages=day.messages,
        tokens=day.counted,
        share=f"{day.limit_hits} hit" if day.limit_hits else "",
        cost=day.cost_usd,
        models=model_names(day.models),
        limit_hit=day.limit_hits > 0,
        highest=day.counted == top,
    )


def _lines(
    rows: Sequence[TableRow],
    all_rows: Sequence[TableRow],
    width: int,
    options: TableOptions,
    unit: str,
) -> list[Line]:
    """Draw some of all rows, and the summary of both."""
    heads = {head: head for head in HEADS[unit]}
    texts = [dict(zip(heads, _texts(row, options))) for row in rows]
    widths = columns_that_fit(heads, texts, width, LEAST_IMPORTANT)
    room = room_beside(widths, width)
    top = max(row.tokens for row in rows)
    lines = [fit((Span(join(heads, widths, RIGHT_ALIGNED), "label"),), width)]
    for row, text in zip(rows, texts):
        role = "alarm" if row.limit_hit else "ok" if row.highest else ""
        share, color = 100 * row.tokens / top if top else 0.0, role or "likely"
        chart = bar(share, None, room - 1, color, options.glyphs.bar) if room > 1 else ()
        lines.append(fit((Span(join(text, widths, RIGHT_ALIGNED), role), Span(" "), *chart), width))
    return [*lines, (), *dim_lines(_summary(rows, all_rows, unit, widths, options), width)]


def _texts(row: TableRow, options: TableOptions) -> tuple[str, ...]:
    tokens = count(row.tokens) + ("*" if row.highest else "")
    cost = ("?" if row.cost is None else dollars(row.cost)) if options.show_cost else ""
    return (row.name, row.length, str(row.messages), tokens, row.share, cost, row.models)


def _summary(
    rows: Sequence[TableRow],
    all_rows: Sequence[TableRow],
    unit: str,
    heads: Collection[str],
    options: TableOptions,
) -> str:
    """Sum up the completed blocks or days of all rows, and say which of them are shown."""
    completed = [row for row in all_rows if not row.is_running]
    if not completed:
        return NO_BLOCK
    number = plural(len(completed), "completed block" if unit == "block" else "day")
    parts = [f"{count(sum(row.tokens for row in completed))} tokens in {number}"]
    cost = total_cost(row.cost for row in completed)
    if options.show_cost and cost is not None:
        parts.append(dollars(cost))
    if any(row.highest for row in rows):
        parts.append("* the highest")
    if unit == "block" and "Limit" in heads:
        parts.append(f"limit: % of {count(options.limit)}")
    if len(rows) < len(all_rows):
        at = all_rows.index(rows[0]) + 1
        parts.append(f"{at} to {at + len(rows) - 1} of {len(all_rows)} shown")
    return DOT.join(parts)


def hits_text(hits: Sequence[LimitHit], time_format: TimeFormat) -> str:
    """Say how often limits stopped the user, and when last; "" if none did."""
    if not hits:
        return ""
    numbers = Counter(window_kind(hit.window).name for hit in hits)
    times = ", ".join(f"{name} {number}×" for name, number in numbers.items())
    last = max(hit.at for hit in hits)
    when = f"{time_format.day(last)} {time_format.minute(last)}"
    return f"Limits that stopped you: {times}; last {when}"
