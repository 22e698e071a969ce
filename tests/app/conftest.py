"""Fixtures: a fake ccusage, made transcripts, and a poller on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.app.poller import Poller
from monitor.ccusage.runner import Command
from tests.app.reports import HOUR, NOW, START, Clock, Fake, Polled, polled, raw_block, transcript


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    (tmp_path / "fake").mkdir()
    made = Fake(tmp_path / "fake")
    made.says(raw_block(START, NOW - HOUR, 300))
    made.says(raw_block(NOW - HOUR, NOW - HOUR, 300, 0.02), length="0.02")
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data directory with a file of today and one of last month."""
    transcript(tmp_path / "claude", "p/new.jsonl", NOW - HOUR)
    transcript(tmp_path / "claude", "p/old.jsonl", NOW - 700 * HOUR)
    return tmp_path / "claude"


@pytest.fixture(autouse=True)
def walks_at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The files here bear a past date, and are not asked about at every look as today's are."""
    monkeypatch.setattr("monitor.transcripts.watcher.USUAL_SHARE", 0)
    monkeypatch.setattr("monitor.transcripts.watcher.MIN_SHARE", 0)


@pytest.fixture
def reader(fake: Fake, tmp_path: Path, root: Path) -> Polled:
    return polled(fake, tmp_path, [root])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def poller(reader: Polled, tmp_path: Path, clock: Clock) -> Poller:
    return Poller(reader.reader, tmp_path / "state", clock)


@pytest.fixture
def packaged(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The fake, taken for the npm package: only of that is it known what it says next time."""
    command = Command((str(fake.path),), "ccusage", "20.0.24", packaged=True)
    monkeypatch.setattr("monitor.app.reader.find", lambda *_: command)
    return command
