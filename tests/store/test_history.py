"""The history that is kept: joined, never mixed, never lost to a bad file."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

import pytest

from monitor.model.blocks import SESSION, Block, TokenCounts
from monitor.model.history import CompletedBlock, History, with_scan, with_seen
from monitor.store.history import (
    change_history,
    claim,
    counting,
    forget_history,
    history_path,
    load_history,
)
from monitor.store.official import add_reports
from tests.samples import NOW, past_block

DIRS = ("/home/you/.claude",)
FIRST = CompletedBlock(past_block(3, 21_000), 61.5)
SECOND = CompletedBlock(past_block(1, 30_500))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return history_path(tmp_path / "state", DIRS, "20.0.24")


def add_to_history(
    path: Path, completed: Sequence[CompletedBlock], read_at: Optional[datetime]
) -> History:
    """Store blocks of a full scan, or those that a window has shown to have ended."""
    if read_at is None:
        return change_history(
            path, lambda stored: replace(stored, completed=with_seen(stored.completed, completed))
        )
    return change_history(
        path, lambda stored: History(with_scan(stored.completed, completed), read_at)
    )


def aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.unreadable")


def test_what_is_kept_comes_back(path: Path) -> None:
    made = add_to_history(path, [SECOND, FIRST], NOW)
    found = load_history(path)
    assert found == made
    assert found is not None
    assert found.read_at == NOW
    assert [(b.start, b.tokens, b.end) for b in found.blocks] == [
        (b.start, b.tokens, b.end) for b in (FIRST.block, SECOND.block)
    ]
    assert [item.official_percent for item in found.completed] == [61.5, None]


def test_nothing_kept_is_no_history(path: Path) -> None:
    assert load_history(path) is None


def test_blocks_are_added_and_the_time_of_the_full_scan_stays(path: Path) -> None:
    add_to_history(path, [FIRST], NOW)
    found = add_to_history(path, [SECOND], None)
    assert found.blocks == [FIRST.block, SECOND.block]
    assert found.read_at == NOW


def test_a_block_whose_transcripts_were_deleted_is_kept(path: Path) -> None:
    add_to_history(path, [FIRST, SECOND], NOW)
    later = NOW + timedelta(days=31)
    assert add_to_history(path, [], later).blocks == [FIRST.block, SECOND.block]


def test_a_block_read_again_with_less_in_it_keeps_the_larger_count(path: Path) -> None:
    less = replace(FIRST.block, tokens=TokenCounts(1, 1))
    add_to_history(path, [FIRST], NOW)
    (kept,) = add_to_history(path, [CompletedBlock(less)], None).completed
    assert kept == replace(FIRST, is_checked=True)


@pytest.mark.parametrize(
    ("version", "way"),
    [
        *(("15.9.7", "first"), ("17.2.1", "first"), ("18.0.11", "first")),
        *(("19.0.0", "full"), ("20.0.24", "full"), ("100.1.0", "full"), (None, "full")),
    ],
)
def test_versions_below_19_count_in_another_way(version: str, way: str) -> None:
    assert counting(version) == way


def test_the_two_ways_of_counting_never_meet(tmp_path: Path) -> None:
    old, new = (history_path(tmp_path, DIRS, v) for v in ("18.0.11", "20.0.24"))
    add_to_history(old, [FIRST], NOW)
    assert load_history(new) is None
    assert history_path(tmp_path, DIRS, "15.9.7") == old
    assert history_path(tmp_path, DIRS, "19.0.1") == new


def test_each_set_of_data_directories_has_its_own(tmp_path: Path) -> None:
    one, two = ("/a", "/b"), ("/a",)
    assert history_path(tmp_path, one, "20.0.24") == history_path(tmp_path, one[::-1], "20.0.24")
    assert history_path(tmp_path, one, "20.0.24") != history_path(tmp_path, two, "20.0.24")
    assert history_path(tmp_path, ("/bytes-\udcff",), "20.0.24").parent == tmp_path


def broken(percent: Any = None, **changes: Any) -> str:
    """A history file with something wrong in its only block."""
    block = {
        "id": "x",
        "start": NOW.isoformat(),
        "end": NOW.isoformat(),
        "last_activity": None,
        "is_active": False,
        "is_gap": False,
        "entries": 1,
        "tokens": [1, 2, 3, 4],
        "cost_usd": None,
        "models": [],
    }
    completed = {"block": {**block, **changes}, "official_percent": percent}
    return json.dumps({"version": 2, "completed": [completed]})


def test_the_sample_of_a_broken_file_would_be_good_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(broken())
    assert load_history(path) is not None


def test_a_file_of_the_older_format_is_read_and_written_anew_with_nothing_lost(path: Path) -> None:
    path.parent.mkdir()
    text = (Path(__file__).parent / "version_1" / "history.json").read_text()
    path.write_text(text)
    old = load_history(path)
    assert old is not None and old.read_at is not None
    raw = json.loads(text)
    assert old.read_at.isoformat() == raw["read_at"]
    first = datetime(2026, 11, 22, 13, tzinfo=timezone.utc)
    assert old.completed[0].block == Block(
        id="2026-11-22T13:00:00.000Z",
        start=first,
        end=first + SESSION,
        last_activity=datetime(2026, 11, 22, 17, 59, 35, 702_000, timezone.utc),
        is_active=False,
        is_gap=False,
        entries=71,
        tokens=TokenCounts(2156, 28835, 230554, 3492206),
        cost_usd=4.312856870000001,
        models=tuple(raw["blocks"][0]["models"]),
    )
    assert old.completed[1].block.limit_reset == first + 2 * SESSION
    assert [item.official_percent for item in old.completed] == [None, 61.5, None]
    assert add_to_history(path, [], None) == old == load_history(path)
    assert json.loads(path.read_text())["version"] == 2
    assert not aside(path).exists()


def test_the_history_of_a_newer_version_is_neither_used_nor_changed(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"version": 99, "blocks": []}')
    assert load_history(path) is None
    with pytest.raises(OSError, match="newer version"):
        add_to_history(path, [FIRST], NOW)
    assert path.read_text() == '{"version": 99, "blocks": []}'


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '{"version": 1}', '{"version": 0}'),
        *('{"version": 1, "read_at": null, "blocks": [7]}', '{"version": 1, "blocks": 7}'),
        *('{"version": 2, "completed": [7]}', '{"version": 2, "completed": 7}', "\x00\x01"),
        *(broken(start="yesterday"), broken(tokens=[1, 2, 3, 4, 5]), broken(entries="many")),
        *(broken(entries=float("inf")), broken(percent="half"), broken(percent=float("nan"))),
        *(broken(tokens=[1, -2]), broken(tokens=[10**15 + 1]), broken(start=NOW.isoformat()[:19])),
    ],
)
def test_a_damaged_file_is_set_aside_and_a_new_history_begun(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    assert load_history(path) is None
    assert aside(path).read_text() == text
    assert add_to_history(path, [FIRST], NOW).blocks == [FIRST.block]
    assert load_history(path) is not None
    assert aside(path).read_text() == text


def test_where_nothing_can_be_written_the_caller_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = history_path(tmp_path / "file", DIRS, "20.0.24")
    with pytest.raises(OSError, match="file"):
        add_to_history(path, [FIRST], NOW)


def test_files_are_private(path: Path) -> None:
    add_to_history(path, [FIRST], NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_forgetting_deletes_every_file_that_holds_past_blocks_and_nothing_else(path: Path) -> None:
    add_to_history(path, [FIRST], NOW)
    add_to_history(history_path(path.parent, ("/other",), "17.2.1"), [SECOND], NOW)
    claim(path, timedelta(hours=1))
    for kind in (path.stem, "counted-1-full", "last-1-2", "official-1"):
        forms = ("{}.json.unreadable", "{}.json.unreadable.2", ".{}.json.0123456789ab")
        for form in ("{}.json", ".{}.json.lock", *forms):
            (path.parent / form.format(kind)).touch()
    assert len(forget_history(path.parent)) == 14
    assert load_history(path) is None
    assert sorted(left.name for left in path.parent.iterdir() if left.suffix != ".lock") == [
        ".official-1.json.0123456789ab",
        "official-1.json",
        "official-1.json.unreadable",
        "official-1.json.unreadable.2",
    ]
    assert forget_history(path.parent) == []


@pytest.mark.parametrize("name", ["history", "official"])
def test_past_blocks_and_official_limits_survive_a_power_failure(
    path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    if name == "history":
        add_to_history(path, [FIRST], NOW)
    else:
        add_reports(path.parent, "/home/you/.claude", "a", {}, NOW)
    assert len(synced) == 1


def test_only_one_process_an_hour_claims_to_read_the_history(path: Path) -> None:
    hour = timedelta(hours=1)
    assert claim(path, hour)
    assert not claim(path, hour)
    mark = path.with_suffix(".claimed")
    before = mark.stat().st_mtime - 3601
    os.utime(mark, (before, before))
    assert claim(path, hour)


def test_where_nothing_can_be_stored_nobody_claims_it(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in place of the directory")
    assert not claim(history_path(tmp_path / "state", DIRS, "20.0.24"), timedelta(hours=1))
