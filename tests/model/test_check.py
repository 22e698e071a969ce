"""`check`: is enough left for so many tokens, or for so long?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.check import ENOUGH, NOT_ENOUGH, TIGHT, UNKNOWN, check
from monitor.model.forecast import Forecast
from monitor.model.sentence import summary
from monitor.model.usage import Usage
from tests.samples import NO_BLOCKS, SAMPLES, official_limits, usage_in, week_that_runs_out

MINUTE = timedelta(minutes=1)


def foretold(verdict: str) -> Usage:
    usage = usage_in("ok")
    return replace(usage, forecast=replace(usage.forecast, verdict=verdict))


def week_first(runs_out_in: timedelta) -> Usage:
    official = official_limits(None, week_that_runs_out(runs_out_in))
    return replace(usage_in("ok"), official=official, history=NO_BLOCKS)


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("ok", ENOUGH), ("tight", TIGHT), ("runs_out", NOT_ENOUGH), ("unknown", UNKNOWN)],
)
def test_without_a_need_the_forecast_answers(verdict: str, code: int) -> None:
    usage = foretold(verdict)
    assert check(usage, None) == (code, summary(usage))


@pytest.mark.parametrize(
    ("tokens", "code", "said"),
    [
        (20_800, ENOUGH, "Enough: 20,800 tokens needed, 26,000 left."),
        (20_801, TIGHT, "Tight: 20,801 tokens needed, 26,000 left."),
        (26_000, TIGHT, "Tight: 26,000 tokens needed, 26,000 left."),
        (26_001, NOT_ENOUGH, "Not enough: 26,001 tokens needed, 26,000 left."),
    ],
)
def test_tokens_are_compared_with_what_is_left(tokens: int, code: int, said: str) -> None:
    assert check(usage_in("ok"), tokens) == (code, said)


def test_a_limit_reached_on_another_device_is_not_enough() -> None:
    usage = usage_in("official-reached-elsewhere")
    assert usage.block is None
    for need in (None, 1, 30 * MINUTE):
        assert check(usage, need) == (NOT_ENOUGH, summary(usage))


def test_what_a_token_is_worth_may_not_be_known_while_a_pace_is() -> None:
    usage = usage_in("ok")
    five_hour = replace(usage.five_hour, tokens_per_percent=None)
    unknown = replace(usage, five_hour=five_hour)
    code, said = check(unknown, 1_000)
    assert code == UNKNOWN and "official limit" in said
    first = replace(week_first(90 * MINUTE), five_hour=five_hour)
    assert check(first, 1_000) == (TIGHT, summary(first))
    assert check(first, 120 * MINUTE) == (NOT_ENOUGH, summary(first))


def test_a_time_takes_what_the_present_pace_takes_in_it() -> None:
    usage = usage_in("ok")
    pace = usage.burn.tokens_per_minute
    assert pace is not None and usage.burn.recent is not None
    answer = check(usage, 30 * MINUTE)
    assert answer.code == ENOUGH
    needed = 30 * max(pace, usage.burn.recent)
    assert f"30 min at this pace needs {needed:,.0f} tokens, 26,000 left." in answer.sentence


def test_a_pause_just_now_does_not_make_a_task_cheap() -> None:
    usage = usage_in("ok")
    paused = replace(usage, burn=replace(usage.burn, recent=0.0))
    assert check(paused, 30 * MINUTE).code == ENOUGH
    assert " needs 0 tokens" not in check(paused, 30 * MINUTE).sentence


def test_after_the_reset_nothing_more_is_needed_of_this_limit() -> None:
    usage = usage_in("ok")
    assert usage.reset.at is not None
    to_reset = usage.reset.at - usage.now
    assert check(usage, to_reset).code == check(usage, timedelta(days=2)).code


@pytest.mark.parametrize("need", [None, 1, 1_000_000, 30 * MINUTE])
@pytest.mark.parametrize(
    "state",
    ["exceeded", "limit-reached", "official-reached", "stopped", "stopped-week", "extra-usage"],
)
def test_at_the_limit_nothing_is_enough(state: str, need: Optional[Union[int, timedelta]]) -> None:
    usage = usage_in(state)
    assert check(usage, need) == (NOT_ENOUGH, summary(usage))


@pytest.mark.parametrize("need", [None, 1, 30 * MINUTE])
@pytest.mark.parametrize("state", ["idle", "empty"])
def test_without_a_block_the_answer_is_unknown(
    state: str, need: Optional[Union[int, timedelta]]
) -> None:
    assert check(usage_in(state), need).code == UNKNOWN


def test_an_official_percentage_with_no_worth_in_tokens_is_no_answer_for_tokens() -> None:
    usage = usage_in("official-alone")
    unknown = replace(usage, five_hour=replace(usage.five_hour, tokens_per_percent=None))
    assert check(unknown, 20_000).code == UNKNOWN


@pytest.mark.parametrize(
    ("need", "code"),
    [
        (None, NOT_ENOUGH),
        (1_000, TIGHT),
        (30_000, NOT_ENOUGH),
        (10 * MINUTE, TIGHT),
        (30 * MINUTE, NOT_ENOUGH),
    ],
)
def test_a_weekly_limit_that_comes_first_is_never_called_enough(
    need: Optional[Union[int, timedelta]], code: int
) -> None:
    assert check(week_first(20 * MINUTE), need).code == code


NEEDS = st.none() | st.integers(1, 10**12) | st.timedeltas(timedelta(), timedelta(days=400))


@given(state=st.sampled_from(sorted(SAMPLES)), need=NEEDS)
def test_every_state_and_need_has_one_code_and_one_sentence(
    state: str, need: Optional[Union[int, timedelta]]
) -> None:
    answer = check(usage_in(state), need)
    assert answer.code in (ENOUGH, TIGHT, NOT_ENOUGH, UNKNOWN)
    assert answer.sentence.endswith(".") and "\n" not in answer.sentence


@given(tokens=st.lists(st.integers(1, 200_000), min_size=2, max_size=2))
def test_needing_more_never_makes_it_easier(tokens: list[int]) -> None:
    less, more = sorted(tokens)
    assert check(usage_in("ok"), less).code <= check(usage_in("ok"), more).code


def test_an_unknown_forecast_still_compares_tokens() -> None:
    usage = replace(usage_in("ok"), forecast=Forecast("unknown"))
    assert check(usage, 1_000).code == ENOUGH


def test_the_exit_codes_are_those_that_scripts_rely_on() -> None:
    assert (ENOUGH, TIGHT, NOT_ENOUGH, UNKNOWN) == (0, 10, 11, 20)


def test_a_task_that_ends_as_the_week_runs_out_is_tight() -> None:
    assert check(week_first(20 * MINUTE), 20 * MINUTE).code == TIGHT


def test_nearly_all_used_in_the_first_minutes_is_tight_and_not_unknown() -> None:
    usage = usage_in("nearly-used")
    assert check(usage, None) == (TIGHT, summary(usage))
    assert check(usage, 2_101).code == NOT_ENOUGH
    assert check(usage, 1_000).code == ENOUGH


@pytest.mark.parametrize(("state", "code"), [("week-near", TIGHT), ("week-first", NOT_ENOUGH)])
def test_a_week_that_leads_answers_without_a_need(state: str, code: int) -> None:
    usage = usage_in(state)
    assert check(usage, None) == (code, summary(usage))
