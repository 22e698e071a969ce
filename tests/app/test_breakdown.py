"""Who used the block: read when it is wanted and something has changed, and never in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import pytest

from monitor.app.live import MOSTLY_EVERY, PAGE_EVERY, Page
from monitor.app.poller import Poller
from monitor.model.breakdown import Breakdown, difference
from monitor.views.screen.dashboard import DisplayOptions
from monitor.views.style import Style
from tests.app.reports import HOUR, NOW, START, Clock, Fake, lengths, raw_block, touch
from tests.app.test_poller import Changes
from tests.waiting import until


@pytest.fixture(autouse=True)
def split(fake: Fake) -> None:
    fake.splits(session_0=300)


def wanted(poller: Poller, fake: Fake, pause: float = 0.0) -> Poller:
    poller.poll()
    poller.block_breakdowns.pause = pause
    fake.calls()
    return poller


def read(poller: Poller) -> Breakdown:
    breakdown = poller.read_breakdown().breakdown
    assert breakdown is not None
    return breakdown


def test_nothing_is_read_while_nobody_wants_to_see_it(poller: Poller, fake: Fake) -> None:
    poller.poll()
    fake.calls()
    assert poller.read_breakdown().breakdown is None
    assert fake.calls() == []


def test_the_block_is_split_from_the_files_that_can_hold_it(poller: Poller, fake: Fake) -> None:
    breakdown = read(wanted(poller, fake))
    assert breakdown.counted == 300
    assert difference(breakdown) == ""
    assert [part.project for part in breakdown.parts] == ["p"]
    ((length, files, _),) = fake.calls()
    assert (length, files) == ("split", ["new.jsonl"])


def test_it_is_read_again_only_after_a_change(
    poller: Poller, fake: Fake, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.app.breakdown.REST", 0)
    before = read(wanted(poller, fake))
    poller.poll()
    assert read(poller) is before
    fake.says(raw_block(START, NOW, 450))
    fake.splits(session_0=450)
    touch(root)
    poller.poll()
    assert poller.result.breakdown is before, "until the next one is read"
    assert read(poller).counted == 450
    assert lengths(fake.calls()).count("split") == 2


def test_it_is_read_no_more_often_than_is_wanted(poller: Poller, fake: Fake, root: Path) -> None:
    before = read(wanted(poller, fake, pause=3600))
    fake.says(raw_block(START, NOW, 450))
    touch(root)
    poller.poll()
    assert read(poller) is before
    assert lengths(fake.calls()).count("split") == 1


def test_a_failure_costs_the_breakdown_alone_and_is_told(poller: Poller, fake: Fake) -> None:
    wanted(poller, fake)
    (fake.path.parent / "report-split").write_text("no report")
    breakdown = read(poller)
    assert "printed no report" in breakdown.error
    assert breakdown.parts == ()
    assert poller.result.error is None
    assert poller.result.reading is not None


def test_a_project_that_it_was_not_given_is_an_error(poller: Poller, fake: Fake) -> None:
    fake.splits(session_7=300)
    assert "was not given: session-7" in read(wanted(poller, fake)).error


def test_without_an_active_block_there_is_nothing_to_split(
    poller: Poller, fake: Fake, clock: Clock
) -> None:
    wanted(poller, fake)
    clock.now = NOW + 9 * HOUR
    assert poller.read_breakdown().breakdown is None
    assert poller.split_block() is None


def test_a_message_that_comes_in_between_is_read_before_the_rows_are_shown(
    poller: Poller, fake: Fake, root: Path
) -> None:
    poller.poll()
    fake.says(raw_block(START, NOW, 450))
    fake.splits(session_0=450)
    touch(root)
    breakdown = poller.split_block()
    assert breakdown is not None
    assert (breakdown.counted, breakdown.missing) == (450, 0)


def test_a_difference_that_stays_is_not_read_for_ever(poller: Poller, fake: Fake) -> None:
    poller.poll()
    fake.splits(session_0=200)
    fake.calls()
    breakdown = poller.split_block()
    assert breakdown is not None
    assert breakdown.missing == 100
    assert lengths(fake.calls()).count("split") == 3


@pytest.fixture
def started(poller: Poller) -> Iterator[tuple[Poller, Changes]]:
    changes = Changes(poller)
    poller.block_breakdowns.pause = 3600
    poller.start(3600, changes)
    yield poller, changes
    poller.stop()


def test_the_thread_reads_it_last(started: tuple[Poller, Changes], fake: Fake) -> None:
    poller, _ = started
    until(lambda: poller.result.breakdown, "the breakdown is read")
    assert poller.result.breakdown is not None
    assert poller.result.history is not None
    assert poller.result.breakdown.counted == 300
    calls = lengths(fake.calls())
    assert calls[:3] == ["5", "0.02", "5"]
    assert calls[-1] == "split"


# --- the keys


def page(*keys: str) -> Page:
    shown = Page(DisplayOptions(Style()))
    for key in keys:
        shown = shown.after(key, 24, 0)
    return shown


@pytest.mark.parametrize(
    ("keys", "by"),
    [
        ("p", "project"),
        ("pp", "model"),
        ("p\t", "model"),
        ("ppp", "session"),
        ("pppp", "project"),
        ("pp?p", "project"),
    ],
)
def test_p_opens_the_page_and_turns_it(keys: str, by: str) -> None:
    assert (page(*keys).name, page(*keys).by) == ("breakdown", by)


@pytest.mark.parametrize(("key", "name"), [("h", "history"), ("?", "help"), ("\x1b", "")])
def test_other_keys_leave_it(key: str, name: str) -> None:
    assert page("p", key).name == name


def test_tab_means_nothing_elsewhere_and_arrows_scroll() -> None:
    assert page("\t").name == ""
    assert page("p", "down", "down").first == 2
    assert page("p", "down", "p").first == 0


@pytest.mark.parametrize(
    ("keys", "rows", "pause"),
    [("", 24, MOSTLY_EVERY), ("", 19, None), ("h", 24, None), ("p", 5, PAGE_EVERY)],
)
def test_it_is_read_only_where_it_is_shown(keys: str, rows: int, pause: Optional[float]) -> None:
    assert page(*keys).breakdown_pause(80, rows) == pause
