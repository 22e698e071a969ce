"""Measuring: from a reading and the present moment to what every view shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Optional

import pytest

from monitor.model.alerting import AlertState, due_alerts
from monitor.model.blocks import SESSION, Event
from monitor.model.history import History, Spending
from monitor.model.limit_hits import LimitHit
from monitor.model.plans import Rules
from monitor.model.reading import DataSize, Reading
from monitor.model.sentence import summary, warnings
from monitor.model.usage import Usage, measure, without_costs
from monitor.views.line import one_line
from monitor.views.snapshot import snapshot
from monitor.views.style import UNICODE
from tests.samples import (
    EMPTY,
    EXCEEDED,
    HISTORY,
    IDLE,
    LIMIT_REACHED,
    NOBODY_CHOSE,
    NOW,
    OFFICIAL,
    OK,
    PAST,
    RULES,
    RUNS_OUT,
    STALE,
    START,
    STOPPED,
    WARMING_UP,
    active,
    block_of,
    events_over,
    official_limits,
    past_block,
    reading_of,
    usage_in,
    usage_of,
    window,
    with_source,
)


def test_an_active_block_gives_an_active_usage() -> None:
    usage = usage_of(OK)
    assert (usage.status, usage.tokens.counted, usage.limit.tokens_over) == ("active", 9_000, 0)


def test_a_gap_after_the_active_block_does_not_hide_it() -> None:
    block = block_of(events_over(138, 9_000))
    gap = replace(block, id="gap", start=NOW, end=NOW + SESSION, is_gap=True, is_active=False)
    assert usage_of(reading_of(block, gap)).block == block


def test_no_active_block_is_idle_with_nothing_used_and_no_forecast() -> None:
    usage = usage_of(IDLE)
    assert (usage.status, usage.block, usage.tokens.counted) == ("idle", None, 0)
    assert (usage.reset.at, usage.forecast.verdict) == (None, "unknown")
    assert usage.last == past_block(1, 26_200)


def test_a_first_start_has_no_last_block_either() -> None:
    usage = measure(EMPTY, None, RULES, NOW)
    assert (usage.status, usage.last) == ("idle", None)


def test_the_last_block_may_be_one_that_only_the_history_has() -> None:
    assert measure(EMPTY, HISTORY, RULES, NOW).last == PAST[-1]
    newer = replace(PAST[-1], entries=91)
    assert measure(reading_of(newer), HISTORY, RULES, NOW).last == newer


def test_a_block_ends_without_a_new_look() -> None:
    usage = measure(OK, HISTORY, RULES, START + SESSION)
    assert (usage.status, usage.block) == ("idle", None)
    assert usage.last is not None
    assert usage.last.start == START


def test_a_limit_message_stops_the_forecast_until_its_reset() -> None:
    usage = usage_of(LIMIT_REACHED)
    assert (usage.status, usage.reset.source) == ("limit_reached", "limit_message")
    assert usage.forecast.verdict == "unknown"
    later = measure(LIMIT_REACHED, HISTORY, RULES, NOW + timedelta(hours=1, minutes=29))
    assert (later.status, later.reset.source) == ("active", "block_end")


def test_the_used_percentage_is_not_clamped_and_what_is_left_is_never_below_0() -> None:
    usage = usage_of(EXCEEDED)
    assert usage.limit.used_percent == pytest.approx(137.2)
    assert (usage.limit.tokens_left, usage.limit.tokens_over) == (0, 13_020)


def test_exactly_the_limit_is_not_over_it() -> None:
    usage = usage_of(active(events_over(138, 35_000)))
    limit = usage.limit
    assert (limit.used_percent, limit.tokens_left, limit.tokens_over) == (100.0, 0, 0)


def test_the_limit_was_crossed_by_the_message_that_went_over_it() -> None:
    events = events_over(110, 11 * 3_500, first=0, count=11)
    crossed = usage_of(active(events)).crossed_at
    assert crossed == events[10].at  # the tenth reached 35,000 exactly
    assert usage_of(RUNS_OUT).crossed_at is None


def test_a_series_that_does_not_add_up_is_not_used() -> None:
    block, events = block_of(events_over(138, 9_000)), events_over(138, 8_999)
    usage = usage_of(reading_of(block, events=events))
    assert usage.events is None
    assert not usage.burn.exact


def test_the_elapsed_time_counts_from_the_blocks_start_to_the_reset() -> None:
    usage = measure(OK, HISTORY, RULES, START + SESSION / 4)
    assert usage.reset.elapsed_percent(usage.now) == 25.0
    assert usage_of(IDLE).reset.elapsed_percent(NOW) is None


def test_a_stale_reading_gives_the_same_numbers() -> None:
    stale, fresh = usage_of(STALE), usage_of(RUNS_OUT)
    assert (stale.tokens, stale.reset, stale.status) == (fresh.tokens, fresh.reset, fresh.status)


def test_warming_up_has_a_reset_and_a_limit_but_no_forecast() -> None:
    usage = usage_of(WARMING_UP)
    assert usage.burn.tokens_per_minute is None
    assert usage.forecast.verdict == "unknown"
    assert (usage.forecast.runs_out_at, usage.forecast.probability) == (None, None)


def test_the_users_reset_hour_is_known_when_idle_too() -> None:
    usage = usage_of(IDLE, Rules(plan="max5", reset_hour=21))
    assert (usage.reset.at, usage.reset.source) == (
        NOW.replace(hour=21, minute=0, second=0),
        "reset_hour",
    )


def test_measuring_twice_gives_the_same() -> None:
    assert usage_of(OK) == usage_of(OK)


def test_a_reading_is_fresh_whole_and_of_no_files_until_it_says_otherwise() -> None:
    reading = Reading((), NOW)
    assert (reading.is_stale, reading.is_partial, reading.error) == (False, False, None)
    assert (reading.source.scan, reading.source.size) == ("full", DataSize(files=0, bytes=0))


@pytest.mark.parametrize(("sample", "state"), [("week-first", "weekly"), ("ok", "ok")])
def test_the_state_is_about_the_limit_that_comes_first(sample: str, state: str) -> None:
    assert usage_in(sample).state == state
    assert usage_in("week-first").forecast.verdict == "ok"


def test_a_status_other_than_active_is_the_state() -> None:
    full = official_limits(seven_day=window(timedelta(days=2), (1, 100)))
    assert usage_of(STOPPED, official=full).state == "limit_reached"
    assert usage_of(IDLE).state == "idle"


def test_the_elapsed_time_of_an_official_window_counts_from_its_own_start() -> None:
    usage = usage_in("official")
    assert usage.reset.at is not None
    began = usage.reset.at - SESSION
    elapsed = pytest.approx(100 * (NOW - began) / SESSION)
    assert usage.reset.elapsed_percent(NOW) == elapsed
    alone = usage_of(RUNS_OUT, official=official_limits(usage.five_hour.window))
    assert alone.reset.elapsed_percent(NOW) == elapsed
    assert usage.reset.elapsed_percent(began - SESSION) == 0


def test_times_are_on_a_24_hour_clock_until_the_user_says_otherwise() -> None:
    assert Rules().time_format.minute(START) == "16:00"


def test_of_two_limits_reached_the_one_that_resets_later_has_the_reset() -> None:
    full = window(timedelta(hours=2), (10, 100), (0.1, 101))
    week = window(timedelta(days=2), (10, 100), (0.3, 100))
    usage = usage_of(STOPPED, official=official_limits(full, week))
    assert usage.reset.at == week.resets_at
    assert usage_of(STOPPED, official=official_limits(None, week)).reset.at == week.resets_at


@pytest.mark.parametrize(
    ("scan", "why"),
    [("full", "no completed block yet"), ("window", "your history is still being read")],
)
def test_without_a_highest_block_it_says_whether_all_has_been_read(scan: str, why: str) -> None:
    reading = replace(with_source(OK, scan=scan), blocks=())
    note = measure(reading, None, Rules(plan="custom_max"), NOW).limit.note
    assert note == f"{why}; using pro's estimate"


PRO = replace(RULES, plan="pro")


@pytest.mark.parametrize("history", [None, History(HISTORY.completed[:1])])
def test_nothing_is_judged_while_the_highest_block_is_looked_up(history: Optional[History]) -> None:
    for rules in (PRO, replace(RULES, plan="custom_max"), NOBODY_CHOSE):
        usage = measure(OK, history, rules, NOW)
        assert (usage.is_settled, usage.state, usage.status) == (False, "unknown", "active")
        assert "9,000 tokens used" in summary(usage)
        assert "is being looked up" in summary(usage)
        assert not any("may be stopped" in said for said in warnings(usage))
        assert due_alerts(usage, AlertState(), [1.0, 80.0]) == ([], AlertState())


def test_a_limit_that_needs_no_history_is_settled_at_once() -> None:
    below = measure(replace(WARMING_UP), None, PRO, NOW)
    for usage in (
        below,  # of pro
        measure(OK, None, RULES, NOW),
        measure(OK, None, replace(PRO, token_limit=8_000), NOW),
        measure(OK, HISTORY, PRO, NOW),
        measure(OK, HISTORY, NOBODY_CHOSE, NOW),
        measure(with_source(OK, scan="full"), None, PRO, NOW),
        measure(OK, History(error="it hangs"), PRO, NOW),
        measure(OK, None, PRO, NOW, OFFICIAL["official"]),
    ):
        assert usage.is_settled
    assert measure(OK, History(error="it hangs"), PRO, NOW).state == "ok"


def test_once_the_highest_block_is_known_the_alerts_are_those_of_it() -> None:
    _, state = due_alerts(measure(OK, None, PRO, NOW), AlertState(), [30.0, 80.0])
    alerts, _ = due_alerts(measure(OK, HISTORY, PRO, NOW), state, [20.0, 80.0])
    assert [alert.kind for alert in alerts] == ["percent"]
    assert alerts[0].title.startswith("20 %")


def test_messages_stamped_in_the_future_are_taken_for_just_sent() -> None:
    events = events_over(200, 6_000)  # the last is 59 minutes ahead
    usage = usage_of(active(events))
    assert usage.events is not None and usage.events[-1].at == NOW
    assert sum(event.tokens for event in usage.events) == usage.tokens.counted
    low, _ = usage.forecast.likely_range or (0, 0)
    assert low >= usage.five_hour.used_percent
    assert any("stamped in the future" in said for said in warnings(usage))


@pytest.mark.parametrize(
    ("five_hour", "week", "name", "resets"),
    [
        (None, timedelta(days=2), "Weekly limit reached", "Friday 14:32, in 2 d"),
        (timedelta(hours=3), timedelta(minutes=30), "5-hour limit reached", "at 17:32, in 3 h"),
        (None, None, "Weekly limit reached", "not known"),
    ],
)
def test_a_reached_limit_resets_at_the_time_of_its_own_window(
    five_hour: Optional[timedelta], week: Optional[timedelta], name: str, resets: str
) -> None:
    full = window(week or timedelta(days=2), (1, 100))
    full = full if week else replace(full, resets_at=None)
    official = official_limits(window(five_hour, (1, 100)) if five_hour else None, full)
    rules = replace(RULES, reset_hour=None if five_hour else 10)
    usage = measure(STOPPED, HISTORY, rules, NOW, official)
    assert summary(usage).startswith(name) and resets in summary(usage)
    told = snapshot(usage)
    assert (told["headline"]["used_percent"], told["headline"]["source"]) == (100, "official")
    assert resets in one_line_of(usage) or week is None


def one_line_of(usage: Usage) -> str:
    return "".join(span.text for span in one_line(usage, 120, UNICODE)).replace("resets ", "at ")


def test_at_the_limit_in_the_first_minutes_is_no_mere_start() -> None:
    usage = measure(WARMING_UP, HISTORY, replace(RULES, token_limit=1_200), NOW)
    assert usage.state == "runs_out"
    assert summary(usage).startswith("You are at the limit")


def test_a_first_message_is_not_judged_by_a_plan_that_nobody_chose_before_the_history() -> None:
    usage = measure(WARMING_UP, None, NOBODY_CHOSE, NOW)
    assert not usage.is_settled and usage.needs_history
    assert usage_of(WARMING_UP, NOBODY_CHOSE).limit.tokens == 30_500


# A limit hit in a transcript.


def hit(ago: float, resets_in: Optional[timedelta], window_id: str = "five_hour") -> History:
    at = NOW - timedelta(minutes=ago)
    resets_at = None if resets_in is None else NOW + resets_in
    return replace(HISTORY, hits=(LimitHit(at, window_id, resets_at),))


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(("ago", "status"), [(29, "active"), (28, "limit_reached")])
def test_a_hit_stops_the_user_until_a_later_message_is_answered(ago: float, status: str) -> None:
    last = STOPPED.blocks[-1].last_activity
    assert last is not None and 28 * 60 < (NOW - last).total_seconds() < 29 * 60
    assert measure(STOPPED, hit(ago, HOUR), RULES, NOW).status == status


def test_a_hit_stops_the_user_until_the_reset() -> None:
    history = hit(20, HOUR)
    for minutes, status in ((-21, "active"), (0, "limit_reached"), (59, "limit_reached")):
        now = NOW + timedelta(minutes=minutes)
        assert measure(STOPPED, history, RULES, now).status == status
    after = measure(STOPPED, history, RULES, NOW + HOUR)
    assert (after.status, after.reached, after.reset.source) == ("active", None, "block_end")
    assert after.reset_within_block == NOW + HOUR
    assert after.tokens_before_reset == after.tokens.counted
    assert (after.limit.used, after.state) == (0, "unknown")
    assert (
        summary(after) == "Your limit reset at 15:32; a new window begins with your next message."
    )


def test_after_a_reset_within_the_block_only_what_came_since_counts() -> None:
    assert STOPPED.events is not None
    later = Event(NOW + HOUR + timedelta(minutes=1), 40)
    block = STOPPED.blocks[-1]
    tokens = block.tokens._replace(output=block.tokens.output + later.tokens)
    block = replace(block, tokens=tokens, last_activity=later.at)
    reading = replace(STOPPED, blocks=(*PAST, block), events=(*STOPPED.events, later))
    usage = measure(reading, hit(20, HOUR), RULES, later.at + timedelta(minutes=10))
    assert (usage.limit.used, usage.tokens_before_reset) == (40, usage.tokens.counted - 40)
    assert usage.five_hour.used_percent == 100 * 40 / usage.limit.tokens
    assert usage.reset.latest == later.at + SESSION
    assert (usage.forecast.verdict, usage.crossed_at) == ("ok", None)
    full = replace(RULES, token_limit=usage.tokens.counted - 1)
    assert measure(reading, hit(20, HOUR), full, usage.now).forecast.verdict == "ok"


def test_marks_without_tokens_are_no_answer() -> None:
    assert STOPPED.events is not None
    mark = Event(NOW - timedelta(minutes=10), 0)
    block = replace(STOPPED.blocks[-1], last_activity=mark.at)
    marked = replace(STOPPED, blocks=(*PAST, block), events=(*STOPPED.events, mark))
    assert measure(marked, hit(12, HOUR), RULES, NOW).status == "limit_reached"


def test_a_hit_that_names_no_reset_stops_the_user_all_the_same() -> None:
    usage = measure(STOPPED, hit(20, None), RULES, NOW)
    assert usage.status == "limit_reached"
    assert usage.reset.source == "block_end"


def test_a_hit_of_an_unknown_kind_stops_the_user_too() -> None:
    usage = measure(STOPPED, hit(20, HOUR, "monthly"), RULES, NOW)
    assert usage.status == "limit_reached"
    assert summary(usage).startswith("Limit “monthly” reached at 14:12; it resets at 15:32")


def test_a_status_line_newer_than_the_hit_is_news_if_it_is_of_another_reset() -> None:
    newer = official_limits(window(2 * HOUR, (10, 98)))
    assert measure(STOPPED, hit(20, HOUR), RULES, NOW, newer).status == "active"
    repeated = official_limits(window(HOUR, (10, 98)))
    assert measure(STOPPED, hit(20, HOUR), RULES, NOW, repeated).status == "limit_reached"
    older = official_limits(window(HOUR, (30, 98)))
    usage = measure(STOPPED, hit(20, HOUR), RULES, NOW, older)
    assert (usage.status, usage.headline.used_percent) == ("limit_reached", 100)


def test_without_a_block_a_hit_stops_the_user_as_well() -> None:
    usage = measure(IDLE, hit(20, HOUR), RULES, NOW)
    assert (usage.status, usage.block) == ("limit_reached", None)
    assert (usage.reset.at, usage.reset.source) == (NOW + HOUR, "limit_message")


# Costs.


def test_what_a_model_without_a_price_costs_is_not_known() -> None:
    usage = usage_in("unpriced")
    assert (usage.cost_usd, usage.unpriced_models) == (None, ("claude-opus-5-5",))
    assert (usage.spending, usage.burn.cost_per_hour) == (Spending(None, None), None)
    hidden = without_costs(usage)
    assert (hidden.cost_usd, hidden.unpriced_models) == (None, ())


def test_only_models_of_the_active_block_make_its_cost_unknown() -> None:
    elsewhere = replace(OK, unpriced_models=("claude-opus-5-5",))
    assert (usage_of(elsewhere).cost_usd, usage_of(elsewhere).unpriced_models) == (12.4, ())


def test_todays_and_the_weeks_costs_include_the_active_block() -> None:
    today, week = usage_of(OK).spending
    assert today == pytest.approx(12.4)
    assert week == pytest.approx(12.4 + 3 * 6.2)
    assert without_costs(usage_of(OK)).spending == Spending(None, None)
