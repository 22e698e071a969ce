"""What Claude Code reports of its limits: what is believed, what is dropped, how it is joined."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.blocks import SESSION
from monitor.model.official import (
    MAX_CAPTURES,
    MAX_PAST,
    MAX_PERCENT,
    MAX_SESSIONS,
    SAME_WINDOW,
    WINDOW_KINDS,
    Capture,
    OfficialLimits,
    PastWindow,
    RateLimitWindow,
    Report,
    epoch,
    final_percent,
    is_fresh,
    is_of_model_in_use,
    joined,
    parse_rate_limits,
    present,
    together,
    window_kind,
)
from monitor.model.sentence import warnings
from monitor.views.snapshot import snapshot
from tests.samples import OK, captured, official_limits, past_block, usage_of, window

NOW = datetime(2026, 6, 10, 18, 32, 7, tzinfo=timezone.utc)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RESET = NOW + timedelta(hours=2)
NOTHING = OfficialLimits()


def seconds(when: datetime) -> float:
    return when.timestamp()


def told(percent: Any, resets_at: Any = RESET) -> dict[str, Any]:
    """Make one window as Claude Code hands it over; a datetime becomes seconds since 1970."""
    at = seconds(resets_at) if isinstance(resets_at, datetime) else resets_at
    return {"used_percentage": percent, "resets_at": at}


def five_hour(raw: Any, now: datetime = NOW) -> Optional[RateLimitWindow]:
    """Return what is believed of a five-hour window at its first sight."""
    return present(captured({"five_hour": raw}, now), now).windows.get("five_hour")


def seen(*sights: tuple[datetime, Any, Any]) -> OfficialLimits:
    """Join sights of the five-hour window: when, percentage, reset."""
    limits = NOTHING
    for now, percent, resets_at in sights:
        limits = captured({"five_hour": told(percent, resets_at)}, now, limits)
    return limits


def percent_of(limits: OfficialLimits, now: datetime) -> Optional[float]:
    window = present(limits, now).windows.get("five_hour")
    return window.used_percent if window else None


def test_the_documented_example_is_read_whole() -> None:
    week = NOW + timedelta(days=3)
    limits = captured({"five_hour": told(23.5), "seven_day": told(41.2, week)}, NOW)
    assert replace(limits, sessions={}) == official_limits(
        RateLimitWindow(23.5, RESET, NOW, (Capture(NOW, 23.5),)),
        RateLimitWindow(41.2, week, NOW, (Capture(NOW, 41.2),)),
    )


@pytest.mark.parametrize("raw", [None, {}, [], "63", 63, {"resets_at": 1781116327}, {"used": 4}])
def test_an_absent_window_is_not_0_percent(raw: Any) -> None:
    assert five_hour(raw) is None
    assert "five_hour" not in captured({"seven_day": told(41, NOW + 3 * SESSION)}, NOW).windows


@pytest.mark.parametrize("raw", [None, [], "x", 1, {}, {"five_hour": None}, {"other": told(5)}])
def test_nothing_told_is_nothing_known(raw: Any) -> None:
    assert parse_rate_limits(raw, NOW) == {}
    assert present(captured(raw, NOW), NOW) == NOTHING
    assert captured(raw, NOW).captured_at is None


@pytest.mark.parametrize(
    "percent",
    [
        *(seconds(RESET), int(seconds(NOW)), 110.1, 950, 10**400, -0.1, -1e9),
        *(math.nan, math.inf, -math.inf, "63.4", "", None, True, False, [63], {"value": 63}),
    ],
)
def test_a_percentage_that_cannot_be_true_is_dropped(percent: Any) -> None:
    assert five_hour(told(percent)) is None


@pytest.mark.parametrize("percent", [0, 0.0, 1, 63.4, 99, 100, 100.5, 105, 110])
def test_a_percentage_from_0_to_a_little_over_100_is_kept_as_it_is(percent: float) -> None:
    window = five_hour(told(percent))
    assert window is not None
    assert window.used_percent == percent


@pytest.mark.parametrize("ago", [timedelta(), timedelta(seconds=1), timedelta(days=20)])
def test_a_window_whose_reset_has_passed_is_dropped(ago: timedelta) -> None:
    assert five_hour(told(63, NOW - ago)) is None
    assert parse_rate_limits({"seven_day": told(63, NOW - ago)}, NOW) == {}


@pytest.mark.parametrize(
    "resets_at",
    [
        *(None, "2026-06-10T20:00:00Z", math.nan, 0, -5, 12, True, [1], 1781116327000, 10**400),
        NOW + SESSION + SAME_WINDOW + timedelta(seconds=1),
    ],
)
def test_a_percentage_is_kept_without_a_reset_that_cannot_be_true(resets_at: Any) -> None:
    window = five_hour(told(63, resets_at))
    assert window is not None
    assert (window.used_percent, window.resets_at) == (63, None)


def test_what_does_not_say_when_it_resets_is_not_believed_for_longer_than_a_window() -> None:
    limits = seen((NOW, 63, None))
    assert percent_of(limits, NOW + SESSION - MINUTE) == 63
    assert percent_of(limits, NOW + SESSION) is None


def test_a_window_is_gone_at_the_moment_of_its_reset() -> None:
    limits = seen((NOW, 63, RESET))
    assert percent_of(limits, RESET - timedelta(seconds=1)) == 63
    assert not present(limits, RESET).windows


def test_the_spend_limit_is_kept() -> None:
    month = NOW + timedelta(days=20)
    limits = present(captured({"spend_limit": told(12, month)}, NOW), NOW)
    window = limits.windows["spend_limit"]
    assert (window.used_percent, window.resets_at) == (12, month)


def weekly(*sights: tuple[str, float, timedelta]) -> list[Optional[float]]:
    """Let sessions report the week, a minute apart; return what is known after each.

    The reports are of a session, a percentage, and the time to the reset.
    """
    limits, percents = NOTHING, []
    for minute, (session, percent, left) in enumerate(sights):
        now = NOW + minute * MINUTE
        limits = captured({"seven_day": told(percent, NOW + left)}, now, limits, session)
        window = present(limits, now).windows.get("seven_day")
        percents.append(window.used_percent if window else None)
    return percents


DAYS = timedelta(days=1)


def test_news_is_a_change_up_or_down() -> None:
    one = [("a", percent, 3 * DAYS) for percent in (40, 63, 51, 4)]
    assert weekly(*one) == [40, 63, 51, 4]
    several = [("a", 40, 3 * DAYS), ("b", 63, 3 * DAYS), ("c", 51, 3 * DAYS)]
    assert weekly(*several) == [40, 63, 51]


def test_a_session_that_repeats_what_it_said_brings_no_news() -> None:
    old, new = ("old", 100, 5 * DAYS), ("new", 3, 3 * DAYS)
    assert weekly(old, new, old, new, old) == [100, 3, 3, 3, 3]
    assert weekly(new, old, new, new) == [3, 100, 100, 100]
    jitter = ("old", 100, 5 * DAYS + timedelta(seconds=20))
    assert weekly(old, new, jitter, jitter) == [100, 3, 3, 3]


def test_what_is_repeated_keeps_its_age_until_an_answer_confirms_it() -> None:
    raw = {"seven_day": told(30, NOW + 3 * DAYS)}
    first = captured(raw, NOW, api_ms=100)
    drawn = captured(raw, NOW + HOUR, first, api_ms=100)
    assert drawn.windows["seven_day"].captured_at == NOW
    answered = captured(raw, NOW + 2 * HOUR, drawn, api_ms=101)
    assert answered.windows["seven_day"].captured_at == NOW + 2 * HOUR


def test_an_answer_confirms_nothing_that_another_session_has_changed_since() -> None:
    raw, other = ({"seven_day": told(p, NOW + 3 * DAYS)} for p in (30, 4))
    limits = captured(raw, NOW, api_ms=100)
    limits = captured(other, NOW + MINUTE, limits, "another")
    limits = captured(raw, NOW + 2 * MINUTE, limits, api_ms=200)
    assert limits.windows["seven_day"].used_percent == 4


def test_sessions_are_forgotten_when_there_are_many_the_oldest_first() -> None:
    limits = NOTHING
    for number in range(MAX_SESSIONS + 5):
        now = NOW + number * MINUTE
        limits = captured({"seven_day": told(3, NOW + 3 * DAYS)}, now, limits, str(number))
    assert len(limits.sessions) == MAX_SESSIONS
    assert "0" not in limits.sessions and str(MAX_SESSIONS + 4) in limits.sessions


def test_what_is_learned_from_captures_begins_anew_after_a_fall() -> None:
    percents = (90, 95, 93, 4, 5)
    limits = seen(*((NOW + 3 * i * MINUTE, p, RESET) for i, p in enumerate(percents)))
    window = limits.windows["five_hour"]
    assert [c.used_percent for c in window.captures] == [90, 95, 93, 4, 5]
    assert [c.used_percent for c in window.rising] == [4, 5]


def test_a_newer_window_replaces_the_older_with_its_lower_percentage() -> None:
    limits = seen((NOW, 80, RESET), (RESET + MINUTE, 2, RESET + SESSION))
    assert percent_of(limits, RESET + MINUTE) == 2


def test_an_old_percentage_that_comes_again_after_the_rollover_is_dropped() -> None:
    limits = seen((NOW, 80, RESET), (RESET + MINUTE, 80, RESET))
    assert not present(limits, RESET + MINUTE).windows


def test_a_window_that_never_says_when_it_resets_falls_back_with_its_percentage() -> None:
    limits = seen((NOW, 80, None), (NOW + 40 * MINUTE, 3, None), (NOW + 41 * MINUTE, 4, None))
    assert percent_of(limits, NOW + 42 * MINUTE) == 4


def test_a_reset_that_is_left_out_once_is_still_known() -> None:
    limits = seen((NOW, 40, RESET), (NOW + MINUTE, 41, None))
    window = limits.windows["five_hour"]
    assert (window.used_percent, window.resets_at) == (41, RESET)


START = NOW + SESSION - 3 * MINUTE
"""The reset of a window that began three minutes ago."""


def test_near_100_percent_minutes_after_the_start_is_not_believed_however_often_it_is_drawn() -> (
    None
):
    limits = seen((NOW, 97, START), (NOW + MINUTE, 97, START), (NOW + 40 * MINUTE, 97, START))
    assert percent_of(limits, NOW + 40 * MINUTE) is None


def test_it_is_believed_from_another_session_a_new_percentage_or_after_an_answer() -> None:
    raw, more = ({"five_hour": told(percent, START)} for percent in (97, 98))
    once = captured(raw, NOW, api_ms=100)
    assert percent_of(captured(raw, NOW + MINUTE, once, "another"), NOW + MINUTE) == 97
    assert percent_of(captured(more, NOW + MINUTE, once), NOW + MINUTE) == 98
    assert percent_of(captured(raw, NOW + MINUTE, once, api_ms=101), NOW + MINUTE) == 97


def test_a_suspect_percentage_does_not_replace_a_believed_one() -> None:
    limits = seen((NOW, 2, START), (NOW + MINUTE, 97, START))
    assert percent_of(limits, NOW + MINUTE) == 2
    assert limits.windows["five_hour"].captured_at == NOW
    assert percent_of(seen((NOW, 97, START), (NOW + MINUTE, 2, START)), NOW + MINUTE) == 2


def test_near_100_percent_later_in_a_window_is_believed_at_once() -> None:
    assert percent_of(seen((NOW, 97, NOW + SESSION - 11 * MINUTE)), NOW) == 97
    assert percent_of(seen((NOW, 89, START)), NOW) == 89


def test_near_100_percent_is_believed_once_the_window_is_no_longer_young() -> None:
    limits = seen((NOW, 97, START), (NOW + 15 * MINUTE, 98, START))
    assert percent_of(limits, NOW + 15 * MINUTE) == 98


def test_it_is_fresh_for_ten_minutes() -> None:
    window = five_hour(told(63))
    assert window is not None
    assert is_fresh(window, NOW + 10 * MINUTE)
    assert not is_fresh(window, NOW + 10 * MINUTE + timedelta(seconds=1))


def test_captures_stay_few_however_often_the_status_line_is_drawn() -> None:
    step = timedelta(seconds=10)
    sights = [(NOW + i * step, i / 10, RESET) for i in range(700)]
    limits = seen(*sights)
    assert len(limits.windows["five_hour"].captures) == MAX_CAPTURES
    assert limits.windows["five_hour"].captures[-1] == Capture(NOW + 699 * step, 69.9)


def test_the_last_percentage_of_each_window_before_is_kept() -> None:
    limits, reset = NOTHING, RESET
    for number in range(MAX_PAST + 5):
        now = reset - timedelta(hours=1)
        limits, reset = captured({"five_hour": told(number, reset)}, now, limits), reset + SESSION
    assert len(limits.past) == MAX_PAST
    assert limits.past[-1] == PastWindow(reset - 2 * SESSION, MAX_PAST + 3)
    gone = captured({}, reset, limits)
    assert not gone.windows
    assert gone.past[-1] == PastWindow(reset - SESSION, MAX_PAST + 4)


@pytest.mark.parametrize(
    ("later", "percent"), [(-6, None), (-5, 63), (0, 63), (60, 63), (61, None), (300, None)]
)
def test_a_blocks_final_percentage_is_that_of_the_window_that_ends_within_the_hour_after_it(
    later: int, percent: Optional[float]
) -> None:
    block = past_block(1, 20_000)
    reset = block.end + later * MINUTE
    limits = seen((reset - MINUTE, 63, reset))
    assert final_percent(limits, block, reset) == percent
    assert final_percent(limits, block, reset - MINUTE) is None
    moved_on = captured({"five_hour": told(1, reset + SESSION)}, reset, limits)
    assert final_percent(moved_on, block, reset) == percent
    assert final_percent(NOTHING, block, reset) is None


# Whatever comes in, in whatever order: JSON's own values in every place, and likely ones.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
PERCENTS = st.floats(0, 105) | st.sampled_from([0, 2, 63, 95, 100]) | JSON
RESETS = st.integers(-400, 700).map(lambda m: seconds(NOW + m * MINUTE)) | st.none() | JSON
WINDOWS = st.builds(told, PERCENTS, RESETS) | JSON
NAMES = (*WINDOW_KINDS, "other")
LIMITS = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, WINDOWS)) | JSON
TIMES = st.integers(0, 900).map(lambda minutes: NOW + minutes * MINUTE)
SIGHTS = st.lists(st.tuples(TIMES, LIMITS), max_size=8)


@given(SIGHTS)
def test_no_input_in_any_order_makes_it_fail_or_say_what_is_not_there(
    sights: list[tuple[datetime, Any]],
) -> None:
    limits = NOTHING
    for now, raw in sights:
        limits = captured(raw, now, limits)
        for shown in present(limits, now).windows.values():
            assert 0 <= shown.used_percent <= MAX_PERCENT
            assert shown.resets_at is None or shown.resets_at > now
            assert shown.captures


REPORTED = st.tuples(
    st.sampled_from("abc"), st.floats(0, 89), st.sampled_from([RESET, RESET + HOUR])
)


@given(st.lists(REPORTED, max_size=12))
def test_the_newest_changed_report_counts_whatever_the_order(
    sights: list[tuple[str, float, datetime]],
) -> None:
    limits, last, newest = NOTHING, dict[str, Report](), None
    for number, (session, percent, reset) in enumerate(sights):
        now, report = NOW + number * MINUTE, Report(percent, reset)
        if last.get(session) != report:
            newest = report
        last[session] = report
        limits = captured({"five_hour": told(percent, reset)}, now, limits, session)
        window = limits.windows["five_hour"]
        assert Report(window.used_percent, window.resets_at) == newest


def test_suspicion_begins_at_90_percent_and_ends_ten_minutes_after_the_start() -> None:
    began = NOW - 10 * MINUTE
    assert percent_of(seen((NOW, 90, began + SESSION + timedelta(seconds=1))), NOW) is None
    assert percent_of(seen((NOW, 89.9, began + SESSION + timedelta(seconds=1))), NOW) == 89.9
    assert percent_of(seen((NOW, 90, began + SESSION)), NOW) == 90


@pytest.mark.parametrize(("apart", "windows"), [(5 * MINUTE, 1), (5.1 * MINUTE, 2)])
def test_resets_up_to_five_minutes_apart_are_of_one_window(apart: timedelta, windows: int) -> None:
    limits = seen((NOW, 80, RESET), (NOW + MINUTE, 20, RESET + apart))
    assert len(limits.past) == windows - 1


@pytest.mark.parametrize(
    ("value", "known"), [(1e9 - 1, False), (1e9, True), (1e11 - 1, True), (1e11, False)]
)
def test_a_time_is_in_seconds_of_this_age_and_never_in_milliseconds(
    value: float,
    known: bool,  # noqa: FBT001
) -> None:
    assert (epoch(value) is not None) is known


def test_without_a_reset_it_is_taken_for_the_same_window() -> None:
    limits = seen((NOW, 40, None), (NOW + 3 * MINUTE, 41, None))
    assert [c.at for c in limits.windows["five_hour"].captures] == [NOW, NOW + 3 * MINUTE]


@pytest.mark.parametrize(("last", "kept"), [(59, [40, 42]), (60, [40, 41, 42])])
def test_of_sights_within_a_minute_the_last_is_kept(last: int, kept: list[int]) -> None:
    ago = (0, 30, last)
    limits = seen(*((NOW + timedelta(seconds=s), 40 + i, RESET) for i, s in enumerate(ago)))
    assert [c.used_percent for c in limits.windows["five_hour"].captures] == kept


def test_a_window_that_never_said_when_it_resets_is_none_of_the_past_ones() -> None:
    limits = seen((NOW, 80, None))
    later = captured({}, NOW + SESSION, limits)
    assert (later.windows, later.past) == ({}, ())


def test_what_two_data_directories_know_is_one_accounts() -> None:
    first = official_limits(window(3 * HOUR, (10, 100)))
    week = window(50 * HOUR, (1, 30))
    later = official_limits(window(3 * HOUR, (20, 40), (1, 60)), week)
    for one, other in ((first, later), (later, first)):
        both = joined(one, other).windows
        assert both["seven_day"] == week
        assert both["five_hour"].used_percent == 60
        assert both["five_hour"].captured_at == later.captured_at
        assert [c.used_percent for c in both["five_hour"].captures] == [40, 100, 60]
    assert joined(first, official_limits(None, week)) == official_limits(
        first.windows["five_hour"], week
    )


def test_of_two_directories_windows_the_newer_news_counts() -> None:
    old, new = window(4 * HOUR, (30, 90)), window(1 * HOUR, (1, 5))
    both = joined(official_limits(old), official_limits(new))
    assert both == official_limits(new)


def test_what_directories_of_one_account_report_is_one() -> None:
    one, other = (
        official_limits(window(3 * HOUR, (10, 40)), window(50 * HOUR, (1, 30))),
        official_limits(window(3 * HOUR, (5, 50)), window(50 * HOUR, (2, 30))),
    )
    both = together({"/a": one, "/b": other}).windows
    assert {key: known.used_percent for key, known in both.items()} == {
        "five_hour": 50,
        "seven_day": 30,
    }


def test_what_directories_of_several_accounts_report_stays_apart() -> None:
    one = official_limits(window(3 * HOUR, (10, 40)), window(50 * HOUR, (1, 30)))
    other = official_limits(window(1 * HOUR, (5, 90)), window(50 * HOUR, (2, 31)))
    both = together({"/home/a/.claude": one, "/home/a/.claude-work": other})
    assert {key: known.used_percent for key, known in both.windows.items()} == {
        "seven_day": 30,
        "five_hour@/home/a/.claude": 40,
        "five_hour@/home/a/.claude-work": 90,
    }
    usage = usage_of(OK, official=both)
    assert usage.five_hour.source == "estimate"
    listed = snapshot(usage)["official"]
    assert listed["five_hour"] is None
    assert [(each["id"], each["data_dir"]) for each in listed["windows"]] == [
        ("seven_day", None),
        ("five_hour", "/home/a/.claude"),
        ("five_hour", "/home/a/.claude-work"),
    ]
    shown = "\n".join(warnings(usage))
    assert "The data directories report different limits. Name them under [accounts]" in shown


def test_a_window_that_was_over_when_the_other_was_reported_is_the_same_accounts() -> None:
    old, new = window(-1 * HOUR, (90, 80)), window(4 * HOUR, (1, 5))
    both = together({"/a": official_limits(old), "/b": official_limits(new)})
    assert both.windows == {"five_hour": new}


def test_a_new_window_is_captured_merged_and_shown_like_the_others() -> None:
    week = NOW + timedelta(days=3)
    limits = captured({"seven_day_opus": told(30, week), "five_hour": told(20)}, NOW)
    later = NOW + 2 * MINUTE
    limits = captured({"seven_day_opus": told(31, week)}, later, limits)
    both = joined(limits, captured({"seven_day_opus": told(33, week)}, later + MINUTE))
    windows = present(both, later + MINUTE).windows
    assert {key: known.used_percent for key, known in windows.items()} == {
        "five_hour": 20,
        "seven_day_opus": 33,
    }
    assert list(windows) == ["five_hour", "seven_day_opus"]
    assert window_kind("seven_day_opus") == (
        *("7 d Opus", "weekly limit of Opus", timedelta(days=7)),
    )


def test_a_window_that_is_not_known_has_a_label_that_is_safe_to_print() -> None:
    assert window_kind("model:Fable\x1b[2J") == (
        *("7 d Fable␛[2J", "weekly limit of Fable␛[2J", timedelta(days=7)),
    )
    assert window_kind("overage\x07" + "x" * 99) == (
        *("overage␇" + "x" * 12, f"limit “overage␇{'x' * 12}”", None),
    )


@pytest.mark.parametrize(
    ("window_id", "name"),
    [
        ("five_hour", "5-hour limit"),
        ("seven_day", "weekly limit"),
        ("seven_day_opus", "weekly limit of Opus"),
        ("seven_day_overage_included", "weekly limit"),
        ("overage", "limit of extra usage"),
        ("model:Fable", "weekly limit of Fable"),
        ("new\x07", "limit “new␇”"),
    ],
)
def test_every_window_has_a_name_for_sentences(window_id: str, name: str) -> None:
    assert window_kind(window_id).name == name


OPUS, SONNET = "claude-opus-4-8", "claude-sonnet-4-20250514"


@pytest.mark.parametrize(
    ("window_id", "models", "counts"),
    [
        ("five_hour", (), True),
        ("seven_day", (SONNET,), True),
        ("new", (SONNET,), True),
        ("seven_day_opus", (SONNET,), False),
        ("seven_day_opus", (SONNET, OPUS), True),
        ("seven_day_sonnet", (OPUS,), False),
        ("seven_day_sonnet", (), False),
        ("model:Opus", (OPUS,), True),
        ("model:Fable", (OPUS,), False),
    ],
)
def test_a_limit_of_one_model_counts_only_while_that_is_used(
    window_id: str, models: tuple[str, ...], *, counts: bool
) -> None:
    assert is_of_model_in_use(window_id, models) is counts
