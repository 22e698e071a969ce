"""The rules of the test run itself: what fails in CI, what is marked, which examples are tried."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.real_ccusage import ROOT

SKIPS = """
import pytest

def test_of_a_real_one(real_ccusage):
    pytest.skip("no npm here")

def test_of_something_else():
    pytest.skip("no such shell here")
"""


def results_of(source: str, where: Path, *options: str, **env: str) -> dict[str, int]:
    """Run pytest with our conftest on one file of tests; how many passed, failed, were skipped."""
    (where / "test_it.py").write_text(source, encoding="utf-8")
    left_out = ("CI", "HYPOTHESIS_PROFILE")
    clean = {name: value for name, value in os.environ.items() if name not in left_out}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "-qW",
            "ignore",
            *options,
            "test_it.py",
        ],
        cwd=where,
        env={**clean, "PYTHONPATH": str(ROOT), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    counts = done.stdout.splitlines()[-1].partition(" in ")[0].split(", ")
    return {kind: int(count) for count, kind in (part.split() for part in counts)}


def test_a_skipped_test_of_the_real_ccusage_is_marked_and_fails_in_ci(tmp_path: Path) -> None:
    assert results_of(SKIPS, tmp_path) == {"skipped": 2}
    marked = results_of(SKIPS, tmp_path, "-m", "real_ccusage", CI="true")
    assert marked == {"failed": 1, "deselected": 1}


PROFILE = """
from hypothesis import settings

def test_profile():
    assert settings().derandomize is {derandomized}
    assert (settings().database is None) is {derandomized}
    assert (settings().max_examples == 100) is {derandomized}
    assert settings().deadline is None
"""


def test_property_tests_try_the_same_examples_each_time(tmp_path: Path) -> None:
    assert results_of(PROFILE.format(derandomized=True), tmp_path) == {"passed": 1}


def test_property_tests_search_when_told_to_explore(tmp_path: Path) -> None:
    source = PROFILE.format(derandomized=False)
    assert results_of(source, tmp_path, HYPOTHESIS_PROFILE="explore") == {"passed": 1}
