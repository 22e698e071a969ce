from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.usage_series import HOUR
from benchmarks.weekly import (
    PEERS,
    WEEK_HOURS,
    Life,
    Moment,
    average,
    even_line,
    last_two_hours,
    lives,
    moments,
    ours,
    weeks_of,
)
from monitor.model.official import Capture, RateLimitWindow
from monitor.model.week_shape import DAY, WEEK, WeekShape
from tests.benchmarks.test_forecast import START, rows_of
from tests.scripts import ROOT, benchmark


def test_the_table_of_simulated_weeks_in_the_documentation_is_what_the_script_prints(
    tmp_path: Path,
) -> None:
    path = tmp_path / "series.json"
    path.write_text(benchmark("usage_series.py", "--simulate", 56), encoding="utf-8")
    output = benchmark("weekly.py", path)
    assert output in (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    # The page says so: ours is better than each other rule, and the band holds.
    rows = rows_of(output)
    known = ("ours", *PEERS)
    briers = {name: float(cells[-1]) for name, cells in rows.items() if name in known}
    assert all(briers["ours"] < briers[name] for name in PEERS)
    assert 75 <= int(rows["ours"][2].rstrip("%")) <= 88


def moment(*sights: tuple[float, float]) -> Moment:
    """What is known half a week after START, from captures so many hours after START."""
    captures = tuple(Capture(START + hours * HOUR, percent) for hours, percent in sights)
    last = captures[-1]
    window = RateLimitWindow(last.used_percent, START + WEEK, last.at, captures)
    return Moment(START + 3.5 * DAY, window, [], WeekShape(), None, 100)


def test_the_other_rules_continue_a_straight_line() -> None:
    known = moment((36, 0), (81, 30), (84, 40))
    assert even_line(known).final == pytest.approx(80) and even_line(known).probability == 0
    assert average(known).final == pytest.approx(40 * (1 + 3.5 / 2))
    assert average(known).probability == 1
    assert last_two_hours(known).final == pytest.approx(40 + 84 * 10 / 3)
    assert last_two_hours(moment((36, 40), (84, 40))).final == pytest.approx(80)


def test_ours_knows_nothing_in_the_first_half_day_and_tosses_a_coin() -> None:
    early = moment((1, 3))._replace(now=START + 6 * HOUR)
    assert ours(early) == (3, 0.5, None)


def test_moments_know_only_what_came_before_them_and_end_at_the_limit() -> None:
    ring = [100.0 if 9 <= hour % 24 < 17 else 0.0 for hour in range(4 * WEEK_HOURS)]
    for life in list(lives(ring, 1))[:20]:
        for known in moments(life, life.final / 1.2):
            assert all(capture.at <= known.now for capture in known.window.captures)
            assert known.used_at is not None and known.used_at <= known.now
            assert known.window.used_percent < 100 < known.final
            assert all(week.ended_at <= known.start for week in known.past)


def test_in_earlier_weeks_the_limit_stopped_the_user_and_in_the_last_nothing_does() -> None:
    hours = [1.0] * (3 * WEEK_HOURS)
    life = Life(START, hours, hours, known=2, sparse=False, seed=1)
    first, second, last = weeks_of(life, 83.9)
    assert [sum(week.counted) for week in (first, second, last)] == [84, 84, 168]
    past = second.past()
    assert past is not None and past.reached_at == START + WEEK + 84 * HOUR
    assert last.captures[-1].used_percent == 100 and last.percents[-1] > 200
    assert len(first.blocks) == 17 and first.blocks[-1].tokens.counted == 4
