"""Which token limit applies, and where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Optional

from monitor.model.blocks import Block
from monitor.model.formatting import TimeFormat

PLAN_TOKENS: Mapping[str, int] = MappingProxyType({"pro": 7_000, "max5": 35_000, "max20": 140_000})
"""Counted tokens per block: the community's estimates of mid-2025. Anthropic publishes none."""

CUSTOM_MAX = "custom_max"


@dataclass(frozen=True)
class Limit:
    """A limit in counted tokens; `source` is `plan`, `custom_max` or `user`.

    It is not settled while the highest block, which it depends on, is still being looked up.
    """

    tokens: int
    source: str
    plan: Optional[str]
    note: Optional[str] = None
    settled: bool = True


def highest_block(completed: Iterable[Block]) -> Optional[Block]:
    """Return the completed block with the most counted tokens; of equal ones the latest."""
    used = [b for b in completed if b.tokens.counted > 0]
    return max(used, key=lambda b: (b.tokens.counted, b.start), default=None)


def choose_limit(
    plan: str,
    token_limit: Optional[int],
    counted: int,
    highest: Optional[Block],
    time_format: TimeFormat,
    plan_tokens: Mapping[str, int] = PLAN_TOKENS,
    *,
    history_known: bool = True,
    history_error: Optional[str] = None,
) -> Limit:
    """Choose the limit for a block that has used `counted` tokens.

    An explicit `token_limit` beats the plan. Once `pro` is passed, the user is plainly not on it,
    and the highest completed block takes over if that is higher.
    """
    if token_limit is not None:
        return Limit(token_limit, "user", None)
    settled = history_known or history_error is not None
    if plan == CUSTOM_MAX:
        why = "no completed block yet" if history_known else "your history is still being read"
        why = "your history could not be read" if history_error else why
        return replace(_custom_max(highest, time_format, plan_tokens["pro"], why), settled=settled)
    tokens = plan_tokens[plan]
    if plan != "pro" or counted <= tokens:
        return Limit(tokens, "plan", plan)
    if not settled:
        return Limit(tokens, "plan", plan, "looking up your highest block", settled=False)
    if highest and highest.tokens.counted > tokens:
        note = f"pro limit passed; using your highest block of {time_format.day(highest.start)}"
        return Limit(highest.tokens.counted, CUSTOM_MAX, plan, note)
    return Limit(tokens, "plan", plan)


def _custom_max(highest: Optional[Block], time_format: TimeFormat, instead: int, why: str) -> Limit:
    if highest is None:
        note = f"{why}; using pro's estimate"
        return Limit(instead, "plan", CUSTOM_MAX, note)
    note = f"your highest block, of {time_format.day(highest.start)}"
    return Limit(highest.tokens.counted, CUSTOM_MAX, CUSTOM_MAX, note)
