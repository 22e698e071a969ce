"""Decide how soon a poll may follow a notice, so that polls stay cheap however much is written."""

from __future__ import annotations

BURST_SECONDS = 0.05
"""What is written within this time of a notice is read by the same poll."""

SHARE = 0.03
"""Polls that follow notices cost at most this share of a core in the long run, ..."""

CREDIT = 0.5
"""... and at most so many CPU seconds more, so that the messages of a usual turn do not wait."""

REST = 3.0
"""After a poll that took t seconds, the next one waits at least this many times t."""


class Pace:
    """Spaces polls by what they cost; all times are those of `time.monotonic`."""

    def __init__(self) -> None:
        self._owed = 0.0
        self._at = 0.0
        self._rested_at = 0.0

    def polled(self, at: float, seconds: float, cpu: float) -> None:
        """Note that a poll ended at `at`, took `seconds` and cost so many CPU seconds."""
        self._owed = max(0.0, self._owed - SHARE * (at - self._at)) + cpu
        self._at, self._rested_at = at, at + REST * seconds

    def due(self, noticed_at: float) -> float:
        """Return when to poll after a notice.

        >>> pace = Pace()
        >>> pace.polled(100.0, seconds=0.1, cpu=0.1)
        >>> round(pace.due(100.1), 2), round(pace.due(102.0), 2)
        (100.3, 102.05)
        """
        affordable_at = self._at + (self._owed - CREDIT) / SHARE
        return max(noticed_at + BURST_SECONDS, self._rested_at, affordable_at)
