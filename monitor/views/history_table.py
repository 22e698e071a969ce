"""Past blocks: a table with bars, by block or by day, and a heat map of the week."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Optional

from monitor.model.formatting import TimeFormat, count, dollars, duration, percent, plural
from monitor.model.history import CompletedBlock, HourlyTokens, block_hours, by_hour_of_week
from monitor.views.bars import bar
from monitor.views.screen.dashboard import short_model
from monitor.views.snapshot import tokens_as_json, utc
from monitor.views.style import Glyphs
from monitor.views.text import Line, Span, cells, fit, line, width_of, wrap

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LEAST_BAR, WIDE_BAR = 6, 16
"""Cells that the bars keep: models are named only beside bars worth looking at."""

HEADS = {
    "block": ("Start", "Length", "Messages", "Tokens", "Limit", "Cost", "Models"),
    "day": ("Day", "Blocks", "Messages", "Tokens", "Limit", "Cost", "Models"),
}


@dataclass(frozen=True)
class Shown:
    """How past blocks are shown: the limit, the time format, with costs or without."""

    limit: int
    time_format: TimeFormat
    glyphs: Glyphs
    show_cost: bool = True


@dataclass(frozen=True)
class Entry:
    """One row of the table: a block or a day."""

    name: str
    length: str
    messages: int
    tokens: int
    share: str
    cost: Optional[float]
    models: str
    alarm: bool = False
    highest: bool = False


def by_block(completed: Sequence[CompletedBlock], shown: Shown) -> list[Entry]:
    """Return an entry for each block, oldest first; the highest is marked."""
    top = max((item.block.tokens.counted for item in completed), default=0)
    return [_block_entry(item, shown, top) for item in completed]


def by_day(completed: Sequence[CompletedBlock], shown: Shown) -> list[Entry]:
    """Return an entry for each day on which a block began, in the clock's zone."""
    days = _days(completed, shown)
    top = max((_counted(items) for _, items in days), default=0)
    return [_day_entry(day, items, top) for day, items in days]


def table(
    entries: Sequence[Entry],
    width: int,
    shown: Shown,
    noun: str = "block",
    height: Optional[int] = None,
) -> list[Line]:
    """Draw the entries in columns: the narrower the screen, the fewer; the newest if it is low.

    The last lines are about all of them.
    """
    if not entries:
        return [line("No completed block yet.")]
    newest = entries if height is None else entries[-max(1, height) :]
    drawn = _drawn(newest, entries, width, shown, noun)
    while height is not None and len(drawn) > height and len(newest) > 1:
        newest = newest[1:]
        drawn = _drawn(newest, entries, width, shown, noun)
    return drawn


def _drawn(
    entries: Sequence[Entry], whole: Sequence[Entry], width: int, shown: Shown, noun: str
) -> list[Line]:
    """Draw these entries of the whole, and say below what is to say of both."""
    head, rows = HEADS[noun], [_cells(entry, shown) for entry in entries]
    kept = _columns_that_fit(rows, width, head)
    widths = {i: max(cells(row[i]) for row in [head, *rows]) for i in kept}
    room = width - 1 - sum(widths[i] + 2 for i in kept)
    top = max(entry.tokens for entry in entries)
    drawn = [fit((Span(_joined(head, widths), "label"),), width)]
    for entry, row in zip(entries, rows):
        share = 100 * entry.tokens / top if top else 0.0
        role = "alarm" if entry.alarm else "ok" if entry.highest else ""
        chart = bar(share, None, room - 1, role or "likely", shown.glyphs) if room > 1 else ()
        drawn.append(fit((Span(_joined(row, widths), role), Span(" "), *chart), width))
    said = _summary(entries, whole, noun, shown, kept)
    return [*drawn, (), *_remark(said, width)]


def _remark(said: str, width: int) -> list[Line]:
    return [line(Span(f" {part}", "dim")) for part in wrap(said, width - 2)]


