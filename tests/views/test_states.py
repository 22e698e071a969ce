"""The states: each has its own word, and the colour of its severity."""

from __future__ import annotations

import pytest

from monitor.model.headline import SEVERITIES
from monitor.views import states, style
from monitor.views.states import STATES, css_class, role
from tests.samples import SAMPLES, usage_in


def test_every_state_has_its_own_word_and_says_what_it_means() -> None:
    assert len({state.word for state in STATES.values()}) == len(STATES)
    assert len({state.meaning for state in STATES.values()}) == len(STATES)
    assert all(state.meaning.endswith(".") for state in STATES.values())


@pytest.mark.parametrize("name", SAMPLES)
def test_every_usage_is_in_a_known_state(name: str) -> None:
    assert usage_in(name).state in STATES


def test_every_state_has_a_sample() -> None:
    assert {usage_in(name).state for name in SAMPLES} == set(STATES)


@pytest.mark.parametrize(
    ("name", "colour", "css"),
    [
        ("ok", "ok", "ok"),
        ("tight", "warn", "tight"),
        ("nearly-used", "warn", "tight"),
        ("runs-out", "alarm", "runs-out"),
        ("exceeded", "warn", "exceeded"),  # messages that got through prove a higher limit
        ("extra-usage", "alarm", "exceeded"),
        ("limit-reached", "alarm", "limit-reached"),
        ("stopped", "alarm", "limit-reached"),
        ("stopped-week", "alarm", "limit-reached"),
        ("week-near", "warn", "tight"),
        ("week-first", "alarm", "runs-out"),
        ("warming-up", "dim", "unknown"),
        ("idle", "dim", "idle"),
    ],
)
def test_the_colour_and_waybars_class_follow_the_severity(name: str, colour: str, css: str) -> None:
    usage = usage_in(name)
    assert (role(usage), css_class(usage)) == (colour, css)


def test_every_severity_has_a_role_that_the_style_knows() -> None:
    assert set(states.ROLES) == set(SEVERITIES)
    assert set(states.ROLES.values()) <= set(style.ROLES)
