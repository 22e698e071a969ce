"""Alerts: once per threshold and window, re-armed only by a new window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.alerting import Alert, AlertState, due_alerts
from monitor.model.blocks import SESSION
from monitor.model.sentence import summary
from monitor.model.usage import Usage
from tests.samples import NOW, OFFICIAL, START, usage_in

MINUTE = timedelta(minutes=1)
END = START + SESSION


def at(percent: float, minutes: float = 0, verdict: str = "ok", state: str = "ok") -> Usage:
    """Make a usage so many minutes after NOW, with this percentage and verdict."""
    usage = usage_in(state)
    return replace(
        usage,
        now=NOW + minutes * MINUTE,
        five_hour=replace(usage.five_hour, used_percent=percent),
        forecast=replace(usage.forecast, verdict=verdict),
    )


def as_stale(usage: Usage) -> Usage:
    return replace(usage, reading=replace(usage.reading, error="It failed."))


def idle(minutes: float) -> Usage:
    return replace(usage_in("idle"), now=NOW + minutes * MINUTE)


def next_block(percent: float, minutes: float) -> Usage:
    usage = at(percent, minutes)
    assert usage.block is not None
    return replace(usage, block=replace(usage.block, start=END, end=END + SESSION))


def told(usages: Iterable[Usage], percents: Sequence[float] = (80, 95)) -> list[list[str]]:
    """Return the titles of the alerts at each usage, one after another."""
    state, titles = AlertState(), []
    for usage in usages:
        alerts, state = due_alerts(usage, state, percents)
        titles.append([alert.title for alert in alerts])
    return titles


EIGHTY, NINETY_FIVE = "80 % of the limit is used", "95 % of the limit is used"
RUNS_OUT, REACHED = "The limit comes before the reset", "The limit is reached"
PASSED = "The limit is passed"
OVER = "The 5-hour window is over"
TO_END = 148.0
"""Minutes from NOW to just after the block's end."""


def test_a_threshold_is_told_once_when_it_is_passed() -> None:
    assert told([at(79.9), at(80), at(81), at(94.9)]) == [[], [EIGHTY], [], []]


def test_an_alert_says_the_sentence_of_the_screen() -> None:
    usage = at(81)
    (alert,), _ = due_alerts(usage, AlertState())
    assert alert == Alert("percent", EIGHTY, summary(usage))


def test_each_threshold_has_its_own_alert() -> None:
    assert told([at(70), at(85), at(96)]) == [[], [EIGHTY], [NINETY_FIVE]]


def test_of_several_passed_at_once_the_highest_speaks_for_all() -> None:
    assert told([at(10), at(97), at(50), at(85), at(99)]) == [[], [NINETY_FIVE], [], [], []]


def test_starting_above_a_threshold_tells_it() -> None:
    assert told([at(85), at(86)]) == [[EIGHTY], []]


def test_falling_below_and_passing_again_is_not_told_again() -> None:
    assert told([at(85), at(60), at(85)]) == [[EIGHTY], [], []]


def test_the_order_in_which_thresholds_are_named_does_not_matter() -> None:
    assert told([at(97)], (95, 80, 10)) == [[NINETY_FIVE]]


def test_a_forecast_that_turns_to_runs_out_is_told_once() -> None:
    turns = [
        at(50),
        at(51, verdict="runs_out"),
        at(52, verdict="tight"),
        at(53, verdict="runs_out"),
    ]
    assert told(turns) == [[], [RUNS_OUT], [], []]


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ("limit-reached", REACHED),
        ("official-reached", REACHED),
        ("stopped", REACHED),
        ("stopped-week", REACHED),
        ("stopped-opus", REACHED),
        ("exceeded", PASSED),
        ("extra-usage", PASSED),
    ],
)
def test_a_limit_reached_or_passed_is_told_once(state: str, title: str) -> None:
    assert told([usage_in(state), usage_in(state)]) == [[title], []]


def test_a_weekly_limit_is_told_where_it_comes_first_and_not_where_it_is_near() -> None:
    assert told([usage_in("week-first")], ()) == [[RUNS_OUT]]
    assert told([usage_in("week-near")], ()) == [[]]


def test_a_hit_in_a_transcript_that_is_no_news_is_told_once() -> None:
    before, after = usage_in("runs-out"), usage_in("stopped")
    assert told([before, after, after], ()) == [[RUNS_OUT], [REACHED], []]


def test_a_limit_reached_at_once_is_one_alert_not_three() -> None:
    assert told([at(50), at(101, verdict="exceeded")]) == [[], [PASSED]]


def test_a_threshold_above_100_is_told_too() -> None:
    over = at(101, verdict="exceeded"), at(120, verdict="exceeded")
    assert told(over, (80, 120)) == [[PASSED], ["120 % of the limit is used"]]


def test_a_limit_that_grows_after_it_was_reached_can_still_be_neared() -> None:
    grown = at(40), at(90), at(99)
    assert told([at(70), at(101, verdict="exceeded"), *grown]) == [[], [PASSED], [], [], []]


