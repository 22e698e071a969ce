"""The name of a project is lossy: which directory it stands for, only the disk can tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.transcripts.project_paths import encoded, project_path


@pytest.mark.parametrize("name", ["work/api", "work-api", "work/my_app/v1.2", ".dotfiles"])
def test_the_directory_that_exists_is_found(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.mkdir(parents=True)
    assert project_path(encoded(str(path)), tmp_path) == path
    assert project_path(encoded(str(path)), Path("/nowhere")) == path
    assert project_path(encoded(str(tmp_path)), tmp_path) == tmp_path


def test_of_two_that_fit_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "work" / "api").mkdir(parents=True)
    (tmp_path / "work-api").mkdir()
    assert project_path(encoded(str(tmp_path / "work" / "api")), tmp_path) is None


@pytest.mark.parametrize("name", ["", "-", "api", "-no-such-place", "-etc-passwd"])
def test_a_directory_that_is_gone_is_not_named(name: str, tmp_path: Path) -> None:
    assert project_path(name, tmp_path) is None


def test_a_directory_that_links_to_itself_is_no_endless_way(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a").symlink_to(tmp_path / "a")
    assert project_path(encoded(f"{tmp_path}/a/a/b"), tmp_path) is None
