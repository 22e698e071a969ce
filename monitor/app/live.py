"""The live screen: take the newest result, draw it, obey keys, every second."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Optional

from monitor.app.alerts import Alerts
from monitor.app.poller import Poller, PollResult
from monitor.app.session import offer_install, output_style
from monitor.app.signals import ignore_signals
from monitor.claude.find_claude import is_claude_there
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.errors import CcusageNotFoundError
from monitor.model.breakdown import Breakdown
from monitor.model.formatting import plural, size
from monitor.model.reading import DataSize
from monitor.model.usage import Usage
from monitor.terminal import Screen
from monitor.views.breakdown_table import mostly
from monitor.views.screen.burn_up import burn_up
from monitor.views.screen.dashboard import DisplayOptions, frame, message
from monitor.views.style import Glyphs
from monitor.views.text import DOT, Line

ESCAPE = chr(27)

LONGEST_HELP = 60

MOSTLY_EVERY, PAGE_EVERY = 60.0, 3.0
"""Seconds between two runs that read who used it: for the dashboard's line, and for its page."""

MOSTLY_ROWS, MOSTLY_COLUMNS = 20, 40
"""A terminal that is smaller has no room for the line."""

PAGES = {"h": "history", "p": "breakdown", "?": "help"}

TURNS = {"project": "model", "model": "session", "session": "project"}
"""What the breakdown shows after the key `p`."""

SCROLL = {"up": -1, "down": 1, "page_up": -1, "page_down": 1}


def run_live(settings: Settings, poller: Poller) -> int:
    """Show the live screen; offer to install ccusage if there is none. Return the exit code."""
    display = DisplayOptions(output_style(settings), settings.show_cost, demo=settings.demo)
    while True:
        try:
            with Screen(sys.stdout, sys.stdin) as screen:
                code = _watch(settings, poller, screen, display)
            ignore_signals()
            return code
        except CcusageNotFoundError as error:
            poller.resume()  # leaving the screen has stopped it
            offer_install(settings, poller, error)


@dataclass(frozen=True)
class Page:
    """Which page the user has opened with the keys: the dashboard, or the page of that name."""

    display: DisplayOptions
    name: str = ""
    first: int = 0
    """The first row that the page shows."""

    by: str = "project"
    """What the rows of the breakdown are."""

    def after(self, key: Optional[str], rows: int, blocks: int) -> Page:
        """Return the page after a key: `c` costs, `h` history, `?` help; each again: back.

        `p` opens the breakdown, and `p` or Tab there turns to the next one. Arrows, PgUp and PgDn
        scroll; the terminal has `rows`, and the history `blocks`.
        """
        if key in SCROLL and self.name:
            first = self.first + SCROLL[key] * (1 if key in ("up", "down") else max(1, rows - 6))
            last = max(0, blocks + 8 - rows) if self.name == "history" else LONGEST_HELP
            return replace(self, first=max(0, min(first, last)))
        if key == "c":
            display = replace(self.display, show_cost=not self.display.show_cost)
            return replace(self, display=display)
        if key in ("p", "\t") and self.name == "breakdown":
            return replace(self, by=TURNS[self.by], first=0)
        name = {**PAGES, ESCAPE: ""}.get(key or "", self.name)
        name = "" if key in PAGES and name == self.name else name
        by = "project" if key == "p" else self.by
        return self if name == self.name else replace(self, name=name, first=0, by=by)

    def breakdown_pause(self, columns: int, rows: int) -> Optional[float]:
        """Return how many seconds are to lie between two reads of who used it; None: no reads."""
        if self.name == "breakdown":
            return PAGE_EVERY
        has_room = columns >= MOSTLY_COLUMNS and rows >= MOSTLY_ROWS
        return MOSTLY_EVERY if not self.name and has_room else None


class CachedChart:
    """Draws the chart, most of a frame, only if more than the seconds has changed."""

    def __init__(self) -> None:
        self._key: object = None
        self._lines: list[Line] = []

    def __call__(self, usage: Usage, width: int, rows: int, glyphs: Glyphs) -> list[Line]:
        """Return the chart, as it was drawn in this minute if nothing else is new."""
        minute = usage.now.replace(second=0, microsecond=0)
        key = (minute, usage.tokens, usage.limit, usage.five_hour, usage.reset, width, rows, glyphs)
        if (key, usage.events is None) != self._key:
            self._key = (key, usage.events is None)
            self._lines = burn_up(usage, width, rows, glyphs)
        return self._lines


