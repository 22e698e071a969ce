"""Claude Code is found by its name or as the user says, and never started for that."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from monitor.claude.find_claude import find_claude, is_claude_there
from monitor.errors import MonitorError
from tests.claude.fake_claude import FakeClaude


@pytest.fixture
def claude(tmp_path: Path) -> FakeClaude:
    return FakeClaude(tmp_path / "bin")


def test_the_one_on_path_is_found_and_not_started(
    claude: FakeClaude, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(claude.folder))
    assert find_claude(None).argv == (str(claude.path),)
    assert is_claude_there(None)
    assert not claude.runs


def test_without_one_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not is_claude_there(None)
    with pytest.raises(MonitorError) as caught:
        find_claude(None)
    assert caught.value.advice == "Name it with --claude CMD."


def test_a_path_with_blanks_and_a_command_line_can_be_named(tmp_path: Path) -> None:
    claude = FakeClaude(tmp_path / "my bin")
    assert find_claude(str(claude.path)).argv == (str(claude.path),)
    assert find_claude(f"'{claude.path}' --debug").argv == (str(claude.path), "--debug")


@pytest.mark.parametrize(
    "named", ["", "   ", "'x", "/no/such/claude", "no-such-claude --x", "x " * 300]
)
def test_what_is_no_program_is_one_line(named: str) -> None:
    with pytest.raises(MonitorError) as caught:
        find_claude(named)
    assert caught.value.advice


def test_the_version_is_read_from_npms_files(claude: FakeClaude) -> None:
    manifest = {"name": "@anthropic-ai/claude-code", "version": "2.1.332"}
    (claude.folder / "package.json").write_text(json.dumps(manifest))
    assert find_claude(str(claude.path)).version == "2.1.332"


def test_a_long_command_line_can_be_named(claude: FakeClaude) -> None:
    words = ["--add-dir"] * 100
    assert find_claude(shlex.join([str(claude.path), *words])).argv == (str(claude.path), *words)
