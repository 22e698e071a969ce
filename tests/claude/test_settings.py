"""The change to Claude Code's settings.json: our status line in, and out again."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.claude.settings import (
    add_hook,
    changed,
    hook_for,
    read_settings,
    remove_hook,
    status_line_before,
)
from monitor.errors import MonitorError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


def test_a_file_that_is_not_there_is_one_without_content(path: Path) -> None:
    current = read_settings(path)
    assert (current.exists, current.content, current.status_line) == (False, {}, None)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_pipe_in_its_place_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    assert read_settings(path).content == {}


def test_the_hook_runs_us_with_the_options_and_then_what_was_there() -> None:
    old = {"type": "command", "command": "echo 'mine'", "padding": 2}
    new = hook_for(old, ["--plan", "max5"], None)
    assert new["padding"] == 2
    words = shlex.split(new["command"])
    assert words[-5:] == ["--plan", "max5", "statusline", "--chain", "echo 'mine'"]


def test_a_hook_over_our_own_chains_what_ours_chained() -> None:
    first = hook_for({"type": "command", "command": "echo mine"}, [], None)
    assert hook_for(first, [], None) == first
    assert shlex.split(hook_for(first, ["--ascii"], None)["command"])[-1] == "echo mine"
    assert shlex.split(hook_for(first, [], "echo other")["command"])[-1] == "echo other"
    alone = hook_for(None, [], None)
    assert hook_for(alone, [], None) == alone


@pytest.mark.parametrize("old", [None, "text", {"type": "static"}, {"command": " "}, []])
def test_what_runs_no_command_is_not_chained(old: Any) -> None:
    assert "--chain" not in hook_for(old, [], None)["command"]


def test_settings_json_and_its_backup_survive_a_power_failure(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    path.write_bytes(b'{"model":"opus"}')
    add_hook(read_settings(path), hook_for(None, [], None))
    assert len(synced) == 2
    remove_hook(read_settings(path))
    assert len(synced) == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.dictionaries(st.sampled_from(["statusLine", "model", "env"]), JSON))
def test_whatever_was_in_the_file_is_there_again_byte_for_byte(
    content: dict[str, Any], path: Path
) -> None:
    data = json.dumps(content, indent=3).encode()
    path.write_bytes(data)
    before = read_settings(path)
    add_hook(before, hook_for(before.status_line, [], None))
    installed = read_settings(path)
    assert installed.is_installed
    assert status_line_before(installed) == content.get("statusLine")
    assert {k: v for k, v in installed.content.items() if k != "statusLine"} == {
        k: v for k, v in content.items() if k != "statusLine"
    }
    remove_hook(installed)
    assert path.read_bytes() == data
    assert not before.backup.exists()


def test_a_file_that_was_edited_keeps_its_edits(path: Path) -> None:
    path.write_text('{"model": "opus"}', encoding="utf-8")
    add_hook(read_settings(path), hook_for(None, [], None))
    installed = read_settings(path)
    path.write_bytes(changed(installed.data.replace(b"opus", b"sonnet"), installed.status_line))
    remove_hook(read_settings(path))
    assert read_settings(path).content == {"model": "sonnet"}


@pytest.mark.parametrize("data", [b"[]", b"{", b"\xff", b"5"])
def test_what_is_not_understood_is_an_error_with_what_to_add_by_hand(
    data: bytes, path: Path
) -> None:
    path.write_bytes(data)
    with pytest.raises(MonitorError) as caught:
        read_settings(path)
    assert caught.value.reason.startswith(f"{path} was not understood: it is not ")
    by_hand = json.loads("{" + caught.value.advice.partition("by hand: ")[2] + "}")
    assert by_hand == {"statusLine": hook_for(None, [], None)}
