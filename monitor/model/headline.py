"""Choose what every output leads with: the limit that binds, its percentage and its severity."""

from __future__ import annotations

from typing import NamedTuple, Optional

from monitor.model.five_hour import FiveHour
from monitor.model.forecast import NEARLY_FULL, Forecast
from monitor.model.limit_hits import Reached
from monitor.model.official import FIVE_HOUR, FULL, RateLimitWindow
from monitor.model.weekly import Weekly

NONE, OK, WARN, ALARM = "none", "ok", "warn", "alarm"
SEVERITIES = (NONE, OK, WARN, ALARM)
"""Mildest first."""

OF_VERDICT = {"unknown": NONE, "ok": OK, "tight": WARN, "runs_out": ALARM, "exceeded": WARN}
"""A passed estimate warns only: messages that got through prove it too low."""


class Headline(NamedTuple):
    """The limit that binds, as every output leads with it.

    `window` is the id of the limit that the sentence is about, None if it is about none;
    `used_percent` is None without an active block, unless a limit is reached. `source` is
    `official`, `bridged`, `estimate` or `none`; `severity` one of SEVERITIES; `tokens_left` are
    counted tokens, None if not known.
    """

    window: Optional[str]
    used_percent: Optional[float]
    source: str
    severity: str
    tokens_left: Optional[float]

    @property
    def is_five_hour(self) -> bool:
        """Whether it is about the five-hour limit, or about none."""
        return self.window in (None, FIVE_HOUR)


def reached_headline(reached: Reached, window: Optional[RateLimitWindow]) -> Headline:
    """Return the headline of a limit that is reached; `window` is its official one if known."""
    used = max(FULL, window.used_percent) if window else FULL
    return Headline(reached.window, used, "official", ALARM, 0.0)


def weekly_headline(week: Weekly) -> Headline:
    """Return the headline of a weekly limit."""
    return Headline(week.window_id, week.window.used_percent, "official", week.severity, None)


def five_hour_headline(five_hour: FiveHour, forecast: Forecast, *, is_certain: bool) -> Headline:
    """Return the headline of the five-hour limit of an active block.

    `is_certain` says that the limit is no estimate: it is the user's own, or official.
    """
    severity = OF_VERDICT[forecast.verdict]
    if forecast.verdict == "exceeded" and is_certain:
        severity = ALARM
    used, left = five_hour.used_percent, five_hour.tokens_left
    return Headline(FIVE_HOUR, used, five_hour.source, severity, left)


def idle_headline(window: Optional[RateLimitWindow]) -> Headline:
    """Return the headline without an active block; `window` is the official five-hour one."""
    if window is None:
        return Headline(None, None, NONE, NONE, None)
    severity = WARN if window.used_percent >= NEARLY_FULL else NONE
    return Headline(FIVE_HOUR, None, NONE, severity, None)


def worst(five_hour: Headline, week: Optional[Headline]) -> Headline:
    """Return the headline of the limit that binds: of equally severe ones the five-hour one."""
    if week is None or SEVERITIES.index(week.severity) <= SEVERITIES.index(five_hour.severity):
        return five_hour
    return week
