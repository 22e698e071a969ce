"""Each session becomes a project of its own in the private directories."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.errors import MonitorError
from monitor.transcripts.files import scan
from monitor.transcripts.session_links import Session, SessionLinks, session_of


def write(root: Path, name: str) -> None:
    path = root / "projects" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    for name in ("api/a.jsonl", "api/a/subagents/agent-1.jsonl", "api/b.jsonl"):
        write(tmp_path / "one", name)
    for name in ("api/a.jsonl", "beside.jsonl"):
        write(tmp_path / "two", name)
    return [tmp_path / "one", tmp_path / "two"]


def test_a_subagent_belongs_to_its_session_and_equal_names_to_their_own(roots: list[Path]) -> None:
    assert {session_of(file) for file in scan(roots)} == {
        *(Session(0, "api", "a"), Session(0, "api", "b")),
        *(Session(1, "api", "a"), Session(1, "", "beside")),
    }


def test_each_session_has_a_directory_of_its_own(roots: list[Path], tmp_path: Path) -> None:
    links = SessionLinks(tmp_path / "links", 2)
    groups = links.sync(scan(roots))
    assert sorted(len(files) for files in groups.values()) == [1, 1, 1, 2]
    for key, files in groups.items():
        (root,) = {file.root for file in files}
        assert len(list((links.dirs[root] / "projects" / key).rglob("*.jsonl"))) == len(files)


def test_a_session_keeps_its_directory(roots: list[Path], tmp_path: Path) -> None:
    links = SessionLinks(tmp_path / "links", 2)
    before = {session_of(files[0]): key for key, files in links.sync(scan(roots)).items()}
    write(roots[0], "api/0.jsonl")
    (roots[0] / "projects/api/b.jsonl").unlink()
    after = {session_of(files[0]): key for key, files in links.sync(scan(roots)).items()}
    assert len(after) == 4
    assert all(before.get(session, key) == key for session, key in after.items())
    assert len(list((tmp_path / "links").rglob("*.jsonl"))) == 5


def test_below_a_directory_named_projects_ccusage_could_not_tell_them_apart(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match="directory named “projects”"):
        SessionLinks(tmp_path / "projects" / "cache", 1)