class Asking:
    """Asks Claude Code for its limits after the key `o`, and tells the user of it."""

    def __init__(self, settings: Settings, poller: Poller) -> None:
        self._source = poller.official
        self._began_with_key = False
        self._can_ask = not settings.demo and is_claude_there(settings.official.claude)
        self._is_off = settings.demo or settings.official.mode == "off"

    def start(self, key: str) -> None:
        """Begin to ask, for this run, if the key is `o`."""
        if key == "o" and not self._source.is_asked and self._can_ask:
            self._source.is_asked = self._began_with_key = True

    def hint(self, usage: Usage) -> str:
        """Return a dim line: how to get official limits, why there are none, how to keep them."""
        asked = usage.official.asked
        if self._source.is_asked and asked is not None and asked.fault:
            return f"no {'new ' if usage.official.windows else ''}official limits: {asked.fault}"
        if self._began_with_key:
            return "Claude Code is asked for its limits in this run; --official ask keeps that."
        if self._is_off or self._source.is_asked or usage.official.windows or not self._can_ask:
            return ""
        return "o asks Claude Code for your official limits"


def _watch(settings: Settings, poller: Poller, screen: Screen, display: DisplayOptions) -> int:
    """Show the screen until the user or a signal ends it; return the exit code.

    Raises CcusageNotFoundError, so that the caller can offer to install it.
    """
    page, alerts = Page(replace(display, chart=CachedChart())), Alerts(settings.alerts)
    asking = Asking(settings, poller)
    began = time.monotonic()
    poller.block_breakdowns.pause = page.breakdown_pause(*screen.size())
    poller.start(settings.refresh, screen.wake)
    try:
        while screen.leaving is None:
            result, (columns, rows) = poller.result, screen.size()
            if result.reading is None and isinstance(result.error, CcusageNotFoundError):
                raise result.error
            usage = result.measured(settings.rules, utc_now())
            if usage is None:
                waiting = _reading_text(poller.size, time.monotonic() - began, display)
                lines = _without_usage(result, page, waiting, columns, rows)
            else:
                hint = _history_hint(usage) or asking.hint(usage)
                who = _mostly(usage, result.breakdown)
                shown = replace(page, display=replace(page.display, hint=hint, mostly=who))
                lines = _with_usage(usage, result, shown, columns, rows)
                alerts.check(usage, screen)
            screen.draw([display.style.paint(line, columns) for line in lines])
            key = screen.wait(1.0 - time.time() % 1.0 + 0.001)  # to the next full second
            if key in ("q", "Q"):
                return 0
            page = page.after(key, rows, len(result.history.completed) if result.history else 0)
            poller.block_breakdowns.pause = page.breakdown_pause(columns, rows)
            if key in ("o", "p", "r"):
                asking.start(key)
                poller.poll_now()
    finally:
        poller.stop()
    return 0 if screen.leaving == signal.SIGINT else 128 + screen.leaving


def _with_usage(
    usage: Usage, result: PollResult, page: Page, columns: int, rows: int
) -> Sequence[Line]:
    if page.name == "help":
        from monitor.views.screen.help_screen import help_page  # seldom wanted, slow to import

        return help_page(columns, rows, page.display.style.glyphs, page.first)
    if page.name == "history":
        from monitor.views.screen.history_screen import history_page  # likewise

        return history_page(usage, result.history, columns, rows, page.display, page.first)
    if page.name == "breakdown":
        from monitor.views.screen.breakdown_screen import breakdown_page  # likewise

        found, display = result.breakdown, page.display
        return breakdown_page(usage, found, page.by, columns, rows, display, page.first)
    return frame(usage, columns, rows, page.display)


def _history_hint(usage: Usage) -> str:
    """Return a dim line: how much of the history is read, while it is."""
    running = usage.history.round
    return f"History: {running.progress}" if running and not usage.history.error else ""


def _mostly(usage: Usage, breakdown: Optional[Breakdown]) -> str:
    """Name who used most of the active block; "" while that is not known."""
    return mostly(breakdown) if breakdown is not None and breakdown.is_of(usage.block) else ""


def _without_usage(
    result: PollResult, page: Page, waiting: str, columns: int, rows: int
) -> Sequence[Line]:
    """Draw a frame without numbers: still reading, or why there is no reading."""
    glyphs = page.display.style.glyphs
    if page.name == "help":
        from monitor.views.screen.help_screen import help_page  # seldom wanted, slow to import

        return help_page(columns, rows, glyphs, page.first)
    error, keys = result.error, f"q or Ctrl+C to leave{DOT}? help"
    text = (error.reason, error.advice, "The monitor keeps trying.") if error else (waiting,)
    return message("Claude Code", text, columns, rows, keys)


def _reading_text(data: DataSize, seconds: float, display: DisplayOptions) -> str:
    amount = f" {size(data.bytes)} in {plural(data.files, 'file')}," if data.files else ""
    return f"Reading usage {display.style.glyphs.ellipsis}{amount} {seconds:.0f} s"
