"""Made breakdowns of the sample blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from monitor.model.blocks import TokenCounts
from monitor.model.breakdown import BLOCK, Breakdown, Part
from tests.samples import NOW, OK

OPUS, SONNET = "claude-opus-4-20250514", "claude-sonnet-4-20250514"
OK_BLOCK = OK.blocks[-1]

PARTS = (
    ("api", "5f0c7a52-11", SONNET, 4_000, 3),
    ("api", "81e0d3b4-22", OPUS, 900, 31),
    ("web", "0d9b1c66-33", SONNET, 2_200, 8),
    ("web", "0d9b1c66-33", OPUS, 800, 8),
    ("web", "90aa51f7-44", OPUS, 100, 110),
    ("notes-of-a-project-with-a-long-name", "77c2e4d0-55", OPUS, 1_000, 64),
)


def part(directory: str, session: str, model: str, counted: int, minutes: int) -> Part:
    """Make what a model used in a session, last so many minutes before NOW."""
    return Part(
        model,
        TokenCounts(counted // 10, counted - counted // 10, 20 * counted, 500 * counted),
        counted / 1_000,
        "~/.claude",
        f"-home-you-work-{directory}",
        f"~/work/{directory}",
        f"{session}-4000-8000-000000000000",
        NOW - timedelta(minutes=minutes),
    )


SPLIT = Breakdown(
    BLOCK, OK_BLOCK.start, OK_BLOCK.end, tuple(part(*fields) for fields in PARTS), OK_BLOCK
)
"""Of the block of OK, to the token."""

UNPRICED = replace(
    SPLIT,
    parts=tuple(
        made if made.model == SONNET else made._replace(model="claude-opus-9-9", cost_usd=None)
        for made in SPLIT.parts
    ),
)

LONG = replace(
    SPLIT,
    block=None,
    parts=tuple(part(f"project-{n:02}", f"{n:08}-s", SONNET, 100 + n, n) for n in range(30)),
)
