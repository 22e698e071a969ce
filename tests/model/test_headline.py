"""What leads: the official percentage, one carried on, or the estimate; all outputs follow it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Optional

import jsonschema
import pytest

from monitor.model.five_hour import choose_five_hour
from monitor.model.forecast import UNKNOWN
from monitor.model.official import OfficialLimits
from monitor.model.plans import Limit
from monitor.model.sentence import summary, warnings
from monitor.model.usage import Usage, measure
from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.snapshot import snapshot
from monitor.views.style import ROLES, Style
from tests.samples import (
    EXCEEDED,
    HISTORY,
    IDLE,
    LIMIT_REACHED,
    NO_SERIES,
    NOW,
    OFFICIAL,
    OK,
    RULES,
    RUNS_OUT,
    WARMING_UP,
    official_limits,
    usage_in,
    usage_of,
    window,
)
from tests.views.test_snapshot import SCHEMA

RESETS_IN = timedelta(hours=2, minutes=37, seconds=53)
"""Not the end of the samples' block."""


MAX5 = Limit(35_000, "plan", "max5", used=27_900)


def known(*sights: tuple[float, float]) -> OfficialLimits:
    """Make a five-hour limit from sights of it: minutes ago, and percent."""
    return official_limits(window(RESETS_IN, *sights))


def sources(usage: Usage) -> tuple[str, Optional[str]]:
    data = snapshot(usage)
    return data["headline"]["source"], data["reset"]["source"]


def text(usage: Usage, width: int = 120) -> str:
    lines = frame(usage, width, 40, DisplayOptions(Style()))
    return "\n".join("".join(span.text for span in spans) for spans in lines)


@pytest.mark.parametrize(
    ("minutes", "percent"),
    [(0, 63.4), (0.9, 63.4), (2, 63.4), (10, 2.9)],  # nothing used since, or too little to carry on
)
def test_while_it_is_fresh_the_official_percentage_and_reset_lead(
    minutes: float, percent: float
) -> None:
    usage = usage_of(OK, official=known((minutes, percent)))
    data = snapshot(usage)
    assert sources(usage) == ("official", "official")
    assert data["headline"]["used_percent"] == percent
    assert data["reset"]["at"] == "2026-06-10T21:10:00.000Z"
    assert data["reset"]["latest"] is None
    assert data["official"]["five_hour"]["used_percent"] == percent
    assert data["official"]["stale"] is False


def test_the_estimate_stays_in_limit_whatever_leads() -> None:
    data = snapshot(usage_of(OK, official=known((1, 63.4))))
    assert data["limit"] == snapshot(usage_of(OK))["limit"]


def test_the_users_reset_hour_beats_the_official_reset_and_nothing_else() -> None:
    usage = usage_of(OK, replace(RULES, reset_hour=20), known((1, 63.4)))
    assert sources(usage) == ("official", "reset_hour")


def test_the_limit_messages_reset_is_beaten_by_the_official_one() -> None:
    usage = usage_of(LIMIT_REACHED, official=known((1, 97)))
    assert (usage.status, usage.reset.source) == ("limit_reached", "official")


def test_over_the_estimate_is_no_fault_while_official_percentages_lead() -> None:
    usage = usage_of(EXCEEDED, official=known((90, 20), (1, 41)))
    assert usage.forecast.verdict != "exceeded"
    assert not [said for said in warnings(usage) if "stopped at any moment" in said]
    assert "Over the limit" not in summary(usage)


def test_between_captures_tokens_since_carry_it_on() -> None:
    usage = usage_in("bridged")
    assert sources(usage) == ("bridged", "official")
    assert usage.five_hour.bridge is not None
    assert 48 < snapshot(usage)["headline"]["used_percent"] < 99
    assert "≈ 67 %: official 48 % at 13:52, and 7,667 tokens since" in text(usage)


def test_an_old_percentage_leads_while_nothing_was_used_here_since() -> None:
    usage = usage_of(RUNS_OUT, official=known((35, 55)))
    assert sources(usage)[0] == "bridged"  # 27,900 tokens told what 55 % is worth
    later = measure(
        RUNS_OUT, HISTORY, RULES, NOW + timedelta(minutes=30), known((-1, 55))
    )  # captured a minute after the last message, 29 minutes ago
    assert sources(later) == ("bridged", "official")
    assert later.headline.used_percent == 55
    assert later.headline.bridge is None
    assert "55 % official, 29 min ago · 27,900 tokens here" in text(later)


def test_an_old_percentage_that_cannot_be_carried_on_gives_way_to_the_estimate() -> None:
    usage = usage_in("official-old")
    assert sources(usage) == ("estimate", "block_end")
    told = snapshot(usage)["official"]  # whose week was captured just now
    assert told["stale"] is True and told["captured_at"] == told["five_hour"]["captured_at"]
    assert told["seven_day"]["captured_at"] > told["captured_at"]
    assert "Official  1 % used 35 min ago · resets in 2 h 38 min" in text(usage)


def test_without_a_series_an_old_percentage_does_not_hide_what_was_used_since() -> None:
    assert sources(usage_of(NO_SERIES, official=known((35, 55)))) == ("estimate", "block_end")
    last = known((1, 55))
    assert sources(usage_of(NO_SERIES, official=last)) == ("official", "official")


def test_stale_facts_are_dimmed() -> None:
    usage = usage_in("official-old")
    spans = [span for spans in frame(usage, 80, 24, DisplayOptions(Style())) for span in spans]
    role = next(span.role for span in spans if "1 % used 35 min ago" in span.text)
    assert role == "dim" and role in ROLES
    assert next(span.role for span in spans if "41 % used" in span.text) == ""


