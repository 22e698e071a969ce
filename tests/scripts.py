"""Run a script of benchmarks/ or docs/ as the documentation says: by its path, from anywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("docs/*.py")])


def run_script(path: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(path), *map(str, words)],
        cwd=path.anchor,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def output_of(path: Path, *words: object) -> str:
    """Return what a script prints; it must succeed, and print no error."""
    done = run_script(path, *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def benchmark(name: str, *words: object) -> str:
    return output_of(ROOT / "benchmarks" / name, *words)
