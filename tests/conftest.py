"""Fixtures for all tests: a clean environment, the real ccusage versions, the monitor itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import settings

from tests.real_ccusage import ROOT, install, with_node

# A shell starts its background jobs with these ignored (nohup the last one too), and so would be
# what the tests start.
for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
    number = getattr(signal, name, signal.SIGINT)
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

HOMES = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
XDG = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")
OURS = ("CCUSAGE", "CLAUDE")
DISPLAY = ("CLICOLOR", "COLOR", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR")
LOCALE = ("LANG", "LC_", "PYTHONIOENCODING", "PYTHONUTF8")

RunMonitor = Callable[..., "subprocess.CompletedProcess[str]"]

# No deadlines: how long an example takes says more about the machine than about the code.
# CI tries the same examples each time, so that it turns red only for what changed.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("project")


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep a test from the user's files and settings; return the empty home it has instead."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(OURS + DISPLAY + LOCALE):
            monkeypatch.delenv(name)
    for name in HOMES:
        monkeypatch.setenv(name, str(home))
    for name in XDG:
        monkeypatch.setenv(name, str(home / name.split("_")[1].lower()))
    for name, value in {"TZ": "UTC", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    # As in an activated environment: the tests run where nothing but Python was there before.
    monkeypatch.setenv("PATH", with_node(os.environ["PATH"]))
    return home


@pytest.fixture(scope="session")
def real_ccusage() -> Callable[[str], Path]:
    """Give the executable of a real ccusage, such as `real_ccusage("17.2.1")`.

    Its directory can be put on PATH. A version that cannot be installed is an error, never a skip.
    """
    return install


@pytest.fixture
def run_monitor() -> RunMonitor:
    """Run `python ccusage_monitor.py …` to its end: `run_monitor("--once", env={…}, input=…)`."""

    def run(*args: object, **options: Any) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **options.pop("env", {})}
        if "input" not in options:
            options["stdin"] = subprocess.DEVNULL
        return subprocess.run(
            [sys.executable, "ccusage_monitor.py", *map(str, args)],
            cwd=ROOT,
            env=env,
            capture_output=True,
            encoding="utf-8",
            timeout=options.pop("timeout", 60),
            check=False,
            **options,
        )

    return run
