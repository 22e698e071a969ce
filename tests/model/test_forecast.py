"""The forecast: when the limit is reached at this pace, what pace would last, and the verdict."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.burn import BurnRate
from monitor.model.forecast import RUNS_OUT, TIGHT, Forecast, _verdict, forecast
from monitor.model.projection import Projection
from tests.samples import NOW

RESET = NOW + timedelta(minutes=100)


def at_pace(
    rate: Optional[float], used: float = 4_000, limit: float = 10_000, reset: datetime = RESET
) -> Forecast:
    return forecast(used, limit, BurnRate(rate, 60), None, reset, NOW)


def test_the_limit_is_reached_when_what_is_left_has_been_used_at_this_pace() -> None:
    assert at_pace(120.0).runs_out_at == NOW + timedelta(minutes=50)
    assert at_pace(96.0).runs_out_at == NOW + timedelta(minutes=62.5)


@pytest.mark.parametrize("rate", [59.0, 60.0, 0.0])
def test_nothing_runs_out_at_the_reset_or_later(rate: float) -> None:
    found = at_pace(rate)
    assert (found.runs_out_at, found.verdict) == (None, "unknown")


def test_the_sustainable_pace_uses_up_the_limit_exactly_at_the_reset() -> None:
    assert at_pace(500.0).sustainable == 60.0


@pytest.mark.parametrize(("used", "verdict"), [(8_999, "unknown"), (9_000, "tight")])
def test_without_a_probability_it_is_tight_from_90_percent_used_whatever_the_pace(
    used: float, verdict: str
) -> None:
    for pace in (None, 0.0, 5_000.0):
        assert at_pace(pace, used=used).verdict == verdict
        assert at_pace(pace, used=used).probability is None


def test_before_five_minutes_of_data_only_the_pace_that_lasts_is_known() -> None:
    assert at_pace(None) == Forecast("unknown", sustainable=60.0)


def test_over_the_limit_nothing_is_forecast() -> None:
    assert at_pace(120.0, used=10_001) == Forecast("exceeded")
    assert at_pace(None, used=10_001) == Forecast("exceeded")


def test_exactly_at_the_limit_it_has_run_out_now_whatever_the_pace() -> None:
    for pace in (0.0, None):
        found = at_pace(pace, used=10_000)
        assert (found.verdict, found.runs_out_at, found.sustainable) == ("runs_out", NOW, 0.0)
        assert found.probability == 1.0


@pytest.mark.parametrize(
    ("probability", "verdict"),
    [
        *((0.0, "ok"), (TIGHT - 0.001, "ok"), (TIGHT, "tight")),
        *((RUNS_OUT - 0.001, "tight"), (RUNS_OUT, "runs_out"), (1.0, "runs_out")),
    ],
)
def test_the_verdict_follows_from_the_probability(probability: float, verdict: str) -> None:
    assert _verdict(probability) == verdict


@given(
    rate=st.floats(0, 1e12),
    used=st.integers(0, 10**12),
    limit=st.integers(1, 10**12),
    left=st.timedeltas(timedelta(microseconds=1), timedelta(hours=25)),
)
def test_whatever_the_numbers_it_runs_out_before_the_reset_or_not_at_all(
    rate: float, used: int, limit: int, left: timedelta
) -> None:
    found = at_pace(rate, used, limit, NOW + left)
    assert (found.verdict == "exceeded") == (used > limit)
    if found.runs_out_at is not None:
        assert NOW <= found.runs_out_at <= NOW + left
    if used != limit:
        # The pace alone makes no verdict.
        assert found.verdict in ("exceeded", "tight" if used >= 0.9 * limit else "unknown")
    assert found.sustainable is None or found.sustainable >= 0


def test_a_projection_gives_chance_band_and_times_and_the_pace_keeps_its_own() -> None:
    projection = Projection(4_000, 0.5, 2_000, 0.6, 4_500, 7_000, 12_000)
    found = forecast(4_000, 10_000, BurnRate(120.0, 60), projection, RESET, NOW)
    assert found == Forecast(
        verdict="ok",
        runs_out_at=NOW + timedelta(minutes=50),
        sustainable=60.0,
        probability=projection.probability_above(10_000),
        likely_percent=70.0,
        likely_range=(45.0, 120.0),
        tokens=(4_500, 7_000, 12_000),
        earliest=NOW + timedelta(minutes=75),
        likely_at=None,
        latest=None,
    )


def test_at_the_reset_no_pace_is_sustainable() -> None:
    assert at_pace(None, reset=NOW).sustainable is None
    assert at_pace(None, reset=NOW - timedelta(minutes=1)).sustainable is None
