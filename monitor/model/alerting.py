"""Decide which alerts are due: each threshold once per window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Optional

from monitor.model import sentence
from monitor.model.formatting import percent
from monitor.model.headline import ALARM
from monitor.model.official import FIVE_HOUR, FULL
from monitor.model.usage import Usage

PERCENTS = (80.0, 95.0)
"""The thresholds if none are chosen."""


class Alert(NamedTuple):
    """An alert: its kind (`percent`, `runs_out`, `limit_reached`, `reset`), title and sentence."""

    kind: str
    title: str
    sentence: str


@dataclass(frozen=True)
class AlertState:
    """The alerts sent in the present window, and when that ends (UTC); None without a window."""

    window_ends: Optional[datetime] = None
    sent: frozenset[str] = frozenset()


def due_alerts(
    usage: Usage, state: AlertState, percents: Sequence[float] = PERCENTS
) -> tuple[list[Alert], AlertState]:
    """Return the alerts that are due now, and the state after they are sent.

    A stale reading causes none: it may be about a window that is over. Nor does a limit that is
    still being looked up. Only time ends a window: a block that is missing in one reading and back
    in the next is alerted about once.
    """
    if usage.reading.is_stale or not usage.is_settled:
        return [], state
    alerts = []
    if state.window_ends is not None and usage.now >= state.window_ends:
        alerts.append(Alert("reset", "The 5-hour window is over", sentence.summary(usage)))
        state = AlertState()
    ends = _window_ends(usage)
    if ends is None:
        return alerts, state
    new = {key: alert for key, alert in _present(usage, percents) if key not in state.sent}
    sent = state.sent.union(new, _passed(usage, percents))
    return alerts + list(new.values()), AlertState(ends, sent)


def _window_ends(usage: Usage) -> Optional[datetime]:
    """Return when the present window ends: as Claude Code says if it is known, else the block's.

    The block's end is rounded down to the hour; a new block may begin before the true end.
    """
    own = usage.official.windows.get(FIVE_HOUR)
    if own is not None and own.resets_at is not None:
        return own.resets_at
    if usage.reset.source == "limit_message" and usage.headline.is_five_hour:
        return usage.reset.at
    return usage.block.end if usage.block else None


def _present(usage: Usage, percents: Sequence[float]) -> Iterator[tuple[str, Alert]]:
    """Yield all alerts about the present usage, each with the key that keeps it from repeating."""
    text = sentence.summary(usage)
    reached = usage.state in ("limit_reached", "exceeded")
    if reached:
        title = "The limit is reached" if usage.reached else "The limit is passed"
        yield "limit_reached", Alert("limit_reached", title, text)
    # Of several thresholds passed at once only the highest is worth an alert.
    key, passed = max(_passed(usage, percents).items(), key=lambda item: item[1], default=("", 0))
    if passed > (FULL if reached else 0):
        yield key, Alert("percent", f"{percent(passed)} of the limit is used", text)
    if usage.state in ("runs_out", "weekly") and usage.headline.severity == ALARM:
        yield "runs_out", Alert("runs_out", "The limit comes before the reset", text)


def _passed(usage: Usage, percents: Sequence[float]) -> dict[str, float]:
    """Return the thresholds that have been passed, by their keys."""
    used = usage.headline.used_percent
    return {f"{passed:g} %": passed for passed in percents if used is not None and passed <= used}
