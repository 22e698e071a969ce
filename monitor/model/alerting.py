"""Decide which alerts are due: once per threshold and window, re-armed only by a new window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Optional

from monitor.model import sentence
from monitor.model.usage import Usage
from monitor.model.words import percent

PERCENTS = (80.0, 95.0)
"""The thresholds when none are chosen."""


class Alert(NamedTuple):
    """What to tell: its kind (`percent`, `runs_out`, `limit_reached`, `reset`) and words for it."""

    kind: str
    title: str
    sentence: str


@dataclass(frozen=True)
class Armed:
    """What was told already in the present window; `window` is the start of its block (UTC)."""

    window: Optional[datetime] = None
    told: frozenset[str] = frozenset()
    highest: float = 0.0


def due(
    armed: Armed, usage: Usage, percents: Sequence[float] = PERCENTS
) -> tuple[list[Alert], Armed]:
    """Return the alerts that are due now, and what has been told after them.

    A stale reading raises no alarm: it may be about a window that is over.
    """
    window = usage.block.start if usage.block else None
    if usage.reading.stale:
        return [], armed
    alerts = []
    if armed.window is not None and window != armed.window:
        alerts.append(Alert("reset", "The limit has been reset", sentence.headline(usage)))
    if window != armed.window:
        armed = Armed(window)
    if window is None:
        return alerts, armed
    new = [a for a in _present(usage, armed, percents) if a.title not in armed.told]
    told = armed.told | {alert.title for alert in new}
    return alerts + new, Armed(window, told, max(armed.highest, usage.percent))


def _present(usage: Usage, armed: Armed, percents: Sequence[float]) -> Iterator[Alert]:
    said = sentence.headline(usage)
    if usage.status == "limit_reached" or usage.verdict == "exceeded":
        yield Alert("limit_reached", "The limit is reached", said)
        return
    # Of several thresholds passed at once only the highest is worth a word.
    passed = [p for p in percents if armed.highest < p <= usage.percent]
    if passed:
        yield Alert("percent", f"{percent(max(passed))} of the limit is used", said)
    if usage.verdict == "runs_out":
        yield Alert("runs_out", "The limit comes before the reset", said)
