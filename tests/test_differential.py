"""A short, seeded run of tests/differential.py; by hand it runs for as long as wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("the running process is stopped by POSIX signals", allow_module_level=True)

from tests import differential
from tests.differential import Counts, Difference, Truth, compare_history


@pytest.mark.parametrize("version", ["17.2.1", "20.0.24"])
def test_the_program_says_what_ccusage_says_while_a_history_changes(
    real_ccusage: Callable[[str], Path], version: str
) -> None:
    real_ccusage(version)
    counts = Counts()
    compare_history(version, 1, 1, 4, counts)
    assert counts.changes == 4
    assert counts.by["--follow"] >= 5 and counts.by["--json"] == 4


def test_a_difference_is_found_and_the_message_says_how_to_repeat_it(
    real_ccusage: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real_ccusage("20.0.24")
    right = differential.truth_of

    def wrong(version: str, roots: Sequence[Path]) -> Truth:
        return replace(right(version, roots), active=None, completed=())

    monkeypatch.setattr(differential, "truth_of", wrong)
    monkeypatch.setattr(differential, "LATEST", timedelta())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(Difference, match="--seed 1 --first 1") as found:
        compare_history("20.0.24", 1, 1, 1, Counts())
    assert "history 1, step 0" in str(found.value)
