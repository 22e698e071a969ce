"""Style, types, the built package and the one command that checks it all."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
TEST_LINE = (
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[node,test]'"
    " && .venv/bin/python -m pytest"
)
PARTS = (
    *("setup.py", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md", "ccusage_monitor.py"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "requirements.lock", ".pre-commit-config.yaml"),
)
FOLDERS = (".ci", ".github", "benchmarks", "contrib", "docs", "monitor", "tests")
CACHED = "__pycache__"
CHECKS = ("ruff check .", "ruff format --check .", "mypy")
WORKFLOW = ".github/workflows/ci.yml"


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


@pytest.mark.parametrize("command", CHECKS)
def test_it_passes_the_check(command: str) -> None:
    run(*command.split())


def test_pre_commit_runs_the_same_checks_with_the_same_tools() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"^ +entry: \.venv/bin/python -m (.+)$", text, re.MULTILINE)
    assert tuple(entries) == CHECKS


def test_the_workflow_is_one_that_github_understands() -> None:
    run("check_jsonschema", "--builtin-schema", "vendor.github-workflows", WORKFLOW)


def test_the_workflow_tests_the_oldest_and_the_newest_python(wheel: zipfile.ZipFile) -> None:
    supported = re.findall(r"^Classifier: .*Python :: (3\.\d+)$", metadata_in(wheel), re.MULTILINE)
    pythons = re.findall(r"python: \[(.+)\]", (ROOT / WORKFLOW).read_text(encoding="utf-8"))
    assert set(pythons) == {f'"{supported[0]}", "{supported[-1]}"'}


@pytest.mark.parametrize("name", ["README.md", ".ci/run", "CONTRIBUTING.md"])
def test_the_one_line_that_sets_up_and_tests_is_the_same_everywhere(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert TEST_LINE in [line.strip() for line in lines]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip has built the package: from a copy, so that nothing is left in the clone."""
    made = tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        shutil.copy(ROOT / name, made / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns(CACHED))
    run("pip", "wheel", ".", "--no-deps", "-q", "-w", "out", cwd=made)
    return made


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    """The wheel that pip has built."""
    (found,) = (built / "out").glob("*.whl")
    return zipfile.ZipFile(found)


def metadata_in(wheel: zipfile.ZipFile) -> str:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return wheel.read(name).decode("utf-8")


def files_in(*folders: str) -> set[str]:
    files = {p for folder in folders for p in (ROOT / folder).rglob("*") if p.is_file()}
    return {p.relative_to(ROOT).as_posix() for p in files if CACHED not in p.parts}


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    held = set(wheel.namelist())
    assert files_in("monitor") | {"ccusage_monitor.py"} <= held
    assert not [name for name in held if name.startswith("tests/")]
    assert any(name.endswith("/share/man/man1/ccusage-monitor.1") for name in held)


def test_an_sdist_would_hold_all_that_the_tests_need(built: Path) -> None:
    # The list that a source distribution is packed by; building a wheel writes it too.
    listed = (built / "ccusage_monitor.egg-info" / "SOURCES.txt").read_text(encoding="utf-8")
    assert files_in(*FOLDERS) | set(PARTS) <= set(listed.splitlines())


def test_the_wheel_names_licence_version_and_command(wheel: zipfile.ZipFile) -> None:
    from monitor import __version__

    metadata = metadata_in(wheel)
    assert f"\nVersion: {__version__}\n" in metadata
    assert "\nRequires-Python: >=3.9\n" in metadata
    assert any(name.endswith("/LICENSE") for name in wheel.namelist())
    (commands,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    assert "ccusage-monitor = ccusage_monitor:main" in wheel.read(commands).decode("utf-8")


def test_the_lock_names_a_version_that_fits_for_every_library(wheel: zipfile.ZipFile) -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    needed = re.findall(r"^Requires-Dist: (.+)$", metadata_in(wheel), re.MULTILINE)
    libraries = [Requirement(text) for text in needed if "extra ==" not in text]
    assert len(libraries) > 5
    for library in libraries:
        versions = re.findall(rf"^{library.name}==(\S+)", lock, re.MULTILINE)
        assert versions, library
        assert all(library.specifier.contains(version) for version in versions), library


def test_the_lock_holds_a_hash_of_every_file_and_no_place_to_fetch_it_from() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "//" not in lock and "--index" not in lock and "--find-links" not in lock
    entries = re.split(r"\n(?=[a-z])", re.sub(r"^#.*\n", "", lock, flags=re.MULTILINE))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
