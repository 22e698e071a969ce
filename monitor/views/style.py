"""What a role looks like: the colours, and the glyphs that the stream can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

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
        "pace": "33",
        "band": "2;36",
        "curve": "1",
    }
)
"""SGR parameters of each role: the terminal's own 16 colours, so that its theme decides."""


@dataclass(frozen=True)
class Glyphs:
    """The characters of bars, marks and charts."""

    full: str = "█"
    parts: str = "▏▎▍▌▋▊▉"
    likely: str = "▒"
    empty: str = "░"
    dot: str = "·"
    dash: str = "–"
    ellipsis: str = "…"
    warning: str = "▲"
    yes: str = "✓"
    no: str = "✗"
    spark: str = "▁▂▃▄▅▆▇█"
    shades: str = "·░▒▓█"
    braille: bool = True


UNICODE = Glyphs()
ASCII = Glyphs(
    *("#", "", "+", ".", "|", "-", "...", "!", "ok", "NO", "_.-=+*#@", ".:+*#"), braille=False
)


@dataclass(frozen=True)
class Style:
    """How lines become terminal text; without colour every role is empty."""

    glyphs: Glyphs = UNICODE
    colors: bool = False

    def paint(self, line: Sequence[Span], width: int = 0) -> str:
        """Colour one line, cut and padded to `width` cells first (0: as it is)."""
        spans: Line = tuple(line)
        if width:
            spans = pad(fit(spans, width, self.glyphs.ellipsis), width)
        return "".join(self._paint(span) for span in spans)

    def _paint(self, span: Span) -> str:
        text = span.text if self.glyphs.braille else to_ascii(span.text)
        code = ROLES.get(span.role, "") if self.colors else ""
        return f"\x1b[{code}m{text}\x1b[0m" if code else text


def to_ascii(text: str) -> str:
    """Write a text in ASCII, cell for cell where that can be.

    >>> to_ascii("13:00–13:40 · ≈ 5 %")
    '13:00-13:40 | ~ 5 %'
    """
    if text.isascii():
        return text
    known = text.translate(_PLAIN)
    return known if known.isascii() else "".join(c if c.isascii() else "?" for c in known)


_PLAIN = str.maketrans({"–": "-", "—": "-", "·": "|", "≈": "~", "’": "'", "…": ".", "›": ">"})


def choose_style(
    *,
    encoding: str,
    is_terminal: bool,
    environ: Mapping[str, str],
    ascii_only: bool,
    no_color: bool,
) -> Style:
    """Decide once on glyphs and colours, from the stream and the user's wishes.

    `--no-color` and NO_COLOR beat FORCE_COLOR, which beats TERM=dumb and a stream that is no
    terminal (no-color.org and force-color.org).
    """
    forced = environ.get("FORCE_COLOR", "") not in ("", "0", "false")
    capable = is_terminal and environ.get("TERM", "") != "dumb"
    colors = (forced or capable) and not no_color and not environ.get("NO_COLOR")
    return Style(ASCII if ascii_only or not _shows_unicode(encoding) else UNICODE, colors)


def _shows_unicode(encoding: str) -> bool:
    try:
        "█░▒▏⣿–·…▲✓✗".encode(encoding)
        return True
    except (UnicodeEncodeError, LookupError):
        return False
