"""Who used it, as a table with bars: by project, model, session or agent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from monitor.model.breakdown import BLOCK, Breakdown, BreakdownRow, difference, leaders, rows
from monitor.model.formatting import TimeFormat, count, cut, dollars, percent, plural, visible
from monitor.model.history import total_cost
from monitor.views.bars import bar
from monitor.views.columns import columns_that_fit, join, room_beside
from monitor.views.history_table import dim_lines
from monitor.views.style import Glyphs
from monitor.views.text import DOT, Line, Span, cells, fit, line

TOKENS, SHARE, ALL, COST, LAST = "Tokens", "Share", "All tokens", "Cost", "Last"
RIGHT_ALIGNED = (TOKENS, SHARE, ALL, COST)
LEAST_BAR = 6
LEAST_IMPORTANT = tuple((head, LEAST_BAR) for head in (LAST, ALL, COST))
"""The columns that are left out where the width is short, and what the bar then lacks."""

LEAST_NAME = 12

LONGEST_LEADER = 24
"""Characters of a name in the line that names who used most."""

SUBAGENTS = "subagents count for the session that started them"


class BreakdownOptions(NamedTuple):
    """How a breakdown is split, and how times, bars and costs are shown."""

    by: str
    now: datetime
    time_format: TimeFormat
    glyphs: Glyphs
    show_cost: bool = True


def breakdown_table(
    breakdown: Breakdown, width: int, options: BreakdownOptions, height: int = 0, first: int = 0
) -> list[Line]:
    """Draw who used it, the largest first: from the row `first` on, in `height` lines if not 0.

    The last lines sum up all rows.
    """
    made = rows(breakdown.parts, options.by)
    notes = _notes(breakdown, made, width, options)
    if not made:
        return notes
    room = height - len(notes) - 2 if height else len(made)
    if room < len(made):
        room = max(1, room - 1)  # a line says which rows are shown
        first = max(0, min(first, len(made) - room))
        notes += dim_lines(f"{first + 1} to {first + room} of {len(made)} shown", width)
    else:
        first = 0
    shown = made[first : first + room]
    return [*_lines(shown, made, width, options), (), *notes]


def mostly(breakdown: Breakdown) -> str:
    """Name the two projects and the model that used most: `api 61 % · web 30 % · sonnet-5 72 %`."""
    named = leaders(breakdown)
    names = (cut(visible(row.label), LONGEST_LEADER) for row in named)
    shares = (percent(row.share_percent or 0) for row in named)
    return DOT.join(f"{name} {share}" for name, share in zip(names, shares))


def span_name(breakdown: Breakdown, time_format: TimeFormat, now: datetime) -> str:
    """Name the time that a breakdown is about: `in the block of 11:00`, `since 2026-11-01`."""
    if breakdown.span == BLOCK:
        return f"in the block of {time_format.minute_or_day(breakdown.start, now)}"
    if breakdown.span == "today":
        return "today"
    day, minute = time_format.day(breakdown.start), time_format.minute(breakdown.start)
    return f"since {day}" if breakdown.span == "since" else f"since {day} {minute}"


def _lines(
    shown: Sequence[BreakdownRow],
    made: Sequence[BreakdownRow],
    width: int,
    options: BreakdownOptions,
) -> list[Line]:
    name = options.by.capitalize()
    heads = {head: head for head in (name, TOKENS, SHARE, ALL, COST, LAST)}
    longest = max(LEAST_NAME, width // 3)
    texts = [dict(zip(heads, _texts(row, longest, options))) for row in made]
    widths = columns_that_fit(heads, texts, width, LEAST_IMPORTANT)
    room = room_beside(widths, width) - 1
    lines = [fit((Span(join(heads, widths, RIGHT_ALIGNED), "label"),), width)]
    for row in shown:
        text = dict(zip(heads, _texts(row, longest, options)))
        share = row.share_percent or 0.0
        chart = bar(share, None, room, "likely", options.glyphs.bar) if room > 1 else ()
        lines.append(fit((Span(join(text, widths, RIGHT_ALIGNED)), Span(" "), *chart), width))
    return lines


def _texts(row: BreakdownRow, longest: int, options: BreakdownOptions) -> tuple[str, ...]:
    cost = "?" if row.cost_usd is None else dollars(row.cost_usd)
    last = row.last_activity
    return (
        _end_of(visible(row.label) or "?", longest, options.glyphs.ellipsis),
        count(row.tokens.counted),
        "?" if row.share_percent is None else percent(row.share_percent),
        count(row.tokens.total),
        cost if options.show_cost else "",
        options.time_format.minute_or_day(last, options.now) if last else "",
    )


def _end_of(text: str, longest: int, ellipsis: str) -> str:
    """Cut a name at its start: what tells it from others is at the end."""
    if cells(text) <= longest:
        return text
    while text and cells(ellipsis + text) > longest:
        text = text[1:]
    return ellipsis + text


def _notes(
    breakdown: Breakdown, made: Sequence[BreakdownRow], width: int, options: BreakdownOptions
) -> list[Line]:
    """Sum up the rows, and say what is missing in them."""
    span = span_name(breakdown, options.time_format, options.now)
    parts = [f"{count(breakdown.counted)} tokens {span}", plural(len(made), options.by)]
    cost = total_cost(row.cost_usd for row in made)
    if options.show_cost and cost is not None:
        parts.append(dollars(cost))
    elif options.show_cost and made:
        parts.append("?: no price is known (--online fetches prices)")
    if options.by in ("project", "session") and made:
        parts.append(SUBAGENTS)
    lines = dim_lines(DOT.join(parts), width)
    for text in filter(None, (difference(breakdown), breakdown.note)):
        lines += [line(Span(f" {part[0].text.strip()}", "warn")) for part in dim_lines(text, width)]
    return lines
