"""Columns of a table: which of them fit beside a bar, and their texts in a line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from monitor.views.text import cells

GAP = 2


def columns_that_fit(
    heads: Mapping[str, str],
    texts: Sequence[Mapping[str, str]],
    width: int,
    least_important: Sequence[tuple[str, int]],
) -> dict[str, int]:
    """Return the widths of the columns that are not empty and leave room for a bar.

    Columns are left out where the width is short, the first of `least_important` first, until the
    bar has as many cells as stand beside the next.
    """
    widths = {
        head: max(cells(text[head]) for text in (heads, *texts))
        for head in heads
        if any(text[head] for text in texts)
    }
    for least, bar in least_important:
        if room_beside(widths, width) >= bar:
            break
        widths.pop(least, None)
    return widths


def room_beside(widths: Mapping[str, int], width: int) -> int:
    """Return the cells that the columns leave for a bar."""
    return width - 1 - sum(column + GAP for column in widths.values())


def join(texts: Mapping[str, str], widths: Mapping[str, int], right: Collection[str]) -> str:
    """Write a row; the columns named in `right` are aligned at the right."""
    padded = []
    for head, width in widths.items():
        blanks = " " * (width - cells(texts[head]))
        padded.append(blanks + texts[head] if head in right else texts[head] + blanks)
    return " " + (" " * GAP).join(padded)
