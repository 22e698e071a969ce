"""Tell the user of an alert: bell, desktop notification through the terminal, own command."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass
from typing import Optional, Protocol

from monitor.ccusage.runner import end_group, stop_key_held_back
from monitor.model.alerting import PERCENTS, Alert, Armed, due
from monitor.model.usage import Usage
from monitor.views.snapshot import utc

COMMAND_SECONDS = 30.0


@dataclass(frozen=True)
class AlertSettings:
    """When and how to tell; with no way to tell there are no alerts."""

    percents: tuple[float, ...] = PERCENTS
    bell: bool = False
    notify: bool = False
    command: Optional[str] = None

    @property
    def wanted(self) -> bool:
        """Whether any way to tell was chosen."""
        return self.bell or self.notify or bool(self.command)


class Bell(Protocol):
    """What can ring and notify: the screen, which owns the terminal."""

    def bell(self) -> None:
        """Ring the terminal's bell."""

    def notify(self, title: str, text: str) -> None:
        """Show a desktop notification where the terminal can."""


class Alerts:
    """Remembers what was told, and tells what is due."""

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings
        self._armed = Armed()

    def check(self, usage: Usage, screen: Bell) -> None:
        """Tell what is due; never waits for the user's command."""
        if not self._settings.wanted:
            return
        alerts, self._armed = due(self._armed, usage, self._settings.percents)
        for alert in alerts:
            tell(alert, usage, self._settings, screen)


def tell(alert: Alert, usage: Usage, settings: AlertSettings, screen: Bell) -> None:
    """Tell one alert in every way that was chosen."""
    if settings.bell:
        screen.bell()
    if settings.notify:
        screen.notify(alert.title, alert.sentence)
    if settings.command:
        run = threading.Thread(
            target=run_command, args=(settings.command, environment(alert, usage)), daemon=True
        )
        run.start()


def environment(alert: Alert, usage: Usage) -> dict[str, str]:
    """Return what the user's command gets to know, as environment variables."""
    left = usage.headline.tokens_left
    values = {
        "STATUS": usage.status,
        "VERDICT": usage.verdict,
        "PERCENT": f"{usage.percent:.1f}",
        "SOURCE": usage.headline.source,
        "TOKENS_USED": str(usage.tokens.counted),
        "TOKENS_LEFT": "" if left is None else str(round(left)),
        "RESET_AT": utc(usage.reset.at) or "",
        "RUNS_OUT_AT": utc(usage.forecast.runs_out_at) or "",
    }
    return {**words_of(alert), **{f"CCUSAGE_ALERT_{name}": said for name, said in values.items()}}


def words_of(alert: Alert) -> dict[str, str]:
    """Return the alert's own words as environment variables."""
    values = {"KIND": alert.kind, "TITLE": alert.title, "SENTENCE": alert.sentence}
    return {f"CCUSAGE_ALERT_{name}": said for name, said in values.items()}


def run_command(
    command: str, variables: dict[str, str], seconds: float = COMMAND_SECONDS
) -> Optional[int]:
    """Run the user's own shell command with the data in its environment, never in its text.

    It outlives Ctrl+C and a closed terminal, so that what is due is told. Returns its exit code;
    None when it could not be run, or took longer than `seconds` and was ended with all it started.
    """
    try:
        with stop_key_held_back():
            child = subprocess.Popen(  # noqa: S602 - the user's own command line
                command,
                shell=True,
                env={**os.environ, **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
    except (OSError, ValueError):
        return None
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        end_group(child)
        child.wait()
        return None
