"""How soon a poll follows a notice, and how often polls follow notices that never end."""

from __future__ import annotations

import pytest

from monitor.app.pacing import BURST_SECONDS, CREDIT, REST, SHARE, Pace


def polls(seconds: float, cpu: float, *, during: float, every: float = 0.0) -> list[float]:
    """When polls happen that take so long, with a notice each `every` seconds, else always."""
    pace, at, times = Pace(), 1000.0, list[float]()
    while at < 1000.0 + during:
        noticed = at if not every else at - at % every + every
        began = pace.due(noticed)
        times.append(began - noticed)
        at = began + seconds
        pace.polled(at, seconds, cpu)
    return times


def test_a_message_every_two_seconds_is_read_a_moment_after_it_is_written() -> None:
    assert max(polls(0.06, 0.06, during=300, every=2.0)) == pytest.approx(BURST_SECONDS)


@pytest.mark.parametrize("cost", [0.01, 0.06, 0.5, 5.0])
def test_polls_that_follow_each_other_cost_a_small_share_of_a_core(cost: float) -> None:
    spent = cost * len(polls(cost, cost, during=600))
    assert spent <= 600 * SHARE + CREDIT + 2 * cost


def test_a_first_burst_is_read_faster_than_a_long_one() -> None:
    delays = polls(0.06, 0.06, during=60)
    assert delays[1] < delays[-1]


def test_a_slow_poll_rests_even_if_it_cost_little() -> None:
    pace = Pace()
    pace.polled(1000.0, seconds=2.0, cpu=0.01)
    assert pace.due(1000.0) == 1000.0 + REST * 2.0
