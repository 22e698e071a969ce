"""The burn-up chart of the active block: what was used, the limit, and where it probably goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple, Optional

from monitor.model.blocks import Block, Event
from monitor.model.formatting import minutes
from monitor.model.usage import Usage
from monitor.views.bars import spark
from monitor.views.style import Glyphs
from monitor.views.text import Line, Span, line

LAYERS = {"band": ".", "dim": "|", "limit": "-", "pace": "+", "curve": "#"}
"""What is drawn, lowest first: its role, and its character in ASCII. `dim` is the mark of now."""

BRAILLE = ((0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08))
"""The bit of each dot of a braille cell: by height from the bottom, then left and right."""

LIMIT_IN_SIGHT = 0.2
"""Below this share of the limit the curve gets the height, and the limit is only said."""

LABELS_FROM, WORDS_FROM = 24, 60
"""Widths in cells from which there are labels at the left, and from which labels have words."""

STEP, STEPS = timedelta(minutes=10), 30
"""A sparkline's character stands for this long; a block has this many."""

Points = Iterable[tuple[int, int]]
"""Column and height of the dots of a line."""

Cell = tuple[str, str]
"""A role and a character."""


class Canvas:
    """Layers of dots over a grid of cells, and texts on top; dots count from the bottom left."""

    def __init__(self, width: int, rows: int, *, braille: bool) -> None:
        self.width, self.rows, self._braille = width, rows, braille
        self._wide, self._high = (2, 4) if braille else (1, 1)
        self.xs, self.ys = width * self._wide, rows * self._high
        self._layers: dict[str, dict[tuple[int, int], int]] = {layer: {} for layer in LAYERS}
        self._texts: dict[tuple[int, int], Cell] = {}

    def row(self, y: int) -> int:
        """Return the row, from the top, in which the dots of height `y` are."""
        return self.rows - 1 - y // self._high

    def column(self, x: int) -> int:
        """Return the column of cells in which the dots of column `x` are."""
        return x // self._wide

    def dot(self, x: int, y: int, layer: str) -> None:
        """Set one dot of the canvas."""
        dots, at = self._layers[layer], (self.row(y), self.column(x))
        dots[at] = dots.get(at, 0) | BRAILLE[y % 4][x % 2]

    def stroke(self, points: Points, layer: str, every: int = 1) -> None:
        """Join one height per column to a line, which ends where it leaves the canvas.

        With `every` 2 it is dotted; in ASCII, where a column is a whole cell, it never is.
        """
        before: Optional[int] = None
        for x, y in points:
            inside = min(y, self.ys - 1)
            if not self._braille or x % every == 0:
                for height in _rise(before, inside):
                    self.dot(x, height, layer)
            if y > inside:
                return
            before = y

    def upright(self, x: int, layer: str) -> None:
        """Draw an upright line over the whole height, in braille a dotted one."""
        for y in range(0, self.ys, 2 if self._braille else 1):
            self.dot(x, y, layer)

    def shade(self, x: int, low: int, high: int) -> None:
        """Fill a part of a column, in braille with every other dot of every other column."""
        if self._braille and x % 2:
            return
        offset = x // 2 % 2  # a chequered pattern
        for y in range(low, min(high, self.ys - 1) + 1):
            if not self._braille or y % 2 == offset:
                self.dot(x, y, "band")

    def write(self, row: int, texts: Sequence[str], role: str) -> None:
        """Write the first text that has room in `row` beside the lines, left or right."""
        for text in texts:
            for start in (1, self.width - len(text) - 1):
                cells = [(row, start + i) for i in range(len(text))]
                if 0 < start < self.width - len(text) and not any(map(self._is_line, cells)):
                    self._texts.update((cell, (role, c)) for cell, c in zip(cells, text))
                    return

    def lines(self) -> list[Line]:
        """Return the rows from the top, neighbouring cells of one role as one span."""
        columns = range(self.width)
        return [spans(self._cell((row, column)) for column in columns) for row in range(self.rows)]

    def _is_line(self, at: tuple[int, int]) -> bool:
        return any(at in self._layers[layer] for layer in ("curve", "pace"))

    def _cell(self, at: tuple[int, int]) -> Cell:
        if at in self._texts:
            return self._texts[at]
        # A cell has one colour: the dots of a lower layer would seem to belong to the top one.
        for layer in reversed(LAYERS):
            if at in self._layers[layer]:
                dots = self._layers[layer][at]
                return layer, chr(0x2800 + dots) if self._braille else LAYERS[layer]
        return "", " "


