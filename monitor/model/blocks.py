"""The records of usage: a Block as ccusage reports it, its token counts, its series of Events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Optional

SESSION = timedelta(hours=5)
"""Length of a block, ccusage's default `--session-length`."""

SYNTHETIC = "<synthetic>"
"""The model of messages that Claude Code writes itself."""

MAX_TOKENS = 10**15
"""No real count comes near; a larger one is a fault of what was read."""


class TokenCounts(NamedTuple):
    """Tokens by kind, as in ccusage's `tokenCounts`."""

    input: int = 0
    output: int = 0
    cache_creation: int = 0
    cache_read: int = 0

    @property
    def counted(self) -> int:
        """Input + output: the tokens that plan limits are measured in.

        Never ccusage's `totalTokens`, which began to include the cache kinds in 15.4.
        """
        return self.input + self.output

    @property
    def total(self) -> int:
        """All four kinds."""
        return self.counted + self.cache_creation + self.cache_read


@dataclass(frozen=True)
class Block:
    """One 5-hour block (or a gap between two) as ccusage reports it. Times are UTC."""

    id: str
    start: datetime
    end: datetime
    last_activity: Optional[datetime]
    is_active: bool
    is_gap: bool
    entries: int
    tokens: TokenCounts
    cost_usd: Optional[float]
    models: tuple[str, ...]
    limit_reset: Optional[datetime] = None
    """ccusage's `usageLimitResetTime`: the reset time that a limit message gave."""


class Event(NamedTuple):
    """Counted tokens that arrived at one moment (UTC): one message, or a few of the same minute."""

    at: datetime
    tokens: int
    cost_usd: Optional[float] = None


def series(block: Block, events: Sequence[Event]) -> Optional[tuple[Event, ...]]:
    """Return the block's own events, brought up to the block's count; None if that is impossible.

    The block is read more often than the series. Tokens that the block has beyond the series become
    one event at the block's last activity. A series with more tokens than the block belongs to
    another state of the data.
    """
    last = block.last_activity
    if last is None:
        return None
    own = tuple(event for event in events if block.start <= event.at <= last)
    missing = block.tokens.counted - sum(event.tokens for event in own)
    if missing > 0:
        own += (Event(last, missing, _missing_cost(block, own)),)
    return own if missing >= 0 else None


def unpriced_models(blocks: Iterable[Block]) -> frozenset[str]:
    """Return the models without a price: those of blocks that have tokens and cost nothing.

    ccusage adds nothing for a model it has no price for, instead of saying that.
    """
    free = (block for block in blocks if block.cost_usd == 0 and block.tokens.total)
    return frozenset(name for block in free for name in block.models if name != SYNTHETIC)


def with_known_cost(block: Block, unpriced: Iterable[str]) -> Block:
    """Return the block without its cost if that leaves out one of the unpriced models."""
    return replace(block, cost_usd=None) if set(block.models) & set(unpriced) else block


def is_whole(block: Block, events: Optional[Sequence[Event]]) -> bool:
    """Return whether all events lie in the block and add up to its counted tokens."""
    if not events or not all(block.start <= event.at <= block.end for event in events):
        return False
    return sum(event.tokens for event in events) == block.tokens.counted


def real_blocks(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that are not gaps, oldest first."""
    return sorted((b for b in blocks if not b.is_gap), key=lambda b: b.start)


def active_block(blocks: Sequence[Block], now: datetime) -> Optional[Block]:
    """Return the block that is not a gap, that ccusage calls active, and that contains `now`.

    Neither position nor `isActive` alone is enough: a message stamped in the future makes a second
    active block, and the last element of a report may be a gap.
    """
    active = [b for b in real_blocks(blocks) if b.is_active and b.start <= now < b.end]
    return active[-1] if active else None


def last_block(blocks: Sequence[Block], now: datetime) -> Optional[Block]:
    """Return the newest block that had ended by `now`."""
    ended = [b for b in real_blocks(blocks) if b.end <= now]
    return ended[-1] if ended else None


def _missing_cost(block: Block, events: Sequence[Event]) -> Optional[float]:
    if block.cost_usd is None:
        return None
    return max(0.0, block.cost_usd - sum(event.cost_usd or 0 for event in events))
