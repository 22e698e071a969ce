"""What a look notices, between two walks over all files and at one."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from monitor.transcripts.watcher import _SpacedAction, _Tree, pause_after

DAY = 24 * 3600.0


def transcript(root: Path, name: str, *, days_old: float = 0) -> Path:
    path = root / "projects" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("one\n")
    when = time.time() - days_old * DAY
    os.utime(path, (when, when))
    return path


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write("two\n")


def settle(root: Path) -> None:
    """Make all directories old enough to be trusted when their time has not changed."""
    for path in [root / "projects", *(root / "projects").rglob("*")]:
        if path.is_dir():
            os.utime(path, (1_700_000_000, 1_700_000_000))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    transcript(tmp_path, "p/hot.jsonl")
    transcript(tmp_path, "p/cold.jsonl", days_old=10)
    transcript(tmp_path, "q/s/subagents/agent-1.jsonl")
    settle(tmp_path)
    return tmp_path


@pytest.fixture
def files(root: Path) -> _Tree:
    """Files that were walked, and are not walked again before `walk_again`."""
    made = _Tree([root])
    assert made.poll()
    made._walk._next = float("inf")
    made._folder_check._next = 0.0
    return made


def look(files: _Tree) -> bool:
    files._folder_check._next = 0.0
    return files.poll()


def walk_again(files: _Tree) -> bool:
    files._walk._next = 0.0
    return files.poll()


def names(files: _Tree) -> set[str]:
    return {file.relative for file in files.files()}


def test_the_first_look_finds_everything_and_the_next_nothing_new(root: Path, files: _Tree) -> None:
    assert names(files) == {"p/hot.jsonl", "p/cold.jsonl", "q/s/subagents/agent-1.jsonl"}
    assert (files.size.files, files.size.bytes) == (3, 12)
    assert not look(files)
    assert not walk_again(files)


def test_a_first_look_at_nothing_says_that_nothing_changed(tmp_path: Path) -> None:
    assert not _Tree([tmp_path]).poll()


def test_a_message_in_a_recent_file_is_noticed_at_the_next_look(root: Path, files: _Tree) -> None:
    append(root / "projects/p/hot.jsonl")
    assert look(files)
    assert files.size.bytes == 16
    assert not look(files)


def test_a_message_in_an_old_file_is_noticed_at_the_next_walk(root: Path, files: _Tree) -> None:
    append(root / "projects/p/cold.jsonl")
    assert not look(files)
    assert walk_again(files)
    assert files.size.bytes == 16
    append(root / "projects/p/cold.jsonl")
    files._walk._next = float("inf")
    assert look(files), "from then on it counts as recent"


@pytest.mark.parametrize("name", ["p/new.jsonl", "top.jsonl", "fresh/s/new.jsonl"])
def test_a_new_file_is_noticed_at_the_next_look(root: Path, files: _Tree, name: str) -> None:
    transcript(root, name)
    assert look(files)
    assert name in names(files)
    append(root / "projects" / name)
    assert look(files)


def test_a_file_in_a_directory_that_changed_a_moment_ago_is_noticed_too(
    root: Path, files: _Tree
) -> None:
    first = transcript(root, "p/first.jsonl")
    assert look(files)
    folder = first.parent
    before = folder.stat()
    transcript(root, "p/second.jsonl")
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))  # within one tick of its clock
    assert look(files)
    assert "p/second.jsonl" in names(files)


def test_deleted_renamed_and_replaced_files_are_noticed(root: Path, files: _Tree) -> None:
    top = root / "projects"
    (top / "p/cold.jsonl").rename(top / "p/renamed.jsonl")
    assert look(files)
    (top / "p/hot.jsonl").unlink()
    assert look(files)
    assert names(files) == {"p/renamed.jsonl", "q/s/subagents/agent-1.jsonl"}
    settle(root)
    look(files)
    before = files.files()
    other = transcript(root.parent / "other", "x.jsonl", days_old=10)
    other.replace(top / "p/renamed.jsonl")
    assert look(files)
    assert files.files() != before


def test_a_recent_file_is_dropped_even_between_looks_at_directories(
    root: Path, files: _Tree
) -> None:
    files._folder_check._next = float("inf")
    (root / "projects/p/hot.jsonl").unlink()
    assert files.poll()
    assert "p/hot.jsonl" not in names(files)
    assert not files.poll()


def test_removed_directories_take_their_files_along_and_may_come_back(
    root: Path, files: _Tree
) -> None:
    shutil.rmtree(root / "projects")
    assert look(files)
    assert names(files) == set()
    assert not look(files)
    transcript(root, "p/hot.jsonl")
    assert look(files)
    assert names(files) == {"p/hot.jsonl"}


def test_projects_that_appear_later_are_noticed(tmp_path: Path) -> None:
    files = _Tree([tmp_path])
    assert not files.poll()
    files._walk._next = float("inf")
    transcript(tmp_path, "p/a.jsonl")
    assert look(files)


def test_a_walk_waits_many_times_what_the_last_one_took(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([0.0, 100.0, 100.5, 101.0, 150.0, 151.0, 151.0, 151.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    spaced = _SpacedAction(lambda: False)
    assert spaced.is_due()
    spaced.run()  # from 100 to 100.5
    assert not spaced.is_due()
    assert not spaced.is_due()
    assert spaced.is_due()
    assert pause_after(0.5) == 50


def test_after_a_walk_that_found_nothing_new_a_change_is_reported_once(
    root: Path, files: _Tree
) -> None:
    assert not walk_again(files)
    files._walk._next = float("inf")
    append(root / "projects" / "p" / "hot.jsonl")
    assert look(files)
    assert sum(file.size for file in files.files()) == 16
    assert not look(files)
    assert sum(file.size for file in files.files()) == 16


def test_after_a_directory_was_touched_a_change_is_reported_once(root: Path, files: _Tree) -> None:
    os.utime(root / "projects" / "p", (1_700_000_001, 1_700_000_001))
    assert not look(files)
    append(root / "projects" / "p" / "hot.jsonl")
    assert look(files)
    assert sum(file.size for file in files.files()) == 16
    assert not look(files)


def test_actions_that_share_their_time_rest_so_many_times_as_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 0.01] * 2)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    rests = []
    for sharers in (1, 3):
        action = _SpacedAction(lambda: True, sharers)
        action.run()
        rests.append(action._next - 0.01)
    assert rests == pytest.approx([10.0, 30.0])