class Scale(NamedTuple):
    """From times and tokens to dots: `start` to `end` is the width, 0 to `top` the height."""

    start: datetime
    end: datetime
    top: float
    xs: int
    ys: int

    def x(self, when: datetime) -> int:
        """Return the column of a time; what is out of the span is put at its edge."""
        share = (when - self.start) / (self.end - self.start)
        return round(min(1.0, max(0.0, share)) * (self.xs - 1))

    def y(self, tokens: float) -> int:
        """Return the height of a number of tokens; `ys` when it is over the top."""
        return round(min(tokens / self.top * (self.ys - 1), self.ys))

    def straight(self, x: int, tokens: float, to: int, end_tokens: float) -> Points:
        """Return the heights of a straight line between two columns."""
        slope = (end_tokens - tokens) / max(1, to - x)
        return ((column, self.y(tokens + slope * (column - x))) for column in range(x, to + 1))


def burn_up(usage: Usage, width: int, rows: int, glyphs: Glyphs) -> list[Line]:
    """Draw the active block in `rows` lines of at most `width` cells, axis included.

    Without an active block, or with no room, there is no line. Of the 10-90 % band and the pace
    what is known is drawn; without a series of events the curve is a dotted straight line.
    """
    block = usage.block
    if block is None or width < 1 or rows < 1:
        return []
    labels = _labels(usage, words=width >= WORDS_FROM) if width >= LABELS_FROM and rows > 1 else []
    margin = _margin(labels, words=width >= WORDS_FROM)
    canvas = Canvas(width - margin, max(1, rows - 1), braille=glyphs.braille)
    scale = Scale(block.start, _end(usage, block), _top(usage), canvas.xs, canvas.ys)
    _draw(usage, canvas, scale)
    drawn = canvas.lines()
    if labels:
        beside = _beside(labels, margin, canvas, scale, braille=glyphs.braille)
        drawn = [(*left, *cells) for left, cells in zip(beside, drawn)]
    return [*drawn, _axis(usage, margin, canvas, scale)] if rows > 1 else drawn


def spark_line(usage: Usage, glyphs: Glyphs) -> str:
    """Draw the burn of the active block, a character for ten minutes; "" when it is not known."""
    if usage.block is None or not usage.events:
        return ""
    steps = [0] * (_step(usage.block, usage.now) + 1)
    for event in usage.events:
        steps[min(_step(usage.block, event.at), len(steps) - 1)] += event.tokens
    return spark(steps, glyphs)


