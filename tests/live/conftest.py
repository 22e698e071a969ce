"""Fixtures for the tests of the whole program."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.fakes import Fake

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # pseudo-terminals and shell scripts are POSIX


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A healthy ccusage with a block under way: 2,000 tokens counted."""
    return Fake(tmp_path / "fake")


@pytest.fixture(autouse=True)
def hangups_are_heard() -> Iterator[None]:
    """Where the tests run under nohup, what they start would be deaf to SIGHUP too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for temporary files of its own, so that what is left behind is seen."""
    made = tmp_path / "tmp"
    made.mkdir()
    monkeypatch.setenv("TMPDIR", str(made))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return made
