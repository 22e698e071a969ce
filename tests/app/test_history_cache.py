"""The history beside the readings: read once, stored, added to, read again a day later."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import pytest

from monitor.app.history_cache import HISTORY_RETRY, SEARCH_NOTED
from monitor.app.poller import NOT_STORED, Poller, PollResult
from monitor.app.reader import Reader
from monitor.ccusage.runner import Command
from monitor.model.blocks import active_block
from monitor.model.plans import Rules
from monitor.model.sentence import warnings
from monitor.store.history import load_history
from tests.app.reports import (
    HOUR,
    NOW,
    START,
    Clock,
    Fake,
    Polled,
    raw_block,
    reader_of,
    touch,
    transcript,
)


def highest(poller: Poller) -> Optional[int]:
    history = poller.poll().history
    return max((b.tokens.counted for b in history.blocks), default=None) if history else None


PAST = raw_block(START - 700 * HOUR, START - 698 * HOUR, 9_000)


def test_the_history_is_read_once_kept_and_read_again_a_day_later(
    poller: Poller, fake: Fake, tmp_path: Path, reader: Polled, clock: Clock
) -> None:
    fake.says(PAST, raw_block(START, NOW - HOUR, 300))
    poller.poll()
    assert poller.is_history_due()
    poller.read_history()
    assert highest(poller) == 9_000
    assert not poller.is_history_due()
    again = Poller(reader.reader, tmp_path / "state", clock)
    assert highest(again) == 9_000
    assert not again.is_history_due()
    clock.now += 25 * HOUR
    again.poll()
    assert again.is_history_due()


def test_blocks_that_ended_unseen_before_what_the_window_shows_are_read_anew(
    poller: Poller, fake: Fake, reader: Polled, root: Path, tmp_path: Path, clock: Clock
) -> None:
    poller.poll()
    poller.read_history()
    # This block goes on for hours while nobody watches, and the next is all that a window shows.
    clock.now = NOW + 15 * HOUR
    fake.says(raw_block(clock.now - HOUR, clock.now, 40))
    transcript(root, "p/next.jsonl", clock.now)
    again = Poller(reader_of(fake, tmp_path, [root]), tmp_path / "state", clock)
    assert again.poll().reading is not None
    assert again.is_history_due()
    again.read_history()
    assert not again.is_history_due()


def test_a_history_from_the_future_is_read_anew(poller: Poller, fake: Fake, clock: Clock) -> None:
    clock.now = NOW + 48 * HOUR
    poller.poll()
    poller.read_history()
    clock.now = NOW
    poller.poll()
    assert poller.is_history_due()


def test_a_history_that_cannot_be_read_is_not_tried_again_at_once(
    poller: Poller, fake: Fake, clock: Clock
) -> None:
    poller.poll()
    fake.breaks()
    seen = poller.read_history()
    assert seen.reading is not None
    assert not poller.is_history_due()
    clock.now += HISTORY_RETRY
    fake.says(raw_block(START, NOW - HOUR, 300))
    assert poller.is_history_due()


def test_a_block_that_completes_joins_the_history(
    poller: Poller, fake: Fake, root: Path, clock: Clock
) -> None:
    poller.poll()
    poller.read_history()
    fake.says(raw_block(START, NOW, 450))
    touch(root)
    clock.now = START + 5 * HOUR
    assert highest(poller) == 450


def test_where_nothing_can_be_kept_a_completed_block_does_not_displace_the_others(
    reader: Polled, fake: Fake, root: Path, tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "file").write_text("")
    poller = Poller(reader.reader, tmp_path / "file", clock)
    fake.says(PAST, raw_block(START, NOW - HOUR, 300))
    poller.poll()
    poller.read_history()
    fake.says(raw_block(START, NOW, 450))
    touch(root)
    clock.now = START + 5 * HOUR
    assert highest(poller) == 9_000
    assert not poller.is_history_due()


def test_on_a_disk_that_is_full_no_completed_block_displaces_another(
    poller: Poller, fake: Fake, root: Path, tmp_path: Path, clock: Clock
) -> None:
    poller.poll()
    poller.read_history()
    for lock in (tmp_path / "state").glob(".history-*.lock"):
        lock.unlink()
        lock.mkdir()  # what is stored can be read, but not be replaced
    for start, tokens in ((START, 450), (START + 6 * HOUR, 500)):
        fake.says(raw_block(start, start + HOUR, tokens))
        touch(root)
        clock.now = start + 5 * HOUR
        history = poller.poll().history
    assert history is not None
    assert [block.tokens.counted for block in history.blocks] == [450, 500]


def test_the_history_of_another_way_of_counting_is_not_used(
    poller: Poller, fake: Fake, tmp_path: Path, root: Path, clock: Clock
) -> None:
    fake.says(PAST, raw_block(START, NOW - HOUR, 300))
    poller.poll()
    poller.read_history()
    fake.write(version="17.2.1")
    other = Poller(reader_of(fake, tmp_path, [root]), tmp_path / "state", clock)
    assert highest(other) is None
    assert other.is_history_due()


def window_says(reader: Reader, fake: Fake, window: object, scan: list[object]) -> None:
    """Let the fake report one thing of the window, and another of everything."""
    real = reader.runner.blocks

    def blocks(command: Command, data_dirs: Sequence[Path], *extra: str, **options: Any) -> str:
        in_window = any("window" in path.parts for path in data_dirs)
        fake.says(*([window] if in_window else scan))  # type: ignore[arg-type]
        return real(command, data_dirs, *extra, **options)

    reader.runner.blocks = blocks  # type: ignore[method-assign]


def counted(result: PollResult) -> Optional[int]:
    assert result.reading is not None
    block = active_block(result.reading.blocks, NOW)
    return block.tokens.counted if block else None


@pytest.mark.parametrize("scan", [[], [raw_block(START, NOW - HOUR, 100)]])
def test_a_window_that_counts_more_than_everything_is_distrusted(
    poller: Poller, fake: Fake, scan: list[object]
) -> None:
    window_says(poller.reader, fake, raw_block(START, NOW - HOUR, 300), scan)
    assert counted(poller.poll()) == 300
    result = poller.read_history()
    assert result.reading is not None
    assert result.reading.source.scan == "full"
    assert counted(result) == (100 if scan else None)


def test_what_one_process_has_found_wrong_is_known_to_all_until_the_block_ends(
    poller: Poller, fake: Fake, root: Path, tmp_path: Path, clock: Clock
) -> None:
    scan: list[object] = [raw_block(START, NOW - HOUR, 100)]
    window_says(poller.reader, fake, raw_block(START, NOW - HOUR, 300), scan)
    beside = Poller(reader_of(fake, tmp_path, [root]), tmp_path / "state", clock)
    window_says(beside.reader, fake, raw_block(START, NOW - HOUR, 300), scan)
    assert counted(beside.poll()) == 300
    poller.poll()
    poller.read_history()
    later = Poller(reader_of(fake, tmp_path, [root]), tmp_path / "state", clock)
    window_says(later.reader, fake, raw_block(START, NOW - HOUR, 300), scan)
    assert [counted(other.poll()) for other in (beside, later)] == [100, 100]
    clock.now = START + 5 * HOUR
    result = later.poll().reading
    assert result is not None
    assert result.source.scan == "window"


@pytest.mark.parametrize(("hours", "expected"), [(0, 100), (48, 300)])
def test_a_second_read_of_everything_trusts_a_window_only_if_the_clock_was_wrong(
    poller: Poller, fake: Fake, root: Path, hours: int, expected: int
) -> None:
    scan: list[object] = [raw_block(START, NOW - HOUR, 100)]
    window_says(poller.reader, fake, raw_block(START, NOW - HOUR, 300), scan)
    poller.poll()
    poller.read_history()
    if hours:
        poller._history.distrust_window(NOW + hours * HOUR)
    poller.read_history()
    touch(root)
    assert counted(poller.poll()) == expected


def test_an_unchecked_count_of_the_window_does_not_stay_the_highest_block(
    poller: Poller, fake: Fake, clock: Clock, root: Path
) -> None:
    poller.poll()
    poller.read_history()
    fake.says(raw_block(START, NOW, 12_250))
    touch(root)
    clock.now = START + 5 * HOUR
    assert highest(poller) == 12_250
    fake.says(raw_block(START, NOW, 220))
    clock.now += 25 * HOUR
    poller.poll()
    assert poller.is_history_due()
    poller.read_history()
    assert highest(poller) == 220


def custom_max(result: PollResult, clock: Clock) -> int:
    usage = result.measured(Rules(plan="custom_max"), clock.now)
    assert usage is not None
    return usage.limit.tokens


def test_an_ended_block_that_a_full_scan_has_counted_is_not_read_from_a_window_again(
    poller: Poller, fake: Fake, clock: Clock, root: Path
) -> None:
    window = raw_block(START, NOW, 12_250)
    window_says(poller.reader, fake, window, [raw_block(START, NOW, 220)])
    clock.now = START + 5 * HOUR
    assert custom_max(poller.poll(), clock) == 12_250
    assert custom_max(poller.read_history(), clock) == 220
    touch(root)
    assert custom_max(poller.poll(), clock) == 220


def test_a_full_scan_on_request_corrects_the_history_before_the_daily_read(
    poller: Poller, fake: Fake, clock: Clock, root: Path, tmp_path: Path
) -> None:
    fake.says(PAST, raw_block(START, NOW - HOUR, 100))
    poller.poll()
    poller.read_history()
    past, true = raw_block(START, NOW, 12_250), raw_block(START, NOW, 220)
    window_says(poller.reader, fake, past, [true])
    touch(root)
    clock.now = START + 5 * HOUR
    assert custom_max(poller.poll(), clock) == 12_250
    reader = reader_of(fake, tmp_path, [root], full_scan=True)
    window_says(reader, fake, past, [true])
    full = Poller(reader, tmp_path / "state", clock)
    assert custom_max(full.poll(), clock) == 9_000
    assert custom_max(poller.poll(), clock) == 9_000


def test_a_later_full_scan_does_not_let_the_window_be_trusted_before_the_block_has_ended(
    poller: Poller, fake: Fake, tmp_path: Path
) -> None:
    window = raw_block(START, NOW - HOUR, 300)
    window_says(poller.reader, fake, window, [raw_block(START, NOW - HOUR, 100)])
    poller.poll()
    poller.read_history()
    trusted: list[bool] = []
    real = poller.poll

    def poll() -> PollResult:
        history = load_history(next((tmp_path / "state").glob("history-*.json")))
        trusted.append(history is None or not history.distrusts_window(NOW))
        return real()

    poller.poll = poll  # type: ignore[assignment, method-assign]
    poller.read_history()
    assert trusted == [False]


def test_a_message_that_arrives_during_the_full_scan_is_no_contradiction(
    poller: Poller, fake: Fake, root: Path, reader: Polled
) -> None:
    poller.poll()
    real = reader.reader.read_all

    def read_all(*args: Any) -> Any:
        found = real(*args)
        fake.says(raw_block(START, NOW, 450))
        touch(root)
        return found

    reader.reader.read_all = read_all  # type: ignore[assignment, method-assign]
    seen = poller.read_history()
    assert seen.reading is not None
    assert seen.reading.source.scan == "window"


def test_a_history_that_cannot_be_read_is_said_beside_the_numbers(
    poller: Poller, fake: Fake
) -> None:
    poller.poll()
    fake.breaks()
    seen = poller.read_history()
    usage = seen.measured(Rules(), NOW)
    assert usage is not None
    assert any(text.startswith("The history could not be read") for text in warnings(usage))


def mark(root: Path, name: str) -> None:
    """Add a transcript that ends in the mark of a limit that stopped the user at NOW."""
    line = {
        "type": "assistant",
        "timestamp": NOW.isoformat(),
        "isApiErrorMessage": True,
        "quotaLimits": {
            "status": "rejected",
            "rateLimitType": "five_hour",
            "resetsAt": (NOW + HOUR).timestamp(),
        },
    }
    path = transcript(root, name, NOW)
    path.write_text(f"{json.dumps(line)}\n")
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))


def status(result: PollResult) -> str:
    usage = result.measured(Rules(), NOW)
    assert usage is not None
    return usage.status


def test_a_reached_limit_that_could_not_be_stored_is_stored_later_and_misleads_nobody(
    poller: Poller, reader: Polled, fake: Fake, root: Path, tmp_path: Path, clock: Clock
) -> None:
    state = tmp_path / "state"
    poller.poll()
    poller.read_history()
    (lock,) = state.glob(".history-*.lock")
    lock.unlink()
    lock.mkdir()  # what is stored can be read, but not be replaced
    for path in state.glob("last-*.json"):
        path.unlink()
    mark(root, "p/stopped.jsonl")
    stopped = poller.poll()
    assert (status(stopped), stopped.store_error) == ("limit_reached", NOT_STORED)
    assert not list(state.glob("last-*.json"))

    lock.rmdir()
    other = Poller(reader_of(fake, tmp_path, [root]), state, clock)
    (root / "projects/p/stopped.jsonl").unlink()
    other.poll()
    other.read_history()  # it replaces the history by one without the mark
    touch(root)
    assert status(poller.poll()) == "limit_reached"
    clock.now = NOW + SEARCH_NOTED
    touch(root)
    poller.poll()
    assert list(state.glob("last-*.json"))
    stored = load_history(next(state.glob("history-*.json")))
    assert stored is not None
    assert [hit.at for hit in stored.hits] == [NOW]
