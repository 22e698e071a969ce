"""Read a large slice in parts, oldest first, so that ccusage needs little memory.

A part ends anywhere. A block of it is exact if it begins where a block is known to begin, and ends
before the part does. The next part begins with the first block that is not. Its transcripts may
hold messages from before that, which lack some of their neighbours. So it also gets *markers*:
messages without tokens, which let ccusage begin the blocks where they are known to begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Optional

from monitor.model.blocks import SESSION, Block, real_blocks
from monitor.model.slices import ANSWER, Piece, cut_of, part_of

LAST = 1.25
"""The last part may be so many times as large as the others."""

MARKED = timedelta(hours=1) - timedelta(milliseconds=1)
"""A marker is so long after the start of its block, which is a full hour.

The first message of the block is not later, so no pause of five hours is between the two.
"""


class Part(NamedTuple):
    """Pieces, and until when all messages are in them; None: until the slice ends."""

    pieces: Sequence[Piece]
    end: Optional[datetime]


@dataclass(frozen=True)
class PartsRead:
    """What is known of a slice after some of its parts.

    `blocks` are exact, from `cut` on; if `is_cut` without a time, from the beginning. The next part
    begins at `begin`, the last one ends at `until`; None: at the beginning, or without an end.
    """

    begin: Optional[datetime]
    until: Optional[datetime]
    is_cut: bool
    cut: Optional[datetime] = None
    blocks: tuple[Block, ...] = ()
    is_done: bool = False

    @property
    def markers(self) -> list[datetime]:
        """When the markers of the next part were written (UTC)."""
        return [block.start + MARKED for block in self.blocks]

    def unmarked(self, blocks: Sequence[Block]) -> list[Block]:
        """Return the blocks without those that hold the markers of the next part."""
        marked = {block.start for block in self.blocks}
        return [block for block in blocks if block.start not in marked]

    def is_misled(self, blocks: Sequence[Block]) -> bool:
        """Return whether the next part shows other blocks before it than those that are known.

        An answer can have lines in two transcripts. If the part lacks the line that ccusage counts,
        it counts the other one, at another time.
        """
        if self.begin is None or not self.is_cut:
            return False
        before = [block for block in real_blocks(blocks) if block.start < self.begin]
        since = {b.start for b in before if self.cut is None or b.start >= self.cut}
        return since != {block.start for block in self.blocks} or any(
            block.last_activity and block.last_activity >= self.begin
            for block in self.unmarked(before)
        )

    def next_part(self, pieces: Sequence[Piece], limit: int) -> Part:
        """Return the next part: of `limit` bytes, or more if its first block needs them.

        `pieces` are newest first.
        """
        since = self.begin - ANSWER if self.begin and self.blocks else self.begin
        chosen = sorted(part_of(pieces, since, self.until), key=lambda piece: piece.span.first)
        if sum(piece.size for piece in chosen) <= LAST * limit:
            return Part(chosen, None)
        used, first = 0, self.begin or chosen[0].span.first
        again = sum(piece.size for piece in chosen if piece.span.first < first)
        # Each part reads long sessions again; they must not leave it without room.
        room = again + max(limit - again, limit // 2)
        for number, piece in enumerate(chosen):
            end, used = piece.span.first - ANSWER, used + piece.size
            if used > room and end - first >= SESSION:
                return Part(chosen[:number], end)
        return Part(chosen, None)

    def with_part(self, blocks: Sequence[Block], end: Optional[datetime]) -> PartsRead:
        """Return what is known after the next part too, which has shown some blocks."""
        cut = self.cut
        if not self.is_cut and self.begin:
            cut = cut_of(blocks, self.begin, end or self.until)
        is_cut = self.is_cut or cut is not None
        own = [block for block in real_blocks(blocks) if self._has(block, end)]
        exact = (b for b in own if is_cut and not (cut and b.start < cut) and not _is_open(b, end))
        # Blocks begin and end on full hours, so no message is between such an hour and the end.
        rest = end and end.replace(minute=0, second=0, microsecond=0)
        rest = next((block.start for block in own if _is_open(block, end)), rest)
        blocks = (*self.blocks, *exact)
        return PartsRead(rest, self.until, is_cut, cut, blocks, is_done=end is None)

    def _has(self, block: Block, end: Optional[datetime]) -> bool:
        """Return whether a block begins in the part that ends at `end`."""
        until = end or self.until
        return (self.begin is None or block.start >= self.begin) and (
            until is None or block.start < until
        )


def _is_open(block: Block, end: Optional[datetime]) -> bool:
    """Return whether messages of the block may come after the part's end."""
    return end is not None and block.end > end
