"""One account under watch on the live screen: its newest usage, its chart, alerts and questions."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from typing import Optional

from monitor.app.alerts import Alerts
from monitor.app.cached import Cached
from monitor.app.poller import Poller, PollResult
from monitor.claude.find_claude import is_claude_there
from monitor.config.settings import Settings
from monitor.model.accounts import AccountUsage
from monitor.model.official import no_answer
from monitor.model.usage import Usage
from monitor.terminal import Screen
from monitor.views.breakdown_table import mostly
from monitor.views.screen.burn_up import burn_up
from monitor.views.screen.dashboard import DisplayOptions
from monitor.views.style import Glyphs
from monitor.views.text import Line


class CachedChart(Cached):
    """Draws the chart, most of a frame, only if more than the seconds has changed."""

    def __call__(self, usage: Usage, width: int, rows: int, glyphs: Glyphs) -> list[Line]:
        """Return the chart, as it was drawn in this minute if nothing else is new."""
        limits = (usage.limit, usage.five_hour, usage.reset)
        key = (usage.tokens, limits, usage.events is None, width, rows, glyphs)
        return self.lines(key, usage.now, lambda: burn_up(usage, width, rows, glyphs))


NO_CLAUDE = "Claude Code cannot be asked: claude was not found on PATH; --claude names it."


class Asking:
    """Asks Claude Code for its limits after the key `o`, and tells the user of it."""

    def __init__(self, settings: Settings, poller: Poller) -> None:
        self._source = poller.official
        self._began_with_key = False
        self._can_ask = not settings.demo and is_claude_there(settings.official.claude)
        self._is_off = settings.demo or settings.official.mode == "off"

    def start(self, key: str) -> None:
        """Begin to ask, for this run, if the key is `o`."""
        if key == "o" and not self._source.is_asked:
            self._began_with_key = True
            self._source.is_asked = self._can_ask

    def hint(self, usage: Usage) -> str:
        """Return a dim line: how to get official limits, why there are none, how to keep them."""
        fault = no_answer(usage.official) if self._source.is_asked else ""
        if fault:
            return fault
        if self._began_with_key and not self._can_ask:
            return NO_CLAUDE
        if self._began_with_key:
            return "Claude Code is asked for its limits in this run; --official ask keeps that."
        if self._is_off or self._source.is_asked or usage.official.windows or not self._can_ask:
            return ""
        return "o asks Claude Code for your official limits"


class WatchedAccount:
    """The newest result of an account's poller, and its usage at this turn of the loop."""

    def __init__(self, settings: Settings, poller: Poller, screen: Screen) -> None:
        self.poller = poller
        self.asking = Asking(settings, poller)
        self.result = PollResult()
        self.usage: Optional[Usage] = None
        self.began = time.monotonic()
        self._settings = settings
        self._screen = screen
        self._alerts = Alerts(settings.alerts, settings.account)
        self._chart = CachedChart()
        self._changes = 0
        self._ends: list[datetime] = []

    def change(self) -> None:
        """Note, in the thread that polls, that the result is another."""
        self._changes += 1
        self._screen.wake()

    def news(self, now: datetime) -> object:
        """Return what differs if there is something new: time alone is, while nothing is read.

        So is the end of the limit or of the block.
        """
        is_over = [at <= now for at in self._ends]
        return self._changes, is_over, None if self.poller.result.reading else now

    def measure(self, now: datetime) -> None:
        """Take the newest result, measure it at `now`, and send the alerts that are due."""
        result = self.poller.result
        self.result, self.usage = result, result.measured(self._settings.rules, now)
        if self.usage is not None:
            block = self.usage.block
            self._ends = [at for at in (self.usage.reset.at, block.end if block else None) if at]
            self._alerts.check(self.usage, self._screen)

    @property
    def summary(self) -> AccountUsage:
        """The account with its usage, or why there is none."""
        error = self.result.error.reason if self.result.error and self.usage is None else ""
        return AccountUsage(self._settings.account, self.usage, error)

    @property
    def blocks(self) -> int:
        """How many past blocks are known."""
        return len(self.result.history.completed) if self.result.history else 0

    @property
    def weeks(self) -> int:
        """How many weekly limits are known."""
        return len(self.usage.weeks) if self.usage else 0

    def display(self, display: DisplayOptions) -> DisplayOptions:
        """Return the display with what is the account's own."""
        own = replace(display, account=self._settings.account, chart=self._chart)
        if self.usage is None:
            return own
        hint = _history_hint(self.usage) or self.asking.hint(self.usage)
        return replace(own, hint=hint, mostly=_mostly(self.usage, self.result))


def _history_hint(usage: Usage) -> str:
    """Return a dim line: how much of the history is read, while it is."""
    running = usage.history.round
    return f"History: {running.progress}" if running and not usage.history.error else ""


def _mostly(usage: Usage, result: PollResult) -> str:
    """Name who used most of the active block; "" while that is not known."""
    found = result.breakdown
    return mostly(found) if found is not None and found.is_of(usage.block) else ""
