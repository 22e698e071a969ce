from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.scripts import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a copy of the parts of a clone that the scripts in docs/ read and write."""
    for name in ("docs", "monitor"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("tests/__init__.py", "tests/samples.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path
