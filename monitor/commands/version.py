"""`--version`: print ours and that of the ccusage found, read from its files; nothing is run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NoReturn

import click

from monitor import __title__, __version__


def print_version() -> None:
    """Print both versions. Does not fail, whatever is wrong with ccusage.

    The first line is ours alone, for scripts. The ccusage is the one that is used unless an option
    or the settings file names another: they are not read yet.
    """
    click.echo(f"{__title__}, version {__version__}\n{_ccusage()}")


def _ccusage() -> str:
    from monitor.ccusage.find import find
    from monitor.ccusage.runner import CcusageRunner
    from monitor.errors import CcusageNotFoundError, MonitorError
    from monitor.model.formatting import visible
    from monitor.store.paths import cache_dir

    class NoRunner(CcusageRunner):
        def run(self, *_args: Any, **_options: Any) -> NoReturn:
            raise MonitorError("It would have to be run.", "")

    named = os.environ.get("CCUSAGE_MONITOR_CCUSAGE") or None
    try:
        found = find(named, cache_dir(), NoRunner(Path())).version
        return f"ccusage found: {visible(str(found))}"
    except CcusageNotFoundError:
        return "ccusage: not found"
    except (MonitorError, OSError, RuntimeError):  # such as a home directory that is not known
        return f"ccusage: of unknown version; `{__title__} doctor` says more"
