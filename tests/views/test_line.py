"""One line: the most important first, and never mistaken for a better state."""

from __future__ import annotations

from dataclasses import replace

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
    NEARLY,
    NOW,
    OFFICIAL,
    OK,
    RULES,
    STALE,
    WARMING_UP,
    usage_in,
    usage_of,
)


def text(usage: Usage, width: int = 80) -> str:
    return "".join(span.text for span in one_line(usage, width, UNICODE))


def foretold(verdict: str, **values: object) -> Usage:
    return replace(usage_of(OK), forecast=Forecast(verdict, **values))  # type: ignore[arg-type]


def test_it_leads_with_the_percentage_then_what_is_left_then_the_reset() -> None:
    assert text(foretold("ok")) == "26 % · 26,000 left · resets 17:00"


@pytest.mark.parametrize(("verdict", "chance"), [("tight", 0.45), ("runs_out", 0.8)])
def test_a_risk_is_told_as_its_probability_and_never_as_a_time(verdict: str, chance: float) -> None:
    usage = foretold(verdict, runs_out_at=NOW.replace(hour=19, minute=8), probability=chance)
    risk = f"{100 * chance:.0f} % chance to run out"
    assert text(usage) == f"26 % · 26,000 left · {risk} · resets 17:00"


def test_a_small_risk_is_not_spoken_of_whatever_the_pace() -> None:
    usage = foretold("ok", runs_out_at=NOW.replace(hour=19, minute=8), probability=0.2)
    assert text(usage) == "26 % · 26,000 left · resets 17:00"


def test_nearly_all_used_says_what_is_left_without_a_probability() -> None:
    assert text(usage_of(NEARLY)) == "94 % · 2,100 left · resets 19:00"


def test_over_the_limit_says_by_how_much() -> None:
    assert text(usage_of(EXCEEDED)) == "137 % · 13,020 past the limit · resets 17:00"


def test_a_limit_reached_says_how_long_to_wait() -> None:
    assert text(usage_of(LIMIT_REACHED)) == "5-hour limit reached · resets 16:00, in 1 h 28 min"


def test_warming_up_forecasts_nothing() -> None:
    assert text(usage_of(WARMING_UP)) == "3 % · 33,800 left · resets 19:00"


def test_idle_says_when_the_last_block_ended() -> None:
    assert text(usage_of(IDLE)) == "no active block · last ended yesterday 10:00"
    assert text(usage_in("empty")) == "no active block"
    assert text(usage_of(EMPTY)) == "no active block · last ended yesterday 10:00"


def test_idle_with_a_reset_hour_says_when_that_is() -> None:
    usage = usage_in("empty", replace(RULES, reset_hour=9))
    assert text(usage) == "no active block · resets tomorrow 09:00"


def test_a_week_that_runs_out_first_is_said() -> None:
    usage = usage_of(OK, official=OFFICIAL["week-first"])
    assert text(usage) == ("weekly limit 99 % · 99 % chance to run out · resets Saturday 18:08")


def test_a_week_that_is_used_up_while_claude_still_answers_ends_no_more() -> None:
    assert text(usage_in("week-extra-usage")) == "weekly limit 100 % · resets Saturday 18:32"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stopped", "5-hour limit reached · resets 16:30, in 1 h 58 min"),
        ("stopped-week", "weekly limit reached · resets Saturday 18:32, in 3 d 4 h"),
        ("stopped-opus", "weekly limit of Opus reached · resets Saturday 18:32, in 3 d 4 h"),
    ],
)
def test_a_limit_hit_in_a_transcript_is_said_with_its_name(name: str, said: str) -> None:
    assert text(usage_in(name)) == said


def test_an_official_limit_reached_counts_when_idle_too() -> None:
    usage = usage_of(IDLE, official=OFFICIAL["official-reached"])
    assert text(usage) == "5-hour limit reached · resets 17:10, in 2 h 38 min"


def test_an_old_reading_is_marked_with_its_age() -> None:
    assert text(usage_of(STALE)).endswith(" · ▲ read 4 min ago")


def test_times_are_on_the_clocks_that_were_asked_for() -> None:
    assert text(usage_of(EXCEEDED, Rules(plan="max5", twelve_hour=True))).endswith("9:00 PM")


def test_what_comes_last_is_cut_first() -> None:
    assert text(usage_of(EXCEEDED), 20) == "137 % · 13,020 past…"
    assert Style(ASCII).paint(one_line(usage_of(EXCEEDED), 20, ASCII)) == "137 % | 13,020 pa..."
