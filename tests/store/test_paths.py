"""Where files are: the platform's places, or the temporary directory for a user without a home."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from monitor.store.paths import (
    cache_dir,
    config_dir,
    directory_fault,
    has_home,
    private_dir,
    state_dir,
)

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows knows a home by other means")


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run as a user without a name and a home; return the place for temporary files."""
    import pwd

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"ccusage-monitor-{os.getuid()}"


def test_the_places_are_in_the_home_directory(isolated: Path) -> None:
    assert has_home()
    assert all(isolated in place().parents for place in (state_dir, cache_dir, config_dir))


@POSIX
def test_without_a_home_they_are_in_a_private_temporary_directory(homeless: Path) -> None:
    assert not has_home()
    places = [state_dir(), cache_dir(), config_dir()]
    assert places == [homeless / name for name in ("state", "cache", "config")]
    assert stat.S_IMODE(homeless.stat().st_mode) == 0o700


@POSIX
@pytest.mark.parametrize("value", ["", "relative"])
def test_a_home_that_is_no_absolute_path_is_none(
    value: str, homeless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", value)
    assert state_dir().is_absolute()


@POSIX
def test_a_place_that_is_named_needs_no_home(
    homeless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert state_dir() == tmp_path / "state" / "ccusage-monitor"


@POSIX
def test_what_somebody_else_put_there_is_not_used(homeless: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    homeless.symlink_to(tmp_path / "theirs")
    with pytest.raises(PermissionError, match="not a directory of yours"):
        state_dir()


@POSIX
def test_a_private_directory_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(0o777)
    assert stat.S_IMODE(private_dir(tmp_path / "open").stat().st_mode) == 0o700


# What keeps a directory from being used.


@pytest.fixture
def named(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ccusage-monitor"


def test_a_directory_that_can_be_made_or_used_has_no_fault(named: Path) -> None:
    assert directory_fault(named) is None
    assert directory_fault(named) is None
    assert named.is_dir()


@POSIX
def test_a_link_in_place_of_the_directory_is_a_fault(named: Path, tmp_path: Path) -> None:
    named.parent.mkdir()
    (tmp_path / "elsewhere").mkdir()
    named.symlink_to(tmp_path / "elsewhere")
    assert directory_fault(named) == (
        f"{named} is a symbolic link: nothing is stored.",
        "Replace it by a directory, or set XDG_STATE_HOME to a directory of yours.",
    )


def test_a_file_in_place_of_the_directory_is_a_fault(named: Path) -> None:
    named.parent.mkdir()
    named.write_text("")
    fault = directory_fault(named)
    assert fault is not None and fault.reason.endswith("nothing is stored.")
    assert str(named) in fault.reason and fault.advice.startswith("Set HOME or XDG_STATE_HOME")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give")
@pytest.mark.parametrize(("user", "name"), [(1, "daemon"), (54_321, "user 54321")])
def test_somebody_elses_directory_is_a_fault_with_its_owner_and_the_remedy(
    named: Path, user: int, name: str
) -> None:
    named.mkdir(parents=True)
    os.chown(named, user, user)
    assert directory_fault(named) == (
        f"{named} belongs to {name}: nothing is stored.",
        f"Run: sudo chown -R $(id -un) '{named}'",
    )


@POSIX
def test_a_directory_that_cannot_be_written_to_is_a_fault(
    named: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda *_: False)  # as a read-only file system says
    assert directory_fault(named) == (
        f"{named} cannot be written to: nothing is stored.",
        "Make it writable, or set XDG_STATE_HOME to a directory of yours.",
    )
