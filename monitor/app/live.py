"""The live screen: take the newest result, draw it, obey keys, every second."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Optional

from monitor.app.cached import Cached
from monitor.app.opening import PolledAccount, offer_install, output_style
from monitor.app.poller import PollResult
from monitor.app.signals import ignore_signals
from monitor.app.watched_account import WatchedAccount
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.errors import CcusageNotFoundError
from monitor.model.accounts import binds_first
from monitor.model.formatting import TimeFormat, plural, size, visible
from monitor.model.reading import DataSize
from monitor.model.usage import Usage
from monitor.terminal import Screen
from monitor.views.screen.dashboard import DisplayOptions, frame, message
from monitor.views.text import DOT, Line, Span, fit

ESCAPE = chr(27)

LONGEST_HELP = 60

MEASURE_SECONDS = 15
"""While nothing is new, all but the clock is measured and drawn once in so many seconds."""

MOSTLY_EVERY, PAGE_EVERY = 60.0, 3.0
"""Seconds between two runs that read who used it: for the dashboard's line, and for its page."""

MOSTLY_ROWS, MOSTLY_COLUMNS = 20, 40
"""A terminal that is smaller has no room for the line."""

PAGES = {"h": "history", "p": "breakdown", "w": "week", "?": "help"}

TITLED = ("history", "breakdown", "week")
"""The pages that are about one account."""

TURNS = {"project": "model", "model": "session", "session": "project"}
"""What the breakdown shows after the key `p`."""

SCROLL = {"up": -1, "down": 1, "page_up": -1, "page_down": 1}


def run_live(settings: Settings, polled: Sequence[PolledAccount]) -> int:
    """Show the live screen; offer to install ccusage if there is none. Return the exit code."""
    display = DisplayOptions(output_style(settings), settings.show_cost, demo=settings.demo)
    while True:
        try:
            with Screen(sys.stdout, sys.stdin) as screen:
                code = _watch(settings, polled, screen, display)
            ignore_signals()
            return code
        except CcusageNotFoundError as error:
            for account in polled:
                account.poller.resume()  # leaving the screen has stopped it
            offer_install(settings, polled[0].poller, error)


class CachedWeek(Cached):
    """Draws the page of the week only if more than the seconds has changed."""

    def __call__(
        self, usage: Usage, turn: int, width: int, height: int, display: DisplayOptions
    ) -> list[Line]:
        """Return the page, as it was drawn in this minute if nothing else is new."""
        from monitor.views.screen.week_screen import week_page  # seldom wanted, slow to import

        known = (usage.official, usage.reached, usage.block, usage.history.completed)
        key = (turn, width, height, display.style, usage.rules, known)
        return self.lines(key, usage.now, lambda: week_page(usage, turn, width, height, display))


