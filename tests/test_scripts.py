"""Each script of benchmarks/ and docs/ starts by its path and says what it does."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.scripts import SCRIPTS, output_of

if sys.platform == "win32":
    SCRIPTS = [path for path in SCRIPTS if path.name != "speed.py"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_help_says_what_the_script_is_for_and_how_it_is_run(path: Path) -> None:
    summary = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
    text = output_of(path, "--help")
    assert text.startswith(f"usage: {path.name} ")
    assert summary.endswith(".") and summary in " ".join(text.split())
