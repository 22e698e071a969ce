"""Transcripts and directories that cannot be read: all are named, with owner and remedy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.model.reading import Unreadable
from monitor.transcripts import unreadable as module
from monitor.transcripts.files import walk
from monitor.transcripts.unreadable import find_unreadable

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
pytestmark = POSIX

READS_ALL = ("-dac_override", "-dac_read_search")
"""What lets root read everything."""

FIND = """
import json, sys
from pathlib import Path
from monitor.transcripts.files import walk
from monitor.transcripts.unreadable import find_unreadable
roots = [Path(name) for name in sys.argv[1:]]
print(json.dumps([list(found) for found in find_unreadable(roots, walk(roots))]))
"""

REPOSITORY = Path(__file__).parent.parent.parent


def find(*roots: Path) -> list[Unreadable]:
    """Find them in a process of a user who cannot read everything, as root can."""
    command = [sys.executable, "-c", FIND, *map(str, roots)]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root reads everything, and there is no setpriv")
        dropped = ",".join(READS_ALL)
        command = [setpriv, "--bounding-set", dropped, "--inh-caps", dropped, *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    found: list[list[Any]] = json.loads(done.stdout)
    return [Unreadable(*map(str, one)) for one in found]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("p/one.jsonl", "p/two.jsonl", "q/s/subagents/agent-1.jsonl"):
        path = tmp_path / "projects" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    return tmp_path


def closed(path: Path) -> Path:
    path.chmod(0)
    return path


def own(path: Path, root: Path) -> Unreadable:
    return Unreadable(str(path), "", f"chmod -R u+rX '{root}'")


def test_where_all_can_be_read_there_is_nothing_to_say(root: Path) -> None:
    assert find(root) == []
    assert list(find_unreadable([root], walk([root]))) == []


def test_a_file_of_ones_own_without_permissions_is_named_with_the_remedy(root: Path) -> None:
    path = closed(root / "projects/p/one.jsonl")
    assert find(root) == [own(path, root)]


@pytest.mark.parametrize("name", ["p", "q/s", "q/s/subagents"])
def test_a_directory_that_cannot_be_listed_is_named_once(root: Path, name: str) -> None:
    path = closed(root / "projects" / name)
    found = find(root)
    path.chmod(0o700)
    assert found == [own(path, root)]


def test_a_directory_that_can_be_listed_but_not_entered_is_named(root: Path) -> None:
    path = root / "projects/p"
    path.chmod(0o400)
    found = find(root)
    path.chmod(0o700)
    assert found == [own(path, root)]


def test_the_directory_of_all_projects_may_be_unreadable(root: Path) -> None:
    path = closed(root / "projects")
    found = find(root)
    path.chmod(0o700)
    assert found == [own(path, root)]


def test_every_one_is_counted_over_several_data_directories(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(root / "projects", other / "projects")
    paths = [
        closed(root / "projects/p/one.jsonl"),
        closed(root / "projects/p/two.jsonl"),
        closed(other / "projects/p/one.jsonl"),
    ]
    assert sorted(find(root, other)) == sorted(
        [own(paths[0], root), own(paths[1], root), own(paths[2], other)]
    )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give")
@pytest.mark.parametrize(("user", "name"), [(1, "daemon"), (54_321, "user 54321")])
def test_somebody_elses_file_is_named_with_its_owner_and_another_remedy(
    root: Path, user: int, name: str
) -> None:
    path = closed(root / "projects/p/one.jsonl")
    os.chown(path, user, user)
    assert find(root) == [Unreadable(str(path), name, f"sudo chown -R $(id -un) '{root}'")]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give")
def test_somebody_elses_file_that_all_may_read_is_no_fault(root: Path) -> None:
    path = root / "projects/p/one.jsonl"
    path.chmod(0o644)
    os.chown(path, 1, 1)
    assert find(root) == []


def test_a_file_that_vanished_is_not_unreadable(root: Path) -> None:
    folders = list(walk([root]))
    (root / "projects/p/one.jsonl").unlink()
    shutil.rmtree(root / "projects/q")
    assert list(find_unreadable([root], folders)) == []
    assert list(find_unreadable([root], walk([root / "none"]))) == []


def test_where_there_are_no_owners_the_remedy_is_the_systems_own(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "geteuid")
    monkeypatch.setattr(module, "_can_read", lambda _file: False)
    (first, *_) = find_unreadable([root], walk([root]))
    assert first.owner == "" and first.remedy.startswith(f'icacls "{first.path}" /grant ')
