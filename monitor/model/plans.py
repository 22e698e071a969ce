"""The user's rules, and the token limit that follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Optional

import pytz
from pytz.tzinfo import BaseTzInfo

from monitor.model.blocks import Block
from monitor.model.formatting import TimeFormat, count, plural

PLAN_TOKENS: Mapping[str, int] = MappingProxyType({"pro": 7_000, "max5": 35_000, "max20": 140_000})
"""Counted tokens per block: the community's estimates of mid-2025. Anthropic publishes none."""

CUSTOM_MAX = "custom_max"

MOST, OUTLIER, ENOUGH_BLOCKS = 0.9, 1.5, 10
"""The highest of at least ten blocks is an outlier if it is half as high again as 90 % of them."""


@dataclass(frozen=True)
class Rules:
    """The user's settings that change the numbers.

    `is_plan_chosen` is false if nobody named a plan, so that `pro` is only assumed.
    """

    plan: str = "pro"
    is_plan_chosen: bool = True
    token_limit: Optional[int] = None
    reset_hour: Optional[int] = None
    zone: BaseTzInfo = pytz.utc
    twelve_hour: bool = False
    plan_tokens: Mapping[str, int] = field(default_factory=lambda: PLAN_TOKENS)

    @property
    def time_format(self) -> TimeFormat:
        """How times are written."""
        return TimeFormat(self.zone, self.twelve_hour)


@dataclass(frozen=True)
class PastBlocks:
    """The completed blocks that are known.

    `is_complete` says whether the whole history has been read, `error` why the last attempt failed.
    `days_read` is how many days of an incomplete one are.
    """

    blocks: Sequence[Block] = ()
    is_complete: bool = True
    error: Optional[str] = None
    days_read: Optional[int] = None

    @property
    def is_settled(self) -> bool:
        """Whether they are enough to find a limit by, or will not become more by waiting."""
        is_enough = self.days_read is not None and len(_counts(self.blocks)) >= ENOUGH_BLOCKS
        return self.is_complete or self.error is not None or is_enough

    @property
    def so_far(self) -> str:
        """What a note adds while the history is incomplete."""
        is_known = self.is_complete or self.days_read is None
        return "" if is_known else f", of {plural(self.days_read or 0, 'day')} so far"


@dataclass(frozen=True)
class Limit:
    """A limit in counted tokens, and how many are `used`; `source` is `plan`, `custom_max`, `user`.

    It is not settled while the highest block, which it depends on, is still being looked up.
    `history_error` says why the history could not be read: then the limit may be too low.
    """

    tokens: int
    source: str
    plan: Optional[str]
    used: int = 0
    note: Optional[str] = None
    is_settled: bool = True
    history_error: Optional[str] = None

    @property
    def used_percent(self) -> float:
        """The percentage used; not clamped, so that 137.2 is possible."""
        return 100 * self.used / self.tokens

    @property
    def tokens_left(self) -> int:
        """Counted tokens up to the limit, never below 0."""
        return max(0, self.tokens - self.used)

    @property
    def tokens_over(self) -> int:
        """Counted tokens beyond the limit, never below 0."""
        return max(0, self.used - self.tokens)


def highest_block(completed: Iterable[Block]) -> Optional[Block]:
    """Return the completed block with the most counted tokens; of equal ones the latest."""
    used = [block for block in completed if block.tokens.counted > 0]
    return max(used, key=lambda block: (block.tokens.counted, block.start), default=None)


def choose_limit(rules: Rules, used: int, past: PastBlocks) -> Limit:
    """Choose the limit for a block that has `used` counted tokens.

    An explicit token limit beats the plan. Once `pro` is passed, the user is clearly not on it, and
    the highest completed block becomes the limit if it is higher. Where nobody chose a plan, a
    completed block that passed `pro` shows that too, from the first message on.
    """
    if rules.token_limit is not None:
        limit = Limit(rules.token_limit, "user", None, used)
    elif rules.plan == CUSTOM_MAX:
        limit = replace(_custom_max(rules, used, past), is_settled=past.is_settled)
    else:
        limit = Limit(rules.plan_tokens[rules.plan], "plan", rules.plan, used)
        if rules.plan == "pro" and (limit.tokens_over or not rules.is_plan_chosen):
            limit = _beyond_pro(limit, rules, past) if past.is_settled else _unsettled(limit)
    return replace(limit, history_error=past.error)


def past_limit(rules: Rules, completed: Sequence[Block]) -> Limit:
    """Return the limit to compare past blocks with.

    It is the one that applies to the highest of them: who has ever passed `pro` is not on it.
    """
    highest = highest_block(completed)
    return choose_limit(rules, highest.tokens.counted if highest else 0, PastBlocks(completed))


def _custom_max(rules: Rules, used: int, past: PastBlocks) -> Limit:
    highest = highest_block(past.blocks)
    if highest is not None:
        number = plural(len(_counts(past.blocks)), "block")
        note = f"highest of {number}, {_day_and_usual(rules, highest, past.blocks)}{past.so_far}"
        return Limit(highest.tokens.counted, CUSTOM_MAX, CUSTOM_MAX, used, note)
    why = "no completed block yet" if past.is_complete else "your history is still being read"
    why = "your history could not be read" if past.error else why
    note = f"{why}; using pro's estimate"
    return Limit(rules.plan_tokens["pro"], "plan", CUSTOM_MAX, used, note)


def _counts(blocks: Iterable[Block]) -> list[int]:
    return sorted(block.tokens.counted for block in blocks if block.tokens.counted > 0)


def _day_and_usual(rules: Rules, highest: Block, blocks: Sequence[Block]) -> str:
    """Say of which day the highest block is; tell a single outlier as such."""
    counts, day = _counts(blocks), rules.time_format.day(highest.start)
    usual = counts[int(MOST * (len(counts) - 1))]
    is_outlier = len(counts) >= ENOUGH_BLOCKS and usual * OUTLIER <= counts[-1]
    return f"{day}; 9 in 10 stayed below {count(usual)}" if is_outlier else day


def _unsettled(limit: Limit) -> Limit:
    return replace(limit, note="looking up your highest block", is_settled=False)


def _beyond_pro(limit: Limit, rules: Rules, past: PastBlocks) -> Limit:
    """Return the highest completed block as the limit, if it shows that `pro` is not the plan."""
    highest = highest_block(past.blocks)
    if highest is None or highest.tokens.counted <= limit.tokens:
        return limit
    if rules.is_plan_chosen:
        note = (
            f"pro limit passed; using your highest block of {rules.time_format.day(highest.start)}"
        )
    else:
        counts = _counts(past.blocks)
        passed = sum(tokens > limit.tokens for tokens in counts)
        note = f"{passed:,} of your {plural(len(counts), 'block')} passed pro's"
        note += f" {count(limit.tokens)}; highest {rules.time_format.day(highest.start)}"
    note += past.so_far
    return replace(limit, tokens=highest.tokens.counted, source=CUSTOM_MAX, note=note)
