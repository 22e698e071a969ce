"""The states: each has its own word, and the serious ones are red."""

from __future__ import annotations

from monitor.views.states import STATES, state_of
from tests.samples import IDLE, LIMIT_REACHED, OK, usage_in, usage_of


def test_every_state_has_its_own_word_and_the_serious_ones_are_red() -> None:
    assert len({state.word for state in STATES.values()}) == len(STATES)
    serious = {"runs_out", "exceeded", "limit_reached", "weekly"}
    assert {name for name, state in STATES.items() if state.role == "alarm"} == serious


def test_a_status_comes_before_a_verdict() -> None:
    assert state_of(usage_of(IDLE)) is STATES["idle"]
    assert state_of(usage_of(LIMIT_REACHED)) is STATES["limit_reached"]
    assert state_of(usage_of(OK)) is STATES[usage_of(OK).forecast.verdict]


def test_a_week_that_runs_out_first_is_never_shown_as_ok() -> None:
    usage = usage_in("week-first")
    assert usage.forecast.verdict == "ok"
    assert state_of(usage) is STATES["weekly"]
