"""Send alerts: the bell, a desktop notification through the terminal, the user's own command."""

from __future__ import annotations

import threading
from typing import Optional, Protocol

from monitor.config.settings import AlertOptions
from monitor.model.accounts import named
from monitor.model.alerting import Alert, AlertState, due_alerts
from monitor.model.formatting import visible
from monitor.model.usage import Usage
from monitor.process import run_shell
from monitor.views.snapshot import utc

COMMAND_SECONDS = 30.0


class Bell(Protocol):
    """What can ring and notify: the screen, which owns the terminal."""

    def bell(self) -> None:
        """Ring the terminal's bell."""

    def notify(self, title: str, text: str) -> None:
        """Show a desktop notification where the terminal can."""


class Alerts:
    """Remembers which alerts were sent, and sends those that are due."""

    def __init__(self, settings: AlertOptions, account: str = "") -> None:
        self._settings = settings
        self._account = account
        self._state = AlertState()

    def check(self, usage: Usage, screen: Bell) -> None:
        """Send the alerts that are due; never wait for the user's command."""
        if not self._settings.enabled:
            return
        alerts, self._state = due_alerts(usage, self._state, self._settings.percents)
        for alert in alerts:
            send(alert, usage, self._settings, screen, self._account)


def send(
    alert: Alert, usage: Usage, settings: AlertOptions, screen: Bell, account: str = ""
) -> None:
    """Send one alert in every way that was chosen; its title begins with the account's name."""
    alert = alert._replace(title=named(account, alert.title))
    if settings.bell:
        screen.bell()
    if settings.notify:
        screen.notify(alert.title, alert.sentence)
    if settings.command:
        run = threading.Thread(
            target=run_command,
            args=(settings.command, environment(alert, usage, account)),
            daemon=True,
        )
        run.start()


def environment(alert: Alert, usage: Usage, account: str = "") -> dict[str, str]:
    """Return the environment variables that describe an alert to the user's command."""
    left, used = usage.headline.tokens_left, usage.headline.used_percent
    values = {
        "STATUS": usage.status,
        "VERDICT": usage.forecast.verdict,
        "PERCENT": "" if used is None else f"{used:.1f}",
        "SOURCE": usage.headline.source,
        "TOKENS_USED": str(usage.limit.used),
        "TOKENS_LEFT": "" if left is None else str(round(left)),
        "RESET_AT": utc(usage.reset.at) or "",
        "RUNS_OUT_AT": utc(usage.forecast.runs_out_at) or "",
    }
    return {**words_of(alert, account), **_prefixed(values)}


def words_of(alert: Alert, account: str = "") -> dict[str, str]:
    """Return the environment variables with the alert's own texts."""
    words = {"KIND": alert.kind, "TITLE": alert.title, "SENTENCE": alert.sentence}
    return _prefixed({**words, "ACCOUNT": account})


def _prefixed(values: dict[str, str]) -> dict[str, str]:
    return {f"CCUSAGE_ALERT_{name}": visible(text) for name, text in values.items()}


def run_command(
    command: str, variables: dict[str, str], seconds: float = COMMAND_SECONDS
) -> Optional[int]:
    """Run the user's own shell command with the data in its environment, never in its text.

    It outlives Ctrl+C and a closed terminal. Return its exit code; None if it could not be run, or
    took longer than `seconds` and was ended with all it started.
    """
    return run_shell(command, variables=variables, limit_seconds=seconds)[0]
