"""`doctor`: a line for each thing the monitor needs, and what to do about what is missing."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Optional

import pytest

from monitor.commands import doctor as module
from monitor.commands.doctor import _node
from monitor.config.settings import AlertOptions, DataOptions, LimitOptions, Settings
from monitor.model.official import OfficialLimits
from monitor.store.json_file import save
from monitor.store.paths import state_dir
from tests.conftest import RunMonitor
from tests.histories import busy_history
from tests.live.fakes import MONITOR, NO_HOME, NODE_TRACE, Fake, now, planted, private_files
from tests.pseudo_terminal import BASH

NO_LIMITS = "▲ no official limits: `ccusage-monitor statusline --install` brings them"
Installed = Callable[[str], Path]


def test_all_is_well_with_a_real_ccusage_and_data(
    tmp_path: Path, real_ccusage: Installed, run_monitor: RunMonitor, isolated: Path
) -> None:
    busy_history(tmp_path, now())
    words = ("--ccusage", real_ccusage("20.0.24"), "--claude-dir", tmp_path)
    done = run_monitor(*words, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("✓ ")] == [NO_LIMITS]
    for said in ("Python 3.", "Node.js", "ccusage 20.0.24", str(tmp_path), "zone UTC", "one look"):
        assert [line for line in lines if said in line], said
    assert private_files(isolated) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has inotify")
def test_it_says_how_changes_are_noticed(fake: Fake, run_monitor: RunMonitor) -> None:
    words = ("--ccusage", fake.path, "--claude-dir", fake.data, "--refresh", 7)
    told = "✓ watching: the system tells of changes (inotify), 1 file in 2 directories"
    assert told in run_monitor(*words, "doctor").stdout.splitlines()


def test_it_says_why_the_system_tells_of_no_changes(
    fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)  # a Python that was built without it
    data = DataOptions(claude_dirs=(fake.data,))
    settings = Settings(LimitOptions(timezone="UTC"), data, AlertOptions(), refresh=7.0)
    (check,) = module._watching(settings)
    assert check.text.startswith("watching: a look every 7 s, since ")


@pytest.mark.parametrize("data", ["claude", "gone"])
def test_a_fault_has_its_line_and_what_to_do_and_is_said_once(
    data: str, fake: Fake, run_monitor: RunMonitor
) -> None:
    fake.prints("", err=NODE_TRACE, code=1)
    words = ("--ccusage", fake.path, "--claude-dir", fake.home / data)
    done = run_monitor(*words, "doctor")
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    (wrong,) = (index for index, line in enumerate(lines) if line.startswith("✗ "))
    assert lines[wrong + 1].startswith("  ")


def test_every_ccusage_on_the_path_is_named_with_its_verdict(
    fake: Fake, tmp_path: Path, real_ccusage: Installed, run_monitor: RunMonitor
) -> None:
    other = Fake(tmp_path / "other")
    other.prints("", version="1.0", err="error: invalid choice: 'blocks'", code=2)
    good = real_ccusage("20.0.24").parent
    path = os.pathsep.join([str(other.bin), str(good), os.environ["PATH"]])
    done = run_monitor("--claude-dir", fake.data, "doctor", env={"PATH": path})
    assert "another program of the same name" in done.stdout
    (used,) = [line for line in done.stdout.splitlines() if "in use" in line]
    assert "20.0.24" in used
    assert f"▲ {other.path} " in done.stdout
    assert done.returncode == 0


def test_a_missing_node_is_worth_knowing_and_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.commands.doctor.search_path", lambda: "/nowhere")
    (check,) = _node()
    assert check.fine is None
    assert check.text.startswith("Node.js and npm not found")


def test_no_ccusage_anywhere_is_exit_1_with_what_to_type(
    fake: Fake, tmp_path: Path, run_monitor: RunMonitor
) -> None:
    (tmp_path / "nothing").mkdir()
    env = {"PATH": str(tmp_path / "nothing")}
    done = run_monitor("--claude-dir", fake.data, "doctor", env=env)
    assert done.returncode == 1
    assert "✗ ccusage was not found on PATH.\n  Install " in done.stdout


def test_ascii_marks_where_the_stream_takes_no_others(fake: Fake, run_monitor: RunMonitor) -> None:
    words = ("--ccusage", fake.path, "--claude-dir", fake.data, "doctor")
    done = run_monitor(*words, env={"PYTHONIOENCODING": "ascii"})
    assert done.stdout.isascii()
    assert done.returncode == 0
    assert done.stdout.startswith("ok ")


def test_a_closed_pipe_ends_it_quietly(fake: Fake) -> None:
    words = [*MONITOR, "--ccusage", str(fake.path), "--claude-dir", str(fake.data), "doctor"]
    line = f"{shlex.join(words)} | head -1"
    argv = [*BASH[:1], "-o", "pipefail", "-c", line]
    done = subprocess.run(argv, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_kept_history_can_be_forgotten(
    fake: Fake, run_monitor: RunMonitor, isolated: Path
) -> None:
    words = ("--ccusage", fake.path, "--claude-dir", fake.data)
    run_monitor("--json", "--plan", "custom_max", "--full-scan", *words)
    done = run_monitor(*words, "doctor", "--forget-history")
    assert done.returncode == 0
    assert "Forgot the past blocks" in done.stdout
    assert list((isolated / "state").rglob("history-*.json")) == []


@pytest.mark.parametrize("option", ["--forget-history", None])
def test_the_demo_has_nothing_to_do_with_it(run_monitor: RunMonitor, option: Optional[str]) -> None:
    done = run_monitor("--demo", "doctor", *filter(None, [option]))
    assert (done.returncode, done.stdout) == (2, "")
    assert "leave out --demo" in done.stderr


def test_a_user_without_a_home_hears_where_the_files_are(
    fake: Fake, run_monitor: RunMonitor, tmp_path: Path
) -> None:
    env = {**planted(tmp_path, NO_HOME), "TMPDIR": str(tmp_path)}
    words = ("--ccusage", fake.path, "--claude-dir", fake.data)
    place = tmp_path / f"ccusage-monitor-{os.getuid()}"
    done = run_monitor(*words, "doctor", env=env)
    assert f"▲ no home directory is known: state and cache are in {place}\n" in done.stdout
    assert done.returncode == 0
    assert run_monitor(*words, "--json", env=env).returncode == 0
    assert list((place / "state").glob("last-*.json"))


def test_a_state_directory_that_cannot_be_used_is_named(
    fake: Fake, run_monitor: RunMonitor, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    words = ("--ccusage", fake.path, "--claude-dir", fake.data, "doctor")
    done = run_monitor(*words, env={"XDG_STATE_HOME": str(tmp_path / "file")})
    assert f"✗ {tmp_path}/file/ccusage-monitor cannot be used (" in done.stdout
    assert "nothing is stored" in done.stdout and done.returncode == 1
    assert "no official limits" not in done.stdout  # they may have been reported


def test_a_state_directory_on_a_full_disk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "replace_file", full)
    (check,) = module._own_files()
    assert check.text.startswith(f"{state_dir()} cannot be written to (No space left on device)")
    assert check.advice.startswith("Make room")


def test_doctor_leaves_nothing_in_the_state_directory() -> None:
    assert not list(module._own_files())
    assert not list(state_dir().iterdir())


def as_ordinary_user(argv: list[str]) -> list[str]:
    """Take from the superuser the right to read everything."""
    if os.geteuid() != 0:
        return argv
    if shutil.which("setpriv") is None:
        pytest.skip("modes do not stop the superuser")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *argv]


@pytest.mark.parametrize("place", [".claude", ".claude/projects"])
def test_where_claudes_directory_cannot_be_read_every_other_check_is_made(
    place: str, fake: Fake, isolated: Path
) -> None:
    (isolated / ".claude" / "projects").mkdir(parents=True)
    (isolated / place).chmod(0)
    try:
        argv = as_ordinary_user([*MONITOR, "--ccusage", str(fake.path), "doctor"])
        done = subprocess.run(argv, capture_output=True, encoding="utf-8", check=False)
    finally:
        (isolated / place).chmod(0o700)
    assert (done.returncode, done.stderr) == (1, "")
    assert re.search(rf"✗ {isolated}/\.claude/projects can(not|'t) be read", done.stdout)
    if place == ".claude/projects":
        assert f"Run: chmod -R u+rX '{isolated}/.claude'" in done.stdout
    assert "✓ ccusage 20.0.24" in done.stdout and "✓ zone UTC" in done.stdout


def test_without_a_place_for_private_files_the_other_checks_are_made(
    fake: Fake, run_monitor: RunMonitor, tmp_path: Path
) -> None:
    for name in ("cache", f"ccusage-monitor-{os.getuid()}"):
        (tmp_path / name).touch()
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    done = run_monitor("--ccusage", fake.path, "--claude-dir", fake.data, "doctor", env=env)
    assert done.returncode == 1
    assert "✗ No private directory could be made" in done.stdout
    assert f"✓ Claude data in {fake.data}" in done.stdout and "✓ zone UTC" in done.stdout


def held(path: Path) -> None:
    """Hold the lock of a state file until this process closes the file, which it never does."""
    lock = path.with_name(f".{path.name}.lock")
    fcntl.flock(os.open(lock, os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda path: path.write_text('{"version": 9}'), "a newer version has written {}:"),
        (held, "{} is locked by another process, which may be stopped:"),
        (lambda path: path.with_name(f".{path.name}.lock").mkdir(), "{} cannot be changed (Is a"),
    ],
)
def test_a_stored_file_that_cannot_be_changed_is_named(
    spoil: Callable[[Path], None], text: str
) -> None:
    path = state_dir() / "official-0.json"
    save(path, OfficialLimits())
    assert list(module._own_files()) == []
    (path.parent / f".{path.name}.lock").unlink()
    spoil(path)
    (check,) = module._own_files()
    assert check.text.startswith(text.format(path))
    assert check.fine is False and check.advice
