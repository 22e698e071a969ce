"""One line: the most important first, and never mistaken for a better state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model.forecast import Forecast
from monitor.model.plans import Rules
from monitor.model.usage import Usage
from monitor.views.line import one_line
from monitor.views.style import ASCII, UNICODE, Style
from tests.samples import (
    EMPTY,
    EXCEEDED,
    IDLE,
    LIMIT_REACHED,
    NOW,
    OFFICIAL,
    OK,
    RULES,
    STALE,
    WARMING_UP,
    usage_of,
)


def text(usage: Usage, width: int = 80) -> str:
    return "".join(span.text for span in one_line(usage, width, UNICODE))


def foretold(verdict: str, **values: object) -> Usage:
    return replace(usage_of(OK), forecast=Forecast(verdict, **values))  # type: ignore[arg-type]


def test_it_leads_with_the_percentage_then_what_is_left_then_the_reset() -> None:
    assert text(foretold("ok")) == "26 % · 26,000 left · resets 17:00"


def test_it_says_when_this_pace_runs_out() -> None:
    usage = foretold("runs_out", runs_out_at=NOW.replace(hour=19, minute=8), probability=0.8)
    assert text(usage) == "26 % · 26,000 left · runs out 15:08 · resets 17:00"


def test_running_out_after_midnight_is_tomorrow() -> None:
    usage = foretold("runs_out", runs_out_at=NOW.replace(hour=4, minute=0) + timedelta(days=1))
    assert " · runs out tomorrow 00:00 · " in text(usage)


@pytest.mark.parametrize("verdict", ["tight", "runs_out"])
def test_a_risk_without_a_time_is_not_mistaken_for_none(verdict: str) -> None:
    usage = foretold(verdict, probability=0.45)
    assert text(usage) == "26 % · 26,000 left · 45 % chance to run out · resets 17:00"


def test_over_the_limit_says_by_how_much() -> None:
    assert text(usage_of(EXCEEDED)) == "137 % · 13,020 over · resets 17:00"


def test_a_limit_reached_says_how_long_to_wait() -> None:
    assert text(usage_of(LIMIT_REACHED)) == "limit reached · resets 16:00, in 1 h 28 min"


def test_warming_up_forecasts_nothing() -> None:
    assert text(usage_of(WARMING_UP)) == "3 % · 33,800 left · resets 19:00"


def test_idle_says_when_the_last_block_ended() -> None:
    assert text(usage_of(IDLE)) == "no active block · last ended yesterday 10:00"
    assert text(usage_of(EMPTY)) == "no active block"


def test_idle_with_a_reset_hour_says_when_that_is() -> None:
    usage = usage_of(EMPTY, replace(RULES, reset_hour=9))
    assert text(usage) == "no active block · resets tomorrow 09:00"


def test_a_week_that_runs_out_first_is_said() -> None:
    usage = usage_of(OK, official=OFFICIAL["week-first"])
    assert " · weekly limit runs out 15:08 · resets 17:10" in text(usage)


def test_an_official_limit_reached_counts_when_idle_too() -> None:
    usage = usage_of(IDLE, official=OFFICIAL["official-reached"])
    assert text(usage) == "limit reached · resets 17:10, in 2 h 38 min"


def test_an_old_reading_is_marked_with_its_age() -> None:
    assert text(usage_of(STALE)).endswith(" · ▲ read 4 min ago")


def test_times_are_on_the_clocks_that_were_asked_for() -> None:
    assert text(usage_of(EXCEEDED, Rules(plan="max5", twelve_hour=True))).endswith("9:00 PM")


def test_what_comes_last_is_cut_first() -> None:
    assert text(usage_of(EXCEEDED), 20) == "137 % · 13,020 over…"
    assert Style(ASCII).paint(one_line(usage_of(EXCEEDED), 20, ASCII)) == "137 % | 13,020 ov..."
