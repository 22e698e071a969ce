"""The rows of a breakdown add up to the block of the same real ccusage, to the token."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Callable

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from monitor.app.breakdown import BreakdownReader
from monitor.app.reader import Reader
from monitor.config.settings import DataOptions
from monitor.model.blocks import Block, real_blocks
from monitor.model.breakdown import Breakdown, difference, rows
from monitor.model.reading import DataSize, Reading, Source
from monitor.transcripts.files import scan
from monitor.transcripts.watcher import Transcripts
from tests.conftest import examples
from tests.histories import MODELS, Row, streamed, write_messages

MINUTE = timedelta(minutes=1)
DAYS = ((2026, 6, 15), (2026, 3, 8), (2026, 3, 29), (2026, 10, 25), (2026, 11, 1))
"""An ordinary day, and the days on which the clocks of the United States and Europe change."""

ZONES = ("US/Eastern", "Europe/Berlin", "Asia/Kolkata", "Pacific/Kiritimati")
PROJECTS = ("-home-me-work-api", "-home-me-work-web", "-home-me-work-api-v2")
UNPRICED = "claude-opus-99"


@dataclass(frozen=True)
class Message:
    """An answer, so many minutes after the first one: by which model, in which transcript."""

    minutes: int
    root: int
    project: int
    session: int
    place: str
    model: str
    output: int


def messages_in(first: int, last: int, most: int) -> st.SearchStrategy[list[Message]]:
    made = st.builds(
        Message,
        minutes=st.integers(first, last),
        root=st.integers(0, 1),
        project=st.integers(0, len(PROJECTS) - 1),
        session=st.integers(0, 2),
        place=st.sampled_from(["", "", "/subagents/agent-1", "/subagents/agent-2"]),
        model=st.sampled_from([*MODELS, UNPRICED]),
        output=st.integers(1, 5_000),
    )
    return st.lists(made, min_size=1, max_size=most)


class History:
    """Two data directories; each transcript grows as messages come."""

    def __init__(self, home: Path, ccusage: Path, start: datetime) -> None:
        self.roots = (home / "one", home / "two")
        for root in self.roots:
            (root / "projects").mkdir(parents=True)
        (home / "work").mkdir()
        options = DataOptions(ccusage=str(ccusage), claude_dirs=self.roots)
        self.reader = Reader(options, home / "work", home / "cache")
        self.breakdowns = BreakdownReader(self.reader)
        self._start = start
        self._rows: dict[tuple[Path, str, str], list[Row]] = {}
        self._number = 0

    def add(self, messages: list[Message], *, twice: bool = False) -> None:
        for message in messages:
            self._number += 1
            # Half a minute keeps clear of the full hours, at which blocks meet.
            when = self._start + message.minutes * MINUTE + timedelta(seconds=30)
            name = f"{self._number:04d}"
            row = Row(when, output=message.output, model=message.model)
            lines = [
                Row(**{**vars(line), "message": f"msg_{name}", "request": f"req_{name}"})
                for line in (streamed(row, 3) if self._number % 3 == 0 else [row])
            ]
            root, project = self.roots[message.root], PROJECTS[message.project]
            session = f"{message.session}f0c7a52-4000-8000{message.place}"
            self._write(root, project, session, lines)
            if twice:  # a session that was resumed holds what was said before
                self._write(root, project, f"copy-{session}", lines)

    def _write(self, root: Path, project: str, session: str, lines: list[Row]) -> None:
        known = self._rows.setdefault((root, project, session), [])
        known.extend(lines)
        known.sort(key=lambda row: row.when)
        write_messages(root, known, project=project, session=session)

    def check(self, *, window: bool) -> tuple[Block, Breakdown]:
        """Compare the last block with its breakdown; return both."""
        files = scan(self.roots)
        size = DataSize(len(files), sum(file.size for file in files))
        transcripts = Transcripts(self.roots, files, size)
        self.reader._roots = self.roots
        block = real_blocks(self.reader.read_all(transcripts))[-1]
        source = Source(scan="window" if window else "full")
        reading = Reading((block,), block.end, source)
        breakdown = self.breakdowns.of_block(transcripts, reading, block)
        for by in ("project", "model", "session"):
            made = rows(breakdown.parts, by)
            kinds = zip(*(row.tokens for row in made))
            assert tuple(map(sum, kinds)) == block.tokens
            assert len({row.label for row in made}) == len(made)
        assert difference(breakdown) == ""
        return block, breakdown


@dataclass(frozen=True)
class Plan:
    """A history: when its last block begins, on whose clock, and what comes before and in it."""

    day: tuple[int, int, int]
    minute: int
    zone: str
    before: list[Message]
    steps: list[list[Message]]
    twice: bool
    window: bool


plans = st.builds(
    Plan,
    day=st.sampled_from(DAYS),
    minute=st.integers(0, 24 * 60 - 1),
    zone=st.sampled_from(ZONES),
    before=st.one_of(st.just([]), messages_in(-3_000, -1, 12)),
    steps=st.lists(messages_in(0, 250, 6), min_size=1, max_size=3),
    twice=st.booleans(),
    window=st.booleans(),
)


def of_histories(count: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        return settings(
            max_examples=examples(count),
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )(given(plan=plans)(test))

    return decorate


def compare_at_every_step(ccusage: Path, plan: Plan) -> None:
    start = datetime(*plan.day, tzinfo=timezone.utc) + plan.minute * MINUTE
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", plan.zone)
        history = History(Path(home), ccusage, start)
        history.add(plan.before)
        for step in plan.steps:
            history.add(step, twice=plan.twice)
            block, breakdown = history.check(window=plan.window)
            event(f"over midnight: {block.start.date() != block.end.date()}")
            event(f"parts: {min(len(breakdown.parts), 5)}")


@of_histories(80)
def test_the_rows_add_up_to_the_block_at_every_step(
    real_ccusage: Callable[[str], Path], plan: Plan
) -> None:
    compare_at_every_step(real_ccusage("20.0.24"), plan)


@pytest.mark.parametrize("version", ["15.9.7", "16.2.5", "17.2.1", "18.0.11"])
@of_histories(10)
def test_they_do_with_older_versions_as_well(
    real_ccusage: Callable[[str], Path], version: str, plan: Plan
) -> None:
    compare_at_every_step(real_ccusage(version), plan)


@pytest.fixture
def history(tmp_path: Path, real_ccusage: Callable[[str], Path]) -> History:
    start = datetime(2026, 6, 15, 20, 10, tzinfo=timezone.utc)
    return History(tmp_path, real_ccusage("20.0.24"), start)


@pytest.mark.parametrize("hour", range(24))
def test_a_block_may_start_at_any_hour(
    hour: int, tmp_path: Path, real_ccusage: Callable[[str], Path]
) -> None:
    start = datetime(2026, 6, 15, hour, 0, tzinfo=timezone.utc)
    history = History(tmp_path, real_ccusage("20.0.24"), start)
    old = Message(-15, 0, 0, 0, "", MODELS[0], 700)
    history.add([old])
    new = [Message(minutes, 0, 0, 0, "", MODELS[0], 100) for minutes in (285, 400, 539)]
    history.add(new)
    block, breakdown = history.check(window=True)
    assert block.start.hour == (hour + 4) % 24
    assert breakdown.counted == 3 * 110


def test_projects_of_one_name_in_two_data_directories_stay_apart(history: History) -> None:
    history.add([Message(1, root, 0, 0, "", MODELS[0], 100 + root) for root in (0, 1)])
    _, breakdown = history.check(window=True)
    made = rows(breakdown.parts, "project")
    assert [row.name for row in made] == [PROJECTS[0]] * 2
    assert [row.tokens.output for row in made] == [101, 100]
    assert all(f"({root.name})" in row.label for root, row in zip(history.roots[::-1], made))


def test_subagents_are_counted_in_their_session(history: History) -> None:
    places = ("", "/subagents/agent-1", "/subagents/agent-2")
    history.add([Message(1, 0, 0, 0, place, MODELS[0], 100) for place in places])
    _, breakdown = history.check(window=True)
    assert [row.tokens.output for row in rows(breakdown.parts, "session")] == [300]


def test_a_cost_without_a_price_is_not_known(history: History) -> None:
    history.add([Message(1, 0, 0, 0, "", model, 100) for model in (MODELS[0], UNPRICED)])
    history.add([Message(1, 0, 1, 0, "", MODELS[0], 50)])
    _, breakdown = history.check(window=True)
    assert [row.cost_usd is None for row in rows(breakdown.parts, "project")] == [True, False]


def test_a_message_at_the_edge_of_the_block_is_said_to_be_missing(history: History) -> None:
    """One exactly at the start of a block belongs to the block before it."""
    history.add([Message(minutes, 0, 0, 0, "", MODELS[0], 100) for minutes in (-5, 200, 310)])
    start = datetime(2026, 6, 16, 1, tzinfo=timezone.utc)
    edge = Row(start, output=100, message="edge", request="edge")
    write_messages(history.roots[1], [edge], project=PROJECTS[1])
    files = scan(history.roots)
    transcripts = Transcripts(history.roots, files, DataSize(len(files), 1))
    history.reader._roots = history.roots
    block = real_blocks(history.reader.read_all(transcripts))[-1]
    assert (block.start, block.tokens.counted) == (start, 110)
    reading = Reading((block,), block.end)
    breakdown = history.breakdowns.of_block(transcripts, reading, block)
    assert breakdown.missing == -110
    assert "110 tokens more than the block's 110" in difference(breakdown)
