"""The error that ends in two plain lines: what is wrong, and what to do about it."""

from __future__ import annotations

from monitor.model.formatting import one_line


class MonitorError(Exception):
    """Something the user has to know; `reason` is one line, `advice` another that says what to do.

    Both are safe to print: control characters are made visible, and long texts are cut.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        self.reason = one_line(reason)
        self.advice = one_line(advice)
        super().__init__(self.reason)


class NotCcusageError(MonitorError):
    """The program found is not the npm tool ccusage, or an incomplete install of it."""


class CcusageNotFoundError(MonitorError):
    """No usable ccusage was found; one can be installed."""


class NoDataError(MonitorError):
    """There is no Claude data directory yet."""
