"""Every way to start: the same program; and what an unfit Python or environment is told."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor import __version__
from tests.real_ccusage import ROOT, SCRIPTS

SCRIPT = shutil.which("ccusage-monitor", path=str(SCRIPTS)) or "ccusage-monitor"
STARTER = ROOT / "ccusage_monitor.py"
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
TOO_OLD = ("2.7", "3.6", "3.8")
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


def python_of(version: str) -> str:
    """Return an installed Python of this version, by pyenv or on PATH."""
    by_pyenv = [str(path) for path in sorted(PYENV.glob(f"{version}.*/bin/python"))]
    for path in (*by_pyenv, shutil.which(f"python{version}")):
        if (
            path
            and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0
        ):
            return path
    pytest.skip(f"there is no Python {version} here")


def errors_of(*words: object, cwd: Path) -> list[str]:
    """Return the lines on standard error of a program that ends with 1 and prints nothing else."""
    done = subprocess.run(
        [*map(str, words)], cwd=cwd, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which nothing was installed."""
    for name in ("ccusage_monitor.py", "setup.py"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "monitor", tmp_path / "monitor", ignore=shutil.ignore_patterns("*.pyc"))
    return tmp_path


def with_environment(clone: Path) -> None:
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()


@pytest.mark.parametrize("version", TOO_OLD)
@pytest.mark.parametrize("words", [["ccusage_monitor.py", "--once"], ["-m", "monitor"]])
def test_an_old_python_is_told_which_is_needed(version: str, words: list[str], clone: Path) -> None:
    python = python_of(version)
    reason, advice = errors_of(python, *words, cwd=clone)
    assert reason == f"Python 3.9 or newer is needed (this is {version})."
    assert advice.endswith("such as: python3.13 -m venv --clear .venv")
    with_environment(clone)
    assert errors_of(python, *words, cwd=clone) == [
        reason,
        "Use .venv/bin/python ccusage_monitor.py",
    ]


@pytest.mark.parametrize("version", TOO_OLD[1:])
def test_pip_of_an_old_python_hears_the_same_from_setup_py(version: str, clone: Path) -> None:
    said = errors_of(python_of(version), "setup.py", "egg_info", cwd=clone)
    assert said == [f"Python 3.9 or newer is needed (this is {version})."]


TOO_NEW = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Starred, ast.Nonlocal)


def test_python_2_can_read_the_starter() -> None:
    nodes = list(ast.walk(ast.parse(STARTER.read_text(encoding="utf-8"), feature_version=(3, 7))))
    annotated = [n for n in nodes if getattr(n, "annotation", None) or getattr(n, "returns", None)]
    futures = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    assert annotated + futures + [n for n in nodes if isinstance(n, TOO_NEW)] == []


def test_a_clone_without_its_libraries_says_how_to_install_them(clone: Path) -> None:
    # -S: else an editable install would lend what is missing here.
    assert errors_of(sys.executable, "-S", "ccusage_monitor.py", cwd=clone) == [
        "The Python package click is missing.",
        f'Install it: "{sys.executable}" -m pip install -e "{clone}"',
    ]


def test_without_the_environment_beside_it_the_starter_names_that(clone: Path) -> None:
    with_environment(clone)
    python = Path(".venv", "bin", "python")
    words = (sys.executable, "-S", clone / "ccusage_monitor.py")
    assert errors_of(*words, cwd=clone)[1] == f"Use {python} ccusage_monitor.py"
    used = f'Use "{clone / python}" "{clone / "ccusage_monitor.py"}"'
    assert errors_of(*words, cwd=clone.parent)[1] == used
