"""`monitor` is a common name: another module of that name must neither replace ours nor hide."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor import __version__
from tests.conftest import RunMonitor
from tests.real_ccusage import ROOT

STRANGER = "print('a stranger was run')\n"
AS_THE_COMMAND_DOES = ("-c", "from ccusage_monitor import main; main()", "--version")


def python(
    *args: object, cwd: Path, path: tuple[Path, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run Python where `path` comes before all else that is installed."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
    return subprocess.run(
        [sys.executable, *map(str, args)],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def copy_of_ours(into: Path, *, init: str) -> Path:
    """Install the start file beside a `monitor` of which only `__init__.py` is there."""
    (into / "monitor").mkdir()
    (into / "monitor" / "__init__.py").write_text(init, encoding="utf-8")
    return Path(shutil.copy(ROOT / "ccusage_monitor.py", into))


@pytest.mark.parametrize("way", [AS_THE_COMMAND_DOES, ("-m", "ccusage_monitor", "--version")])
def test_another_module_monitor_that_comes_first_is_not_taken_for_ours(
    way: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "monitor.py").write_text(STRANGER, encoding="utf-8")
    done = python(*way, cwd=tmp_path, path=(tmp_path, ROOT))
    assert done.stdout.startswith(f"ccusage-monitor, version {__version__}\n"), done.stderr


@pytest.mark.parametrize("init", ["", "__version__ = '9'\n__title__ = 'another'\n"])
def test_another_package_put_over_ours_is_named_in_two_lines(init: str, tmp_path: Path) -> None:
    done = python(copy_of_ours(tmp_path, init=init), cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    reason, advice = done.stderr.splitlines()
    assert str(tmp_path / "monitor" / "__init__.py") in reason
    assert "an environment of its own" in advice


def test_what_another_package_took_away_is_named_in_two_lines(tmp_path: Path) -> None:
    ours = (ROOT / "monitor" / "__init__.py").read_text(encoding="utf-8")
    start = copy_of_ours(tmp_path, init=ours)
    # -S: else an editable install would lend what is missing here from the clone.
    reason, advice = python("-S", start, cwd=tmp_path).stderr.splitlines()
    assert "there is no monitor.start" in reason and "Install" in advice
    (tmp_path / "monitor" / "__init__.py").unlink()
    reason, advice = python("-S", start, cwd=tmp_path).stderr.splitlines()
    assert "there is no monitor.__init__" in reason and "Install" in advice


def test_a_library_that_is_loaded_late_and_missing_is_named_the_same_way(tmp_path: Path) -> None:
    source = (
        "import runpy, sys; sys.modules['platformdirs'] = None; sys.argv = ['x', '--once'];"
        f"runpy.run_path({str(ROOT / 'ccusage_monitor.py')!r}, run_name='__main__')"
    )
    done = python("-c", source, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    reason, advice = done.stderr.splitlines()
    assert reason == "The Python package platformdirs is missing."
    assert advice == f'Install it: "{sys.executable}" -m pip install -e "{ROOT}"'


def test_doctor_names_another_package_that_installs_a_monitor(
    run_monitor: RunMonitor, tmp_path: Path
) -> None:
    info = tmp_path / "stranger-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: stranger\nVersion: 2.1\n", encoding="utf-8")
    (info / "RECORD").write_text("monitor.py,,\n", encoding="utf-8")
    (tmp_path / "monitor.py").write_text(STRANGER, encoding="utf-8")
    done = run_monitor("doctor", env={"PYTHONPATH": str(tmp_path)})
    assert "the Python package stranger 2.1 also installs a module `monitor`" in done.stdout
    assert done.returncode == 1
