"""The official limits: what is stored of them, and when Claude Code is asked for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Optional

from monitor.claude.find_claude import find_claude
from monitor.claude.usage_query import query_usage
from monitor.config.settings import OfficialOptions
from monitor.errors import MonitorError
from monitor.model.blocks import real_blocks
from monitor.model.history import History
from monitor.model.official import Asked, OfficialLimits, together, with_answer
from monitor.model.reading import Reading
from monitor.process import ProcessRunner
from monitor.store.json_file import locked
from monitor.store.official import OfficialFiles, asking_path, change_official, official_path
from monitor.transcripts.data_dirs import projects_of

ASK_EVERY = timedelta(minutes=5)
"""How often Claude Code is asked at most while usage goes on."""

ASK_AGAIN = timedelta(seconds=70)
"""After a limit hit or a reset it is asked at once, but it repeats an answer for a minute."""


class OfficialSource:
    """Loads the official limits of data directories; asks Claude Code for them if that is chosen.

    `is_asked` says that it is.
    """

    def __init__(
        self,
        options: OfficialOptions,
        workdir: Path,
        state_dir: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self.is_asked = options.mode == "ask"
        self._options = options
        self._runner = ProcessRunner(workdir)
        self._state_dir = state_dir
        self._clock = clock
        self._is_start = True
        self._files = OfficialFiles(state_dir)
        self._not_stored: dict[str, OfficialLimits] = {}

    def load(self, data_dirs: Sequence[str]) -> OfficialLimits:
        """Return what is known; nothing if the user wants no official limits."""
        if self._options.mode == "off" and not self.is_asked:
            return OfficialLimits()
        homes = {str(official_path(Path(), name)): name for name in data_dirs}
        return together({name: self._known(name) for name in homes.values()})

    def ask(self, reading: Reading, history: Optional[History], *, force: bool = False) -> bool:
        """Ask for the limits of each data directory that are due; return whether any was asked.

        Without an answer the reason is stored. Of several processes one asks, for all of them.
        """
        if not self.is_asked:
            return False
        known = history or History()
        asked = [self._ask_once(name, reading, known, force=force) for name in _homes(reading)]
        self._is_start = False
        return any(asked)

    def stop(self) -> None:
        """End the Claude Code that is being asked, from any thread."""
        self._runner.stop()

    def resume(self) -> None:
        """Allow questions again after `stop`."""
        self._runner.resume()

    def _known(self, data_dir: str) -> OfficialLimits:
        """Return what is known of one data directory: what is stored, or could not be."""
        own = self._not_stored.get(data_dir)
        return self._files.load(data_dir) if own is None else own

    def _ask_once(self, data_dir: str, reading: Reading, history: History, *, force: bool) -> bool:
        def is_due() -> bool:
            limits = self.load([data_dir])
            return force or is_ask_due(
                limits, reading, history, self._clock(), is_start=self._is_start
            )

        if not is_due():
            return False
        try:
            with locked(asking_path(self._state_dir, data_dir), seconds=0):
                if is_due():  # another process may just have asked
                    self._query(data_dir)
        except BlockingIOError:
            return False  # another process asks
        except OSError:
            self._query(data_dir)
        return True

    def _query(self, data_dir: str) -> None:
        now = self._clock()
        change = self._answered(data_dir, now)
        try:
            change_official(self._state_dir, data_dir, change)
            self._not_stored.pop(data_dir, None)
        except OSError:
            self._not_stored[data_dir] = change(self._known(data_dir))

    def _answered(self, data_dir: str, now: datetime) -> Callable[[OfficialLimits], OfficialLimits]:
        """Ask, and return how the answer, or the lack of one, changes what is known."""
        try:
            program, named = find_claude(self._options.claude), Path(data_dir)
            home = named.parent if projects_of(named) == named else named
            answer = query_usage(program.argv, self._runner, home, now)
        except MonitorError as error:
            self._runner.check_not_stopped()
            asked = Asked(now, error.reason)
            return lambda known: replace(known, asked=asked)
        return lambda known: with_answer(known, answer, now)


def is_ask_due(
    limits: OfficialLimits, reading: Reading, history: History, now: datetime, *, is_start: bool
) -> bool:
    """Return whether Claude Code should be asked, by when it was asked last.

    That is so every five minutes at the start and while usage goes on, and at once after a limit
    hit or a reset.
    """
    asked_at = limits.asked.at if limits.asked else None
    if asked_at is None or not timedelta() <= now - asked_at < timedelta(days=1):
        return True
    if now - asked_at >= ASK_EVERY:
        active = (block.last_activity for block in real_blocks(reading.blocks))
        return is_start or any(at is not None and at > asked_at for at in active)
    resets = [window.resets_at for window in limits.windows.values() if window.resets_at]
    events = [*(hit.at for hit in history.hits), *resets]
    return now - asked_at >= ASK_AGAIN and any(asked_at < at <= now for at in events)


def _homes(reading: Reading) -> list[str]:
    """Return the data directories, each once."""
    named = {official_path(Path(), name): name for name in reading.source.data_dirs}
    return list(named.values())
