"""Who used it, for the HTML page: a stacked column for each day, and a table that is its key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from monitor.model.breakdown import BreakdownRow, Part, rows
from monitor.model.formatting import count, dollars, percent
from monitor.views.html.svg import Column, Mark, round_steps, stacks
from monitor.views.html.table import Row, table

WAYS = ("project", "model")

HEIGHT = 180
MOST_COLOURS = 5
"""So many rows have a colour of their own; the others share one."""


def who_used(parts: Sequence[Part], by: str, *, show_cost: bool) -> tuple[str, str, str]:
    """Return title, text and content of a section: who used what, by project or by model."""
    made = rows(parts, by)
    text = (
        f"Counted tokens of each {by} by day, the running block included; "
        f"most by {made[0].label}: {percent(made[0].share_percent or 0)}."
        if made
        else "Nothing was used."
    )
    content = f"{_chart(by, made)}\n{_table(made, by, show_cost=show_cost)}" if made else ""
    return f"{by.capitalize()}s", text, content


def _chart(by: str, made: Sequence[BreakdownRow]) -> str:
    days = _days([part for row in made for part in row.parts])
    drawn = [_stack(slot, day, made) for slot, day in enumerate(days)]
    marks = [Mark(value, count(value)) for value in round_steps(_highest(drawn))]
    return stacks(drawn, marks, HEIGHT, f"Stacked columns: counted tokens by {by} and day", days)


def _days(parts: Sequence[Part]) -> list[str]:
    """Return every day from the first to the last with use."""
    known = sorted(date.fromisoformat(part.day) for part in parts)
    number = (known[-1] - known[0]).days + 1
    return [str(known[0] + timedelta(days=day)) for day in range(number)]


def _stack(slot: int, day: str, made: Sequence[BreakdownRow]) -> list[Column]:
    used = [sum(p.tokens.counted for p in row.parts if p.day == day) for row in made]
    named = [(row.label, tokens) for row, tokens in zip(made[:MOST_COLOURS], used)]
    named.append(("others", sum(used[MOST_COLOURS:])))
    return [
        Column(slot, tokens, f"{day} {label}: {count(tokens)} tokens", f"who{number}")
        for number, (label, tokens) in enumerate(named)
        if tokens
    ]


def _highest(drawn: Sequence[Sequence[Column]]) -> float:
    return max(sum(column.value for column in stack) for stack in drawn)


def _table(made: Sequence[BreakdownRow], by: str, *, show_cost: bool) -> str:
    heads = [by.capitalize(), "Tokens", "Share", "All tokens", *(["Cost"] if show_cost else [])]
    drawn = (_row(row, number, show_cost=show_cost) for number, row in enumerate(made))
    return table(f"Every {by}", heads, drawn)


def _row(row: BreakdownRow, number: int, *, show_cost: bool) -> Row:
    share = "?" if row.share_percent is None else percent(row.share_percent)
    cost = "?" if row.cost_usd is None else dollars(row.cost_usd)
    texts = [row.label, count(row.tokens.counted), share, count(row.tokens.total)]
    key = (
        f'<svg class="key who{min(number, MOST_COLOURS)}" aria-hidden="true">'
        '<rect class="bar" width="12" height="12"/></svg>'
    )
    return Row([*texts, cost] if show_cost else texts, key=key)
