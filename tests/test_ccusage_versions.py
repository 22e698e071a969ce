from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from monitor.ccusage.report import parse_events, parse_report
from monitor.model.blocks import Block, active_block, real_blocks
from monitor.model.slice_parts import PartsRead
from monitor.transcripts.linked_files import LinkedFiles
from tests.histories import Row, busy_history, streamed, write_messages
from tests.real_ccusage import VERSIONS, report

pytestmark = pytest.mark.real_ccusage

OLD, NEW = VERSIONS[:-1], VERSIONS[-1]
each_version = pytest.mark.parametrize("version", VERSIONS)

Facts = tuple[str, str, int, int]


# A fixed past, so that no streamed answer ever straddles an hour by chance.
PAST = datetime(2026, 1, 5, 14, 32, 7, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """A history in which every answer is one line."""
    directory = tmp_path_factory.mktemp("plain")
    return directory, busy_history(directory, PAST, days=4)


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """The same history with every answer streamed in several lines."""
    directory = tmp_path_factory.mktemp("repeated")
    return directory, busy_history(directory, PAST, days=4, streams=True)


def as_printed(text: str) -> list[Facts]:
    """Start, end, entries and counted tokens of the real blocks, by a second, plain reading."""
    raw: list[dict[str, Any]] = json.loads(text)["blocks"]
    kept = [block for block in raw if not block.get("isGap")]
    return sorted(
        (
            block["startTime"],
            block["endTime"],
            block["entries"],
            block["tokenCounts"]["inputTokens"] + block["tokenCounts"]["outputTokens"],
        )
        for block in kept
    )


def as_parsed(blocks: tuple[Block, ...]) -> list[Facts]:
    return [
        (_stamp(b.start), _stamp(b.end), b.entries, b.tokens.counted) for b in real_blocks(blocks)
    ]


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@each_version
def test_what_is_parsed_is_what_each_version_prints(
    version: str, plain: tuple[Path, list[Row]]
) -> None:
    text = report(version, plain[0])
    parsed = as_parsed(parse_report(text))
    assert len(parsed) >= 5
    assert parsed == as_printed(text)


@each_version
def test_markers_let_blocks_begin_where_they_do_with_messages_that_are_not_there(
    version: str, tmp_path: Path
) -> None:
    times = [PAST + n * timedelta(minutes=20) for n in range(48)]
    write_messages(tmp_path / "all", [Row(when) for when in times])
    whole = parse_report(report(version, tmp_path / "all"))
    known = PartsRead(None, None, is_cut=True).with_part(whole, whole[1].end)
    linked = LinkedFiles(tmp_path / "part", 1)
    write_messages(linked.dirs[0], [Row(when) for when in times[10:]])
    alone = parse_report(report(version, linked.dirs[0]))
    linked.mark(known.markers)
    marked = known.with_part(parse_report(report(version, linked.dirs[0])), None)
    assert len(known.blocks) == 2
    assert not {block.start for block in alone} & {block.start for block in whole}
    assert as_parsed(marked.blocks) == as_parsed(whole)


@each_version
def test_every_message_of_the_history_is_counted_once(
    version: str, plain: tuple[Path, list[Row]]
) -> None:
    blocks = real_blocks(parse_report(report(version, plain[0])))
    assert sum(b.entries for b in blocks) == len(plain[1])
    assert sum(b.tokens.counted for b in blocks) == sum(row.counted for row in plain[1])
    assert sum(b.tokens.cache_read for b in blocks) == sum(row.cache_read for row in plain[1])


def test_without_streamed_repeats_all_versions_agree(plain: tuple[Path, list[Row]]) -> None:
    facts = {version: as_parsed(parse_report(report(version, plain[0]))) for version in VERSIONS}
    assert all(found == facts[NEW] for found in facts.values())


@each_version
def test_the_active_block_is_the_session_under_way(version: str, tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)
    rows = busy_history(tmp_path, now, days=2)
    under_way = [row for row in rows if row.when >= now - timedelta(minutes=95)]
    active = active_block(parse_report(report(version, tmp_path)), now)
    assert active
    assert active.entries == len(under_way)
    assert active.tokens.counted == sum(row.counted for row in under_way)
    assert set(active.models) == {row.model for row in under_way}


def test_with_streamed_repeats_version_20_counts_more_in_the_same_blocks(
    repeated: tuple[Path, list[Row]],
) -> None:
    new = as_parsed(parse_report(report(NEW, repeated[0])))
    assert sum(counted for *_, counted in new) == sum(row.counted for row in repeated[1])
    for version in OLD:
        old = as_parsed(parse_report(report(version, repeated[0])))
        assert [found[:3] for found in old] == [found[:3] for found in new]
        assert all(o[3] < n[3] for o, n in zip(old, new))


@each_version
def test_a_fine_cut_gives_the_events_of_the_same_tokens(
    version: str, plain: tuple[Path, list[Row]]
) -> None:
    fine = report(version, plain[0], options=("--session-length", "0.02"))
    events, unpriced = parse_events(fine, min(row.when for row in plain[1]))
    assert len(events) > len(plain[1]) / 2 and not unpriced
    assert sum(event.tokens for event in events) == sum(row.counted for row in plain[1])


@each_version
def test_two_data_directories_are_counted_together(version: str, tmp_path: Path) -> None:
    start = datetime.now(timezone.utc) - timedelta(minutes=30)
    for number, name in enumerate(("one", "two")):
        row = Row(start + timedelta(minutes=number), output=100 * (number + 1))
        write_messages(
            tmp_path / name, [row], session=f"5f0c7a52-000{number}-4000-8000-000000000001"
        )
    blocks = real_blocks(parse_report(report(version, tmp_path / "one", tmp_path / "two")))
    assert [(b.entries, b.tokens.output) for b in blocks] == [(2, 300)]


@pytest.mark.parametrize(("version", "output"), [*((old, 25) for old in OLD), (NEW, 100)])
def test_of_a_streamed_answer_old_versions_keep_the_first_line_and_new_ones_the_largest(
    version: str, output: int, tmp_path: Path
) -> None:
    when = datetime.now(timezone.utc) - timedelta(minutes=30)
    write_messages(tmp_path, streamed(Row(when, output=100), parts=4))
    (block,) = real_blocks(parse_report(report(version, tmp_path)))
    assert (block.entries, block.tokens.output) == (1, output)
