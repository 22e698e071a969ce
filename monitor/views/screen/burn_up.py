"""The burn-up chart of the active block: tokens used, the limit, and the forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.model.blocks import Block, Event
from monitor.model.usage import Usage
from monitor.views.screen.canvas import Canvas, Cell, Points, join_cells
from monitor.views.style import Glyphs
from monitor.views.text import Line, Span, line

LIMIT_IN_SIGHT = 0.2
"""If less than this share of the limit is shown, the limit is a text and not a line."""

LABELS_FROM, WORDS_FROM = 24, 60
"""Widths in cells from which there are labels at the left, and from which labels have words."""


class Scale(NamedTuple):
    """Maps times from `start` to `end` to columns, and tokens from 0 to `top` to heights."""

    start: datetime
    end: datetime
    top: float
    xs: int
    ys: int

    def x(self, when: datetime) -> int:
        """Return the column of a time; a time outside the span is put at its edge."""
        share = (when - self.start) / (self.end - self.start)
        return round(min(1.0, max(0.0, share)) * (self.xs - 1))

    def y(self, tokens: float) -> int:
        """Return the height of a number of tokens: at most `ys`, which is above the chart."""
        return round(min(tokens / self.top * (self.ys - 1), self.ys))

    def straight(self, x: int, tokens: float, to: int, end_tokens: float) -> Points:
        """Return the heights of a straight line between two columns."""
        slope = (end_tokens - tokens) / max(1, to - x)
        return ((column, self.y(tokens + slope * (column - x))) for column in range(x, to + 1))


class Label(NamedTuple):
    """A text at the left of the chart, and the number of tokens that it names."""

    text: str
    role: str
    tokens: float


def burn_up(usage: Usage, width: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Draw the active block in `rows` lines of at most `width` cells, axis included.

    Return no lines without an active block or without room. The probable end and its 10-90 % band
    are drawn where they are known. Without a series of events the curve is a dotted straight line.
    """
    block = usage.block
    if block is None or width < 1 or rows < 1:
        return []
    labels = _labels(usage, words=width >= WORDS_FROM) if width >= LABELS_FROM and rows > 1 else []
    margin = _margin(labels, words=width >= WORDS_FROM)
    canvas = Canvas(width - margin, max(1, rows - 1), braille=glyphs.braille)
    scale = Scale(block.start, _end(usage, block), _top(usage), canvas.xs, canvas.ys)
    _draw(usage, canvas, scale)
    lines = canvas.lines()
    if labels:
        left_sides = beside(labels, margin, canvas, scale)
        lines = [(*left, *cells) for left, cells in zip(left_sides, lines)]
    return [*lines, _axis(usage, margin, canvas, scale)] if rows > 1 else lines


def _end(usage: Usage, block: Block) -> datetime:
    """Return where the time axis ends: at the reset, unless the block ends long before it."""
    at = usage.reset.at
    if at is None or at <= block.start or at > block.end + timedelta(hours=1):
        return max(block.end, block.start + timedelta(minutes=1))
    return at


def _reach(usage: Usage) -> float:
    """Return the highest number of tokens to show; of a very high band only a part."""
    used, band = usage.limit.used, usage.forecast.tokens
    return max(used, min(band[2], 2 * max(used, _limit(usage)))) if band else used


def _limit(usage: Usage) -> float:
    """Return the count of tokens at which the limit is reached."""
    return usage.five_hour.limit_tokens or usage.limit.tokens


def _limit_in_sight(usage: Usage) -> bool:
    reach = _reach(usage)
    return reach == 0 or reach >= LIMIT_IN_SIGHT * _limit(usage)


def _top(usage: Usage) -> float:
    reach = _reach(usage)
    if _limit_in_sight(usage):
        return max(1.0, 1.08 * max(reach, _limit(usage)))
    return 1.15 * reach


def _draw(usage: Usage, canvas: Canvas, scale: Scale) -> None:
    now, last, used = scale.x(usage.now), canvas.xs - 1, usage.limit.used
    _draw_band(usage, canvas, scale)
    if _limit_in_sight(usage):
        height = scale.y(_limit(usage))
        canvas.stroke(((x, height) for x in range(canvas.xs)), "limit")
    canvas.upright(now, "dim")
    if usage.forecast.tokens is not None:
        canvas.stroke(scale.straight(now, used, last, usage.forecast.tokens[1]), "probable")
    if usage.events:
        canvas.stroke(_curve(usage.events, now, scale), "curve")
    else:
        canvas.stroke(scale.straight(0, 0, now, used), "curve", every=2)
    if not _limit_in_sight(usage):
        text = f"limit {short_count(_limit(usage))}"
        canvas.write(0, (f"{text} is above", text), "limit")


