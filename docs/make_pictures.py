"""Draw the live screen of sample usage, as SVG for the README and as text for docs/screen.md.

    python docs/make_pictures.py

This writes docs/screen-dark.svg, docs/screen-light.svg and the text frame in docs/screen.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.style import ROLES, UNICODE, Style
from monitor.views.text import Line, cells
from tests.samples import usage_in

ROOT = Path(__file__).parent.parent
COLUMNS, ROWS = 80, 24
COMMAND = "ccusage-monitor --plan max5 --timezone US/Eastern"
WIDTH, HEIGHT, FONT_SIZE = 8.4, 18.0, 14
"""A cell's size and the font's, in pixels; monospace fonts are about 0.6 em wide."""
MARGIN, TITLE = 14.0, 34.0

FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SHADES = {UNICODE.bar.full: 1.0, UNICODE.bar.likely: 0.5, UNICODE.bar.empty: 0.22}
BRAILLE_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of the dot that each bit of a braille character stands for (Unicode, U+2800)."""


@dataclass(frozen=True)
class Theme:
    """The colours of a terminal: `colors` by SGR number, as ROLES uses them."""

    name: str
    back: str
    text: str
    dim: str
    edge: str
    title: str
    colors: dict[str, str]


DARK = Theme(
    *("dark", "#161b22", "#e6edf3", "#8b949e", "#30363d", "#21262d"),
    {"31": "#ff7b72", "32": "#56d364", "33": "#e3b341", "34": "#79c0ff", "36": "#39c5cf"},
)
LIGHT = Theme(
    *("light", "#ffffff", "#1f2328", "#656d76", "#d0d7de", "#f6f8fa"),
    {"31": "#cf222e", "32": "#1a7f37", "33": "#9a6700", "34": "#0969da", "36": "#1b7c83"},
)


class Run(NamedTuple):
    """Characters of one kind side by side, from `column` on."""

    column: int
    text: str
    role: str


def sample_frame() -> list[Line]:
    """Return the frame of the sample whose pace reaches the limit before the reset."""
    return frame(usage_in("runs-out"), COLUMNS, ROWS, DisplayOptions(Style()))


def as_text(lines: list[Line]) -> str:
    """Return a frame as the text that it shows, without blanks at the ends of lines."""
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines)


def picture(lines: list[Line], theme: Theme) -> str:
    """Return a frame in a window as SVG; needs no font but a monospace one, and no network."""
    return window("\n".join(shapes(lines, theme)), theme)


def shapes(lines: list[Line], theme: Theme) -> list[str]:
    """Return what a frame is drawn of, each an element at its place."""
    return [_drawn(run, row, theme) for row, line in enumerate(lines) for run in _runs(line)]


def window(inside: str, theme: Theme, style: str = "") -> str:
    """Return a terminal's window around what is drawn, with a style sheet if there is one."""
    width, height = COLUMNS * WIDTH + 2 * MARGIN, ROWS * HEIGHT + 2 * MARGIN + TITLE
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img"
 width="{width:g}" height="{height:g}" font-family="{FONTS}" font-size="{FONT_SIZE}">
<title>The live screen of ccusage-monitor</title>{style}
<g fill="{theme.back}" stroke="{theme.edge}">
<rect x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>
<path fill="{theme.title}"
 d="M.5 {TITLE:g}V8.5a8 8 0 0 1 8-8H{width - 8.5:g}a8 8 0 0 1 8 8V{TITLE:g}z"/>
