"""Lines of text measured in cells: cut and padded plain first, coloured last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """A piece of plain text and the role that decides its colour."""

    text: str
    role: str = ""


Line = tuple[Span, ...]

DOT = " · "

BREAKS = re.compile(r"(?<! [hd]) (?!(?:%|h|d|s|min)(?!\w))")
"""The blanks at which a sentence may be broken: not between a number and its unit."""


SEPARATOR = re.compile(r" *[,·|] *$")
"""What separates the parts of a list; no line ends in it."""

NARROW = re.compile("[\0-\x7f·–—“”…≈▲✓✗\u2500-\u259f\u2800-\u28ff]*")
"""One cell each: ASCII, and what the monitor itself draws with."""


def line(*parts: object) -> Line:
    """Make a line from spans and plain strings."""
    return tuple(part if isinstance(part, Span) else Span(str(part)) for part in parts)


def cells(text: str) -> int:
    """Return the number of terminal cells a text takes.

    >>> cells("abc"), cells("日本")
    (3, 4)
    """
    if NARROW.fullmatch(text):
        return len(text)
    from wcwidth import wcswidth  # its tables cost more to load than a whole frame to draw

    return max(0, wcswidth(text))


def width_of(spans: Iterable[Span]) -> int:
    """Return the number of cells a line takes."""
    return sum(cells(span.text) for span in spans)


def fit(spans: Sequence[Span], width: int, ellipsis: str = "…") -> Line:
    """Cut a line to at most `width` cells, with an ellipsis where something was cut.

    >>> fit(line("hello world"), 8)
    (Span(text='hello w…', role=''),)
    """
    # Nothing takes more than two cells a character: what is short enough need not be measured.
    if 2 * sum(len(span.text) for span in spans) <= width or width_of(spans) <= width:
        return tuple(spans)
    room = width - cells(ellipsis)
    if room < 0:
        return ()
    return tuple(_cut(spans, room, ellipsis))


def pad(spans: Sequence[Span], width: int) -> Line:
    """Fill a line up with blanks to `width` cells."""
    missing = width - width_of(spans)
    return (*spans, Span(" " * missing)) if missing > 0 else tuple(spans)


def sides(left: Sequence[Span], right: Sequence[Span], width: int, ellipsis: str = "…") -> Line:
    """Put `right` at the right edge where there is room for it beside `left`, else leave it out.

    >>> "".join(span.text for span in sides(line("used"), line("note"), 12))
    'used    note'
    """
    gap = width - width_of(left) - width_of(right)
    if gap < 2 or not right:
        return fit(left, width, ellipsis)
    return (*left, Span(" " * gap), *right)


def wrap(text: str, width: int) -> list[str]:
    """Break a sentence into lines of at most `width` cells; `1 h 52 min` and `40 %` stay whole.

    Only a word that is longer than a line, such as a path, is broken itself.

    >>> wrap("The reset comes first.", 12), wrap("It ends in 1 h 52 min.", 12)
    (['The reset', 'comes first.'], ['It ends in', '1 h 52 min.'])
    """
    lines: list[str] = []
    for word in filter(None, BREAKS.split(text)):
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines += _pieces(word, width)
    return lines or [""]


def _pieces(word: str, width: int) -> Iterator[str]:
    while len(word) > 1 and cells(word) > width:
        end = max(1, len(_head(word, max(1, width))))
        yield word[:end]
        word = word[end:]
    if word:
        yield word


def wrap_list(text: str, width: int) -> list[str]:
    """Break a list as `wrap` does, at its dots where that is possible.

    >>> wrap_list("9,000 of 35,000 · 26,000 left", 18), wrap_list("opus-4, sonnet-4", 10)
    (['9,000 of 35,000', '26,000 left'], ['opus-4', 'sonnet-4'])
    """
    lines: list[str] = []
    for part in text.split(DOT):
        if lines and cells(lines[-1] + DOT + part) <= width:
            lines[-1] += DOT + part
        else:
            lines += wrap(part, width)
    return [*(SEPARATOR.sub("", each) for each in lines[:-1]), lines[-1]]


def _cut(spans: Sequence[Span], room: int, ellipsis: str) -> Iterator[Span]:
    for span in spans:
        taken = _head(span.text, room)
        room -= cells(taken)
        if taken != span.text:
            yield Span(SEPARATOR.sub("", taken) + ellipsis, span.role)
            return
        yield span


def _head(text: str, room: int) -> str:
    """Return as much of the start of `text` as fits into `room` cells."""
    if text.isascii():
        return text[:room]
    end = 0
    while end < len(text) and cells(text[: end + 1]) <= room:
        end += 1
    return text[:end]
