"""Style, types, the built package and the one command that checks it all."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEST_LINE = (
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[node,test]'"
    " && .venv/bin/python -m pytest"
)
PARTS = ("setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md", "ccusage_monitor.py")


def run(*args: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *args],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(args)}:\n{done.stdout}"
    return done.stdout


def test_ruff_finds_no_fault() -> None:
    run("ruff", "check", ".")


def test_ruff_would_format_nothing_differently() -> None:
    run("ruff", "format", "--check", ".")


def test_mypy_strict_finds_no_fault() -> None:
    assert "Success" in run("mypy")


@pytest.mark.parametrize("name", ["README.md", ".ci/run", "CONTRIBUTING.md"])
def test_the_one_line_that_sets_up_and_tests_is_the_same_everywhere(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert TEST_LINE in [line.strip() for line in lines]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The package as pip builds it, from a copy, so that nothing is left in the clone."""
    made = tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        shutil.copy(ROOT / name, made / name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "monitor", made / "monitor", ignore=ignored)
    run("pip", "wheel", ".", "--no-deps", "-q", "-w", "out", cwd=made)
    (built,) = (made / "out").glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    files = [p for p in (ROOT / "monitor").rglob("*") if p.is_file() and p.suffix != ".pyc"]
    wanted = {p.relative_to(ROOT).as_posix() for p in files} | {"ccusage_monitor.py"}
    held = set(wheel.namelist())
    assert wanted <= held
    assert not [name for name in held if name.startswith("tests/")]


def test_the_wheel_names_licence_version_and_command(wheel: zipfile.ZipFile) -> None:
    from monitor import __version__

    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    metadata = wheel.read(f"{info}/METADATA").decode("utf-8")
    assert f"\nVersion: {__version__}\n" in metadata
    assert "\nRequires-Python: >=3.9\n" in metadata
    assert any(name.endswith("/LICENSE") for name in wheel.namelist())
    commands = wheel.read(f"{info}/entry_points.txt").decode("utf-8")
    assert "ccusage-monitor = monitor.cli:main" in commands
