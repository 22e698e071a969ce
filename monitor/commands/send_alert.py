"""`--test-alert`: send one alert in every way that was chosen, and print the results."""

from __future__ import annotations

import os
import sys
from typing import Optional

from monitor.app import exits
from monitor.app.alerts import COMMAND_SECONDS, environment, run_command, words_of
from monitor.app.opening import open_account, read_usage
from monitor.config.settings import Settings
from monitor.errors import MonitorError
from monitor.model.accounts import named
from monitor.model.alerting import Alert
from monitor.terminal import notification

ADVICE = "Choose --bell, --notify or --alert-command, here or in the settings file."


def send(settings: Settings) -> int:
    """Send the alert; return 0 when every way worked. Raises MonitorError when none was chosen."""
    chosen = settings.alerts
    if not chosen.enabled:
        raise MonitorError("No way to alert is chosen.", ADVICE)
    title = named(settings.account, "A test of ccusage-monitor")
    alert = Alert("test", title, "This is what an alert looks like.")
    worked = True
    if chosen.bell:
        print("bell: rung")
        sys.stdout.write("\a")
    if chosen.notify:
        code = notification(os.environ, alert.title, alert.sentence)
        worked = bool(code)
        print(
            "notify: sent" if code else "notify: this terminal is not known to show notifications"
        )
        sys.stdout.write(code)
    if chosen.command:
        code_of = run_command(chosen.command, _variables(settings, alert))
        worked = worked and code_of == 0
        print(f"command: {_outcome(code_of)}")
    return exits.OK if worked else exits.NO_READING


def _outcome(code: Optional[int]) -> str:
    if code is None:
        return f"could not be run, or took longer than {COMMAND_SECONDS:.0f} s"
    meaning = {126: ": it cannot be executed", 127: ": there is no such command"}
    return f"exit code {code}{meaning.get(code, '')}"


def _variables(settings: Settings, alert: Alert) -> dict[str, str]:
    """Return the command's environment variables: of the present usage too, if there is any."""
    try:
        with open_account(settings) as (used, poller):
            return environment(alert, read_usage(used, poller), settings.account)
    except MonitorError:
        return words_of(alert, settings.account)
