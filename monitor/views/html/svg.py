"""Draw columns over time and a heat map as inline SVG that fits any width.

Widths are percentages and heights are pixels, with no viewBox: text and lines keep their size
while columns grow and shrink with the page. Colours come from the page's style sheet by class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

CELL, CELL_GAP = 22, 3
"""Pixels of a heat map's row, and between two."""


LEAST_SLOTS, MOST_TICKS = 16, 6
"""Few columns must not become walls, and names below them must not touch."""


class Column(NamedTuple):
    """One column: its slot from the left, its height, its tooltip and its class."""

    slot: int
    value: float
    tooltip: str
    role: str = ""


class Mark(NamedTuple):
    """A line across the plot at a value, the text beside it, and its class, `grid` or `limit`."""

    value: float
    name: str = ""
    role: str = "grid"


def round_steps(top: float) -> list[int]:
    """Return three to six round values from 0 up to the first that is not below `top`.

    >>> round_steps(17617), round_steps(0)
    ([0, 5000, 10000, 15000, 20000], [0, 1])
    """
    power = 1
    while power * 10 < top:
        power *= 10
    unit = max(1, power // 10)
    step = next(s for s in (1, 2, 5, 10, 20, 50) if s * unit * 5 >= top or s == 50) * unit
    return list(range(0, max(step, int(-(-top // step)) * step) + 1, step))


def columns(
    drawn: Sequence[Column],
    marks: Sequence[Mark],
    height: int,
    label: str,
    slots: int,
    names: Sequence[str] = (),
) -> str:
    """Draw columns and marks to one scale, with some names below; screen readers read `label`."""
    slots = max(slots, LEAST_SLOTS)
    top = max([*(mark.value for mark in marks), *(column.value for column in drawn)])
    width = 100 / slots
    parts = [_mark(mark, _y(mark.value, top, height)) for mark in marks if mark.role == "grid"]
    parts += [_column(c, width, _y(c.value, top, height), height) for c in drawn if c.value > 0]
    parts += [_mark(mark, _y(mark.value, top, height)) for mark in marks if mark.role != "grid"]
    written = ticks(names, slots).items()
    parts += [_tick(slot * width, name, height, i) for i, (name, slot) in enumerate(written)]
    return _svg(parts, height + (24 if names else 4), label)


def stacks(
    drawn: Sequence[Sequence[Column]],
    marks: Sequence[Mark],
    height: int,
    label: str,
    names: Sequence[str],
) -> str:
    """Draw the columns of each slot on top of each other, the first at the bottom."""
    width, top = 100 / max(len(names), LEAST_SLOTS), max(mark.value for mark in marks)
    parts = [_mark(mark, _y(mark.value, top, height)) for mark in marks]
    for stack in drawn:
        base = 0.0
        for column in stack:
            y, bottom = (_y(value, top, height) for value in (base + column.value, base))
            parts.append(_piece(column, width, y, bottom - y))
            base += column.value
    written = ticks(names, max(len(names), LEAST_SLOTS)).items()
    parts += [_tick(slot * width, name, height, i) for i, (name, slot) in enumerate(written)]
    return _svg(parts, height + 24, label)


def ticks(names: Sequence[str], slots: int) -> dict[str, int]:
    """Return the names to write and their slots, evenly spaced; each name is written once."""
    found: dict[str, int] = {}
    for slot in (tick * slots // MOST_TICKS for tick in range(MOST_TICKS)):
        if slot < len(names):
            found.setdefault(names[slot], slot)
    return found


def heat_map(
    heat: Mapping[tuple[int, int], float],
    rows: Sequence[str],
    tooltip: Callable[[int, int], str],
    label: str,
) -> str:
    """Draw 24 hours across and a row for each name; `heat` is 0 to 1 by row and hour."""
    parts = [_hour(hour, len(rows) * (CELL + CELL_GAP)) for hour in range(0, 24, 3)]
    for row, name in enumerate(rows):
        y = row * (CELL + CELL_GAP)
        parts.append(f'<text class="y" x="-10" y="{y + 15}">{escape(name)}</text>')
        parts += [
            _cell(hour, y, heat.get((row, hour), 0.0), tooltip(row, hour)) for hour in range(24)
        ]
    return _svg(parts, len(rows) * (CELL + CELL_GAP) + 20, label)


def _svg(parts: Iterable[str], height: int, label: str) -> str:
    drawn = "\n".join(parts)
    return f'<svg role="img" aria-label="{escape(label)}" height="{height}">\n{drawn}\n</svg>'


def _y(value: float, top: float, height: int) -> float:
    return height * (1 - value / top)


def _column(column: Column, width: float, y: float, height: int) -> str:
    # The whole slot shows the tooltip: a low column alone would be hard to hit.
    x, low = column.slot * width, min(y, height - 1)
    # Of hundreds of columns each is too narrow to give a quarter of its width away.
    gap = width * 0.12 if width > 0.5 else 0
    role = f' class="{column.role}"' if column.role else ""
    return (
        f"<g{role}><title>{escape(column.tooltip)}</title>"
        f'<rect class="slot" x="{x:.3f}%" width="{width:.3f}%" height="{height}"/>'
        f'<rect class="bar" x="{x + gap:.3f}%" y="{low:.1f}"'
        f' width="{width - 2 * gap:.3f}%" height="{height - low:.1f}"/></g>'
    )


def _piece(column: Column, width: float, y: float, height: float) -> str:
    gap = width * 0.12 if width > 0.5 else 0
    return (
        f'<g class="{column.role}"><title>{escape(column.tooltip)}</title>'
        f'<rect class="bar" x="{column.slot * width + gap:.3f}%" y="{y:.1f}"'
        f' width="{width - 2 * gap:.3f}%" height="{height:.1f}"/></g>'
    )


def _mark(mark: Mark, y: float) -> str:
    line = f'<line class="{mark.role}" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
    name = f'<text class="y" x="-10" y="{y + 4:.1f}">{escape(mark.name)}</text>'
    return line + name if mark.name else line


def _tick(x: float, name: str, height: int, number: int) -> str:
    # The style sheet hides every other one on a narrow screen.
    role = "x wide" if number % 2 else "x"
    return f'<text class="{role}" x="{x:.3f}%" y="{height + 18}">{escape(name)}</text>'


def _hour(hour: int, y: int) -> str:
    return f'<text class="x" x="{hour * 100 / 24:.3f}%" y="{y + 14}">{hour:02d}</text>'


def _cell(hour: int, y: int, heat: float, tooltip: str) -> str:
    width = 100 / 24
    place = f'x="{hour * width:.3f}%" y="{y}" width="{width * 0.9:.3f}%" height="{CELL}" rx="2"'
    base = f'<g><title>{escape(tooltip)}</title><rect class="cell" {place}/>'
    # The least use must look different from none.
    shade = f'<rect class="heat" {place} fill-opacity="{0.15 + 0.85 * heat:.2f}"/>' if heat else ""
    return f"{base}{shade}</g>"
