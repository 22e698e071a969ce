"""Official percentages beside the blocks: kept with each completed one, and named by doctor."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

import pytest

from monitor.app.poller import Poller
from monitor.app.reader import Reader
from monitor.clock import utc_now
from monitor.config.settings import DataOptions
from monitor.model.official import parse_rate_limits
from monitor.model.plans import Rules
from monitor.store.history import history_path, load_history
from monitor.store.official import add_reports
from monitor.store.paths import state_dir
from tests.conftest import RunMonitor
from tests.histories import busy_history
from tests.live.fakes import Fake, a_block, active_start

HOUR = timedelta(hours=1)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path / "fake")


def capture(home: Path, now: datetime, percent: float, resets_at: datetime) -> None:
    """Have the status line told so at some time."""
    raw = {"five_hour": {"used_percentage": percent, "resets_at": resets_at.timestamp()}}
    add_reports(state_dir(), str(home), "a session", parse_rate_limits(raw, now), now)


class Watching:
    """A monitor that poller at the fake when it is told to."""

    def __init__(self, fake: Fake, tmp_path: Path) -> None:
        (tmp_path / "work").mkdir()
        source = DataOptions(ccusage=str(fake.path), claude_dirs=(fake.data,))
        self.poller = Poller(Reader(source, tmp_path / "work", tmp_path), state_dir(), utc_now)
        self._fake = fake

    def sees(self, *blocks: dict[str, Any]) -> list[tuple[int, Optional[float]]]:
        """Look; return the counted tokens and percentage of each past block that is kept."""
        self._fake.reports(blocks)
        self._fake.changed()
        seen = self.poller.poll()
        if self.poller.is_history_due():
            seen = self.poller.read_history()
        assert seen.history is not None
        kept = load_history(history_path(state_dir(), [str(self._fake.data)], "20.0.24"))
        assert kept is not None and kept.completed == seen.history.completed
        return [(item.block.tokens.counted, item.official_percent) for item in kept.completed]


@pytest.fixture
def watching(fake: Fake, tmp_path: Path) -> Watching:
    return Watching(fake, tmp_path)


PRESENT = active_start()  # two to three hours ago
PAST = PRESENT - 5 * HOUR


def test_the_final_percentage_is_kept_with_a_block_once_its_window_is_over(
    fake: Fake, watching: Watching
) -> None:
    window = PRESENT + HOUR / 2  # the first message came half an hour after the full hour
    blocks = a_block(PAST - 20 * HOUR, 700), a_block(PAST, 900), a_block(PRESENT, 2_000)
    assert watching.sees(*blocks) == [(700, None), (900, None)]
    capture(fake.data, PAST + HOUR, 30, window)
    capture(fake.data, PAST + 4 * HOUR, 71.5, window)
    assert watching.sees(*blocks) == [(700, None), (900, 71.5)]
    # The window after it takes its place, and what was kept stays.
    capture(fake.data, window + HOUR, 12, window + 5 * HOUR)
    assert watching.sees(*blocks) == [(700, None), (900, 71.5)]


def test_what_was_captured_while_no_monitor_ran_is_not_lost(fake: Fake, watching: Watching) -> None:
    capture(fake.data, PAST + 4 * HOUR, 71.5, PRESENT)
    capture(fake.data, PRESENT + HOUR, 12, PRESENT + 5 * HOUR)
    assert watching.sees(a_block(PAST, 900), a_block(PRESENT, 2_000)) == [(900, 71.5)]


def test_a_failed_look_does_not_hide_a_new_capture(fake: Fake, watching: Watching) -> None:
    watching.sees(a_block(PRESENT, 2_000))
    fake.prints("", err="broken", code=1)
    fake.changed()
    capture(fake.data, utc_now(), 64, PRESENT + 5 * HOUR)
    seen = watching.poller.poll()
    assert seen.error is not None and seen.reading is not None and seen.reading.is_stale
    usage = seen.measured(Rules(), utc_now())
    assert usage is not None
    assert (usage.headline.source, usage.headline.used_percent) == ("official", 64)


def test_doctor_names_the_captures_age_and_how_far_off_carrying_on_was(
    isolated: Path, run_monitor: RunMonitor, real_ccusage: Any
) -> None:
    home = isolated / ".claude"
    now = datetime.now(timezone.utc)
    busy_history(home, now)
    options = ("--ccusage", real_ccusage("20.0.24"), "doctor")
    assert (
        "no official limits: `ccusage-monitor statusline --install`" in run_monitor(*options).stdout
    )
    resets_at = now + 3 * HOUR
    for minutes, percent in ((80, 8), (60, 17), (40, 30), (20, 37), (3, 51)):
        capture(home, now - timedelta(minutes=minutes), percent, resets_at)
    said = run_monitor(*options).stdout
    assert re.search(r"official limits: 5 h 51 %, captured 3 min ago", said)
    off = re.search(
        r"off by (\d+\.\d) points at the median, (\d+\.\d) at most \((\d) times\)", said
    )
    assert off is not None
    assert 0 <= float(off[1]) <= float(off[2]) < 50
    assert int(off[3]) in {3, 4}
