"""Colours and characters that the terminal can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Optional

from monitor.views.text import Line, Span, fit, pad

ROLES: Mapping[str, str] = MappingProxyType(
    {
        "": "",
        "title": "1",
        "label": "2",
        "dim": "2",
        "strong": "1",
        "ok": "32",
        "warn": "33",
        "alarm": "1;31",
        "empty": "2",
        "likely": "36",
        "time": "34",
        "limit": "31",
        "probable": "33",
        "band": "2;36",
        "even": "2",
        "curve": "1",
    }
)
"""SGR parameters of each role: the terminal's own 16 colours, so that its theme decides."""


@dataclass(frozen=True)
class BarGlyphs:
    """The characters of a bar; `parts` are the fractions of a cell, smallest first.

    `mark` stands where the limit is when more is used.
    """

    full: str = "█"
    parts: str = "▏▎▍▌▋▊▉"
    likely: str = "▒"
    empty: str = "░"
    mark: str = "┃"


@dataclass(frozen=True)
class Glyphs:
    """The characters to draw with.

    The time bar is thin, so that it does not touch the bars above and below.
    `shades` are the steps of the heat map, from none to most. `charset` is what other text is
    limited to: `unicode`, `console` (the font of the Linux console) or `ascii`.
    """

    bar: BarGlyphs = BarGlyphs()
    time_bar: BarGlyphs = BarGlyphs("━", "", "━", "─")
    shades: str = "·░▒▓█"
    ellipsis: str = "…"
    warning: str = "▲"
    charset: str = "unicode"

    @property
    def braille(self) -> bool:
        """Whether charts can be drawn with braille dots."""
        return self.charset == "unicode"


UNICODE = Glyphs()
CONSOLE = Glyphs(
    BarGlyphs(parts="", mark="│"),
    BarGlyphs("═", "", "═", "─", "│"),
    ellipsis="...",
    warning="!",
    charset="console",
)
"""The Linux console: its fonts have the characters of code page 437."""
ASCII = Glyphs(
    BarGlyphs("#", "", "+", ".", "|"),
    BarGlyphs("=", "", "=", "-", "|"),
    shades=".:+*#",
    ellipsis="...",
    warning="!",
    charset="ascii",
)


@dataclass(frozen=True)
class Style:
    """How lines become terminal text; without colours every role is plain."""

    glyphs: Glyphs = UNICODE
    colors: bool = False

    def paint(self, line: Sequence[Span], width: int = 0) -> str:
        """Return one line as text, cut and padded to `width` cells unless that is 0."""
        spans: Line = tuple(line)
        if width:
            spans = pad(fit(spans, width, self.glyphs.ellipsis), width)
        return "".join(self._paint(span) for span in spans)

    def _paint(self, span: Span) -> str:
        text = limit_charset(span.text, self.glyphs.charset)
        code = ROLES.get(span.role, "") if self.colors else ""
        return f"\x1b[{code}m{text}\x1b[0m" if code else text


def limit_charset(text: str, charset: str) -> str:
    """Replace the characters that a charset lacks, each by one of its own.

    On the console only our own characters are replaced: its font may well have the user's.

    >>> limit_charset("13:00–13:40 · ≈ 5 %", "ascii"), limit_charset("5–6 · é", "console")
    ('13:00-13:40 | ~ 5 %', '5-6 · é')
    """
    if charset == "unicode" or text.isascii():
        return text
    if charset == "console":
        return text.translate(_NOT_IN_CONSOLE)
    known = text.translate(_NOT_IN_ASCII)
    return known if known.isascii() else "".join(c if c.isascii() else "?" for c in known)


_NOT_IN_CONSOLE = str.maketrans({"–": "-", "—": "-", "’": "'", "…": ".", "›": ">"})
_NOT_IN_ASCII = {**_NOT_IN_CONSOLE, **str.maketrans({"·": "|", "≈": "~", "│": "|", "┤": "+"})}


def choose_style(
    *,
    encoding: str,
    is_terminal: bool,
    environ: Mapping[str, str],
    ascii_only: bool,
    no_color: bool,
    color_count: Optional[int] = None,
) -> Style:
    """Choose glyphs and colours from the output stream and the user's options.

    `--no-color` and NO_COLOR beat FORCE_COLOR, which beats a terminal without colours and a stream
    that is no terminal (no-color.org and force-color.org). `color_count` is how many colours the
    terminal has, None if that is not known.
    """
    forced = environ.get("FORCE_COLOR", "") not in ("", "0", "false")
    term = environ.get("TERM", "")
    capable = is_terminal and term != "dumb" and (color_count is None or color_count >= 8)
    colors = (forced or capable) and not no_color and not environ.get("NO_COLOR")
    return Style(_choose_glyphs(encoding, term, ascii_only=ascii_only), colors)


def _choose_glyphs(encoding: str, term: str, *, ascii_only: bool) -> Glyphs:
    if ascii_only or not _can_encode("█░▒▏⣿–·…▲✓✗", encoding):
        return ASCII
    return CONSOLE if term == "linux" else UNICODE


def _can_encode(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
        return True
    except (UnicodeEncodeError, LookupError):
        return False
