"""The sentences: one answer for each state, and a warning for all that is doubtful."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytz

from monitor.model.alerting import AlertState, due_alerts
from monitor.model.forecast import Forecast
from monitor.model.plans import Rules
from monitor.model.sentence import summary, warnings
from monitor.model.usage import Usage, measure
from tests.samples import (
    EMPTY,
    EXCEEDED,
    IDLE,
    LIMIT_REACHED,
    NOW,
    OK,
    OLD_VERSION,
    RULES,
    RUNS_OUT,
    STALE,
    WARMING_UP,
    active,
    block_of,
    events_over,
    past_block,
    reading_of,
    usage_of,
    with_source,
)


def foretold(verdict: str, **values: Any) -> Usage:
    return replace(usage_of(OK), forecast=Forecast(verdict, **values))


AT_1547 = NOW.replace(hour=19, minute=47, second=12)


def test_ok_says_that_the_reset_comes_first_and_where_it_will_end() -> None:
    assert summary(foretold("ok", likely_percent=61.6)) == (
        "The reset at 17:00 comes first; you'll be near 62 %."
    )


def test_ok_with_next_to_nothing_used_stays_grammatical() -> None:
    assert summary(foretold("ok", likely_percent=0.4)).endswith("; you'll stay under 1 %.")


def test_ok_without_a_likely_end_only_says_what_is_known() -> None:
    assert summary(foretold("ok")) == "The reset at 17:00 comes first."


def test_ok_although_this_pace_would_run_out_says_both() -> None:
    assert summary(foretold("ok", runs_out_at=AT_1547, likely_percent=62.0)) == (
        "The reset at 17:00 likely comes first; this pace kept up runs out at 15:47."
    )


def test_tight_says_so_with_the_time_at_this_pace() -> None:
    assert summary(foretold("tight", runs_out_at=AT_1547, probability=0.25)) == (
        "Tight: this pace hits the limit at 15:47, 1 h 13 min before the reset."
    )


def test_tight_at_a_slow_pace_says_the_chance() -> None:
    assert summary(foretold("tight", probability=0.25)) == (
        "It may get tight: 25 % chance to reach the limit before the reset at 17:00."
    )


def test_runs_out_says_when_and_how_long_before_the_reset() -> None:
    assert summary(foretold("runs_out", runs_out_at=AT_1547, probability=0.9)) == (
        "You'll reach the limit at 15:47, 1 h 13 min before the reset."
    )


def test_runs_out_is_only_likely_where_people_often_pause() -> None:
    assert summary(foretold("runs_out", runs_out_at=AT_1547, probability=0.8)) == (
        "You'll likely reach the limit at 15:47, 1 h 13 min before the reset."
    )


def test_probably_running_out_at_a_slow_pace_names_no_time() -> None:
    assert summary(foretold("runs_out", probability=0.62)) == (
        "You'll probably reach the limit before the reset at 17:00 (62 % chance)."
    )


def test_exactly_at_the_limit_it_is_not_said_to_come() -> None:
    usage = usage_of(active(events_over(138, 35_000)))
    assert summary(usage) == "You are at the limit; it resets at 17:00."


def test_over_the_limit_says_since_when_and_by_how_much() -> None:
    assert summary(usage_of(EXCEEDED)) == (
        "Over the limit since 13:56, by 13,020 tokens; it resets at 17:00."
    )


def test_over_the_limit_without_a_series_names_no_time() -> None:
    usage = usage_of(replace(EXCEEDED, events=None))
    assert summary(usage) == "Over the limit, by 13,020 tokens; it resets at 17:00."


def test_a_limit_message_says_until_when_to_wait() -> None:
    assert summary(usage_of(LIMIT_REACHED)) == (
        "Limit reached at 14:12; it resets at 16:00, in 1 h 28 min."
    )


def test_warming_up_promises_a_forecast_instead_of_making_one() -> None:
    assert summary(usage_of(WARMING_UP)) == (
        "Just started: 3 % used, reset at 19:00. A forecast follows."
    )


def test_idle_says_when_the_last_block_ended_and_what_starts_a_new_one() -> None:
    assert summary(usage_of(IDLE)) == (
        "No active block; the last ended yesterday 10:00. A new one starts with your next message."
    )


def test_idle_files_without_a_block_are_told_from_no_usage_at_all() -> None:
    assert summary(usage_of(replace(IDLE, blocks=()))).startswith("No active block, and none")
    assert summary(usage_of(EMPTY)).startswith("No Claude Code usage here yet.")


def test_a_reset_of_another_day_names_the_day() -> None:
    usage = usage_of(OK, replace(RULES, reset_hour=9, token_limit=900_000))
    assert summary(usage).startswith("The reset tomorrow 09:00 ")


def test_tomorrow_is_so_on_the_users_clocks_only() -> None:
    tokyo = usage_of(OK, replace(RULES, zone=pytz.timezone("Asia/Tokyo")))
    assert summary(tokyo).startswith("The reset at 06:00 ")


def test_times_in_sentences_are_on_the_users_clock() -> None:
    usage = usage_of(EXCEEDED, replace(RULES, twelve_hour=True))
    assert summary(usage).endswith("it resets at 5:00 PM.")
    assert "since 1:56 PM" in summary(usage)


def test_nothing_is_warned_of_when_all_is_well() -> None:
    assert warnings(usage_of(OK)) == ()


def test_a_failed_look_is_warned_of_with_reason_and_age() -> None:
    (warning,) = warnings(usage_of(STALE))
    assert warning == (
        "The last look failed: ccusage did not answer within 20 s. "
        "Showing the reading of 4 min ago."
    )


def test_a_directory_that_was_named_and_is_not_there_is_warned_of() -> None:
    named = usage_of(with_source(OK, missing_dirs=("/home/me/.clade\x1b",)))
    assert warnings(named) == ("/home/me/.clade␛ is no directory; its usage is left out.",)


def test_over_the_limit_by_one_token_is_said_in_the_singular() -> None:
    usage = usage_of(EXCEEDED)
    one_less = replace(RULES, token_limit=usage.tokens.counted - 1)
    assert "by 1 token;" in summary(usage_of(EXCEEDED, one_less))


def test_over_the_limit_is_warned_of_in_every_status() -> None:
    stopped = active(events_over(120, 48_020), NOW + timedelta(hours=1))
    for reading in (EXCEEDED, stopped):
        assert warnings(usage_of(reading))[0].startswith("137 % of the limit is used")


@pytest.mark.parametrize(
    ("version", "warned"),
    [
        *(("15.9.7", True), ("18.0.11", True), ("19.0.0", False), ("20.0.24", False)),
        *((None, False), ("", False), ("unknown", False), ("9", True)),
    ],
)
def test_versions_below_19_are_warned_of_for_undercounting(version: str, warned: bool) -> None:  # noqa: FBT001
    found = warnings(usage_of(with_source(OK, ccusage_version=version)))
    assert [f"ccusage {version} undercounts output tokens" in text for text in found] == (
        [True] if warned else []
    )


def test_an_old_version_is_named_once_with_the_version_to_get() -> None:
    assert warnings(usage_of(OLD_VERSION)) == (
        "ccusage 17.2.1 undercounts output tokens; ccusage 20 counts them fully.",
    )


def test_a_block_of_the_future_is_left_out_and_warned_of() -> None:
    future = replace(past_block(-1, 90_000), is_active=True)
    usage = usage_of(replace(OK, blocks=(*OK.blocks, future)))
    assert usage.tokens.counted == 9_000
    assert warnings(usage) == ("1 block stamped in the future left out; was a clock wrong?",)


def test_a_gap_of_the_future_is_nothing_to_warn_of() -> None:
    gap = replace(past_block(-1, 0), is_gap=True)
    assert warnings(usage_of(replace(OK, blocks=(*OK.blocks, gap)))) == ()


def test_a_pace_that_is_an_average_is_marked_as_one() -> None:
    usage = usage_of(reading_of(block_of(events_over(138, 9_000))))
    assert "the pace is the block's average" in warnings(usage)[0]


def test_no_average_is_spoken_of_while_there_is_none() -> None:
    events = events_over(3, 1_200, first=148, count=6)
    usage = measure(reading_of(block_of(events)), None, Rules(), NOW - timedelta(minutes=29))
    assert usage.burn.tokens_per_minute is None
    assert not any("average" in said for said in warnings(usage))


def test_while_the_series_is_on_its_way_there_is_no_verdict_and_no_alert() -> None:
    usage = usage_of(replace(RUNS_OUT, is_partial=True, events=None))
    assert usage.forecast.verdict == "unknown"
    assert summary(usage).endswith("The pace is being read.")
    assert [alert.kind for alert in due_alerts(usage, AlertState(), (99,))[0]] == []
    assert [alert.kind for alert in due_alerts(usage_of(RUNS_OUT), AlertState(), (99,))[0]] == [
        "runs_out"
    ]