def heat_map(
    completed: Sequence[CompletedBlock], hours: HourlyTokens, width: int, shown: Shown
) -> list[Line]:
    """Draw counted tokens by hour of the week: rows are days, columns are hours."""
    heat = by_hour_of_week(completed, hours, shown.time_format)
    if not any(heat.values()):
        return [line("No hours are known for these blocks.")]
    cell = 3 if width >= 78 else 2 if width >= 54 else 1
    head = "".join(f"{hour:02d}".ljust(cell * 3) for hour in range(0, 24, 3))
    lines = [line(Span(f"     {head}", "label"))]
    lines.extend(_heat_row(day, heat, cell, shown.glyphs) for day in range(7))
    peak = max(heat, key=lambda key: heat[key])
    said = f"Most on {WEEKDAYS[peak[0]]} from {peak[1]:02d}:00: {count(heat[peak])} tokens."
    legend = line(
        Span(" few ", "dim"), Span(shown.glyphs.shades[1:], "likely"), Span(" many tokens", "dim")
    )
    return [*lines, (), legend, *_remark(said, width)]


def blocks_as_json(
    completed: Sequence[CompletedBlock], hours: HourlyTokens, shown: Shown
) -> dict[str, Any]:
    """Return the past blocks as plain values, schema_version 1."""
    blocks = [_block_as_json(item, hours, shown) for item in completed]
    return {"schema_version": 1, "blocks": blocks}


def days_as_json(completed: Sequence[CompletedBlock], shown: Shown) -> dict[str, Any]:
    """Return the days on which past blocks began as plain values, schema_version 1."""
    days = [_day_as_json(day, items, shown) for day, items in _days(completed, shown)]
    return {"schema_version": 1, "days": days}


def _days(
    completed: Sequence[CompletedBlock], shown: Shown
) -> list[tuple[date, list[CompletedBlock]]]:
    days: dict[date, list[CompletedBlock]] = defaultdict(list)
    for item in completed:
        days[shown.time_format.local(item.block.start).date()].append(item)
    return list(days.items())


def limit_was_hit(item: CompletedBlock) -> bool:
    """Whether Claude said so: a limit message, or 100 % officially."""
    return item.block.limit_reset is not None or (item.official_percent or 0) >= 100


def _block_entry(item: CompletedBlock, shown: Shown, top: int) -> Entry:
    block, time_format = item.block, shown.time_format
    share = percent(100 * block.tokens.counted / shown.limit)
    if item.official_percent is not None:
        share = f"{percent(item.official_percent)} official"
    return Entry(
        name=f"{time_format.day(block.start)} {time_format.minute(block.start)}",
        length=duration(block.last_activity - block.start) if block.last_activity else "",
        messages=block.entries,
        tokens=block.tokens.counted,
        share="hit" if limit_was_hit(item) else share,
        cost=block.cost_usd,
        models=_models([item]),
        alarm=limit_was_hit(item),
        highest=block.tokens.counted == top,
    )


def _day_entry(day: date, items: Sequence[CompletedBlock], top: int) -> Entry:
    hits = sum(limit_was_hit(item) for item in items)
    return Entry(
        name=f"{day} {WEEKDAYS[day.weekday()]}",
        length=plural(len(items), "block"),
        messages=_messages(items),
        tokens=_counted(items),
        share=f"{hits} hit" if hits else "",
        cost=_cost(items),
        models=_models(items),
        alarm=hits > 0,
        highest=_counted(items) == top,
    )


def _counted(items: Sequence[CompletedBlock]) -> int:
    return sum(item.block.tokens.counted for item in items)


def _messages(items: Sequence[CompletedBlock]) -> int:
    return sum(item.block.entries for item in items)


def _cost(items: Sequence[CompletedBlock]) -> Optional[float]:
    costs = [item.block.cost_usd for item in items if item.block.cost_usd is not None]
    return sum(costs) if costs else None


