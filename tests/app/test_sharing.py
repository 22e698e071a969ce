"""One reading for many processes: taken while it is fresh, of one kind, and complete."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.app import sharing
from monitor.app.sharing import shared_usage
from monitor.clock import utc_now
from monitor.config.settings import LimitOptions, Settings
from monitor.errors import MonitorError
from monitor.store.json_file import locked
from monitor.store.paths import state_dir
from monitor.store.reading import reading_path
from tests.app.reports import Fake, lengths, raw_block
from tests.app.test_opening import settings


@pytest.fixture
def chosen(fake: Fake, root: Path) -> Settings:
    now = utc_now()
    fake.says(raw_block(now - timedelta(hours=1), now, 300))
    return settings(fake, root)


def test_the_second_of_two_takes_the_reading_of_the_first(chosen: Settings, fake: Fake) -> None:
    first = shared_usage(chosen)
    assert fake.calls()
    assert shared_usage(chosen).reading.blocks == first.reading.blocks
    assert fake.calls() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda chosen: replace(chosen, data=chosen.data._replace(full_scan=True)),
        lambda chosen: replace(chosen, data=chosen.data._replace(online=True)),
        lambda chosen: replace(chosen, limit=LimitOptions("custom_max")),
    ],
    ids=["full scan", "online", "a limit that needs the history"],
)
def test_a_reading_that_is_not_enough_is_not_taken(
    change: Callable[[Settings], Settings], chosen: Settings, fake: Fake
) -> None:
    shared_usage(chosen)
    for path in state_dir().glob("history-*"):
        path.unlink()
    fake.calls()
    shared_usage(change(chosen))
    assert lengths(fake.calls())[0] == "5"


def test_a_reading_older_than_wanted_is_not_taken(
    chosen: Settings, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared_usage(replace(chosen, refresh=600))
    fake.calls()
    later = utc_now() + timedelta(minutes=2)
    monkeypatch.setattr(sharing, "utc_now", lambda: later)
    assert shared_usage(replace(chosen, refresh=600)).reading
    assert fake.calls() == []
    shared_usage(replace(chosen, refresh=600), timedelta(minutes=1))
    assert lengths(fake.calls()) == ["5", "0.02"]


def test_a_failure_while_others_wait_answers_them_too(
    chosen: Settings, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.breaks()
    with pytest.raises(MonitorError) as first:
        shared_usage(chosen)
    fake.calls()
    # A process that asked before that failure, and has waited for the lock since.
    moments = iter([utc_now() - timedelta(minutes=1)])
    monkeypatch.setattr(sharing, "utc_now", lambda: next(moments, utc_now()))
    with pytest.raises(MonitorError) as second:
        shared_usage(chosen)
    assert (second.value.reason, second.value.advice) == (first.value.reason, first.value.advice)
    assert fake.calls() == []


def test_where_nothing_can_be_stored_each_reads_for_itself(
    chosen: Settings, fake: Fake, isolated: Path
) -> None:
    (isolated / "state").write_text("a file in place of the state directory")
    for _ in range(2):
        assert shared_usage(chosen).reading.blocks
        assert lengths(fake.calls())[0] == "5"


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks")
def test_a_process_that_is_stopped_while_it_polls_is_not_waited_for_for_ever(
    chosen: Settings, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "WAIT_SECONDS", 0.05)
    dirs = [str(path) for path in chosen.data.claude_dirs]
    lock = reading_path(state_dir(), dirs, chosen.data.key).with_suffix(".failed.json")
    with locked(lock):
        assert shared_usage(chosen).reading.blocks
