"""The window: which files are handed on, and what of their blocks is exact."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Optional

import pytest

from monitor.model.blocks import SESSION, Block, TokenCounts
from monitor.transcripts.files import TranscriptFile, scan
from monitor.transcripts.linked_files import (
    LinkedFiles,
    after_last_pause,
    exact_part,
    select,
    widened,
)

NOW = datetime(2026, 6, 10, 18, 30, tzinfo=timezone.utc)
SINCE = NOW - timedelta(hours=24)
MINUTE = timedelta(minutes=1)


def block(start: datetime, last: Optional[datetime] = None, *, is_gap: bool = False) -> Block:
    return Block(
        start.isoformat(), start, start + SESSION, last, False, is_gap, 1, TokenCounts(), None, ()
    )


def day(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, 10, hour, minute, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("last", "proven"), [(day(9, 59), True), (day(10, 0), False), (day(10, 1), False)]
)
def test_only_a_silence_of_more_than_five_hours_proves_what_comes_after(
    last: datetime, *, proven: bool
) -> None:
    before = block(SINCE + MINUTE, SINCE + MINUTE)
    # No silence but the last: a block every five hours, each active to its end.
    chain = [block(before.start + n * SESSION, before.start + (n + 1) * SESSION) for n in (1, 2)]
    newest = block(day(15), day(18))
    found = exact_part([before, *chain, block(day(8), last), newest], SINCE, NOW)
    assert found == ((newest,) if proven else None)


def test_the_first_silence_counts_from_the_beginning_of_the_window() -> None:
    early = block(SINCE + SESSION + MINUTE)
    assert exact_part([early], SINCE, NOW) == (early,)
    assert exact_part([block(SINCE + SESSION)], SINCE, NOW) is None
    assert exact_part([block(SINCE + MINUTE)], SINCE, NOW) is None


def test_a_block_that_reaches_into_the_window_proves_nothing_by_itself() -> None:
    old = block(SINCE - 2 * SESSION, SINCE - SESSION - MINUTE)
    assert exact_part([old, block(SINCE + MINUTE)], SINCE, NOW) is None


def test_gaps_are_no_proof_and_stay_where_they_are_in_the_exact_part() -> None:
    gap = block(day(3), is_gap=True)
    assert exact_part([gap], SINCE, NOW) is None
    first, later = block(day(2), day(2, 30)), block(day(15), day(16))
    assert exact_part([first, gap, later], SINCE, NOW) == (first, gap, later)


def test_a_silence_before_a_block_in_the_future_says_nothing_of_the_present() -> None:
    chain = [block(SINCE + MINUTE + n * SESSION, SINCE + (n + 1) * SESSION) for n in range(5)]
    assert exact_part([*chain, block(NOW + 2 * SESSION)], SINCE, NOW) is None


def test_no_blocks_prove_nothing_unless_everything_was_read() -> None:
    assert exact_part([], SINCE, NOW) is None
    assert exact_part([], None, NOW) == ()


def test_a_block_without_a_last_message_counts_as_busy_to_its_end() -> None:
    chain = [block(SINCE + MINUTE + n * SESSION) for n in range(5)]
    assert exact_part(chain, SINCE, NOW) is None


def test_the_newest_pause_is_that_before_the_blocks_under_way() -> None:
    yesterday, morning = block(day(0), day(2)), block(day(8), day(12, 30))
    gap, future = block(day(2), is_gap=True), block(NOW + 2 * SESSION)
    noon = block(day(13), day(17))
    assert after_last_pause([yesterday, gap, morning, noon], NOW) == morning.start
    assert after_last_pause([noon, future], NOW) == noon.start
    assert after_last_pause([block(day(1)), noon], NOW) == noon.start, "busy to its end, till 6"


def test_the_span_is_doubled() -> None:
    assert widened(timedelta(hours=24)) == timedelta(hours=48)


def transcript(root: Path, name: str, text: str, when: Optional[datetime] = None) -> Path:
    path = root / "projects" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if when is not None:
        os.utime(path, (when.timestamp(), when.timestamp()))
    return path


def test_files_are_selected_by_their_time_with_room_for_slow_clocks(tmp_path: Path) -> None:
    for name, when in {
        "p/at.jsonl": SINCE,
        "p/slow.jsonl": SINCE - 9 * MINUTE,
        "p/old.jsonl": SINCE - 11 * MINUTE,
    }.items():
        transcript(tmp_path, name, "x", when)
    files = scan([tmp_path])
    assert {file.relative for file in select(files, SINCE)} == {"p/at.jsonl", "p/slow.jsonl"}
    assert select(files, None) == files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "claude" / "projects").mkdir(parents=True)
    return tmp_path / "claude"


@pytest.fixture
def linked(tmp_path: Path) -> LinkedFiles:
    return LinkedFiles(tmp_path / "window", 2)


def shown(window: LinkedFiles) -> dict[str, str]:
    """What ccusage would find: the files of each directory, and what is in them."""
    return {
        f"{index}/{path.relative_to(top / 'projects').as_posix()}": path.read_text(encoding="utf-8")
        for index, top in enumerate(window.dirs)
        for path in sorted((top / "projects").rglob("*.jsonl"))
    }


def test_links_show_what_is_appended_and_truncated(root: Path, linked: LinkedFiles) -> None:
    path = transcript(root, "p/s/subagents/agent-1.jsonl", "one")
    linked.sync(scan([root]))
    with path.open("a") as file:
        file.write(" two")
    assert shown(linked) == {"0/p/s/subagents/agent-1.jsonl": "one two"}
    path.write_text("1")
    linked.sync(scan([root]))
    assert shown(linked) == {"0/p/s/subagents/agent-1.jsonl": "1"}


def test_a_replaced_file_is_linked_anew(root: Path, linked: LinkedFiles) -> None:
    path = transcript(root, "p/a.jsonl", "old")
    linked.sync(scan([root]))
    transcript(root, "p/new", "new").replace(path)
    linked.sync(scan([root]))
    assert shown(linked) == {"0/p/a.jsonl": "new"}


def test_what_is_deleted_renamed_or_no_longer_wanted_goes(root: Path, linked: LinkedFiles) -> None:
    for name in ("deleted", "renamed", "kept", "old"):
        transcript(root, f"p/{name}.jsonl", name)
    linked.sync(scan([root]))
    (root / "projects/p/deleted.jsonl").unlink()
    (root / "projects/p/renamed.jsonl").rename(root / "projects/p/other.jsonl")
    linked.sync([file for file in scan([root]) if "old" not in file.relative])
    assert shown(linked) == {"0/p/kept.jsonl": "kept", "0/p/other.jsonl": "renamed"}


def test_markers_are_messages_without_tokens_until_there_are_others(
    root: Path, linked: LinkedFiles
) -> None:
    transcript(root, "p/a.jsonl", "a")
    linked.sync(scan([root]))
    hour = datetime(2026, 6, 1, 8, 59, 59, 999_000, tzinfo=timezone.utc)
    for times in ([hour, hour + timedelta(hours=5)], [hour]):
        linked.mark(times)
        (name,) = shown(linked).keys() - {"0/p/a.jsonl"}
        lines = [json.loads(line) for line in shown(linked)[name].splitlines()]
        stamps = [line["timestamp"].replace("Z", "+00:00") for line in lines]
        assert [datetime.fromisoformat(stamp) for stamp in stamps] == times
        assert {sum(line["message"]["usage"].values()) for line in lines} == {0}
    linked.mark([])
    assert shown(linked) == {"0/p/a.jsonl": "a"}
    assert [path.name for path in (linked.dirs[0] / "projects").iterdir()] == ["p"]


def test_equal_names_of_two_data_directories_are_kept_apart(
    tmp_path: Path, linked: LinkedFiles
) -> None:
    roots = [tmp_path / "a", tmp_path / "b"]
    for root in roots:
        transcript(root, "p/same.jsonl", root.name)
    linked.sync(scan(roots))
    assert shown(linked) == {"0/p/same.jsonl": "a", "1/p/same.jsonl": "b"}


def test_a_new_window_starts_empty_whatever_an_earlier_one_left(
    root: Path, tmp_path: Path, linked: LinkedFiles
) -> None:
    transcript(root, "p/a.jsonl", "a")
    linked.sync(scan([root]))
    assert shown(LinkedFiles(tmp_path / "window", 2)) == {}


def test_a_link_that_somebody_removed_is_made_again(root: Path, linked: LinkedFiles) -> None:
    transcript(root, "p/a.jsonl", "a")
    elsewhere = transcript(root.parent / "elsewhere", "real.jsonl", "x")
    (root / "projects" / "p" / "link.jsonl").symlink_to(elsewhere)
    linked.sync(scan([root]))
    shutil.rmtree(linked.dirs[0] / "projects" / "p")
    linked.sync(scan([root]))
    assert shown(linked) == {"0/p/a.jsonl": "a", "0/p/link.jsonl": "x"}


def test_a_link_to_a_transcript_that_is_gone_goes(root: Path, linked: LinkedFiles) -> None:
    elsewhere = transcript(root.parent / "elsewhere", "real.jsonl", "x")
    (root / "projects" / "link.jsonl").symlink_to(elsewhere)
    linked.sync(scan([root]))
    elsewhere.unlink()
    linked.sync(scan([root]))
    assert list((linked.dirs[0] / "projects").iterdir()) == []


def test_directories_go_with_the_last_link_in_them(root: Path, linked: LinkedFiles) -> None:
    transcript(root, "p/a.jsonl", "a")
    deep = transcript(root, "p/s/subagents/agent-1.jsonl", "b")
    vanished = transcript(root, "q/b.jsonl", "c")
    files = scan([root])
    vanished.unlink()
    linked.sync(files)
    top = linked.dirs[0] / "projects"
    assert not (top / "q").exists()
    deep.unlink()
    linked.sync(scan([root]))
    assert sorted(top.rglob("*")) == [top / "p", top / "p" / "a.jsonl"]
    linked.sync([])
    assert list(top.iterdir()) == []


def test_a_file_that_vanished_after_the_scan_is_left_out(root: Path, linked: LinkedFiles) -> None:
    path = transcript(root, "p/a.jsonl", "a")
    files = scan([root])
    path.unlink()
    linked.sync(files)
    assert shown(linked) == {}


def test_links_stay_links_for_not_every_ccusage_follows_them(
    root: Path, linked: LinkedFiles
) -> None:
    target = transcript(root.parent / "elsewhere", "real.jsonl", "x")
    (root / "projects" / "file.jsonl").symlink_to(target)
    (root / "projects" / "folder").symlink_to(target.parent, target_is_directory=True)
    linked.sync(scan([root]))
    assert shown(linked) == {"0/file.jsonl": "x", "0/folder/real.jsonl": "x"}
    assert all(path.is_symlink() for path in linked.dirs[0].rglob("*.jsonl"))


@pytest.fixture
def no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without hard links."""

    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)


def test_what_cannot_be_linked_is_copied_and_copied_again_when_it_changes(
    root: Path, linked: LinkedFiles, no_links: None
) -> None:
    path = transcript(root, "p/a.jsonl", "one")
    linked.sync(scan([root]))
    assert shown(linked) == {"0/p/a.jsonl": "one"}
    path.write_text("one two")
    linked.sync(scan([root]))
    assert shown(linked) == {"0/p/a.jsonl": "one two"}


def test_an_unchanged_copy_is_not_copied_again(
    root: Path, linked: LinkedFiles, no_links: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript(root, "p/a.jsonl", "one")
    linked.sync(scan([root]))
    monkeypatch.setattr(shutil, "copyfile", lambda *_: pytest.fail("copied again"))
    linked.sync(scan([root]))


def test_a_file_that_nobody_can_read_stops_nothing(
    root: Path, linked: LinkedFiles, no_links: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript(root, "p/a.jsonl", "one")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(shutil, "copyfile", refuse)
    files: list[TranscriptFile] = scan([root])
    linked.sync(files)
    linked.sync(files)
    assert shown(linked) == {}
