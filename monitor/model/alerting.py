"""Decide which alerts are due: once per threshold and window, re-armed only by a new window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Optional

from monitor.model import sentence
from monitor.model.formatting import percent
from monitor.model.headline import WHOLE
from monitor.model.official import FIVE_HOUR
from monitor.model.usage import Usage

PERCENTS = (80.0, 95.0)
"""The thresholds when none are chosen."""


class Alert(NamedTuple):
    """What to tell: its kind (`percent`, `runs_out`, `limit_reached`, `reset`) and words for it."""

    kind: str
    title: str
    sentence: str


@dataclass(frozen=True)
class Armed:
    """What was told already in the present window, and when that ends (UTC); None: no window."""

    ends: Optional[datetime] = None
    told: frozenset[str] = frozenset()


def due(
    armed: Armed, usage: Usage, percents: Sequence[float] = PERCENTS
) -> tuple[list[Alert], Armed]:
    """Return the alerts that are due now, and what has been told after them.

    A stale reading raises no alarm: it may be about a window that is over. Nor does a limit that is
    still being looked up. Only time ends a window: a block that is gone from one reading and back
    in the next is told of once.
    """
    if usage.reading.stale or not usage.is_settled:
        return [], armed
    alerts = []
    if armed.ends is not None and usage.now >= armed.ends:
        alerts.append(Alert("reset", "The 5-hour window is over", sentence.summary(usage)))
        armed = Armed()
    ends = _ends(usage)
    if ends is None:
        return alerts, armed
    new = {mark: alert for mark, alert in _present(usage, percents) if mark not in armed.told}
    return alerts + list(new.values()), Armed(ends, armed.told.union(new, _passed(usage, percents)))


def _ends(usage: Usage) -> Optional[datetime]:
    """Return when the present window ends: Claude Code's own where it is known, else the block's.

    The block's end is its own rounded down to the hour; a new block may begin before the true end.
    """
    own = usage.official.windows.get(FIVE_HOUR)
    if own is not None and own.resets_at is not None:
        return own.resets_at
    return usage.block.end if usage.block else None


def _present(usage: Usage, percents: Sequence[float]) -> Iterator[tuple[str, Alert]]:
    """Yield all that there is to tell now, each with the mark that keeps it from coming again."""
    said = sentence.summary(usage)
    reached = usage.state in ("limit_reached", "exceeded")
    if reached:
        yield "limit_reached", Alert("limit_reached", "The limit is reached", said)
    # Of several thresholds passed at once only the highest is worth a word.
    mark, passed = max(_passed(usage, percents).items(), key=lambda item: item[1], default=("", 0))
    if passed > (WHOLE if reached else 0):
        yield mark, Alert("percent", f"{percent(passed)} of the limit is used", said)
    if usage.state in ("runs_out", "weekly"):
        yield "runs_out", Alert("runs_out", "The limit comes before the reset", said)


def _passed(usage: Usage, percents: Sequence[float]) -> dict[str, float]:
    """Return the thresholds that have been passed, by their marks."""
    return {f"{passed:g} %": passed for passed in percents if passed <= usage.percent}
