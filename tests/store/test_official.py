"""The stored official limits: read in the older format too, and never believed when damaged."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from monitor.model.official import Capture, OfficialLimits, PastWindow, Report
from monitor.store.official import OfficialFiles, add_reports, load_official, official_path

OLD = (Path(__file__).parent / "version_1" / "official.json").read_text()
FIRST = datetime(2026, 11, 25, 13, 25, 38, 377_264, timezone.utc)
LAST = datetime(2026, 11, 25, 13, 25, 40, 542_778, timezone.utc)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return official_path(tmp_path, "/home/you/.claude")


def loaded(path: Path) -> Any:
    return load_official(path.parent, ["/home/you/.claude"])


def test_a_file_of_the_older_format_is_read_and_written_anew_with_nothing_lost(path: Path) -> None:
    path.write_text(OLD)
    limits = loaded(path)
    percents = {key: window.used_percent for key, window in limits.windows.items()}
    assert percents == {"five_hour": 63, "seven_day": 41.4, "spend_limit": 12}
    five_hour = limits.windows["five_hour"]
    assert five_hour.captures == (Capture(FIRST, 21.0), Capture(LAST, 63.0))
    assert five_hour.resets_at == datetime(2026, 11, 25, 15, 25, 38, tzinfo=timezone.utc)
    assert limits.captured_at == LAST
    assert limits.past == (
        PastWindow(datetime(2026, 11, 24, 18, tzinfo=timezone.utc), 88.0),
        PastWindow(datetime(2026, 11, 25, 1, tzinfo=timezone.utc), 12.5),
    )
    add_reports(path.parent, "/home/you/.claude", "s", {}, LAST + timedelta(seconds=1))
    assert json.loads(path.read_text())["version"] == 2
    assert loaded(path) == limits


@pytest.mark.parametrize("percent", [950, float("nan"), float("inf")])
def test_an_absurd_percentage_of_the_older_format_is_dropped(path: Path, percent: float) -> None:
    raw = json.loads(OLD)
    raw["five_hour"]["used_percent"] = percent
    path.write_text(json.dumps(raw))
    assert set(loaded(path).windows) == {"seven_day", "spend_limit"}


@pytest.mark.parametrize("percent", ["63", -1, [63]])
def test_a_percentage_that_cannot_be_true_has_the_file_set_aside(path: Path, percent: Any) -> None:
    raw = json.loads(OLD)
    raw["five_hour"]["used_percent"] = percent
    path.write_text(json.dumps(raw))
    assert loaded(path) == OfficialLimits()
    assert json.loads(path.with_name(f"{path.name}.unreadable").read_text())["version"] == 1


def test_a_file_is_loaded_again_only_when_it_is_another_one(tmp_path: Path) -> None:
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    files, home = OfficialFiles(tmp_path), str(tmp_path / "claude")
    assert files.load(home) == OfficialLimits()
    add_reports(tmp_path, home, "s", {"five_hour": Report(40.0)}, now)
    first = files.load(home)
    assert first.windows["five_hour"].used_percent == 40
    assert files.load(home) is first
    add_reports(tmp_path, home, "s", {"five_hour": Report(41.0)}, now)
    assert files.load(home).windows["five_hour"].used_percent == 41
