"""The accounts on the live screen, a row each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Optional

from monitor.model.accounts import AccountUsage
from monitor.model.formatting import percent, visible
from monitor.model.official import FIVE_HOUR
from monitor.model.sentence import HIDDEN
from monitor.model.usage import Usage
from monitor.views.bars import bar
from monitor.views.states import role, word
from monitor.views.style import Glyphs
from monitor.views.text import Line, Span, cells, fit, line, pad, sides

BAR = 12
"""Cells of a row's bar."""

GAP, EDGES = 2, 6
"""Cells between two columns, and of the number, the mark and the blanks at the edges."""

LEAST_NAME = 8


class Cells(NamedTuple):
    """What a row says of an account beside its bar."""

    name: str
    used: str
    reset: str = ""
    week: str = ""
    word: str = ""
    is_week_first: bool = False


COLUMNS = ("name", "used", "reset", "week", "word")

LEAST = ("name", "used", "word")
"""The columns that are always shown; the others go where the width is short."""


def account_rows(
    accounts: Sequence[AccountUsage], shown: str, width: int, glyphs: Glyphs
) -> Iterator[Line]:
    """Yield a row for each account; the one `shown` in detail has a mark."""
    rows = [_cells(account) for account in accounts]
    widths = {column: max(cells(getattr(row, column)) for row in rows) for column in COLUMNS}
    most = width - EDGES - sum(widths[column] + GAP for column in ("used", "word"))
    widths["name"] = min(widths["name"], max(LEAST_NAME, most))
    chosen = _columns(widths, width)
    if "week" not in chosen:
        # The number must be that of the limit which the word is about.
        rows = [row._replace(used=row.week) if row.is_week_first else row for row in rows]
        widths["used"] = max(cells(row.used) for row in rows)
    for number, (account, row) in enumerate(zip(accounts, rows), 1):
        is_shown = account.name == shown
        start = line(Span(f" {number} ", "dim"), Span(">" if is_shown else " ", "strong"))
        name = line(Span(row.name, "strong" if is_shown else "label"))
        name = pad(fit(name, widths["name"], glyphs.ellipsis), widths["name"])
        usage, error = account.usage, account.error
        if usage is None or usage.is_hidden:
            error = HIDDEN if usage else error
            text = f"  {visible(error) or f'reading {glyphs.ellipsis}'}"
            left = (*start, *name, Span(text, "warn" if error else "dim"))
            yield fit(left, width, glyphs.ellipsis)
            continue
        left = (*start, *name, *_middle(usage, row, widths, chosen, glyphs))
        yield sides(left, line(Span(f"{row.word} ", role(usage))), width, glyphs.ellipsis)


def _cells(account: AccountUsage) -> Cells:
    name, usage = visible(account.name), account.usage
    if usage is None:
        return Cells(name, "")
    used, week = _five_hour_percent(usage), usage.weekly
    return Cells(
        name,
        "" if used is None else percent(used),
        f"resets {usage.clock(usage.reset.at)}" if usage.reset.at else "",
        f"week {percent(week.window.used_percent)}" if week else "",
        word(usage) if usage.reading.error is None else f"old: {word(usage)}",
        usage.state == "weekly" and usage.binding_week is usage.weekly,
    )


def _five_hour_percent(usage: Usage) -> Optional[float]:
    """Return what is used of the five-hour limit; None if that is not known."""
    if usage.reached is not None and usage.reached.window == FIVE_HOUR:
        return usage.headline.used_percent
    if usage.block is not None:
        return usage.five_hour.used_percent if usage.is_settled else None
    elsewhere = usage.official.windows.get(FIVE_HOUR)
    return elsewhere.used_percent if elsewhere else None


def _columns(widths: dict[str, int], width: int) -> set[str]:
    """Return the columns that there is room for."""
    room = width - EDGES - sum(widths[column] + GAP for column in LEAST)
    chosen = set(LEAST)
    for column, size in (("week", widths["week"]), ("reset", widths["reset"]), ("bar", BAR)):
        if size and size + GAP <= room:
            chosen.add(column)
            room -= size + GAP
    return chosen


def _middle(
    usage: Usage, row: Cells, widths: dict[str, int], chosen: set[str], glyphs: Glyphs
) -> Iterator[Span]:
    gap = " " * GAP
    if "bar" in chosen:
        yield Span(gap)
        used = _five_hour_percent(usage)
        drawn = () if used is None else bar(used, None, BAR, role(usage), glyphs.bar)
        yield from pad(drawn, BAR)
    yield Span(f"{gap}{row.used:>{widths['used']}}", "strong")
    for column in ("reset", "week"):
        if column in chosen:
            yield Span(f"{gap}{getattr(row, column):<{widths[column]}}", "dim")
