"""Keep what was drawn, until something but the seconds changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from monitor.views.text import Line


class Cached:
    """The lines that were drawn last."""

    def __init__(self) -> None:
        self._key: object = None
        self._lines: list[Line] = []

    def lines(self, key: object, now: datetime, draw: Callable[[], list[Line]]) -> list[Line]:
        """Return the lines as they were drawn in this minute, if the key is the same."""
        key = (key, now.replace(second=0, microsecond=0))
        if key != self._key:
            self._key, self._lines = key, draw()
        return self._lines
