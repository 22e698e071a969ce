"""The rhythm of the live monitor: display, measure, draw; keeps the last good reading."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Optional

from monitor.app.alerts import Alerts
from monitor.app.exits import fault_of_ours
from monitor.app.poller import Poller, PollResult, failed, measured
from monitor.ccusage.find import NotFound
from monitor.ccusage.runner import CcusageError
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.model.formatting import plural, size
from monitor.model.usage import Usage
from monitor.terminal import Screen
from monitor.views.screen.chart import burn_up
from monitor.views.screen.dashboard import DisplayOptions, frame, message
from monitor.views.style import Glyphs
from monitor.views.text import Line

REST = 3.0
"""After a look that took t seconds, rest at least this many times t."""

FIRST_RETRY, LAST_RETRY = 3.0, 60.0
"""Seconds before the next look after a failed one: doubled at each failure."""

ESCAPE = chr(27)


class Worker:
    """Poller in a thread of its own, so that a slow ccusage never freezes the screen."""

    def __init__(self, poller: Poller, refresh: float, seen_more: Callable[[], None]) -> None:
        self.seen = PollResult()
        self.began = time.monotonic()
        self.poller = poller
        self._refresh = refresh
        self._seen_more = seen_more
        self._asked = threading.Event()
        self._stopped = False
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def look_now(self) -> None:
        """Do not wait for the next refresh."""
        self._asked.set()

    def stop(self) -> None:
        """End the running ccusage and the thread; does not wait long for a stubborn one.

        A look that is under way fails at once, and must not write into a directory that is removed.
        """
        self._stopped = True
        self._asked.set()
        self.poller.reader.stop()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stopped:
            began, took = time.monotonic(), None
            try:
                took = self._look()
            except Exception as error:  # noqa: BLE001 - a fault of ours must not freeze the screen
                fault = fault_of_ours(error)
                self._show(failed(self.seen, CcusageError(fault.reason, fault.advice)))
            self._asked.wait(self._rest(time.monotonic() - began if took is None else took))
            self._asked.clear()

    def _look(self) -> float:
        """Poll, and read the history when that is due; return the seconds that the look took.

        The history is read once a day: what it takes is no reason to look less often after it.
        """
        if self.seen.reading is None:
            # The first frame need not wait for the series of messages.
            self._show(self.poller.poll(series=False))
            if self.seen.error is not None:
                return 0.0
        began = time.monotonic()
        self._show(self.poller.poll())
        took = time.monotonic() - began
        if not self._stopped and self.poller.wants_history():
            self._show(self.poller.read_history())
        return took

    def _show(self, seen: PollResult) -> None:
        before, self.seen = self.seen, seen
        self._failures = self._failures + 1 if seen.error else 0
        if not _is_same(before, seen):
            self._seen_more()

    def _rest(self, took: float) -> float:
        if self._failures:
            retry = min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(self._failures - 1, 10))
            return max(retry, REST * took)
        return max(self._refresh, REST * took)


def _is_same(before: PollResult, seen: PollResult) -> bool:
    """Whether nothing has changed but the time of the look."""
    if before.reading is None or seen.reading is None:
        return False
    return replace(before, reading=replace(before.reading, read_at=seen.reading.read_at)) == seen


def watch(settings: Settings, poller: Poller, screen: Screen, display: DisplayOptions) -> int:
    """Show the live screen until the user or a signal ends it; return the exit code.

    Raises NotFound when there is no ccusage at all, so that installing it can be offered.
    """
    worker = Worker(poller, settings.refresh, screen.wake)
    view, alerts = View(replace(display, chart=KeptChart())), Alerts(settings.alerts)
    worker.start()
    try:
        while screen.leaving is None:
            if worker.seen.reading is None and isinstance(worker.seen.error, NotFound):
                raise worker.seen.error
            columns, rows = screen.size()
            usage = _usage(worker.seen, settings)
            lines = _lines(worker, usage, view, columns, rows)
            screen.draw([display.style.paint(line, columns) for line in lines])
            if usage is not None:
                alerts.check(usage, screen)
            key = screen.wait(_to_next_second())
            if key in ("q", "Q"):
                return 0
            if key == "r":
                worker.look_now()
            view = view.after(key)
    finally:
        worker.stop()
    return 0 if screen.leaving == signal.SIGINT else 128 + screen.leaving


class KeptChart:
    """Draws the chart anew when something but the seconds has changed: it is most of a frame."""

    def __init__(self) -> None:
        self._key: object = None
        self._drawn: list[Line] = []

    def __call__(self, usage: Usage, width: int, rows: int, glyphs: Glyphs) -> list[Line]:
        """Return the chart, as it was drawn in this minute if nothing else is new."""
        minute = usage.now.replace(second=0, microsecond=0)
        key = (minute, usage.tokens, usage.limit, usage.headline, usage.reset, width, rows, glyphs)
        if (key, usage.events is None) != self._key:
            self._key = (key, usage.events is None)
            self._drawn = burn_up(usage, width, rows, glyphs)
        return self._drawn


@dataclass(frozen=True)
class View:
    """What the keys have chosen to see."""

    display: DisplayOptions
    page: str = ""

    def after(self, key: Optional[str]) -> View:
        """Return the view after a key: `c` costs, `h` history, `?` help; each again: back."""
        if key == "c":
            return replace(
                self, display=replace(self.display, show_cost=not self.display.show_cost)
            )
        page = {"h": "history", "?": "help", ESCAPE: ""}.get(key or "", self.page)
        return replace(self, page="" if key in ("h", "?") and page == self.page else page)


def _usage(seen: PollResult, settings: Settings) -> Optional[Usage]:
    return measured(seen, settings.rules, utc_now()) if seen.reading is not None else None


def _lines(
    worker: Worker, usage: Optional[Usage], view: View, columns: int, rows: int
) -> Sequence[Line]:
    seen, display = worker.seen, view.display
    if view.page == "help":
        from monitor.views.screen.help_screen import (
            help_page,  # as below: seldom asked for, slow to load
        )

        return help_page(columns, rows, display.style.glyphs)
    if usage is not None and view.page == "history":
        from monitor.views.screen.help_screen import history_page

        return history_page(usage, seen.history, columns, rows, display)
    if usage is not None:
        return frame(usage, columns, rows, display)
    title, leave = "Claude Code", f"q or Ctrl+C to leave {display.style.glyphs.dot} ? help"
    if seen.error is not None:
        text = (seen.error.reason, seen.error.advice, "Looking again by itself.")
        return message(title, text, columns, rows, leave)
    return message(title, (_reading(worker, display),), columns, rows, leave)


def _reading(worker: Worker, display: DisplayOptions) -> str:
    data, seconds = worker.poller.reader.size, time.monotonic() - worker.began
    amount = f" {size(data.bytes)} in {plural(data.files, 'file')}," if data.files else ""
    return f"Reading usage {display.style.glyphs.ellipsis}{amount} {seconds:.0f} s"


def _to_next_second() -> float:
    return 1.0 - time.time() % 1.0 + 0.001