def _step(block: Block, when: datetime) -> int:
    return min(STEPS - 1, max(0, (when - block.start) // STEP))


def _end(usage: Usage, block: Block) -> datetime:
    """Return where the time axis ends: at the reset, unless the block is over long before it."""
    at = usage.reset.at
    if at is None or at <= block.start or at > block.end + timedelta(hours=1):
        return max(block.end, block.start + timedelta(minutes=1))
    return at


def _reach(usage: Usage) -> float:
    """Return the highest number of tokens to show; of a band far over all else only a part."""
    used, band = usage.tokens.counted, usage.forecast.tokens
    return max(used, min(band[2], 2 * max(used, _limit(usage)))) if band else used


def _limit(usage: Usage) -> float:
    """Return the count of tokens at which the limit in charge is reached."""
    return usage.headline.limit_tokens or usage.limit.tokens


def _limit_in_sight(usage: Usage) -> bool:
    reach = _reach(usage)
    return reach == 0 or reach >= LIMIT_IN_SIGHT * _limit(usage)


def _top(usage: Usage) -> float:
    reach = _reach(usage)
    if _limit_in_sight(usage):
        return max(1.0, 1.08 * max(reach, _limit(usage)))
    return 1.15 * reach


def _draw(usage: Usage, canvas: Canvas, scale: Scale) -> None:
    now = scale.x(usage.now)
    _draw_band(usage, canvas, scale)
    if _limit_in_sight(usage):
        height = scale.y(_limit(usage))
        canvas.stroke(((x, height) for x in range(canvas.xs)), "limit")
    canvas.upright(now, "dim")
    if usage.burn.tokens_per_minute is not None:
        more = usage.burn.tokens_per_minute * minutes(scale.end - usage.now)
        used = usage.tokens.counted
        canvas.stroke(scale.straight(now, used, canvas.xs - 1, used + more), "pace")
    if usage.events:
        canvas.stroke(_curve(usage.events, now, scale), "curve")
    else:
        canvas.stroke(scale.straight(0, 0, now, usage.tokens.counted), "curve", every=2)
    if not _limit_in_sight(usage):
        said = f"limit {short(_limit(usage))}"
        canvas.write(0, (f"{said} is above", said), "limit")


def _draw_band(usage: Usage, canvas: Canvas, scale: Scale) -> None:
    if usage.forecast.tokens is None:
        return
    low, _, high = usage.forecast.tokens
    now, last, used = scale.x(usage.now), canvas.xs - 1, usage.tokens.counted
    lows, highs = (scale.straight(now, used, last, tokens) for tokens in (low, high))
    for (x, bottom), (_, top) in zip(lows, highs):
        canvas.shade(x, bottom, top)


def _curve(events: Sequence[Event], now: int, scale: Scale) -> Points:
    """Return the height of the running count in each column, from the first event to now."""
    added: dict[int, int] = {}
    for event in events:
        x = min(scale.x(event.at), now)
        added[x] = added.get(x, 0) + event.tokens
    first, total = min(added), 0
    yield first, 0
    for x in range(first, now + 1):
        total += added.get(x, 0)
        yield x, scale.y(total)


def _rise(before: Optional[int], y: int) -> range:
    """Return the heights that join a column to the one before it."""
    if before is None or before == y:
        return range(y, y + 1)
    return range(before + 1, y + 1) if y > before else range(y, before)


def _labels(usage: Usage, *, words: bool) -> list[tuple[str, str, float]]:
    """Return text, role and tokens of the labels at the left; of two in a row the first is kept."""
    named = [("limit", "limit", _limit(usage))] if _limit_in_sight(usage) else []
    named.append(("used", "curve", usage.tokens.counted))
    texts = [(f"{n} {short(t)}" if words else short(t), role, t) for n, role, t in named]
    return [*texts, ("0", "dim", 0)]


def _margin(labels: Sequence[tuple[str, str, float]], *, words: bool) -> int:
    """Return the cells left of the chart; a least width keeps it from moving as numbers grow."""
    least = len("limit 35k") if words else len("9.9k")
    return max(least, *(len(text) for text, _, _ in labels)) + len(" ┤") if labels else 0


def _beside(
    labels: Sequence[tuple[str, str, float]],
    margin: int,
    canvas: Canvas,
    scale: Scale,
    *,
    braille: bool,
) -> Iterator[Line]:
    found: dict[int, tuple[str, str]] = {}
    for text, role, tokens in labels:
        found.setdefault(canvas.row(min(scale.y(tokens), canvas.ys - 1)), (text, role))
    ruler, tick = ("│", "┤") if braille else ("|", "+")
    for row in range(canvas.rows):
        text, role = found.get(row, ("", ""))
        yield line(Span(f"{text:>{margin - 2}} ", role), Span(tick if text else ruler, "dim"))


def _axis(usage: Usage, margin: int, canvas: Canvas, scale: Scale) -> Line:
    """Write the times under the chart, as far as there is room: the reset first, then now."""
    present = usage.now.replace(second=0, microsecond=0)  # as the clock in the header reads
    now, start, end = (usage.rules.time_format.minute(t) for t in (present, scale.start, scale.end))
    cells = [("", " ")] * (margin + canvas.width)
    words = len(cells) >= WORDS_FROM
    name = "reset" if scale.end == usage.reset.at else "ends"
    _place(cells, f"{name} {end}" if words else end, len(cells) - 1, "dim")
    mark = margin + canvas.column(scale.x(usage.now))
    _place(cells, f"now {now}" if words else now, mark, "")
    _place(cells, start, margin, "dim")
    return spans(cells)


def _place(cells: list[Cell], text: str, at: int, role: str) -> None:
    """Write a text where it has room: around the cell `at`, or ending there, or starting there."""
    for start in (at - len(text) // 2, at - len(text) + 1, at):
        end = start + len(text)
        around = cells[max(0, start - 1) : end + 1]
        if start >= 0 and end <= len(cells) and all(c == " " for _, c in around):
            cells[start:end] = [(role, c) for c in text]
            return


def spans(cells: Iterable[Cell]) -> Line:
    """Join neighbouring cells of one role to one span."""
    runs = groupby(cells, key=lambda cell: cell[0])
    return tuple(Span("".join(c for _, c in run), role) for role, run in runs)


def short(tokens: float) -> str:
    """Write a number of tokens in at most four cells.

    >>> short(950), short(1_000), short(7_450), short(23_210), short(999_900)
    ('950', '1k', '7.5k', '23k', '1M')
    """
    unit = ""
    for larger in "kMGTPE":
        if tokens < 999.5:
            break
        tokens, unit = tokens / 1000, larger
    digits = f"{tokens:.1f}" if unit and tokens < 9.95 else f"{tokens:.0f}"
    return digits.removesuffix(".0") + unit
