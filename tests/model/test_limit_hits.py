"""Limit hits: how they are joined, which windows they mark, and which limit stops the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Optional

import pytest

from monitor.model.blocks import SESSION, Block, Event
from monitor.model.limit_hits import (
    HITS_KEPT,
    STRAGGLERS,
    LimitHit,
    Reached,
    answered_at,
    find_reached,
    source_of,
    window_of_reset,
    with_hits,
    with_marks,
)
from monitor.model.official import TRANSCRIPT, Capture, OfficialLimits, RateLimitWindow
from tests.samples import NOW, PAST, STOPPED, past_block, window

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BLOCK = STOPPED.blocks[-1]


def hit(
    ago: float = 10, kind: str = "five_hour", resets_in: Optional[timedelta] = HOUR
) -> LimitHit:
    return LimitHit(NOW - ago * MINUTE, kind, None if resets_in is None else NOW + resets_in)


# Joining hits.


def test_the_same_hit_in_several_transcripts_counts_once() -> None:
    assert with_hits([hit(10)], [hit(10), hit(10)], NOW) == (hit(10),)


def test_hits_are_kept_oldest_first_with_their_kinds() -> None:
    old, new = hit(300, "seven_day"), hit(5)
    assert with_hits([new], [old], NOW) == with_hits([old, new], [], NOW) == (old, new)
    both = with_hits([], [hit(5, "seven_day"), hit(5)], NOW)
    assert [found.window for found in both] == ["five_hour", "seven_day"]


def test_hits_without_a_reset_are_joined_with_those_that_have_one() -> None:
    assert len(with_hits([hit(10, resets_in=None)], [hit(10), hit(10, resets_in=None)], NOW)) == 2


def test_hits_of_long_ago_are_forgotten() -> None:
    kept = HITS_KEPT / MINUTE
    assert with_hits([hit(kept), hit(kept + 1)], [hit(0)], NOW) == (hit(kept), hit(0))
    assert with_hits([], [], NOW) == ()


# The windows that hits mark.


def marked(*hits: LimitHit, **known: RateLimitWindow) -> Mapping[str, RateLimitWindow]:
    return with_marks(OfficialLimits(known), hits, None, NOW).windows


def test_a_hit_marks_its_window_as_used_up_since_then() -> None:
    found = marked(hit())["five_hour"]
    at = NOW - 10 * MINUTE
    assert found == RateLimitWindow(100, NOW + HOUR, at, (Capture(at, 100),), TRANSCRIPT)
    assert source_of(found) == "limit_message"


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_of_a_hit_and_a_report_of_one_window_the_newer_counts(seconds: float) -> None:
    report = window(HOUR, (10 - seconds / 60, 88))
    found = marked(hit(), five_hour=report)["five_hour"]
    assert found.used_percent == (88 if seconds > 0 else 100)
    assert source_of(found) == ("official" if seconds > 0 else "limit_message")


def test_a_hit_goes_on_the_captures_of_its_window_and_starts_those_of_a_new_one() -> None:
    before = window(HOUR, (90, 21), (40, 104))
    joined = marked(hit(), five_hour=before)["five_hour"]
    assert [capture.used_percent for capture in joined.captures] == [21, 104, 100]
    assert (joined.used_percent, joined.resets_at) == (100, NOW + HOUR)
    earlier = window(-4 * HOUR, (90, 21))
    assert len(marked(hit(), five_hour=earlier)["five_hour"].captures) == 1


@pytest.mark.parametrize(
    "useless",
    [hit(resets_in=timedelta()), hit(resets_in=-MINUTE), hit(-1)],
    ids=["resets now", "has reset", "of the future"],
)
def test_a_hit_without_a_reset_to_come_marks_nothing(useless: LimitHit) -> None:
    assert marked(useless) == {}


def test_a_hit_that_names_no_reset_holds_for_five_hours() -> None:
    assert marked(hit(299, resets_in=None))["five_hour"].resets_at is None
    assert marked(hit(300, resets_in=None)) == {}


def test_hits_of_several_kinds_mark_several_windows_unknown_ones_too() -> None:
    kinds = ["five_hour", "seven_day", "seven_day_opus", "overage", "monthly"]
    assert list(marked(*(hit(kind=kind) for kind in kinds))) == kinds


# Answers.


def test_the_last_answer_is_the_last_event_with_tokens() -> None:
    events = (Event(NOW - HOUR, 40), Event(NOW - MINUTE, 0), Event(NOW + HOUR, 9))
    assert answered_at((), events, NOW) == NOW - HOUR


def test_without_a_series_the_last_answer_is_that_of_the_newest_block_with_tokens() -> None:
    empty = past_block(0, 0, hour=12)
    assert answered_at((*PAST, empty), None, NOW) == PAST[-1].last_activity
    assert answered_at((), None, NOW) is None
    ahead = replace(BLOCK, last_activity=NOW + HOUR)
    assert answered_at((ahead,), None, NOW) is None


# What stops the user.


def reached(
    answered: Optional[datetime] = None,
    block: Optional[Block] = BLOCK,
    known: Optional[Mapping[str, RateLimitWindow]] = None,
    **windows: RateLimitWindow,
) -> Optional[Reached]:
    limits = OfficialLimits({**(known or {}), **windows})
    return find_reached(limits, (), block, answered, NOW)


def test_below_100_percent_nothing_is_reached() -> None:
    assert reached(five_hour=window(HOUR, (1, 99.9))) is None
    assert reached() is None


def test_a_limit_is_reached_since_it_was_first_seen_full() -> None:
    full = window(HOUR, (40, 88), (11, 100), (1, 102))
    assert reached(five_hour=full) == Reached(
        "five_hour", NOW - 11 * MINUTE, NOW + HOUR, "official"
    )


def test_since_when_is_not_known_if_the_first_report_says_that_it_is_reached() -> None:
    found = reached(five_hour=window(HOUR, (11, 100), (1, 100)))
    assert found is not None and found.since is None


def test_what_is_reported_after_a_hit_does_not_change_since_when_it_is_reached() -> None:
    stop = hit()
    for known in (window(HOUR, (40, 88), (1, 100)), window(HOUR, (1, 100))):
        limits = with_marks(OfficialLimits({"five_hour": known}), [stop], None, NOW)
        assert limits.windows["five_hour"].captured_at == NOW - MINUTE
        found = find_reached(limits, [stop], BLOCK, None, NOW)
        assert found is not None and found.since == stop.at


def test_a_limit_that_went_down_after_a_hit_is_reached_anew() -> None:
    known = window(HOUR, (5, 60), (1, 100))
    limits = with_marks(OfficialLimits({"five_hour": known}), [hit()], None, NOW)
    found = find_reached(limits, [hit()], BLOCK, None, NOW)
    assert found is not None and found.since == NOW - MINUTE


def test_of_several_limits_the_one_that_resets_last_stops_the_user() -> None:
    found = reached(five_hour=window(HOUR, (1, 100)), seven_day=window(50 * HOUR, (1, 100)))
    assert found is not None and found.window == "seven_day"


def test_the_limit_of_a_model_that_is_not_used_stops_nobody_unless_claude_code_says_so() -> None:
    full = window(HOUR, (1, 100))
    sonnet = replace(BLOCK, models=("claude-sonnet-4",))
    assert reached(block=sonnet, seven_day_opus=full) is None
    assert reached(block=replace(BLOCK, models=("claude-opus-4-8",)), seven_day_opus=full)
    mark = marked(hit(kind="seven_day_opus"))
    assert reached(block=sonnet, known=mark) is not None


def test_an_answer_after_the_last_report_ends_the_stop() -> None:
    full = window(HOUR, (10, 100))
    assert reached(NOW - 9 * MINUTE, five_hour=full) is None
    assert reached(NOW - 10 * MINUTE, five_hour=full) is not None
    mark = marked(hit(10))
    assert reached(NOW - 9 * MINUTE, known=mark) is None
    assert reached(NOW - 10 * MINUTE, known=mark) is not None


def test_answers_under_way_are_no_extra_usage_and_later_ones_are() -> None:
    # The status line repeats 100 % with each answer.
    full = window(HOUR, (60, 100), (1, 101))
    since = NOW - 60 * MINUTE
    assert reached(since + STRAGGLERS, five_hour=full) is not None
    assert reached(since + STRAGGLERS + MINUTE, five_hour=full) is None


def test_the_reset_of_ccusages_message_stops_the_user_where_nothing_else_is_known() -> None:
    told = replace(BLOCK, limit_reset=NOW + HOUR)
    assert reached(block=told) == Reached(
        "five_hour", told.last_activity, NOW + HOUR, "limit_message"
    )
    assert reached(block=replace(BLOCK, limit_reset=NOW)) is None
    assert reached(block=told, five_hour=window(HOUR, (1, 97))) is None
    week = replace(BLOCK, limit_reset=NOW + 50 * HOUR)
    found = reached(block=week, five_hour=window(HOUR, (1, 97)))
    assert found is not None and found.window == "seven_day"


@pytest.mark.parametrize(
    ("resets_in", "window_id"),
    [(MINUTE, "five_hour"), (SESSION, "five_hour"), (6 * HOUR, "seven_day")],
)
def test_a_message_that_names_no_limit_is_of_the_one_that_can_reset_then(
    resets_in: timedelta, window_id: str
) -> None:
    assert window_of_reset(NOW + resets_in, NOW) == window_id


def test_without_a_block_a_limit_is_reached_too() -> None:
    assert reached(block=None, five_hour=window(HOUR, (1, 100))) is not None
