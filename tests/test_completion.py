"""Shell completion is click's; what it offers must be ours, however main() drives click."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.cli import COMMANDS
from tests.real_ccusage import ROOT


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """Lend the program under the name of the command: click asks for that name's variable."""
    link = tmp_path / "ccusage-monitor"
    try:
        link.symlink_to(ROOT / "ccusage_monitor.py")
    except OSError:
        pytest.skip("links cannot be made here")
    return link


def ask(command: Path, what: str, words: str = "") -> list[str]:
    env = {
        **os.environ,
        "_CCUSAGE_MONITOR_COMPLETE": what,
        "COMP_WORDS": f"ccusage-monitor {words}",
        "COMP_CWORD": str(max(1, len(words.split()))),
    }
    done = subprocess.run(
        [sys.executable, str(command)], env=env, capture_output=True, encoding="utf-8", check=False
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def offered(command: Path, words: str) -> set[str]:
    return {line.partition(",")[2] for line in ask(command, "bash_complete", words)}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--pl", {"--plan"}),
        ("--plan m", {"max5", "max20"}),
        ("hi", {"history"}),
        ("history --hea", {"--heatmap"}),
    ],
)
def test_what_was_begun_is_completed(command: Path, words: str, expected: set[str]) -> None:
    assert offered(command, words) == expected


def test_every_command_is_offered(command: Path) -> None:
    assert offered(command, "") == set(COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_knows_the_command(command: Path, shell: str) -> None:
    if shell == "bash" and not Path("/bin/bash").exists():
        pytest.skip("click asks bash for its version")
    script = "\n".join(ask(command, f"{shell}_source"))
    assert f"_CCUSAGE_MONITOR_COMPLETE={shell}_complete" in script
    assert "ccusage-monitor" in script