def _draw_band(usage: Usage, canvas: Canvas, scale: Scale) -> None:
    if usage.forecast.tokens is None:
        return
    low, _, high = usage.forecast.tokens
    now, last, used = scale.x(usage.now), canvas.xs - 1, usage.limit.used
    lows, highs = (scale.straight(now, used, last, tokens) for tokens in (low, high))
    for (x, bottom), (_, top) in zip(lows, highs):
        canvas.shade(x, bottom, top)


def _curve(events: Sequence[Event], now: int, scale: Scale) -> Points:
    """Yield the height of the running count in each column, from the first event to now."""
    added: dict[int, int] = {}
    for event in events:
        x = min(scale.x(event.at), now)
        added[x] = added.get(x, 0) + event.tokens
    first, total = min(added), 0
    yield first, 0
    for x in range(first, now + 1):
        total += added.get(x, 0)
        yield x, scale.y(total)


def _labels(usage: Usage, *, words: bool) -> list[Label]:
    """Return the labels at the left, the most important first."""

    def label(name: str, role: str, tokens: float) -> Label:
        text = short_count(tokens)
        return Label(f"{name} {text}" if words else text, role, tokens)

    limit = [label("limit", "limit", _limit(usage))] if _limit_in_sight(usage) else []
    return [*limit, label("used", "curve", usage.limit.used), Label("0", "dim", 0)]


def _margin(labels: Sequence[Label], *, words: bool) -> int:
    """Return the cells left of the chart; a minimum keeps the chart in place as numbers grow."""
    least = len("limit 35k") if words else len("9.9k")
    return max(least, *(len(label.text) for label in labels)) + len(" ┤") if labels else 0


def beside(labels: Sequence[Label], margin: int, canvas: Canvas, scale: Scale) -> Iterator[Line]:
    """Yield what stands left of each row: a label and the ruler. A row has one label."""
    by_row: dict[int, Label] = {}
    for label in labels:
        by_row.setdefault(canvas.row(min(scale.y(label.tokens), canvas.ys - 1)), label)
    for row in range(canvas.rows):
        text, role, _ = by_row.get(row, Label("", "", 0))
        yield line(Span(f"{text:>{margin - 2}} ", role), Span("┤" if text else "│", "dim"))


def _axis(usage: Usage, margin: int, canvas: Canvas, scale: Scale) -> Line:
    """Return the times below the chart, as many as there is room for: the reset first, then now."""
    present = usage.now.replace(second=0, microsecond=0)  # as the clock in the header reads
    now, start, end = (usage.rules.time_format.minute(t) for t in (present, scale.start, scale.end))
    cells = [("", " ")] * (margin + canvas.width)
    words = len(cells) >= WORDS_FROM
    name = "reset" if scale.end == usage.reset.at else "ends"
    place(cells, f"{name} {end}" if words else end, len(cells) - 1, "dim")
    mark = margin + canvas.column(scale.x(usage.now))
    place(cells, f"now {now}" if words else now, mark, "")
    place(cells, start, margin, "dim")
    return join_cells(cells)


def place(cells: list[Cell], text: str, at: int, role: str) -> None:
    """Write a text where there is room: centred on the cell `at`, or ending or starting there."""
    for start in (at - len(text) // 2, at - len(text) + 1, at):
        end = start + len(text)
        around = cells[max(0, start - 1) : end + 1]
        if start >= 0 and end <= len(cells) and all(c == " " for _, c in around):
            cells[start:end] = [(role, c) for c in text]
            return


def short_count(tokens: float) -> str:
    """Write a number of tokens in at most four cells.

    >>> short_count(950), short_count(1_000), short_count(7_450), short_count(999_900)
    ('950', '1k', '7.5k', '1M')
    """
    unit = ""
    for larger in "kMGTPE":
        if tokens < 999.5:
            break
        tokens, unit = tokens / 1000, larger
    digits = f"{tokens:.1f}" if unit and tokens < 9.95 else f"{tokens:.0f}"
    return digits.removesuffix(".0") + unit
