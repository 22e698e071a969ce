"""The live screen: one frame from a Usage, for any width and height."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from monitor.model.accounts import AccountUsage, named
from monitor.model.formatting import visible
from monitor.model.usage import Usage, without_costs
from monitor.views.line import one_line
from monitor.views.screen.account_rows import account_rows
from monitor.views.screen.bar_rows import time_bar, usage_bar, week_bar
from monitor.views.screen.burn_up import burn_up
from monitor.views.screen.facts import fact_rows, mostly_line
from monitor.views.screen.header import footer, header, sentence_lines, warning_lines
from monitor.views.screen.layout import BLANK, WIDEST, Rank, Row, fit_height
from monitor.views.style import Glyphs, Style
from monitor.views.text import DOT, Line, Span, fit, line, wrap

LOWEST_CHART, HIGHEST_CHART = 6, 24
"""Rows of the chart, axis included."""

LONG_SENTENCE = 130
"""Cells of a long sentence with its word."""

Chart = Callable[[Usage, int, int, Glyphs], list[Line]]


@dataclass(frozen=True)
class DisplayOptions:
    """What the user wants to see beside the numbers.

    `hint` is a dim line. `mostly` says who used most of the block, where there is room for it.
    `account` names the account in detail, and `accounts` are all of several.
    """

    style: Style
    show_cost: bool = True
    live: bool = True
    demo: bool = False
    hint: str = ""
    mostly: str = ""
    account: str = ""
    accounts: tuple[AccountUsage, ...] = ()
    chart: Chart = burn_up


def frame(usage: Usage, width: int, height: int, display: DisplayOptions) -> list[Line]:
    """Draw a usage in at most `height` lines of at most `width` cells."""
    width, glyphs = min(width, WIDEST), display.style.glyphs
    usage = usage if display.show_cost else without_costs(usage)
    if height <= 1:
        name = Span(named(visible(display.account), ""))
        return [fit((name, *one_line(usage, width, glyphs)), width, glyphs.ellipsis)]
    rows, has_chart = list(_rows(usage, width, display)), width >= 40 and _has_chart(usage)
    if has_chart and len(rows) + LOWEST_CHART == height:
        rows = [row for row in rows if row.rank is not Rank.MOSTLY]  # else there is no chart
    lines = fit_height(rows, height)
    spare = height - len(lines)
    if spare > LOWEST_CHART and has_chart:
        chart = display.chart(usage, width - 2, min(spare - 1, HIGHEST_CHART), glyphs)
        lines[-1:-1] = [*((Span(" "), *drawn) for drawn in chart), BLANK]
    return [fit(drawn, width, glyphs.ellipsis) for drawn in lines]


def message(
    display: DisplayOptions, sentences: Sequence[str], width: int, height: int, hint: str = ""
) -> list[Line]:
    """Draw a frame without numbers: while the first reading is made, or if there is none."""
    width = min(width, WIDEST)
    if height <= 2:
        return [fit(line(sentences[0]), width)][:height]
    text = [fit(line(f" {part}"), width) for each in sentences for part in wrap(each, width - 2)]
    account = f"{DOT}{visible(display.account)}" if display.account else ""
    title = fit(line(Span(" Claude Code", "title"), account), width)
    accounts = [row.line for row in _account_rows(width, display)]
    body = [title, BLANK, *accounts, *text]
    last = fit(line(Span(f" {hint}", "dim")), width)
    return [*body[: height - 1], last] if hint else body[:height]


def _bars(usage: Usage, width: int, glyphs: Glyphs) -> Iterator[Row]:
    week = week_bar(usage, width, glyphs)
    time = Row(Rank.TIME_BAR, time_bar(usage, width, glyphs))
    if week is not None and usage.reached and not usage.headline.is_five_hour:
        yield from (Row(Rank.USAGE_BAR, week), time)  # the time is that to the week's reset
    else:
        if usage.block:
            yield from (Row(Rank.USAGE_BAR, usage_bar(usage, width, glyphs)), time)
        if week is not None:
            yield Row(Rank.WEEK_BAR, week)
    if usage.block or week is not None:
        yield Row(Rank.BLANK_BELOW_BARS)


def _account_rows(width: int, display: DisplayOptions) -> Iterator[Row]:
    if len(display.accounts) > 1:
        shown, glyphs = display.account, display.style.glyphs
        for drawn in account_rows(display.accounts, shown, width, glyphs):
            yield Row(Rank.ACCOUNT, drawn)
        yield Row(Rank.BLANK_BELOW_ACCOUNTS)


def _footer(usage: Usage, width: int, display: DisplayOptions) -> Line:
    keys = ["Tab account"] if len(display.accounts) > 1 else []
    keys += ["q leave", *(["w week"] if usage.weeks else []), "h history", "? help"]
    return footer(usage, width, keys if display.live else [])


def _has_chart(usage: Usage) -> bool:
    return (
        usage.status == "active" and usage.five_hour.limit_tokens is not None and usage.is_settled
    )


def _rows(usage: Usage, width: int, display: DisplayOptions) -> Iterator[Row]:
    glyphs = display.style.glyphs
    tags = (*(["sample usage"] if display.demo else []), *filter(None, [visible(display.account)]))
    yield Row(Rank.HEADER, header(usage, width, glyphs, tags))
    yield Row(Rank.BLANK_BELOW_HEADER)
    sentence = list(sentence_lines(usage, width, glyphs))
    yield from (Row(Rank.SENTENCE, drawn) for drawn in sentence)
    # A sentence that becomes longer must not move what is below it.
    for _ in range(math.ceil(LONG_SENTENCE / width) - len(sentence)):
        yield Row(Rank.SENTENCE_ROOM)
    yield Row(Rank.BLANK_BELOW_SENTENCE)
    yield from _account_rows(width, display)
    yield from _bars(usage, width, glyphs)
    yield from fact_rows(usage, width, glyphs.ellipsis)
    if display.mostly and usage.block:
        yield Row(Rank.MOSTLY, mostly_line(display.mostly, width, glyphs.ellipsis))
    for part in wrap(display.hint, width - 2) if display.hint else ():
        yield Row(Rank.HINT, line(Span(f" {part}", "dim")))
    yield from (Row(Rank.WARNING, drawn) for drawn in warning_lines(usage, width, glyphs))
    yield Row(Rank.BLANK_ABOVE_FOOTER)
    yield Row(Rank.FOOTER, _footer(usage, width, display))