def test_the_end_of_the_window_is_told_once_and_rearms() -> None:
    usages = [at(85), idle(TO_END), idle(TO_END + 1), next_block(85, TO_END + 2)]
    assert told(usages) == [[EIGHTY], [OVER], [], [EIGHTY]]


def test_a_new_block_right_after_the_old_one_is_told_as_the_end_of_the_old() -> None:
    assert told([at(85), next_block(3, TO_END)]) == [[EIGHTY], [OVER]]


def test_a_machine_that_slept_over_the_reset_is_told_so_and_of_what_is_now() -> None:
    assert told([at(85), next_block(96, TO_END + 200)]) == [[EIGHTY], [OVER, NINETY_FIVE]]


def test_starting_idle_is_no_reset() -> None:
    assert told([idle(0), idle(1), at(85, 2)]) == [[], [], [EIGHTY]]


def test_a_block_missing_from_one_reading_rearms_nothing() -> None:
    assert told([at(85), idle(1), at(86, 2), idle(TO_END)]) == [[EIGHTY], [], [], [OVER]]


def test_a_block_whose_start_is_corrected_is_the_same_window() -> None:
    usage = at(86, 1)
    assert usage.block is not None
    moved = replace(usage, block=replace(usage.block, start=START - 60 * MINUTE))
    assert told([at(85), moved]) == [[EIGHTY], []]


def test_a_stale_reading_never_alarms() -> None:
    stale = [as_stale(u) for u in (at(99), idle(TO_END))]
    assert told([at(10), *stale]) == [[], [], []]


def test_what_happened_while_readings_were_stale_is_told_by_the_first_fresh_one() -> None:
    usage = at(85, 1)
    stale = as_stale(usage)
    assert told([at(10), stale, at(86, 2)]) == [[], [], [EIGHTY]]


def test_claude_codes_own_window_ends_when_it_says_not_with_the_block() -> None:
    resets_at = OFFICIAL["official-alone"].windows["five_hour"].resets_at
    assert resets_at is not None
    usage = usage_in("official-alone")
    resets_in = (resets_at - NOW) / MINUTE
    assert resets_in > TO_END
    block_over = replace(idle(TO_END), official=usage.official)
    assert told([usage, block_over, idle(resets_in + 1)])[1:] == [[], [OVER]]


def test_no_thresholds_at_all_still_tell_the_limit() -> None:
    assert told([at(99), at(101, verdict="exceeded")], ()) == [[], [PASSED]]


VERDICTS = st.sampled_from(["ok", "tight", "runs_out", "exceeded", "unknown"])
STEPS = st.lists(
    st.tuples(
        st.floats(0, 400),  # minutes to the next reading
        st.floats(0, 200),  # percent
        VERDICTS,
        st.sampled_from(["block", "idle", "stale"]),
    ),
    max_size=40,
)
THRESHOLDS = st.lists(st.floats(1, 1000), max_size=4)


@given(steps=STEPS, percents=THRESHOLDS)
def test_whatever_comes_no_alert_is_told_twice_in_one_window(
    steps: list[tuple[float, float, str, str]], percents: list[float]
) -> None:
    state, minutes = AlertState(), 0.0
    in_window: list[Alert] = []
    for wait, percent, verdict, kind in steps:
        minutes += wait
        # Blocks follow one another, so that windows come and go.
        turn = int((NOW + minutes * MINUTE - START) / SESSION)
        usage = at(percent, minutes, verdict)
        assert usage.block is not None
        start = START + turn * SESSION
        usage = replace(usage, block=replace(usage.block, start=start, end=start + SESSION))
        usage = replace(usage, block=None) if kind == "idle" else usage
        usage = as_stale(usage) if kind == "stale" else usage
        alerts, state = due_alerts(usage, state, percents)
        assert not alerts or kind != "stale"
        resets = [alert for alert in alerts if alert.kind == "reset"]
        assert alerts[: len(resets)] == resets and len(resets) <= 1
        in_window = [] if resets else in_window
        in_window += alerts[len(resets) :]
        kinds = [a.kind for a in in_window if a.kind != "percent"]
        assert len(kinds) == len(set(kinds))
        said = [a.title for a in in_window if a.kind == "percent"]
        assert len(said) <= len(set(percents))


@given(percents=THRESHOLDS, rising=st.lists(st.floats(0, 200), max_size=20))
def test_thresholds_are_told_in_rising_order(percents: list[float], rising: list[float]) -> None:
    state, marks = AlertState(), 0
    for percent in sorted(rising):
        alerts, state = due_alerts(at(percent), state, percents)
        assert len(alerts) <= 1
        marks += len(alerts)
    passed = {p for p in percents if rising and p <= max(rising)}
    assert (marks > 0) == bool(passed) and marks <= len(passed)


def test_80_and_95_percent_are_told_when_nothing_else_is_chosen() -> None:
    alerts = [due_alerts(at(percent), AlertState())[0] for percent in (79.9, 80, 94.9, 95)]
    titles = [[alert.title for alert in due] for due in alerts]
    assert titles == [[], [EIGHTY], [EIGHTY], [NINETY_FIVE]]
