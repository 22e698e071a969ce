"""Where Claude's data is, and which files are in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from monitor.errors import MonitorError
from monitor.transcripts.data_dirs import data_dirs, projects_of
from monitor.transcripts.files import scan


def projects(root: Path) -> Path:
    (root / "projects").mkdir(parents=True)
    return root


def transcript(root: Path, name: str) -> Path:
    path = root / "projects" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")
    return path


def test_named_directories_beat_the_environment(tmp_path: Path) -> None:
    named, other = projects(tmp_path / "a"), projects(tmp_path / "b")
    assert data_dirs([named], {"CLAUDE_CONFIG_DIR": str(other)}) == (named,)


def test_the_environment_may_list_several_with_commas(tmp_path: Path) -> None:
    first, second = projects(tmp_path / "a"), projects(tmp_path / "b")
    wanted = f" {first} ,, {second},{first},{tmp_path / 'missing'}"
    assert data_dirs([], {"CLAUDE_CONFIG_DIR": wanted}) == (first, second)


@pytest.mark.parametrize("value", ["", " ", ",", " , "])
def test_an_empty_environment_variable_is_as_none(isolated: Path, value: str) -> None:
    default = projects(isolated / ".claude")
    assert data_dirs([], {"CLAUDE_CONFIG_DIR": value}) == (default,)


def test_both_default_places_are_used_when_both_have_projects(isolated: Path) -> None:
    new, old = projects(isolated / ".config" / "claude"), projects(isolated / ".claude")
    assert data_dirs([], {}) == (new, old)


def test_a_default_place_without_projects_does_not_count_beside_one_with(isolated: Path) -> None:
    (isolated / ".config" / "claude").mkdir(parents=True)
    assert data_dirs([], {}) == ((isolated / ".config" / "claude"),)
    old = projects(isolated / ".claude")
    assert data_dirs([], {}) == (old,)


def test_a_place_that_cannot_be_looked_at_is_an_error_that_names_it(
    isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(MonitorError) as caught:
        data_dirs([], {})
    assert str(caught.value) == f"{isolated}/.config/claude cannot be read: Permission denied."


def test_without_a_home_the_default_places_are_named_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda name: name)
    with pytest.raises(MonitorError, match=r"~/\.config/claude and ~/\.claude not found\."):
        data_dirs([], {})


def test_the_configuration_home_can_be_elsewhere(tmp_path: Path) -> None:
    made = projects(tmp_path / "conf" / "claude")
    assert data_dirs([], {"XDG_CONFIG_HOME": str(tmp_path / "conf")}) == (made,)


def test_a_tilde_and_a_relative_path_are_understood(
    isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, here = projects(isolated / "mine"), projects(tmp_path / "here")
    monkeypatch.chdir(tmp_path)
    assert data_dirs([Path("~/mine"), Path("here")], {}) == (mine, here)


def test_none_at_all_is_said_with_the_places_and_what_to_do(isolated: Path) -> None:
    with pytest.raises(MonitorError) as caught:
        data_dirs([], {})
    assert str(isolated / ".claude") in caught.value.reason.replace("~", str(isolated))
    assert "--claude-dir" in caught.value.advice


def test_the_projects_directory_itself_may_be_named(tmp_path: Path) -> None:
    root = projects(tmp_path / "claude")
    assert projects_of(root) == projects_of(root / "projects") == root / "projects"
    inner = projects(tmp_path / "projects")
    assert projects_of(inner) == inner / "projects"


@pytest.mark.skipif(sys.platform == "win32", reason="making links takes a privilege there")
def test_a_directory_that_is_named_twice_is_one(tmp_path: Path) -> None:
    root, other = projects(tmp_path / "claude"), projects(tmp_path / "other")
    (tmp_path / "link").symlink_to(root)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "projects").symlink_to(root / "projects")
    inner, link, linked = root / "projects", tmp_path / "link", tmp_path / "linked"
    assert data_dirs([root, other, inner, link, linked], {}) == (root, other)
    assert data_dirs([inner, other, linked, root], {}) == (linked, other)
    assert data_dirs([inner, link / "projects"], {}) == (inner,)
    assert data_dirs([], {"CLAUDE_CONFIG_DIR": f"{link},{root}"}) == (link,)


def test_transcripts_are_found_at_any_depth_and_nothing_else(tmp_path: Path) -> None:
    for name in ("top.jsonl", "p/a.jsonl", "p/s/subagents/agent-1.jsonl", "p/x.jsonl/in.jsonl"):
        transcript(tmp_path, name)
    for name in ("p/notes.txt", "p/A.JSONL", "p/a.jsonl.bak"):
        transcript(tmp_path, name)
    files = scan([tmp_path])
    assert {Path(file.relative).as_posix() for file in files} == {
        "top.jsonl",
        "p/a.jsonl",
        "p/s/subagents/agent-1.jsonl",
        "p/x.jsonl/in.jsonl",
    }
    info = (tmp_path / "projects" / "top.jsonl").stat()
    (top,) = [file for file in files if file.relative == "top.jsonl"]
    assert (top.size, top.mtime, top.inode) == (info.st_size, info.st_mtime, info.st_ino)


def test_files_of_several_roots_say_which_is_theirs(tmp_path: Path) -> None:
    roots = [tmp_path / "a", tmp_path / "b"]
    for root in roots:
        transcript(root, "p/same.jsonl")
    assert [(file.root, file.relative) for file in scan(roots)] == [
        (0, "p/same.jsonl"),
        (1, "p/same.jsonl"),
    ]


def test_whatever_a_link_leads_to_is_marked_as_linked(tmp_path: Path) -> None:
    real = transcript(tmp_path / "elsewhere", "deep/real.jsonl")
    top = projects(tmp_path / "claude") / "projects"
    (top / "file.jsonl").symlink_to(real)
    (top / "folder").symlink_to(real.parent.parent, target_is_directory=True)
    transcript(tmp_path / "claude", "p/own.jsonl")
    assert {
        Path(file.relative).as_posix(): file.is_link for file in scan([tmp_path / "claude"])
    } == {
        "file.jsonl": True,
        "folder/deep/real.jsonl": True,
        "p/own.jsonl": False,
    }


def test_a_link_as_the_projects_directory_is_no_link_below_it(tmp_path: Path) -> None:
    transcript(tmp_path / "real", "p/a.jsonl")
    (tmp_path / "claude").mkdir()
    (tmp_path / "claude" / "projects").symlink_to(tmp_path / "real" / "projects")
    assert [file.is_link for file in scan([tmp_path / "claude"])] == [False]


def test_links_in_circles_come_to_an_end(tmp_path: Path) -> None:
    transcript(tmp_path, "p/a.jsonl")
    top = tmp_path / "projects"
    (top / "p" / "up").symlink_to(top, target_is_directory=True)
    (top / "self").symlink_to(top / "self")
    (top / "dangling.jsonl").symlink_to(top / "nowhere")
    found = {file.path for file in scan([tmp_path])}
    assert str(top / "p" / "a.jsonl") in found
    assert len(found) <= 3


def test_missing_directories_are_empty(tmp_path: Path) -> None:
    assert scan([tmp_path / "none"]) == []
