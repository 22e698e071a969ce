"""`--version` names both programs, and runs neither ccusage nor anything else for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable

import pytest

from monitor import __version__
from tests.conftest import RunMonitor

OURS = f"ccusage-monitor, version {__version__}"


@pytest.fixture
def marked(tmp_path: Path) -> tuple[Path, Path]:
    """Lend a directory with a `ccusage` that leaves a file when it is run, and that file."""
    mark = tmp_path / "was-run"
    program = tmp_path / "bin" / "ccusage"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\necho 17.2.1\n", encoding="utf-8")
    program.chmod(0o755)
    return program.parent, mark


def lines(run_monitor: RunMonitor, **env: str) -> list[str]:
    done = run_monitor("--version", env=env)
    assert done.returncode == 0 and done.stderr == ""
    return str(done.stdout).splitlines()


def test_the_version_of_ccusage_is_read_from_its_package(
    run_monitor: RunMonitor, real_ccusage: Callable[[str], Path]
) -> None:
    path = os.pathsep.join((str(real_ccusage("17.2.1").parent), os.environ["PATH"]))
    assert lines(run_monitor, PATH=path) == [OURS, "ccusage found: 17.2.1"]


def test_without_a_ccusage_it_says_so(run_monitor: RunMonitor, tmp_path: Path) -> None:
    assert lines(run_monitor, PATH=str(tmp_path)) == [OURS, "ccusage: not found"]


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
@pytest.mark.parametrize("option", ["", " --quiet"], ids=["on PATH", "named"])
def test_a_program_that_would_have_to_be_run_is_not_run(
    run_monitor: RunMonitor, marked: tuple[Path, Path], option: str
) -> None:
    folder, mark = marked
    chosen = {"CCUSAGE_MONITOR_CCUSAGE": f"{folder / 'ccusage'}{option}"} if option else {}
    (first, second) = lines(run_monitor, PATH=str(folder), **chosen)
    assert first == OURS and "doctor" in second
    assert not mark.exists()


def test_a_broken_settings_file_and_a_home_that_cannot_be_do_not_hide_the_version(
    run_monitor: RunMonitor, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("plan = [", encoding="utf-8")
    env = {"CCUSAGE_MONITOR_CONFIG": str(bad), "HOME": "/nowhere\x01", "PATH": ""}
    assert lines(run_monitor, **env)[0] == OURS
