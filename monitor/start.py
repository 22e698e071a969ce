"""Start the program: the plain status-line hook at once, all else through the command line."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the program; ends the process with an exit code of the contract."""
    if sys.argv[1:] == ["statusline"] and not _has_settings():
        # Claude Code runs it at every answer; without click it takes half the time.
        from monitor.app.status_line_hook import run_hook
        from monitor.config.settings import AlertOptions, DataOptions, LimitOptions, Settings

        sys.exit(run_hook(Settings(LimitOptions(), DataOptions(), AlertOptions())))
    from monitor.cli import main as run

    run()


def _has_settings() -> bool:
    """Return whether the environment or a settings file may hold settings."""
    from monitor.store.paths import settings_path

    try:
        has_file = os.path.lexists(settings_path())
    except OSError:
        return True  # nobody knows: the command line finds out
    return has_file or any(name.startswith("CCUSAGE_MONITOR_") for name in os.environ)
