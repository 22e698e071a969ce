from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor import __version__
from tests.real_ccusage import ROOT, SCRIPTS

SCRIPT = shutil.which("ccusage-monitor", path=str(SCRIPTS)) or "ccusage-monitor"
WAYS = {
    "script in the clone": [sys.executable, str(ROOT / "ccusage_monitor.py")],
    "module": [sys.executable, "-m", "monitor"],
    "console script": [SCRIPT],
}


def output(way: str, option: str, cwd: Path) -> str:
    done = subprocess.run(
        [*WAYS[way], option],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_start_is_the_same_program(way: str, tmp_path: Path) -> None:
    cwd = ROOT if way == "module" else tmp_path
    assert __version__ in output(way, "--version", cwd)
    # The first line of the help names what was typed.
    offered = output(way, "--help", cwd).splitlines()[1:]
    assert offered == output("script in the clone", "--help", ROOT).splitlines()[1:]


def test_the_users_environment_and_home_are_out_of_reach(isolated: Path) -> None:
    assert Path.home() == isolated
    assert list(isolated.iterdir()) == []
