"""The sentences: one answer for each state, and a warning for all that is doubtful."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Optional

import pytest
import pytz

from monitor.model.alerting import AlertState, due_alerts
from monitor.model.blocks import Event
from monitor.model.forecast import Forecast
from monitor.model.limit_hits import LimitHit
from monitor.model.official import OfficialLimits
from monitor.model.plans import Rules
from monitor.model.reading import Unreadable
from monitor.model.sentence import about, summary, warnings
from monitor.model.usage import Usage, measure
from monitor.model.week_sentence import week_sentence
from monitor.views.line import one_line
from monitor.views.style import UNICODE
from tests.samples import (
    EMPTY,
    EXCEEDED,
    HISTORY,
    IDLE,
    LIMIT_REACHED,
    NEARLY,
    NOW,
    OK,
    OLD_VERSION,
    RULES,
    RUNS_OUT,
    STALE,
    STORE_ERROR,
    WARMING_UP,
    active,
    block_of,
    events_over,
    official_limits,
    past_block,
    reading_of,
    usage_in,
    usage_of,
    week_that_runs_out,
    window,
    with_source,
)
from tests.weeks import WEEKS

HOUR = timedelta(hours=1)


def foretold(verdict: str, **values: Any) -> Usage:
    return replace(usage_of(OK), forecast=Forecast(verdict, **values))


AT_1547 = NOW.replace(hour=19, minute=47, second=12)


def test_ok_says_that_the_reset_most_likely_comes_first_and_where_it_will_end() -> None:
    assert summary(foretold("ok", probability=0.2, likely_percent=61.6)) == (
        "Most likely the reset at 17:00 comes first, with about 62 % used."
    )


@pytest.mark.parametrize(("chance", "start"), [(0.0499, "The reset "), (0.05, "Most likely the ")])
def test_below_5_percent_ok_is_said_without_a_likely(chance: float, start: str) -> None:
    assert summary(foretold("ok", probability=chance)).startswith(start)


def test_ok_with_next_to_nothing_used_stays_grammatical() -> None:
    assert summary(foretold("ok", likely_percent=0.4)).endswith(", with under 1 % used.")


def test_ok_without_a_likely_end_only_says_what_is_known() -> None:
    assert summary(foretold("ok")) == "The reset at 17:00 comes first."


def test_ok_although_this_pace_would_run_out_says_nothing_of_the_pace() -> None:
    pace = foretold("ok", runs_out_at=AT_1547, likely_percent=62.0, probability=0.2)
    assert summary(pace) == summary(foretold("ok", likely_percent=62.0, probability=0.2))


@pytest.mark.parametrize("runs_out_at", [None, AT_1547])
def test_tight_says_the_chance_whatever_the_pace(runs_out_at: Optional[datetime]) -> None:
    assert summary(foretold("tight", runs_out_at=runs_out_at, probability=0.25)) == (
        "Tight: 25 % chance of reaching the limit before the reset at 17:00."
    )


def test_tight_without_a_chance_says_what_is_left() -> None:
    assert (
        summary(usage_of(NEARLY))
        == "Tight: 94 % used, 2,100 tokens left, no forecast yet; it resets at 19:00."
    )
    one = replace(RULES, token_limit=32_901)
    assert ", 1 token left," in summary(usage_of(NEARLY, one))
    official = official_limits(window(timedelta(hours=4), (1, 93)))
    assert summary(usage_of(NEARLY, official=official)).startswith(
        "Tight: 93 % used, no forecast yet; it resets "
    )


@pytest.mark.parametrize(
    ("chance", "likely"),
    [(0.6, "probably"), (0.899, "probably"), (0.9, "almost certainly")],
)
def test_runs_out_says_how_surely_about_when_and_the_chance(chance: float, likely: str) -> None:
    usage = foretold("runs_out", likely_at=AT_1547, probability=chance)
    assert summary(usage) == (
        f"You'll {likely} reach the limit around 15:45: "
        f"{int(chance * 100)} % chance before the reset at 17:00."
    )


def test_running_out_without_a_likely_time_names_none() -> None:
    assert summary(foretold("runs_out", runs_out_at=AT_1547, probability=0.62)) == (
        "You'll probably reach the limit: 62 % chance before the reset at 17:00."
    )


@pytest.mark.parametrize(
    ("hour", "minute", "said"),
    [
        (18, 33, "14:35"),
        (18, 38, "14:40"),
        (19, 42, "15:40"),
        (20, 56, "16:55"),
        (20, 59, "16:59"),  # 17:00 is the reset
    ],
)
def test_a_time_of_the_forecast_is_told_to_five_minutes_but_never_past_or_after_the_reset(
    hour: int, minute: int, said: str
) -> None:
    usage = usage_of(OK)
    assert about(usage, NOW.replace(hour=hour, minute=minute, second=0)) == said
    assert about(usage, NOW + timedelta(seconds=10)) == "14:32"  # 14:30 is past


def test_exactly_at_the_limit_it_is_not_said_to_come() -> None:
    usage = usage_of(active(events_over(138, 35_000)))
    assert summary(usage) == "You are at the limit; it resets at 17:00."


@pytest.mark.parametrize(
    ("rules", "name"),
    [
        (RULES, "the estimate of 35,000"),
        (replace(RULES, token_limit=44_000), "your limit of 44,000"),
        (replace(RULES, plan="custom_max"), "your highest block of 30,500"),
    ],
)
def test_past_the_limit_messages_that_got_through_prove_a_higher_one(
    rules: Rules, name: str
) -> None:
    said = summary(usage_of(EXCEEDED, rules))
    assert said.startswith(f"Past {name} since 1")
    assert said.endswith(" and still going: your true limit is higher; it resets at 17:00.")


def test_who_makes_a_pause_past_the_limit_is_not_still_going() -> None:
    later = NOW + timedelta(hours=1)
    said = summary(measure(EXCEEDED, HISTORY, RULES, later))
    assert " and answered until 14:" in said and "still going" not in said
    assert said.endswith(": your true limit is higher; it resets at 17:00.")


def test_past_the_limit_with_the_last_message_it_may_still_be_the_limit() -> None:
    events = (*events_over(130, 30_000), Event(NOW - timedelta(minutes=2), 6_000))
    assert summary(usage_of(active(events))) == (
        "Past the estimate of 35,000 since 14:30: you may be stopped at any moment; "
        "it resets at 17:00."
    )


def test_past_the_limit_without_a_series_names_no_time_and_claims_nothing() -> None:
    usage = usage_of(replace(EXCEEDED, events=None))
    assert summary(usage) == (
        "Past the estimate of 35,000: you may be stopped at any moment; it resets at 17:00."
    )


def test_a_limit_that_is_used_up_while_claude_still_answers_is_not_called_reached() -> None:
    assert summary(usage_in("extra-usage")) == (
        "The limit is used up, but Claude Code still answers; it resets at 17:10."
    )
    assert summary(usage_in("week-extra-usage")) == (
        "The weekly limit is used up, but Claude Code still answers; it resets Saturday 18:32."
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stopped", "5-hour limit reached at 14:08; it resets at 16:30, in 1 h 58 min."),
        ("stopped-week", "Weekly limit reached at 14:08; it resets Saturday 18:32, in 3 d 4 h."),
        (
            "stopped-opus",
            (
                "Weekly limit of Opus reached at 14:08; other models go on; "
                "it resets Saturday 18:32, in 3 d 4 h."
            ),
        ),
    ],
)
def test_a_hit_in_a_transcript_names_its_limit_since_when_and_until_when(
    name: str, said: str
) -> None:
    assert summary(usage_in(name)) == said


def test_a_limit_message_says_until_when_to_wait() -> None:
    assert summary(usage_of(LIMIT_REACHED)) == (
        "5-hour limit reached at 14:12; it resets at 16:00, in 1 h 28 min."
    )


def test_warming_up_promises_a_forecast_instead_of_making_one() -> None:
    assert summary(usage_of(WARMING_UP)) == (
        "Just started: 3 % used, reset at 19:00. No forecast yet."
    )


def test_idle_says_when_the_last_block_ended_and_what_starts_a_new_one() -> None:
    assert summary(usage_of(IDLE)) == (
        "No active block; the last ended yesterday 10:00. A new one starts with your next message."
    )


def test_idle_files_without_a_block_are_told_from_no_usage_at_all() -> None:
    nothing = replace(IDLE, blocks=())
    assert summary(measure(nothing, None, RULES, NOW)).startswith("No active block, and none")
    assert summary(measure(EMPTY, None, RULES, NOW)).startswith("No Claude Code usage here yet.")


def test_where_nothing_can_be_read_it_is_not_said_that_nothing_was_used() -> None:
    assert summary(usage_in("unreadable-idle")) == (
        "Claude Code's usage cannot be read here, so nothing is known."
    )


def test_idle_where_only_the_history_has_blocks_names_the_last_of_them() -> None:
    usage = usage_of(replace(IDLE, blocks=()))
    assert summary(usage).startswith("No active block; the last ended yesterday 10:00. ")


def test_a_reset_of_another_day_names_the_day() -> None:
    usage = usage_of(OK, replace(RULES, reset_hour=9, token_limit=900_000))
    assert "he reset tomorrow 09:00 comes first" in summary(usage)


def test_tomorrow_is_so_on_the_users_clocks_only() -> None:
    tokyo = usage_of(OK, replace(RULES, zone=pytz.timezone("Asia/Tokyo")))
    assert "he reset at 06:00 comes first" in summary(tokyo)


def test_times_in_sentences_are_on_the_users_clock() -> None:
    usage = usage_of(EXCEEDED, replace(RULES, twelve_hour=True))
    assert "since 1:55 PM" in summary(usage)
    assert "the reset at 5:00 PM " in summary(usage_of(OK, replace(RULES, twelve_hour=True)))


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


def test_a_passed_limit_is_said_in_the_sentence_and_in_no_warning() -> None:
    stopped = active(events_over(120, 48_020), NOW + timedelta(hours=1))
    for reading in (EXCEEDED, stopped):
        assert warnings(usage_of(reading)) == ()


def test_transcripts_that_cannot_be_read_are_warned_of_with_their_owner_and_what_to_do() -> None:
    mend = "Run: sudo chown -R $(id -un) '/home/you/.claude/projects'"
    missing = "cannot be read: usage is missing, the numbers are too low."
    place = "/home/you/.claude/projects/-srv-shop (owned by root)"
    assert warnings(usage_in("unreadable")) == (f"{place} and 1 more {missing} {mend}",)
    assert warnings(usage_in("unreadable-idle")) == (f"{place} {missing} {mend}",)


def test_an_unreadable_file_of_ones_own_names_no_owner_and_shows_no_escape_codes() -> None:
    unreadable = (Unreadable("/x/\x1b[2J.jsonl", "", "chmod -R u+rX '/x'"),)
    (said,) = warnings(usage_of(with_source(OK, unreadable=unreadable)))
    assert said.startswith("/x/␛[2J.jsonl cannot be read: usage is missing")
    assert said.endswith(" Run: chmod -R u+rX '/x'")


def test_a_state_directory_that_cannot_be_used_is_warned_of() -> None:
    assert warnings(usage_in("store-error")) == (STORE_ERROR,)


def test_a_week_that_binds_while_the_five_hours_lead_is_warned_of() -> None:
    usage = usage_of(RUNS_OUT, official=official_limits(None, week_that_runs_out(9 * HOUR)))
    assert usage.headline.severity in ("ok", "warn", "none", "alarm")
    alarm = replace(usage, forecast=replace(usage.forecast, verdict="runs_out", probability=0.8))
    assert warnings(alarm) == (
        "The weekly limit, 92 % used: 97 % chance of reaching it before Saturday 18:08.",
    )
    assert summary(alarm).startswith("You'll probably ")
    assert warnings(usage_in("week-near")) == ()  # the sentence says so


def test_a_limit_that_reset_within_the_block_is_told_with_what_came_before() -> None:
    mark = LimitHit(NOW - 2 * HOUR, "five_hour", NOW - HOUR)
    usage = measure(RUNS_OUT, replace(HISTORY, hits=(mark,)), RULES, NOW)
    before = sum(event.tokens for event in RUNS_OUT.events or () if event.at < NOW - HOUR)
    assert usage.status == "active"
    (text,) = warnings(usage)
    assert text.startswith("Your 5-hour limit reset at 13:32, within this block: ")
    assert text.endswith(f": {before:,} tokens of it came before.")


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
    assert summary(usage) == (
        "26 % used, reset at 17:00. No forecast: the single messages could not be read."
    )


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
    read = due_alerts(usage_in("runs-out"), AlertState(), (99,))[0]
    assert [alert.kind for alert in read] == ["runs_out"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("on-track", "The weekly limit most likely lasts to the reset Sunday 05:32: over 95 %"),
        (
            "fresh",
            "The weekly limit most likely lasts to the reset next Wednesday 11:32: 80 % chance, ",
        ),
        ("behind", "The weekly limit will probably be used up around Friday 09:30: 88 % chance "),
        ("opus-first", "The weekly limit most likely lasts to the reset "),
        (
            "first-ever",
            "The weekly limit is 3 % used and resets next Wednesday 11:32. A forecast fol",
        ),
        ("no-reset", "The weekly limit is 41 % used; when it resets is not known, so nothing is "),
    ],
)
def test_a_week_says_whether_it_lasts_until_when_and_how_surely(state: str, said: str) -> None:
    week = WEEKS[state].weekly
    assert week is not None
    assert week_sentence(WEEKS[state], week).startswith(said)


def test_a_limit_used_up_beside_the_one_that_stops_the_user_is_not_said_to_be_answered() -> None:
    usage = usage_in("stopped")
    full = official_limits(usage.official.windows["five_hour"], week_that_runs_out(HOUR))
    week = replace(full.windows["seven_day"], used_percent=100.0)
    both = replace(usage, official=replace(full, windows={**full.windows, "seven_day": week}))
    assert both.reached is not None and both.weekly is not None
    assert week_sentence(both, both.weekly).startswith("The weekly limit is used up; it resets ")


def test_a_week_that_is_used_up_and_has_no_reset_says_that_it_is_not_known() -> None:
    week = replace(week_that_runs_out(timedelta(hours=5)), used_percent=100.0, resets_at=None)
    usage = usage_of(OK, official=OfficialLimits({"seven_day": week}))
    text = week_sentence(usage, usage.weeks["seven_day"])
    assert text.endswith("; when it resets is not known.")
    assert "unknown" not in text + "".join(span.text for span in one_line(usage, 200, UNICODE))
