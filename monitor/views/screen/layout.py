"""Rows of the live screen, and which of them give way where the height is short."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, auto
from typing import NamedTuple

from monitor.views.text import Line

WIDEST = 120
"""Frames are no wider: the eye would lose the way from a label to its note."""

BLANK: Line = ()


class Rank(IntEnum):
    """What a row shows. Where the height is short, the last of this list goes first."""

    SENTENCE = auto()
    USAGE_BAR = auto()
    TIME_BAR = auto()
    WEEK_BAR = auto()
    ACCOUNT = auto()
    WARNING = auto()
    RESETS = auto()
    USED = auto()
    LAST_BLOCK = auto()
    LIMIT = auto()
    OFFICIAL = auto()
    PACE = auto()
    RUNS_OUT = auto()
    DATA = auto()
    HEADER = auto()
    SAMPLE = auto()
    SPEND = auto()
    COST = auto()
    SENTENCE_ROOM = auto()
    FOOTER = auto()
    HINT = auto()
    SPENDING = auto()
    NOTE = auto()
    BLANK_BELOW_HEADER = auto()
    BLANK_BELOW_BARS = auto()
    BLANK_BELOW_ACCOUNTS = auto()
    BLANK_BELOW_SENTENCE = auto()
    BLANK_ABOVE_FOOTER = auto()
    MOSTLY = auto()


class Row(NamedTuple):
    """A line and its rank; `fact` is the rank of the fact that a note belongs to."""

    rank: Rank
    line: Line = BLANK
    fact: Rank = Rank.SENTENCE


def fit_height(rows: Sequence[Row], height: int) -> list[Line]:
    """Return the lines of the `height` most important rows, in their order.

    Of equally important rows the lower one goes first. A note is left out as a whole.
    """
    by_rank = sorted(range(len(rows)), key=lambda i: (rows[i].rank, rows[i].fact, i))
    cut = {rows[i].fact for i in by_rank[height:] if rows[i].rank is Rank.NOTE}
    shown = [
        i for i in by_rank[:height] if rows[i].rank is not Rank.NOTE or rows[i].fact not in cut
    ]
    return [rows[i].line for i in sorted(shown)]
