"""Past blocks as one self-contained HTML page: key figures, pictures, a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Optional

from monitor.model.breakdown import Part
from monitor.model.formatting import count, dollars, percent, plural
from monitor.model.history import (
    CompletedBlock,
    Day,
    HourlyTokens,
    by_day,
    by_hour_of_week,
    total_cost,
)
from monitor.views.history_table import (
    WEEKDAYS,
    TableOptions,
    TableRow,
    block_rows,
    day_rows,
)
from monitor.views.html.breakdown import WAYS, who_used
from monitor.views.html.style_sheet import STYLE
from monitor.views.html.svg import Column, Mark, columns, heat_map, round_steps
from monitor.views.html.table import Row, table
from monitor.views.text import DOT

BLOCKS_HEIGHT, OFFICIAL_HEIGHT, DAYS_HEIGHT = 240, 56, 150
"""Pixels of each picture's plot."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The page needs nothing but its own style sheet: the browser is to fetch and run nothing."""


def page(
    completed: Sequence[CompletedBlock],
    hours: HourlyTokens,
    options: TableOptions,
    made_at: datetime,
    parts: Sequence[Part] = (),
) -> str:
    """Return the whole page; every text from the data is escaped. `parts` say who used what.

    It is drawn with SVG and CSS alone, so it looks the same from a file, offline, without scripts.
    """
    period = _period(completed, options)
    title = f"Claude Code usage{', ' + period if period else ''}"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>Claude Code usage</h1>