def _model_names(items: Sequence[CompletedBlock]) -> list[str]:
    return list(dict.fromkeys(name for item in items for name in item.block.models))


def _models(items: Sequence[CompletedBlock]) -> str:
    names = _model_names(items)
    return ", ".join(short_model(name) for name in names if name != "<synthetic>")


def _cells(entry: Entry, shown: Shown) -> list[str]:
    cost = dollars(entry.cost) if shown.show_cost and entry.cost is not None else ""
    tokens = count(entry.tokens) + ("*" if entry.highest else "")
    return [entry.name, entry.length, str(entry.messages), tokens, entry.share, cost, entry.models]


def _columns_that_fit(rows: Sequence[Sequence[str]], width: int, head: Sequence[str]) -> list[int]:
    """Return the columns that say something and leave room for a bar; the least important go."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    for least in (6, 2, 5, 1, 4):
        taken = sum(max(cells(row[i]) for row in [head, *rows]) + 2 for i in kept)
        if taken + 1 + (WIDE_BAR if least == 6 else LEAST_BAR) <= width:
            break
        kept = [index for index in kept if index != least]
    return kept


def _joined(row: Sequence[str], widths: dict[int, int]) -> str:
    numbers = {2, 3, 5}
    placed = (
        row[i].rjust(width) if i in numbers else row[i] + " " * (width - cells(row[i]))
        for i, width in widths.items()
    )
    return " " + "  ".join(placed)


def _summary(
    entries: Sequence[Entry], whole: Sequence[Entry], noun: str, shown: Shown, kept: Sequence[int]
) -> str:
    dot = f" {shown.glyphs.dot} "
    number = plural(len(whole), "completed block" if noun == "block" else noun)
    said = f"{count(sum(entry.tokens for entry in whole))} tokens in {number}"
    said += " of completed blocks" if noun == "day" else ""
    if any(entry.highest for entry in entries):
        said += f"{dot}* the highest"
    if noun == "block" and HEADS[noun].index("Limit") in kept:
        said += f"{dot}limit: % of {count(shown.limit)}"
    if len(entries) < len(whole):
        said += f"{dot}the newest {len(entries)} shown"
    return said


def _heat_row(day: int, heat: dict[tuple[int, int], int], cell: int, glyphs: Glyphs) -> Line:
    top = max(heat.values())
    shades = glyphs.shades
    drawn: list[Span] = [Span(f" {WEEKDAYS[day]} ", "label")]
    for hour in range(24):
        tokens = heat.get((day, hour), 0)
        # At least the lightest shade for any use at all.
        step = 0 if not tokens else max(1, round(tokens / top * (len(shades) - 1)))
        drawn.append(Span(shades[step] * cell, "likely"))
    assert width_of(drawn) == 5 + 24 * cell  # noqa: S101 - the columns must stand under their hours
    return tuple(drawn)


def _block_as_json(item: CompletedBlock, hours: HourlyTokens, shown: Shown) -> dict[str, Any]:
    block, tokens = item.block, item.block.tokens
    return {
        "start": utc(block.start),
        "end": utc(block.end),
        "last_activity": utc(block.last_activity),
        "messages": block.entries,
        "tokens": tokens_as_json(tokens),
        "cost_usd": block.cost_usd if shown.show_cost else None,
        "models": list(block.models),
        "limit_hit": limit_was_hit(item),
        "official_percent": item.official_percent,
        "hourly": list(block_hours(block, hours)) or None,
    }


def _day_as_json(day: date, items: Sequence[CompletedBlock], shown: Shown) -> dict[str, Any]:
    return {
        "date": day.isoformat(),
        "blocks": len(items),
        "messages": _messages(items),
        "tokens": {"counted": _counted(items)},
        "cost_usd": _cost(items) if shown.show_cost else None,
        "models": _model_names(items),
        "limit_hits": sum(limit_was_hit(item) for item in items),
    }
