"""Past blocks as one self-contained HTML page: key figures, pictures, a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from html import escape

from monitor.model.formatting import count, dollars, percent, plural
from monitor.model.history import CompletedBlock, HourlyTokens, by_hour_of_week
from monitor.views.history_table import WEEKDAYS, Entry, Shown, by_block, by_day, limit_was_hit
from monitor.views.html.style_sheet import STYLE
from monitor.views.html.svg import Axis, Column, Mark, axis, columns, heat_map, round_steps

BLOCKS_HEIGHT, OFFICIAL_HEIGHT, DAYS_HEIGHT = 240, 56, 150
"""Pixels of each picture's plot."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The page needs nothing but its own style sheet: the browser shall fetch and run nothing."""


def page(
    completed: Sequence[CompletedBlock], hours: HourlyTokens, shown: Shown, made_at: datetime
) -> str:
    """Return the whole page; all text that comes from data is escaped.

    It draws with SVG and CSS alone, so it looks the same from a file, offline, without scripts.
    """
    period = _period(completed, shown)
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
<p>{escape(_subtitle(completed, period, shown))}</p>
</header>
<main style="--labels: {_widest_label(completed, shown)}ch">
{_content(completed, hours, shown)}
</main>
<footer>
{_footer(shown, made_at)}
</footer>
</body>
</html>
"""


def _content(completed: Sequence[CompletedBlock], hours: HourlyTokens, shown: Shown) -> str:
    if not completed:
        return "<p>No completed block yet. A block is completed five hours after it began.</p>"
    entries = by_block(completed, shown)
    parts = [
        _figures(completed, shown),
        _section("Blocks", _blocks_said(completed, shown), _blocks(completed, entries, shown)),
        _section("Days", _days_said(completed, shown), _days(completed, shown)),
        _hours(completed, hours, shown),
        _section("Every block", "The newest first.", _table(entries, shown)),
    ]
    return "\n".join(part for part in parts if part)


def _period(completed: Sequence[CompletedBlock], shown: Shown) -> str:
    days = [shown.time_format.day(item.block.start) for item in completed]
    return " to ".join(dict.fromkeys([*days[:1], *days[-1:]]))


def _subtitle(completed: Sequence[CompletedBlock], period: str, shown: Shown) -> str:
    parts = [
        period,
        plural(len(completed), "completed block"),
        f"times in {shown.time_format.zone}",
    ]
    return " · ".join(part for part in parts if part)


def _footer(shown: Shown, made_at: datetime) -> str:
    made = f"{shown.time_format.day(made_at)} {shown.time_format.minute(made_at)}"
    said = [
        "Counted tokens are input + output, which limits are measured in.",
        f"Percents are of {count(shown.limit)} tokens, the limit assumed here.",
        "Percents marked official came from Claude Code itself.",
        f"Made by ccusage-monitor on {made}.",
    ]
    return "\n".join(f"<p>{escape(text)}</p>" for text in said)


def _section(title: str, said: str, content: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n<p>{escape(said)}</p>\n{content}\n</section>"


# --- key figures


def _figures(completed: Sequence[CompletedBlock], shown: Shown) -> str:
    blocks = [item.block for item in completed]
    top = max(blocks, key=lambda block: block.tokens.counted)
    costs = [block.cost_usd for block in blocks if block.cost_usd is not None]
    days = {shown.time_format.day(block.start) for block in blocks}
    tokens = sum(block.tokens.counted for block in blocks)
    hits = sum(limit_was_hit(item) for item in completed)
    figures = [
        ("Blocks", count(len(blocks)), f"on {plural(len(days), 'day')}"),
        ("Counted tokens", count(tokens), f"{count(tokens / len(blocks))} per block"),
    ]
    if shown.show_cost and costs:
        figures.append(("Cost", dollars(sum(costs)), f"{dollars(sum(costs) / len(costs))} a block"))
    figures += [
        ("Highest block", count(top.tokens.counted), shown.time_format.day(top.start)),
        ("Limit hits", count(hits), "reported by Claude"),
    ]
    drawn = "\n".join(_figure(*figure) for figure in figures)
    return f'<dl class="figures">\n{drawn}\n</dl>'


def _figure(name: str, value: str, note: str) -> str:
    return (
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        f'<dd class="note">{escape(note)}</dd></div>'
    )


# --- the pictures


def _blocks(completed: Sequence[CompletedBlock], entries: Sequence[Entry], shown: Shown) -> str:
    along = axis([entry.name.partition(" ")[0] for entry in entries])
    top = max(shown.limit, *(entry.tokens for entry in entries))
    drawn = [Column(i, e.tokens, _entry_said(e), _role(e)) for i, e in enumerate(entries)]
    marks = [*_grid(top), Mark(shown.limit, role="limit")]
    pictures = [
        columns(drawn, along, marks, BLOCKS_HEIGHT, "Column chart: counted tokens of each block")
    ]
    if any(item.official_percent is not None for item in completed):
        pictures.append(_official(completed, along.slots))
    return "\n".join(pictures)


def _official(completed: Sequence[CompletedBlock], slots: int) -> str:
    """Draw the official percents in a plot of their own: tokens do not measure the same."""
    known = [(i, p) for i, item in enumerate(completed) if (p := item.official_percent) is not None]
    drawn = [Column(i, p, f"{percent(p)} official", "hit" if p >= 100 else "") for i, p in known]
    marks = [Mark(value, percent(value)) for value in (0, 50, 100)]
    label = f"Column chart: official percent of {plural(len(known), 'block')}"
    return "<h3>Official percent, where known</h3>\n" + columns(
        drawn, Axis(slots), marks, OFFICIAL_HEIGHT, label
    )


def _days(completed: Sequence[CompletedBlock], shown: Shown) -> str:
    entries = by_day(completed, shown)
    days = [date.fromisoformat(entry.name.partition(" ")[0]) for entry in entries]
    names = _every_day(days)
    drawn = [
        Column((day - days[0]).days, entry.tokens, _entry_said(entry), _role(entry))
        for day, entry in zip(days, entries)
    ]
    marks = _grid(max(entry.tokens for entry in entries))
    return columns(
        drawn, axis(names), marks, DAYS_HEIGHT, "Column chart: counted tokens of each day"
    )


def _every_day(days: Sequence[date]) -> list[str]:
    return [str(days[0] + timedelta(days=i)) for i in range((days[-1] - days[0]).days + 1)]


def _hours(completed: Sequence[CompletedBlock], hours: HourlyTokens, shown: Shown) -> str:
    """Draw the hours of the week, where they are known."""
    heat = by_hour_of_week(completed, hours, shown.time_format)
    top = max(heat.values(), default=0)
    if not top:
        return ""
    day, hour = max(heat, key=lambda key: heat[key])

    def said(day: int, hour: int) -> str:
        return f"{WEEKDAYS[day]} {hour:02d}:00: {count(heat.get((day, hour), 0))} tokens"

    picture = heat_map(
        lambda day, hour: heat.get((day, hour), 0) / top,
        WEEKDAYS,
        said,
        f"Heat map: counted tokens by weekday and hour; most on {said(day, hour)}",
    )
    summary = f"When the tokens were used. Most on {WEEKDAYS[day]} from {hour:02d}:00: "
    return _section("Hours of the week", f"{summary}{count(top)}.", picture)


def _widest_label(completed: Sequence[CompletedBlock], shown: Shown) -> int:
    """Return how many characters stand left of the plots, whose left edges are in one line."""
    top = max([shown.limit, *(entry.tokens for entry in by_day(completed, shown))])
    return max(len("100 %"), len(_grid(top)[-1].name))


def _grid(top: float) -> list[Mark]:
    return [Mark(value, count(value)) for value in round_steps(top)]


def _role(entry: Entry) -> str:
    return "hit" if entry.alarm else "top" if entry.highest else ""


def _entry_said(entry: Entry) -> str:
    parts = [f"{count(entry.tokens)} tokens", entry.share, entry.length]
    return f"{entry.name}: {', '.join(part for part in parts if part)}"


# --- what is said above them


def _blocks_said(completed: Sequence[CompletedBlock], shown: Shown) -> str:
    above = sum(item.block.tokens.counted > shown.limit for item in completed)
    passed = f"{plural(above, 'block')} passed it" if above else "No block passed it"
    hits = sum(limit_was_hit(item) for item in completed)
    hit = f" In red: {plural(hits, 'block')} that hit the limit, as Claude said." if hits else ""
    return (
        "Counted tokens of each block, one column a block, oldest first."
        f" The dashed line is the limit: {count(shown.limit)} tokens. {passed}.{hit}"
    )


def _days_said(completed: Sequence[CompletedBlock], shown: Shown) -> str:
    entries = by_day(completed, shown)
    top = max(entries, key=lambda entry: entry.tokens)
    mean = sum(entry.tokens for entry in entries) / len(entries)
    return (
        "Counted tokens by the day on which their block began."
        f" {count(mean)} on an average day with use; most on {top.name}: {count(top.tokens)}."
    )


# --- the table


def _table(entries: Sequence[Entry], shown: Shown) -> str:
    heads = ["Start", "Length", "Messages", "Tokens", "Of limit", "Cost", "Models"]
    kept = [i for i, head in enumerate(heads) if shown.show_cost or head != "Cost"]
    numbers = {2, 3, 5}
    head = "".join(f'<th scope="col"{_number(i in numbers)}>{escape(heads[i])}</th>' for i in kept)
    rows = "\n".join(_row(entry, kept, numbers) for entry in reversed(entries))
    return (
        '<div class="scroll" role="region" aria-label="Every block" tabindex="0">\n<table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</div>"
    )


def _row(entry: Entry, kept: Sequence[int], numbers: set[int]) -> str:
    cost = "" if entry.cost is None else dollars(entry.cost)
    share = f"{entry.share} · highest" if entry.highest else entry.share
    texts = [entry.name, entry.length, count(entry.messages), count(entry.tokens), share, cost]
    texts.append(entry.models)
    cells = "".join(f"<td{_number(i in numbers)}>{escape(texts[i])}</td>" for i in kept)
    role = _role(entry)
    return f'<tr class="{role}">{cells}</tr>' if role else f"<tr>{cells}</tr>"


def _number(yes: bool) -> str:  # noqa: FBT001 - it says what the cell is
    return ' class="n"' if yes else ""