<p>{escape(_subtitle(completed, period, options))}</p>
</header>
<main style="--labels: {_widest_label(completed, options)}ch">
{_content(completed, hours, options, parts)}
</main>
<footer>
{_footer(options, made_at)}
</footer>
</body>
</html>
"""


def _subtitle(completed: Sequence[CompletedBlock], period: str, options: TableOptions) -> str:
    number, zone = plural(len(completed), "completed block"), f"times in {options.time_format.zone}"
    return DOT.join(part for part in (period, number, zone) if part)


def _content(
    completed: Sequence[CompletedBlock],
    hours: HourlyTokens,
    options: TableOptions,
    used: Sequence[Part],
) -> str:
    if not completed:
        return "<p>No completed block yet. A block is completed five hours after it began.</p>"
    rows = block_rows(completed, options)
    days = by_day(completed, options.time_format)
    parts = [
        _figures(completed, days, options),
        _section("Blocks", _blocks_text(completed, options), _blocks(completed, rows, options)),
        _section("Days", _days_text(days), _days(days)),
        _hours(completed, hours, options),
        *(_section(*who_used(used, by, show_cost=options.show_cost)) for by in WAYS if used),
        _section("Every block", "The newest first.", _table(rows, options)),
    ]
    return "\n".join(part for part in parts if part)


def _period(completed: Sequence[CompletedBlock], options: TableOptions) -> str:
    days = [options.time_format.day(item.block.start) for item in completed]
    return " to ".join(dict.fromkeys([*days[:1], *days[-1:]]))


def _footer(options: TableOptions, made_at: datetime) -> str:
    made = f"{options.time_format.day(made_at)} {options.time_format.minute(made_at)}"
    sentences = [
        "Counted tokens are input + output, which limits are measured in.",
        f"Percents are of {count(options.limit)} tokens, the limit assumed here.",
        "Percents marked official came from Claude Code itself.",
        f"Made by ccusage-monitor on {made}.",
    ]
    return "\n".join(f"<p>{escape(text)}</p>" for text in sentences)


def _section(title: str, text: str, content: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n<p>{escape(text)}</p>\n{content}\n</section>"


# --- key figures


def _figures(
    completed: Sequence[CompletedBlock], days: Sequence[Day], options: TableOptions
) -> str:
    blocks = [item.block for item in completed]
    top = max(blocks, key=lambda block: block.tokens.counted)
    tokens = sum(day.counted for day in days)
    figures = [
        ("Blocks", count(len(blocks)), f"on {plural(len(days), 'day')}"),
        ("Counted tokens", count(tokens), f"{count(tokens / len(blocks))} per block"),
    ]
    if options.show_cost:
        figures.append(_cost_figure([block.cost_usd for block in blocks]))
    figures += [
        ("Highest block", count(top.tokens.counted), options.time_format.day(top.start)),
        ("Limit hits", count(sum(day.limit_hits for day in days)), "reported by Claude"),
    ]
    drawn = "\n".join(_figure(*figure) for figure in figures)
    return f'<dl class="figures">\n{drawn}\n</dl>'


def _cost_figure(costs: Sequence[Optional[float]]) -> tuple[str, str, str]:
    cost = total_cost(costs)
    if cost is None:
        return "Cost", "?", f"not known for {plural(costs.count(None), 'block')}"
    return "Cost", dollars(cost), f"{dollars(cost / len(costs))} a block"


def _figure(name: str, value: str, note: str) -> str:
    return (
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        f'<dd class="note">{escape(note)}</dd></div>'
    )


# --- the pictures


def _blocks(
    completed: Sequence[CompletedBlock], rows: Sequence[TableRow], options: TableOptions
) -> str:
    days = [row.name.partition(" ")[0] for row in rows]
    top = max(options.limit, *(row.tokens for row in rows))
    drawn = [_column(slot, row) for slot, row in enumerate(rows)]
    marks = [*_grid(top), Mark(options.limit, role="limit")]
    label = "Column chart: counted tokens of each block"
    picture = columns(drawn, marks, BLOCKS_HEIGHT, label, len(days), days)
    return "\n".join(part for part in (picture, _official(completed)) if part)


def _official(completed: Sequence[CompletedBlock]) -> str:
    """Draw the official percentages in a plot of their own: tokens are another measure."""
    known = [(i, p) for i, item in enumerate(completed) if (p := item.official_percent) is not None]
    if not known:
        return ""
    drawn = [Column(i, p, f"{percent(p)} official", "hit" if p >= 100 else "") for i, p in known]
    marks = [Mark(value, percent(value)) for value in (0, 50, 100)]
    label = f"Column chart: official percent of {plural(len(known), 'block')}"
    return "<h3>Official percent, where known</h3>\n" + columns(
        drawn, marks, OFFICIAL_HEIGHT, label, len(completed)
    )


def _days(days: Sequence[Day]) -> str:
    first, last = days[0].date, days[-1].date
    names = [str(first + timedelta(days=i)) for i in range((last - first).days + 1)]
    drawn = [_column((day.date - first).days, row) for day, row in zip(days, day_rows(days))]
    marks = _grid(max(day.counted for day in days))
    label = "Column chart: counted tokens of each day"
    return columns(drawn, marks, DAYS_HEIGHT, label, len(names), names)


def _hours(completed: Sequence[CompletedBlock], hours: HourlyTokens, options: TableOptions) -> str:
    """Draw the hours of the week, where they are known."""
    heat = by_hour_of_week(completed, hours, options.time_format)
    top = max(heat.values(), default=0)
    if not top:
        return ""

    def text(day: int, hour: int) -> str:
        return f"{WEEKDAYS[day]} {hour:02d}:00: {count(heat.get((day, hour), 0))} tokens"

    day, hour = max(heat, key=lambda key: heat[key])
    label = f"Heat map: counted tokens by weekday and hour; most on {text(day, hour)}"
    shares = {key: tokens / top for key, tokens in heat.items()}
    summary = f"When the tokens were used. Most on {WEEKDAYS[day]} from {hour:02d}:00: "
    picture = heat_map(shares, WEEKDAYS, text, label)
    return _section("Hours of the week", f"{summary}{count(top)}.", picture)


def _widest_label(completed: Sequence[CompletedBlock], options: TableOptions) -> int:
    """Return the characters left of the plots, so that their left edges are in one line."""
    days = by_day(completed, options.time_format)
    top = max([options.limit, *(day.counted for day in days)])
    return max(len("100 %"), len(_grid(top)[-1].name))


def _grid(top: float) -> list[Mark]:
    return [Mark(value, count(value)) for value in round_steps(top)]


def _column(slot: int, row: TableRow) -> Column:
    parts = [f"{count(row.tokens)} tokens", row.share, row.length]
    tooltip = f"{row.name}: {', '.join(part for part in parts if part)}"
    return Column(slot, row.tokens, tooltip, _role(row))


def _role(row: TableRow) -> str:
    return "hit" if row.limit_hit else "top" if row.highest else ""


# --- the text above them


def _blocks_text(completed: Sequence[CompletedBlock], options: TableOptions) -> str:
    above = sum(item.block.tokens.counted > options.limit for item in completed)
    passed = f"{plural(above, 'block')} passed it" if above else "No block passed it"
    hits = sum(item.limit_hit for item in completed)
    hit = f" In red: {plural(hits, 'block')} that hit the limit, as Claude said." if hits else ""
    return (
        "Counted tokens of each block, one column a block, oldest first."
        f" The dashed line is the limit: {count(options.limit)} tokens. {passed}.{hit}"
    )


def _days_text(days: Sequence[Day]) -> str:
    rows = day_rows(days)
    top = max(rows, key=lambda row: row.tokens)
    mean = sum(row.tokens for row in rows) / len(rows)
    return (
        "Counted tokens by the day on which their block began."
        f" {count(mean)} on an average day with use; most on {top.name}: {count(top.tokens)}."
    )


# --- the table


TABLE: tuple[tuple[str, Callable[[TableRow], str]], ...] = (
    ("Start", lambda row: row.name),
    ("Length", lambda row: row.length),
    ("Messages", lambda row: count(row.messages)),
    ("Tokens", lambda row: count(row.tokens)),
    ("Of limit", lambda row: row.share + (" · highest" if row.highest else "")),
    ("Cost", lambda row: "?" if row.cost is None else dollars(row.cost)),
    ("Models", lambda row: row.models),
)


def _table(rows: Sequence[TableRow], options: TableOptions) -> str:
    shown = {head: text for head, text in TABLE if options.show_cost or head != "Cost"}
    drawn = (Row([text(row) for text in shown.values()], _role(row)) for row in reversed(rows))
    return table("Every block", list(shown), drawn)
