"""A canvas of braille dots or ASCII characters, in layers with text on top."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Optional

from monitor.views.text import Line, Span

LAYERS = {"band": ".", "even": "/", "dim": "|", "limit": "-", "probable": "+", "curve": "#"}
"""What is drawn, lowest first: its role, and its character in ASCII.

`dim` marks the present, and `even` is a line of even use.
"""

BRAILLE = ((0x40, 0x80), (0x04, 0x20), (0x02, 0x10), (0x01, 0x08))
"""The bit of each dot of a braille character, by height from the bottom, then left and right."""

Points = Iterable[tuple[int, int]]
"""Column and height of each dot of a line."""

Cell = tuple[str, str]
"""A role and a character."""


class Canvas:
    """A grid of cells, each of 2x4 braille dots or one ASCII character.

    Dots are counted from the bottom left, cells from the top left.
    """

    def __init__(self, width: int, rows: int, *, braille: bool) -> None:
        self.width, self.rows, self._braille = width, rows, braille
        self._wide, self._high = (2, 4) if braille else (1, 1)
        self.xs, self.ys = width * self._wide, rows * self._high
        self._layers: dict[str, dict[tuple[int, int], int]] = {layer: {} for layer in LAYERS}
        self._texts: dict[tuple[int, int], Cell] = {}

    def row(self, y: int) -> int:
        """Return the row of cells that holds the dots at height `y`."""
        return self.rows - 1 - y // self._high

    def column(self, x: int) -> int:
        """Return the column of cells that holds the dots of column `x`."""
        return x // self._wide

    def dot(self, x: int, y: int, layer: str) -> None:
        """Set one dot."""
        dots, at = self._layers[layer], (self.row(y), self.column(x))
        dots[at] = dots.get(at, 0) | BRAILLE[y % 4][x % 2]

    def stroke(self, points: Points, layer: str, every: int = 1) -> None:
        """Join one height per column to a line that ends where it leaves the canvas.

        With `every` 2 a braille line is dotted; in ASCII a line is never dotted.
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
        """Draw a vertical line over the whole height; in braille it is dotted."""
        for y in range(0, self.ys, 2 if self._braille else 1):
            self.dot(x, y, layer)

    def shade(self, x: int, low: int, high: int) -> None:
        """Fill a part of a column; in braille with every other dot of every other column."""
        if self._braille and x % 2:
            return
        offset = x // 2 % 2  # a chequered pattern
        for y in range(low, min(high, self.ys - 1) + 1):
            if not self._braille or y % 2 == offset:
                self.dot(x, y, "band")

    def write(self, row: int, texts: Sequence[str], role: str) -> None:
        """Write the first of `texts` that fits at the left or right of `row`, beside the lines."""
        for text in texts:
            for start in (1, self.width - len(text) - 1):
                cells = [(row, start + i) for i in range(len(text))]
                if 0 < start < self.width - len(text) and not any(map(self._is_line, cells)):
                    self._texts.update((cell, (role, c)) for cell, c in zip(cells, text))
                    return

    def lines(self) -> list[Line]:
        """Return the rows from the top."""
        columns = range(self.width)
        return [
            join_cells(self._cell((row, column)) for column in columns) for row in range(self.rows)
        ]

    def _is_line(self, at: tuple[int, int]) -> bool:
        return any(at in self._layers[layer] for layer in ("curve", "probable"))

    def _cell(self, at: tuple[int, int]) -> Cell:
        if at in self._texts:
            return self._texts[at]
        # A cell has one colour: dots of a lower layer would seem to belong to the top one.
        for layer in reversed(LAYERS):
            if at in self._layers[layer]:
                dots = self._layers[layer][at]
                return layer, chr(0x2800 + dots) if self._braille else LAYERS[layer]
        return "", " "


def join_cells(cells: Iterable[Cell]) -> Line:
    """Join neighbouring cells of one role to one span."""
    runs = groupby(cells, key=lambda cell: cell[0])
    return tuple(Span("".join(c for _, c in run), role) for role, run in runs)


def _rise(before: Optional[int], y: int) -> range:
    """Return the heights that join a column to the one before it."""
    if before is None or before == y:
        return range(y, y + 1)
    return range(before + 1, y + 1) if y > before else range(y, before)
