"""Which marks of reached limits are kept, and what they say of the official windows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from monitor.model.limit_hits import LimitHit, with_hits, with_marks
from monitor.model.official import (
    OfficialLimits,
    RateLimitWindow,
    Report,
    present,
    with_session,
)

NOW = datetime(2026, 6, 10, 18, 32, 7, tzinfo=timezone.utc)
RESET = NOW + timedelta(hours=2)


def hit(minutes: float, window: str = "five_hour") -> LimitHit:
    """A mark that was written some minutes before NOW."""
    return LimitHit(NOW - timedelta(minutes=minutes), window, RESET)


def test_a_mark_that_a_wrong_clock_stamped_years_ahead_displaces_no_other() -> None:
    ahead = LimitHit(NOW.replace(year=2100), "five_hour", NOW.replace(year=2101))
    assert with_hits((ahead,), [hit(1)], NOW) == (hit(1),)


def test_a_mark_is_kept_for_twelve_weeks() -> None:
    weeks = timedelta(weeks=1) / timedelta(minutes=1)
    assert with_hits([hit(13 * weeks), hit(11 * weeks)], [], NOW) == (hit(11 * weeks),)


def test_of_a_program_that_tries_again_every_second_the_first_and_last_stop_of_an_hour_stay() -> (
    None
):
    marks = [hit(second / 60) for second in range(1800)]
    assert with_hits((), marks, NOW) == (marks[-1], marks[0])


def test_of_the_stops_of_a_weekly_limit_those_in_each_block_stay() -> None:
    marks = [hit(60 * hours, "seven_day") for hours in range(48)]
    assert len(with_hits((), marks, NOW)) == 48


def window_after(limits: OfficialLimits, *hits: LimitHit) -> RateLimitWindow:
    return present(with_marks(limits, hits, None, NOW), NOW).windows["five_hour"]


def reported(minutes: float, used_percent: float) -> OfficialLimits:
    """What the status line reported some minutes before NOW."""
    return with_session(
        OfficialLimits(),
        "session",
        {"five_hour": Report(used_percent, RESET)},
        NOW - timedelta(minutes=minutes),
    )


def test_a_mark_without_a_reset_stops_the_user_for_five_hours_at_most() -> None:
    late, old = (LimitHit(NOW - timedelta(hours=h), "five_hour") for h in (4, 6))
    window = window_after(OfficialLimits(), late)
    assert (window.used_percent, window.resets_at) == (100, None)
    assert not present(with_marks(OfficialLimits(), [old], None, NOW), NOW).windows


def test_a_mark_without_a_reset_is_about_the_window_that_is_known() -> None:
    window = window_after(reported(9, 97.0), LimitHit(NOW, "five_hour"))
    assert (window.used_percent, window.resets_at) == (100, RESET)
    assert [capture.used_percent for capture in window.captures] == [97, 100]


def test_a_report_from_a_clock_that_was_ahead_hides_no_mark() -> None:
    window = window_after(reported(-60, 40.0), hit(0))
    assert window.used_percent == 100
    assert [capture.used_percent for capture in window.captures] == [100]


def test_what_a_clock_that_was_ahead_captured_is_not_believed_and_not_joined_to_news() -> None:
    ahead = reported(-60, 40.0)
    assert not present(ahead, NOW).windows
    news = with_session(ahead, "session", {"five_hour": Report(45.0, RESET)}, NOW)
    assert [capture.used_percent for capture in news.windows["five_hour"].captures] == [45]


def test_a_status_line_drawn_after_a_mark_without_another_answer_is_no_news() -> None:
    limits, stopped = reported(0, 97.0), hit(1)
    answered = NOW - timedelta(minutes=2)
    shown = present(with_marks(limits, [stopped], answered, NOW), NOW).windows["five_hour"]
    assert (shown.used_percent, shown.captured_at) == (100, stopped.at)
    news = present(with_marks(limits, [stopped], NOW, NOW), NOW).windows["five_hour"]
    assert news.used_percent == 97
