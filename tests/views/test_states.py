"""The states: each has its own word, and the serious ones are red."""

from __future__ import annotations

import pytest

from monitor.views.states import STATES
from tests.samples import OFFICIAL, usage_in
from tests.samples import STATES as SAMPLES


def test_every_state_has_its_own_word_and_the_serious_ones_are_red() -> None:
    assert len({state.word for state in STATES.values()}) == len(STATES)
    serious = {"runs_out", "exceeded", "limit_reached", "weekly"}
    assert {name for name, state in STATES.items() if state.role == "alarm"} == serious


@pytest.mark.parametrize("name", [*SAMPLES, *OFFICIAL])
def test_every_usage_is_in_a_known_state(name: str) -> None:
    assert usage_in(name).state in STATES
