"""Markers, profiles and fixtures of all tests: a clean environment, ccusage, the monitor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import is_hypothesis_test, settings

from tests.real_ccusage import ROOT, VERSIONS, install, with_node

# A shell starts its background jobs with these ignored (nohup the last one too), and so would be
# what the tests start.
for name in ("SIGINT", "SIGQUIT", "SIGHUP"):
    number = getattr(signal, name, signal.SIGINT)
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

# A settings file that a group can write must not start programs.
os.umask(0o022)

HOMES = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
XDG = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")
OURS = ("CCUSAGE", "CLAUDE")
DISPLAY = ("CLICOLOR", "COLOR", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR")
LOCALE = ("LANG", "LC_", "PYTHONIOENCODING", "PYTHONUTF8")

RunMonitor = Callable[..., "subprocess.CompletedProcess[str]"]

LIVE = ROOT / "tests" / "live"
LONGEST = ("test_exactness.py", "test_checks.py")

# There is no deadline: the duration of an example depends on the machine. A run tries the same
# examples every time, so it fails only because of a change; "explore" searches for new faults.
settings.register_profile("project", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))


def examples(count: int) -> int:
    """Return the number of examples of a slow property test: `count`, more when exploring."""
    usual: int = settings().max_examples
    return count * usual // 100


@pytest.hookimpl(wrapper=True, optionalhook=True)  # unknown with -p no:xdist
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Start one worker more than there are cores: tests often wait for a program."""
    return (yield) + 1


@pytest.hookimpl(tryfirst=True)  # before -m deselects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set the markers; run the longest tests first, so that no worker waits for one at the end."""
    for item in items:
        if LIVE in item.path.parents:
            item.add_marker("live")
        if "real_ccusage" in getattr(item, "fixturenames", ()):
            item.add_marker("real_ccusage")
        if settings().max_examples > 100 and is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.timeout(0))
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install the real versions before the first test: its time limit does not allow for npm."""
    if any(item.get_closest_marker("real_ccusage") for item in session.items):
        with suppress(RuntimeError):  # raised again in each test that needs the version
            for version in VERSIONS:
                install(version)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Turn a skipped test of a real ccusage into a failure in CI."""
    report = yield
    if report.skipped and "CI" in os.environ and item.get_closest_marker("real_ccusage"):
        report.outcome = "failed"
        report.longrepr = f"a test of a real ccusage was skipped in CI: {report.longrepr}"
    return report


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
