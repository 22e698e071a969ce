from __future__ import annotations

import random
import re
from datetime import datetime, timedelta

from benchmarks.bridge import INTERVALS, START, Replay, make_window
from tests.scripts import ROOT, benchmark


def test_the_tables_in_the_documentation_are_what_the_script_prints() -> None:
    page = (ROOT / "docs" / "accuracy-bridge.md").read_text(encoding="utf-8")
    output = benchmark("bridge.py")
    assert output in page
    # The page says so: the bridge beats both other ways, in every row.
    assert len(re.findall(r" \| yes \|$", output, re.MULTILINE)) == 2 + 5 + 11
    assert "| NO |" not in output


def test_a_window_ends_at_its_limit_and_is_captured_with_the_truth() -> None:
    for number in range(20):
        rng = random.Random(number)
        window = make_window(rng, INTERVALS[number % len(INTERVALS)])
        replay = Replay(rng, window)
        assert replay.truth(300) < 100
        percents = [capture.used_percent for capture in replay.captures]
        assert percents == sorted(percents)
        assert all(
            abs(c.used_percent - replay.truth(minute_of(c.at))) <= 0.5 for c in replay.captures
        )


def minute_of(when: datetime) -> float:
    return (when - START) / timedelta(minutes=1) + 1e-6  # times have whole microseconds
