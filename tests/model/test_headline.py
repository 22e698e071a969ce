"""What leads: the official percentage, one carried on, or the estimate; all outputs follow it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Optional

import jsonschema
import pytest

from monitor.model.five_hour import FiveHour, choose_five_hour
from monitor.model.forecast import NEARLY, UNKNOWN, Forecast
from monitor.model.headline import (
    Headline,
    five_hour_headline,
    idle_headline,
    reached_headline,
    weekly_headline,
    worst,
)
from monitor.model.limit_hits import Reached
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
    SAMPLES,
    STOPPED,
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
    # The official percentage is newer than ccusage's message: the limit is not used up.
    assert (usage.status, usage.reset.source) == ("active", "official")


def test_over_the_estimate_is_no_fault_while_official_percentages_lead() -> None:
    usage = usage_of(EXCEEDED, official=known((90, 20), (1, 41)))
    assert usage.forecast.verdict != "exceeded"
    assert warnings(usage) == ()
    assert "Past " not in summary(usage) and "PAST" not in text(usage)


def test_between_captures_tokens_since_carry_it_on() -> None:
    usage = usage_in("bridged")
    assert sources(usage) == ("bridged", "official")
    assert usage.five_hour.bridge is not None
    assert 48 < snapshot(usage)["headline"]["used_percent"] < 99
    assert "Used      official 48 % at 13:52, and 7,667 tokens since" in text(usage)
    assert "Claude Code · official · carried on" in text(usage)


def test_an_old_percentage_leads_while_nothing_was_used_here_since() -> None:
    usage = usage_of(RUNS_OUT, official=known((90, 20), (35, 55)))
    assert sources(usage)[0] == "bridged"  # 35 points told what a token is worth
    later = measure(
        RUNS_OUT, HISTORY, RULES, NOW + timedelta(minutes=30), known((-1, 55))
    )  # captured a minute after the last message, 29 minutes ago
    assert sources(later) == ("bridged", "official")
    assert later.headline.used_percent == 55
    assert later.five_hour.bridge is None
    assert "official, 29 min ago · 27,900 tokens on this machine" in text(later)


def test_an_old_percentage_that_cannot_be_carried_on_gives_way_to_the_estimate() -> None:
    usage = usage_in("official-old")
    assert sources(usage) == ("estimate", "block_end")
    told = snapshot(usage)["official"]  # whose week was captured just now
    assert told["stale"] is True and told["captured_at"] == told["five_hour"]["captured_at"]
    assert told["seven_day"]["captured_at"] > told["captured_at"]
    assert "Official  1 % used · resets 17:10, in 2 h 38 min " in text(usage)
    assert "official, 35 min ago" in text(usage)


def test_without_a_series_an_old_percentage_does_not_hide_what_was_used_since() -> None:
    assert sources(usage_of(NO_SERIES, official=known((35, 55)))) == ("estimate", "block_end")
    last = known((1, 55))
    assert sources(usage_of(NO_SERIES, official=last)) == ("official", "official")


def test_stale_facts_are_dimmed() -> None:
    usage = usage_in("official-old")
    spans = [span for spans in frame(usage, 80, 24, DisplayOptions(Style())) for span in spans]
    role = next(span.role for span in spans if span.text.startswith("1 % used"))
    assert role == "dim" and role in ROLES
    assert next(span.role for span in spans if span.text.startswith("resets Saturday")) == ""


@pytest.mark.parametrize("percent", [0, 0.4, 63, 99.9])
def test_what_one_percent_is_worth_is_not_claimed_from_one_young_capture(percent: float) -> None:
    usage = usage_of(WARMING_UP, official=known((2.9, percent)))
    assert usage.five_hour.limit_tokens is None
    assert usage.headline.tokens_left is None
    assert usage.forecast == (NEARLY if percent >= 90 else UNKNOWN)
    assert "≈" not in text(usage) and "you can afford" not in text(usage)
    assert "┤" not in text(usage)  # no chart


def test_with_too_little_used_here_it_says_so_instead_of_a_forecast() -> None:
    usage = usage_of(WARMING_UP, official=known((2.9, 41)))
    assert usage.five_hour.limit_tokens is None
    assert summary(usage) == (
        "41 % used, reset at 17:10. A forecast needs another report of Claude Code's."
    )


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
    assert summary(usage) == "5-hour limit reached at 14:21; it resets at 17:10, in 2 h 38 min."
    assert usage.forecast == UNKNOWN
    assert "Runs out" not in text(usage) and "Pace" not in text(usage)


def test_it_counts_down_to_the_reset() -> None:
    limits = OFFICIAL["official-reached"]
    usage = measure(STOPPED, HISTORY, RULES, NOW + timedelta(hours=2, minutes=31), limits)
    assert summary(usage).endswith("it resets at 17:10, in 7 min.")


def test_the_limit_stays_reached_when_the_capture_is_old() -> None:
    usage = usage_of(STOPPED, official=known((28, 100)))
    assert (usage.status, usage.reset.source) == ("limit_reached", "official")


def test_a_message_answered_after_the_last_report_of_100_percent_ends_the_stop() -> None:
    usage = usage_of(RUNS_OUT, official=known((50, 100)))
    assert (usage.status, usage.state, usage.reached) == ("active", "exceeded", None)
    assert usage.headline.severity == "alarm"


@pytest.mark.parametrize(("after", "status"), [(5, "limit_reached"), (5.1, "active")])
def test_answers_under_way_when_100_percent_were_seen_still_arrive(
    after: float, status: str
) -> None:
    # The last answer came at 14:04; 100 % were seen so long before it, and still after it.
    last = STOPPED.events[-1].at if STOPPED.events else NOW
    full = (NOW - last) / timedelta(minutes=1) + after
    assert usage_of(STOPPED, official=known((full, 100), (1, 101))).status == status


def test_the_limit_may_be_reached_without_an_active_block() -> None:
    usage = usage_in("official-reached-elsewhere")
    data = snapshot(usage)
    assert (data["status"], data["block"]) == ("limit_reached", None)
    assert data["headline"]["used_percent"] == 100
    assert data["reset"]["source"] == "official"
    assert "Official  100 % used · resets 17:10, in 2 h 38 min" in text(usage)
    assert "official, 1 h 10 min ago" in text(usage)
    jsonschema.Draft202012Validator(SCHEMA).validate(data)


def test_idle_has_no_headline_percentage_and_still_shows_the_official_ones() -> None:
    usage = usage_of(IDLE, official=OFFICIAL["official-idle"])
    data = snapshot(usage)
    assert (data["headline"]["used_percent"], data["headline"]["source"]) == (None, "none")
    assert data["official"]["five_hour"]["used_percent"] == 37
    assert "37 % used" in text(usage)
    assert re.search(r" Week   [█▏▎▍▌▋▊▉]+░+ +41 %", text(usage))


def test_the_weekly_limit_reached_names_its_own_reset() -> None:
    usage = usage_in("week-reached")
    assert usage.status == "limit_reached"
    assert summary(usage) == (
        "Weekly limit reached at 14:08; it resets Saturday 18:32, in 3 d 4 h."
    )
    assert usage.reset.at == NOW + timedelta(days=3, hours=4)
    assert usage.reset.elapsed_percent(NOW) == pytest.approx(100 * (7 - 3 - 4 / 24) / 7)


# The worth of a percent.


@pytest.mark.parametrize("used", [5.0, 63.4, 99.0, 100.0, 104.0])
def test_the_level_is_where_100_percent_are(used: float) -> None:
    sight = window(RESETS_IN, (40, 4), (0, used))
    five_hour = choose_five_hour(MAX5, sight, RUNS_OUT.events, NOW)
    assert five_hour.limit_tokens is not None and five_hour.tokens_left is not None
    assert five_hour.percent_at(five_hour.limit_tokens) == pytest.approx(100)
    assert five_hour.percent_at(27_900) == used
    assert five_hour.tokens_left == pytest.approx(max(0.0, five_hour.limit_tokens - 27_900))


def test_the_estimates_level_is_the_token_limit() -> None:
    five_hour = choose_five_hour(replace(MAX5, used=48_020), None, None, NOW)
    assert (five_hour.source, five_hour.tokens_left) == ("estimate", 0)
    assert five_hour.used_percent == pytest.approx(137.2)
    assert five_hour.limit_tokens == pytest.approx(35_000)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_snapshot_fits_its_schema_with_official_limits(name: str) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(snapshot(usage_in(name)))


def test_a_limit_that_is_no_multiple_of_100_keeps_all_its_tokens() -> None:
    old = window(RESETS_IN, (35, 1))
    for sight in (None, old):
        limit = Limit(35_050, "user", None, 17_525)
        five_hour = choose_five_hour(limit, sight, None, NOW, NOW)
        assert (five_hour.source, five_hour.used_percent) == ("estimate", 50.0)
        assert (five_hour.limit_tokens, five_hour.tokens_left) == (35_050, 17_525)


def test_tokens_of_unknown_worth_do_not_move_the_percentage() -> None:
    sight = window(RESETS_IN, (2.9, 41))
    five_hour = choose_five_hour(replace(MAX5, used=1_200), sight, None, NOW)
    assert (five_hour.tokens_per_percent, five_hour.percent_at(9_000)) == (None, 41)


# Which limit leads, and how serious that is.

HALF = FiveHour("estimate", 17_500, 50.0, 350.0)


@pytest.mark.parametrize(
    ("verdict", "certain", "severity"),
    [
        ("unknown", False, "none"),
        ("ok", False, "ok"),
        ("tight", True, "warn"),
        ("runs_out", False, "alarm"),
        ("exceeded", False, "warn"),  # an estimate that was passed is too low
        ("exceeded", True, "alarm"),
    ],
)
def test_the_severity_follows_the_verdict(verdict: str, severity: str, *, certain: bool) -> None:
    lead = five_hour_headline(HALF, Forecast(verdict), is_certain=certain)
    assert lead == Headline("five_hour", 50.0, "estimate", severity, 17_500.0)


def test_the_users_own_limit_and_the_official_one_are_certain() -> None:
    assert usage_of(EXCEEDED).headline.severity == "warn"
    assert usage_of(EXCEEDED, replace(RULES, plan="custom_max")).headline.severity == "warn"
    assert usage_of(EXCEEDED, replace(RULES, token_limit=44_000)).headline.severity == "alarm"
    assert usage_in("extra-usage").headline.severity == "alarm"


@pytest.mark.parametrize(("seen", "shown"), [(100.0, 100.0), (104.0, 104.0), (None, 100.0)])
def test_a_limit_that_is_reached_is_used_up_whatever_was_seen(
    seen: Optional[float], shown: float
) -> None:
    reached = Reached("seven_day", NOW, NOW, "official")
    known_window = None if seen is None else window(RESETS_IN, (1, seen))
    assert reached_headline(reached, known_window) == Headline(
        "seven_day", shown, "official", "alarm", 0.0
    )


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        (None, Headline(None, None, "none", "none", None)),
        (37.0, Headline("five_hour", None, "none", "none", None)),
        (90.0, Headline("five_hour", None, "none", "warn", None)),
    ],
)
def test_without_a_block_there_is_no_percentage_but_a_warning_near_the_limit(
    used: Optional[float], expected: Headline
) -> None:
    assert idle_headline(None if used is None else window(RESETS_IN, (1, used))) == expected


@pytest.mark.parametrize(
    ("own", "week", "leads"),
    [
        ("ok", "warn", "seven_day"),
        ("warn", "warn", "five_hour"),
        ("alarm", "warn", "five_hour"),
        ("warn", "alarm", "seven_day"),
        ("none", "warn", "seven_day"),
    ],
)
def test_the_worst_limit_leads_and_of_equals_the_five_hour_one(
    own: str, week: str, leads: str
) -> None:
    five_hour = Headline("five_hour", 50.0, "estimate", own, 1.0)
    other = Headline("seven_day", 90.0, "official", week, None)
    assert worst(five_hour, other).window == leads
    assert worst(five_hour, None) is five_hour


def test_the_headline_of_a_week_is_official_and_not_known_in_tokens() -> None:
    usage = usage_in("week-first")
    assert usage.binding_week is not None
    used = usage.binding_week.window.used_percent
    assert weekly_headline(usage.binding_week) == Headline(
        "seven_day", used, "official", "alarm", None
    )
    assert usage.headline == weekly_headline(usage.binding_week)
    assert not usage.headline.is_five_hour
    assert usage_in("idle").headline.is_five_hour
