"""A table of the page, which a narrow screen shows without scrolling sideways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

RIGHT = ("Messages", "Tokens", "Share", "All tokens", "Cost")
WIDE_ONLY = ("Length", "Messages", "All tokens", "Models")
"""A narrow screen has no room for these columns."""
WRAPPED = ("Project", "Model", "Models")
"""These may be longer than any screen is wide."""


class Row(NamedTuple):
    """The texts of a row, its class, and what is drawn before its first text."""

    texts: Sequence[str]
    role: str = ""
    key: str = ""


def table(label: str, heads: Sequence[str], rows: Iterable[Row]) -> str:
    """Return the table; every text is escaped. Screen readers read `label`."""
    head = "".join(_cell('th scope="col"', name, escape(name)) for name in heads)
    body = "\n".join(_row(heads, row) for row in rows)
    hidden = ", ".join(name.lower() for name in heads if name in WIDE_ONLY)
    return (
        f'<p class="narrow">A wider screen also shows {hidden}.</p>\n'
        f'<div class="scroll" role="region" aria-label="{escape(label)}" tabindex="0">\n<table>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def _row(heads: Sequence[str], row: Row) -> str:
    contents = [escape(text) for text in row.texts]
    contents[0] = row.key + contents[0]
    cells = "".join(_cell("td", head, content) for head, content in zip(heads, contents))
    return f'<tr class="{row.role}">{cells}</tr>' if row.role else f"<tr>{cells}</tr>"


def _cell(tag: str, head: str, content: str) -> str:
    kinds = (("n", RIGHT), ("wide", WIDE_ONLY), ("long", WRAPPED), ("share", ("Of limit",)))
    roles = " ".join(role for role, heads in kinds if head in heads)
    attribute = f' class="{roles}"' if roles else ""
    return f"<{tag}{attribute}>{content}</{tag[:2]}>"
