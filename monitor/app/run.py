"""Run the monitor with the output that the options ask for."""

from __future__ import annotations

import os
import sys

from monitor.app.once import follow, print_frame, print_snapshot
from monitor.app.opening import open_accounts
from monitor.config.settings import Settings


def run(settings: Settings) -> int:
    """Run until the output is printed or the user leaves; return the exit code.

    Raises MonitorError if no reading can be had.
    """
    with open_accounts(settings) as polled:
        if settings.output == "live" and _can_show_screen():
            from monitor.app.live import run_live  # the other outputs need no screen

            return run_live(polled[0].settings, polled)
        action = {"json": print_snapshot, "follow": follow}.get(settings.output, print_frame)
        return action(polled)


def _can_show_screen() -> bool:
    """Return whether a live screen can be drawn; a dumb terminal would print the cursor codes."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
