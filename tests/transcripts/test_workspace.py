"""The private directory: whose it is, where it is, and that nothing of it stays."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from monitor.store.paths import cache_dir
from monitor.transcripts import workspace as module
from monitor.transcripts.workspace import workspace

HOLD = """
import sys
from monitor.transcripts.workspace import workspace
with workspace([]) as path:
    print(path, flush=True)
    sys.stdin.read()
"""

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX modes and signals")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def aged(path: Path) -> None:
    os.utime(path, (0, 0))


@posix
def test_it_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    with workspace([tmp_path]) as path:
        assert mode(path) == mode(path.parent) == 0o700
        (path / "window").mkdir()
        (path / "window" / "file").write_text("x")
    assert not path.exists()


def test_it_is_gone_after_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), workspace([tmp_path]) as path:
        raise ZeroDivisionError
    assert not path.exists()


def test_it_lies_below_the_cache_and_never_in_claudes_directory(tmp_path: Path) -> None:
    with workspace([tmp_path]) as path:
        assert path.parent == cache_dir() / "run"
    assert list(tmp_path.iterdir()) == []


def test_two_at_once_have_one_each(tmp_path: Path) -> None:
    with workspace([tmp_path]) as first, workspace([tmp_path]) as second:
        assert first != second
    assert not first.exists()
    assert not second.exists()


def test_a_home_that_cannot_be_written_to_leaves_the_temporary_directory(
    tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (isolated / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(isolated / "file"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with workspace([tmp_path]) as path:
        assert tmp_path in path.parents
        if os.name != "nt":
            assert mode(path.parent) == 0o700


def test_with_no_place_at_all_it_says_so(
    tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (isolated / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(isolated / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(isolated / "file"))
    with pytest.raises(OSError, match="no private directory"), workspace([tmp_path]):
        pass


def test_it_is_made_on_the_file_system_of_the_data_where_that_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data is said to be where the temporary directory is, the cache elsewhere."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(module, "_device", lambda path: 1 if tmp_path in path.parents else 2)
    with workspace([tmp_path / "claude"]) as path:
        assert tmp_path in path.parents


@posix
def test_another_users_directory_of_our_name_is_not_used(
    tmp_path: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (isolated / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(isolated / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    planted = tmp_path / f"ccusage-monitor-{os.getuid()}"
    planted.symlink_to(isolated)
    with pytest.raises(OSError, match="no private directory"), workspace([]):
        pass


@posix
def test_what_a_killed_process_left_is_swept_and_what_a_living_one_holds_is_not(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as holder:
        assert holder.stdout is not None
        held = Path(holder.stdout.readline().strip())
        aged(held)
        with workspace([tmp_path]):
            assert held.exists(), "its process lives"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert held.exists(), "a killed process cannot clean up"
        aged(held)
        with workspace([tmp_path]):
            assert not held.exists()


def test_one_that_has_just_been_made_is_left_alone(tmp_path: Path) -> None:
    base = cache_dir() / "run"
    young, old = base / "run-young", base / "run-old"
    for path in (young, old):
        path.mkdir(parents=True)
    aged(old)
    with workspace([tmp_path]):
        assert young.exists()
        assert not old.exists()


def full(error: int) -> Callable[..., object]:
    """A function that fails as on a full disk, but only below the cache."""
    hold = module._hold

    def failing(path: Path) -> object:
        if cache_dir() in path.parents:
            raise OSError(error, os.strerror(error))
        return hold(path)

    return failing


def no_locks(*_: object) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def test_on_a_full_home_disk_it_lies_in_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(module, "_hold", full(errno.ENOSPC))
    with workspace([]) as path:
        assert tmp_path in path.parents
    assert not list((cache_dir() / "run").iterdir()), "nothing is left of what could not be used"


@posix
@pytest.mark.parametrize("lacking", ["f_bavail", "f_favail"])
def test_on_an_almost_full_home_disk_it_lies_in_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    """The first files may still fit on it, but not all."""
    room = {"f_bavail": 10**6, "f_frsize": 4096, "f_files": 10**6, "f_favail": 10**6}

    def statvfs(path: Path) -> SimpleNamespace:
        return SimpleNamespace(**{**room, **({} if tmp_path in path.parents else {lacking: 5})})

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "statvfs", statvfs)
    with workspace([cache_dir().parent]) as path:
        assert tmp_path in path.parents
    monkeypatch.setattr(module, "_temporary_base", lambda: None)
    with workspace([]) as path:
        assert path.parent == cache_dir() / "run"


@posix
def test_a_file_system_without_locks_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcntl.flock", no_locks)
    with workspace([tmp_path]) as path:
        assert path.is_dir()
    assert not path.exists()


@posix
def test_without_locks_what_a_killed_process_left_is_swept_a_day_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fcntl.flock", no_locks)
    left = cache_dir() / "run" / "run-left"
    left.mkdir(parents=True)
    (left / module.ALIVE).write_text("")
    aged(left)
    with workspace([tmp_path]):
        assert left.exists(), "its process may live"
    day_ago = time.time() - module.UNLOCKED_SECONDS
    os.utime(left / module.ALIVE, (day_ago, day_ago))
    with workspace([tmp_path]):
        assert not left.exists()


@pytest.mark.parametrize("function", ["shutil.rmtree", "_hold"])
def test_a_signal_while_it_is_made_or_removed_leaves_nothing(
    function: str,
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        undo.undo()
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as undo:
        undo.setattr(f"{module.__name__}.{function}", interrupted)
        with pytest.raises(KeyboardInterrupt), workspace([]):
            pass
    assert not list((cache_dir() / "run").glob("run-*"))