@dataclass(frozen=True)
class Page:
    """Which page the user has opened with the keys: the dashboard, or the page of that name."""

    display: DisplayOptions
    name: str = ""
    first: int = 0
    """The first row that the page shows."""

    by: str = "project"
    """What the rows of the breakdown are."""

    turn: int = 0
    """Which of the weekly limits the page of the week shows."""

    chosen: Optional[int] = None
    """The place of the account that the user has turned to; None: the one that binds first."""

    week: CachedWeek = field(default_factory=CachedWeek, compare=False)

    def after(self, key: Optional[str], rows: int, blocks: int, weeks: int = 1) -> Page:
        """Return the page after a key: `c` costs, `h` history, `w` week, `?` help; again: back.

        `p` opens the breakdown, and `p` or Tab there turns to the next one; so does `w` if there
        are several `weeks`. Arrows, PgUp and PgDn scroll; the terminal has `rows`, and the history
        `blocks`.
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
        if key in ("w", "\t") and self.name == "week" and weeks > 1:
            return replace(self, turn=(self.turn + 1) % weeks)
        name = {**PAGES, ESCAPE: ""}.get(key or "", self.name)
        name = "" if key in PAGES and name == self.name else name
        by = "project" if key == "p" else self.by
        return self if name == self.name else replace(self, name=name, first=0, by=by, turn=0)

    def after_all(self, key: Optional[str], rows: int, accounts: Sequence[WatchedAccount]) -> Page:
        """Return the page after a key, which may also turn to another account."""
        shown = self.account(accounts)
        # Without usage no page is drawn but the help.
        is_drawn = shown.usage is not None or self.name == "help"
        page = self if is_drawn else replace(self, name="")
        return page.after(key, rows, shown.blocks, shown.weeks).turned(key, accounts)

    def turned(self, key: Optional[str], accounts: Sequence[WatchedAccount]) -> Page:
        """Return the page after a key that turns to another account: Tab, or its number.

        The number of the one that was chosen turns back to the one that binds first.
        """
        count = len(accounts)
        if key == "\t" and self.name not in ("breakdown", "week") and count > 1:
            return replace(self, chosen=(accounts.index(self.account(accounts)) + 1) % count)
        if key and key in "123456789" and int(key) <= count > 1:
            return replace(self, chosen=None if self.chosen == int(key) - 1 else int(key) - 1)
        return self

    def account(self, accounts: Sequence[WatchedAccount]) -> WatchedAccount:
        """Return the account to show in detail."""
        if self.chosen is not None:
            return accounts[self.chosen]
        return accounts[binds_first([account.summary for account in accounts])]

    def set_pauses(self, accounts: Sequence[WatchedAccount], columns: int, rows: int) -> None:
        """Let the account that is shown be polled at every refresh, and split by who used it."""
        shown = self.account(accounts)
        for account in accounts:
            pause = self.breakdown_pause(columns, rows) if account is shown else None
            account.poller.block_breakdowns.pause = pause
            account.poller.is_shown = account is shown

    def breakdown_pause(self, columns: int, rows: int) -> Optional[float]:
        """Return how many seconds are to lie between two reads of who used it; None: no reads."""
        if self.name == "breakdown":
            return PAGE_EVERY
        has_room = columns >= MOSTLY_COLUMNS and rows >= MOSTLY_ROWS
        return MOSTLY_EVERY if not self.name and has_room else None


class Ticking:
    """Keeps the lines that were drawn; while nothing is new, only the clock in them ticks."""

    def __init__(self, time_format: TimeFormat) -> None:
        self._time_format = time_format
        self._key: object = None
        self._clock = ""
        self._lines: list[str] = []

    def lines(self, key: object, now: datetime, draw: Callable[[], list[str]]) -> list[str]:
        """Return the lines at `now`, drawn if the key is new, and every MEASURE_SECONDS."""
        key = (key, int(now.timestamp()) // MEASURE_SECONDS)
        clock = self._time_format.second(now)
        if key != self._key:
            self._key, self._lines = key, draw()
        elif self._lines:
            self._lines[0] = clock.join(self._lines[0].rsplit(self._clock, 1))
        self._clock = clock
        return self._lines


def _watch(
    settings: Settings, polled: Sequence[PolledAccount], screen: Screen, display: DisplayOptions
) -> int:
    """Show the screen until the user or a signal ends it; return the exit code.

    Raises CcusageNotFoundError, so that the caller can offer to install it.
    """
    accounts = [WatchedAccount(*account, screen) for account in polled]
    page, ticking, keys = Page(display), Ticking(settings.rules.time_format), 0
    page.set_pauses(accounts, *screen.size())
    try:
        for account in accounts:
            account.poller.start(settings.refresh, account.change)
        while screen.leaving is None:
            window, now = screen.size(), utc_now()
            new = ([account.news(now) for account in accounts], keys, page, window)
            draw = partial(_draw, accounts, page, window, now)
            screen.draw(ticking.lines(new, now, draw))
            key = screen.wait(1.0 - time.time() % 1.0 + 0.001)  # to the next full second
            if key in ("q", "Q"):
                return 0
            keys += key is not None
            page = page.after_all(key, window[1], accounts)
            page.set_pauses(accounts, *window)
            if key in ("o", "p", "r"):
                for account in accounts:
                    account.asking.start(key)
                    account.poller.poll_now()
    finally:
        for account in accounts:
            account.poller.interrupt()
        for account in accounts:
            account.poller.stop()
    return 0 if screen.leaving == signal.SIGINT else 128 + screen.leaving


def _draw(
    accounts: Sequence[WatchedAccount], page: Page, window: tuple[int, int], now: datetime
) -> list[str]:
    """Measure all accounts at `now`, and draw the page for the one that is shown.

    Raises CcusageNotFoundError while there is no ccusage, and no reading of any account.
    """
    for account in accounts:
        account.measure(now)
    if all(account.usage is None for account in accounts):
        _raise_not_found(accounts)
    shown = page.account(accounts)
    display = shown.display(page.display)
    if len(accounts) > 1:
        display = replace(display, accounts=tuple(account.summary for account in accounts))
    page = replace(page, display=display)
    if shown.usage is None:
        lines = _without_usage(shown, page, *window)
    else:
        lines = _with_usage(shown.usage, shown.result, page, *window)
        lines = _titled(lines, display.account, window[0]) if page.name in TITLED else lines
    return [display.style.paint(line, window[0]) for line in lines]


def _raise_not_found(accounts: Sequence[WatchedAccount]) -> None:
    for account in accounts:
        if isinstance(account.result.error, CcusageNotFoundError):
            raise account.result.error


def _titled(lines: Sequence[Line], account: str, width: int) -> Sequence[Line]:
    """Put the account's name into the title of a page."""
    if not account:
        return lines
    (title, *keys), *body = lines
    return [fit((title, Span(f"{DOT}{visible(account)}", "title"), *keys), width), *body]


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
    if page.name == "week":
        return page.week(usage, page.turn, columns, rows, page.display)
    return frame(usage, columns, rows, page.display)


def _without_usage(shown: WatchedAccount, page: Page, columns: int, rows: int) -> Sequence[Line]:
    """Draw a frame without numbers: still reading, or why there is no reading."""
    glyphs = page.display.style.glyphs
    if page.name == "help":
        from monitor.views.screen.help_screen import help_page  # seldom wanted, slow to import

        return help_page(columns, rows, glyphs, page.first)
    several = f"Tab account{DOT}" if page.display.accounts else ""
    error, keys = shown.result.error, f"{several}q or Ctrl+C to leave{DOT}? help"
    waiting = _reading_text(shown.poller.size, time.monotonic() - shown.began, page.display)
    text = (error.reason, error.advice, "The monitor keeps trying.") if error else (waiting,)
    return message(page.display, text, columns, rows, keys)


def _reading_text(data: DataSize, seconds: float, display: DisplayOptions) -> str:
    amount = f" {size(data.bytes)} in {plural(data.files, 'file')}," if data.files else ""
    return f"Reading usage {display.style.glyphs.ellipsis}{amount} {seconds:.0f} s"
