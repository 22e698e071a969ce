"""The sample usage of `--demo`: lively for every plan, growing, and gone afterwards."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from monitor.app import demo
from monitor.model.plans import Rules

NOW = datetime(2026, 6, 10, 18, 30, tzinfo=timezone.utc)


def counted_since(root: Path, since: datetime) -> int:
    total = 0
    for path in root.rglob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if datetime.fromisoformat(record["timestamp"].replace("Z", "+00:00")) >= since:
                usage = record["message"]["usage"]
                total += usage["input_tokens"] + usage["output_tokens"]
    return total


@pytest.mark.parametrize(
    ("rules", "limit"),
    [(Rules("pro"), 7_000), (Rules("max20"), 140_000), (Rules("pro", token_limit=1_000), 1_000)],
)
def test_the_block_under_way_has_used_most_of_the_limit(
    rules: Rules, limit: int, tmp_path: Path
) -> None:
    demo.Sample(tmp_path, demo._limit(rules), NOW)
    used = counted_since(tmp_path, NOW - demo.UNDER_WAY)
    assert 0.5 < used / limit < 0.7


def test_it_opens_a_block_of_its_own_after_six_quiet_hours(tmp_path: Path) -> None:
    demo.Sample(tmp_path, 35_000, NOW)
    before, quiet = NOW - demo.UNDER_WAY, timedelta(hours=6)
    assert counted_since(tmp_path, before - quiet) == counted_since(tmp_path, before)


def test_it_grows_until_it_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "NEXT_MESSAGE_SECONDS", (0.001, 0.002))
    sample, stop = demo.Sample(tmp_path, 35_000, NOW), threading.Event()
    thread = threading.Thread(target=sample.grow, args=(stop,))
    thread.start()
    live = tmp_path / "projects" / "-home-you-project" / "live.jsonl"
    while not live.exists() or len(live.read_bytes().splitlines()) < 3:
        stop.wait(0.01)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_afterwards_nothing_is_left() -> None:
    with demo.sample_usage(Rules("max5")) as home:
        assert (home / "claude" / "projects").is_dir()
    assert not home.exists()
