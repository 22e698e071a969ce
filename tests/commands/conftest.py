"""Fixtures for the tests of commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.fakes import Fake


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A healthy ccusage with a block under way: 2,000 tokens counted."""
    return Fake(tmp_path / "fake")