</g>
<g fill="{theme.edge}">
<circle cx="18" cy="17" r="5.5"/><circle cx="36" cy="17" r="5.5"/><circle cx="54" cy="17" r="5.5"/>
</g>
<text x="{width / 2:g}" y="22" text-anchor="middle" fill="{theme.dim}">{COMMAND}</text>
<g transform="translate({MARGIN:g} {TITLE + MARGIN:g})">
{inside}
</g>
</svg>
"""


def _runs(line: Line) -> Iterator[Run]:
    """Cut a line at roles, at two blanks or more, and between text, bars and dots."""
    column = 0
    for span in line:
        for part in re.findall(r" {2,}|[^ ]+(?: [^ ]+)*| ", span.text):
            for _, group in groupby(part, _kind):
                text = "".join(group)
                if text.strip():
                    yield Run(column, text, span.role)
                column += cells(text)


def _kind(character: str) -> str:
    if character in SHADES or character in UNICODE.bar.parts or character in "│┤":
        return character
    return "braille" if "\u2800" <= character <= "\u28ff" else "text"


def _drawn(run: Run, row: int, theme: Theme) -> str:
    """Draw a run; what must meet its neighbours is drawn as shapes, which no font can shift."""
    codes = ROLES[run.role].split(";")
    plain = theme.dim if "2" in codes else theme.text
    color = next((theme.colors[code] for code in codes if code in theme.colors), plain)
    x, y, kind = run.column * WIDTH, row * HEIGHT, _kind(run.text[0])
    if kind == "braille":
        return _dots(run.text, x, y, color)
    if kind in "│┤":
        tick = f"M{x:g} {y + HEIGHT / 2:g}h{WIDTH / 2:g}" if kind == "┤" else ""
        return f'<path d="M{x + WIDTH / 2:g} {y:g}v{HEIGHT:g}{tick}" stroke="{color}"/>'
    if kind != "text":
        return _bar(run.text, x, y, color)
    bold = ' font-weight="bold"' if "1" in codes else ""
    return (
        f'<text x="{x:g}" y="{y + 13.5:g}" textLength="{cells(run.text) * WIDTH:g}"'
        f' fill="{color}"{bold}>{escape(run.text)}</text>'
    )


def _bar(text: str, x: float, y: float, color: str) -> str:
    wide = len(text) * WIDTH
    if text[0] in UNICODE.bar.parts:
        wide *= (UNICODE.bar.parts.index(text[0]) + 1) / (len(UNICODE.bar.parts) + 1)
    opacity = SHADES.get(text[0], 1.0)
    return (
        f'<rect x="{x:g}" y="{y + 2:g}" width="{wide:g}" height="{HEIGHT - 4:g}"'
        f' fill="{color}" fill-opacity="{opacity:g}" shape-rendering="crispEdges"/>'
    )


def _dots(text: str, x: float, y: float, color: str) -> str:
    """Draw dots as strokes of no length, each from where the one before it is."""
    places = [
        ((2 * i + across + 0.5) * WIDTH / 2, (down + 0.5) * HEIGHT / 4)
        for i, character in enumerate(text)
        for bit, (across, down) in enumerate(BRAILLE_DOTS)
        if (ord(character) - 0x2800) >> bit & 1
    ]
    moves = [f"m{b[0] - a[0]:g} {b[1] - a[1]:g}h0" for a, b in zip([(0, 0), *places], places)]
    return (
        f'<path d="M{x:g} {y:g}{"".join(moves)}"'
        f' stroke="{color}" stroke-width="2.6" stroke-linecap="round"/>'
    )


def with_frame(document: str, text: str) -> str:
    """Return the page with `text` as the frame that it shows, its first block of type `text`."""
    block = re.compile(r"^```text\n.*?^```$", re.MULTILINE | re.DOTALL)
    return block.sub(lambda _: f"```text\n{text}```", document, count=1)


def main() -> None:
    """Write the pictures and the text frame."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    lines = sample_frame()
    for theme in (DARK, LIGHT):
        path = ROOT / "docs" / f"screen-{theme.name}.svg"
        path.write_text(picture(lines, theme), encoding="utf-8")
        print(path.relative_to(ROOT))
    document = ROOT / "docs" / "screen.md"
    document.write_text(with_frame(document.read_text("utf-8"), as_text(lines)), encoding="utf-8")


if __name__ == "__main__":
    main()
