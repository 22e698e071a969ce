"""Each script of benchmarks/ and docs/ starts from a clone, explains itself and refuses a typo."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.scripts import SCRIPTS, output_of, run_script

if sys.platform == "win32":
    SCRIPTS = [path for path in SCRIPTS if path.name != "speed.py"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_help_says_what_the_script_is_for_and_how_it_is_run(path: Path) -> None:
    summary = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition("\n")[0]
    text = output_of(path, "--help")
    assert text.startswith(f"usage: {path.name} ")
    assert summary.endswith(".") and summary in " ".join(text.split())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_an_unknown_option_is_refused_before_anything_is_done(path: Path) -> None:
    done = run_script(path, "--typo")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()[-1]) > 20
