"""Which marks of reached limits are kept."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from monitor.model.limit_hits import LimitHit, with_hits

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


def test_of_a_program_that_tries_again_every_second_the_first_and_last_stop_of_an_hour_stay() -> None:
    marks = [hit(second / 60) for second in range(1800)]
    assert with_hits((), marks, NOW) == (marks[-1], marks[0])


def test_of_the_stops_of_a_weekly_limit_those_in_each_block_stay() -> None:
    marks = [hit(60 * hours, "seven_day") for hours in range(48)]
    assert len(with_hits((), marks, NOW)) == 48