@pytest.mark.parametrize("percent", [0, 0.4, 63, 99.9])
def test_what_one_percent_is_worth_is_not_claimed_from_one_young_capture(percent: float) -> None:
    usage = usage_of(WARMING_UP, official=known((2.9, percent)))
    assert usage.headline.limit_tokens is None or percent >= 3
    if usage.headline.limit_tokens is None:
        assert usage.forecast == UNKNOWN
        assert usage.headline.tokens_left is None


def test_with_too_little_used_here_it_says_so_instead_of_a_forecast() -> None:
    usage = usage_of(WARMING_UP, official=known((2.9, 41)))
    assert usage.headline.limit_tokens is None
    assert summary(usage) == ("41 % used, reset at 17:10; too little was used here for a forecast.")


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_window_over_is_as_if_it_had_never_been(name: str) -> None:
    later = NOW + RESETS_IN - timedelta(minutes=1)
    five_hour = official_limits(OFFICIAL[name].windows["five_hour"])
    over = measure(RUNS_OUT, HISTORY, RULES, NOW + RESETS_IN, five_hour)
    assert over == measure(RUNS_OUT, HISTORY, RULES, NOW + RESETS_IN)
    assert measure(RUNS_OUT, HISTORY, RULES, later, five_hour).official == five_hour


# 100 % reached.


def test_at_100_percent_the_limit_is_reached_since_it_was_first_seen() -> None:
    usage = usage_in("official-reached")
    data = snapshot(usage)
    assert data["status"] == "limit_reached"
    assert data["headline"]["used_percent"] == 102
    assert summary(usage) == "Limit reached at 14:21; it resets at 17:10, in 2 h 38 min."
    assert usage.forecast == UNKNOWN
    assert "Runs out" not in text(usage) and "Pace" not in text(usage)


def test_it_counts_down_to_the_reset() -> None:
    limits = OFFICIAL["official-reached"]
    usage = measure(RUNS_OUT, HISTORY, RULES, NOW + timedelta(hours=2, minutes=31), limits)
    assert summary(usage).endswith("it resets at 17:10, in 7 min.")


def test_the_limit_stays_reached_when_the_capture_is_old() -> None:
    usage = usage_of(RUNS_OUT, official=known((50, 100)))
    assert (usage.status, usage.reset.source) == ("limit_reached", "official")


def test_the_limit_may_be_reached_without_an_active_block() -> None:
    usage = usage_in("official-reached-elsewhere")
    data = snapshot(usage)
    assert (data["status"], data["block"]) == ("limit_reached", None)
    assert data["headline"]["used_percent"] == 100
    assert data["reset"]["source"] == "official"
    assert "Official  100 % used 1 h 10 min ago" in text(usage)
    jsonschema.Draft202012Validator(SCHEMA).validate(data)


def test_idle_has_no_headline_percentage_and_still_shows_the_official_ones() -> None:
    usage = usage_of(IDLE, official=OFFICIAL["official-idle"])
    data = snapshot(usage)
    assert (data["headline"]["used_percent"], data["headline"]["source"]) == (None, "none")
    assert data["official"]["five_hour"]["used_percent"] == 37
    assert "37 % used" in text(usage) and "41 % used" in text(usage)


def test_the_weekly_limit_reached_names_its_own_reset() -> None:
    usage = usage_in("week-reached")
    assert usage.status == "limit_reached"
    assert summary(usage) == (
        "Weekly limit reached at 14:08; it resets 2026-06-13 18:32, in 3 d 4 h."
    )
    assert usage.reset.at == NOW + timedelta(days=3, hours=4)
    assert usage.reset.elapsed_percent(NOW) == pytest.approx(100 * (7 - 3 - 4 / 24) / 7)


# The worth of a percent.


@pytest.mark.parametrize("used", [5.0, 63.4, 99.0, 100.0, 104.0])
def test_the_level_is_where_100_percent_are(used: float) -> None:
    sight = window(RESETS_IN, (40, 4), (0, used))
    headline = choose_five_hour(MAX5, sight, RUNS_OUT.events, NOW)
    assert headline.limit_tokens is not None and headline.tokens_left is not None
    assert headline.percent_at(headline.limit_tokens) == pytest.approx(100)
    assert headline.percent_at(27_900) == used
    assert headline.tokens_left == pytest.approx(max(0.0, headline.limit_tokens - 27_900))


def test_the_estimates_level_is_the_token_limit() -> None:
    headline = choose_five_hour(replace(MAX5, used=48_020), None, None, NOW)
    assert (headline.source, headline.tokens_left) == ("estimate", 0)
    assert headline.used_percent == pytest.approx(137.2)
    assert headline.limit_tokens == pytest.approx(35_000)


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_snapshot_fits_its_schema_with_official_limits(name: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(snapshot(usage_in(name)))


def test_a_limit_that_is_no_multiple_of_100_keeps_all_its_tokens() -> None:
    old = window(RESETS_IN, (35, 1))
    for sight in (None, old):
        limit = Limit(35_050, "user", None, 17_525)
        headline = choose_five_hour(limit, sight, None, NOW, NOW)
        assert (headline.source, headline.used_percent) == ("estimate", 50.0)
        assert (headline.limit_tokens, headline.tokens_left) == (35_050, 17_525)


def test_tokens_of_unknown_worth_do_not_move_the_percentage() -> None:
    sight = window(RESETS_IN, (2.9, 41))
    headline = choose_five_hour(replace(MAX5, used=1_200), sight, None, NOW)
    assert (headline.tokens_per_percent, headline.percent_at(9_000)) == (None, 41)
