"""The page of the week: golden frames, what holds at every size, and a week from hour to hour."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.official import Asked, Capture, RateLimitWindow, WeekCost
from monitor.model.sentence import summary, warnings
from monitor.model.usage import Usage
from monitor.model.week_sentence import week_sentence
from monitor.views.line import one_line
from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.screen.week_screen import week_page
from monitor.views.snapshot import snapshot
from monitor.views.style import ASCII, UNICODE, Glyphs, Style
from monitor.views.text import Line, width_of
from tests.golden import SCREENS, assert_as_recorded
from tests.samples import NOW
from tests.weeks import DAY, HOUR, LEFT, WEEKS, week_of_work, worker

SIZES = ((80, 24), (120, 40), (40, 20))
DISPLAY, PLAIN = DisplayOptions(Style()), DisplayOptions(Style(ASCII))


def text(lines: list[Line], display: DisplayOptions = DISPLAY) -> str:
    return "".join(f"{display.style.paint(line).rstrip()}\n" for line in lines)


def page(
    usage: Usage,
    width: int = 80,
    height: int = 24,
    turn: int = 0,
    display: DisplayOptions = DISPLAY,
) -> str:
    return text(week_page(usage, turn, width, height, display), display)


GOLDEN = {
    **{f"page-week-{n}-{w}x{h}": page(usage, w, h) for n, usage in WEEKS.items() for w, h in SIZES},
    "page-week-on-track-80x24-ascii": page(WEEKS["on-track"], display=PLAIN),
    "page-week-opus-first-80x24-next": page(WEEKS["opus-first"], turn=1),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_page_looks_as_recorded(name: str) -> None:
    assert_as_recorded(name, GOLDEN[name])


def test_the_page_in_the_documentation_is_the_one_recorded() -> None:
    shown = GOLDEN["page-week-on-track-80x24"].rstrip("\n")
    assert shown in (SCREENS.parent.parent / "docs" / "screen.md").read_text(encoding="utf-8")


@given(
    state=st.sampled_from(sorted(WEEKS)),
    width=st.integers(1, 250),
    height=st.integers(1, 60),
    turn=st.integers(0, 3),
    glyphs=st.sampled_from([UNICODE, ASCII]),
)
def test_the_page_fits_any_size(
    state: str, width: int, height: int, turn: int, glyphs: Glyphs
) -> None:
    lines = week_page(WEEKS[state], turn, width, height, DisplayOptions(Style(glyphs)))
    assert len(lines) <= height
    assert max(map(width_of, lines)) <= width


def test_the_limit_most_at_risk_comes_first_and_the_next_key_shows_the_others() -> None:
    usage = WEEKS["opus-first"]
    titles = [page(usage, turn=turn).split("\n")[0] for turn in range(3)]
    assert [title.strip().partition("   ")[0] for title in titles] == [
        *("Weekly limit of Opus", "Weekly limit", "Weekly limit of Opus")
    ]
    assert "w: next" in titles[0] and "w: back" in page(WEEKS["fresh"])


def test_without_a_weekly_limit_the_page_says_how_to_get_it() -> None:
    shown = page(WEEKS["no-data"])
    assert "No weekly limit is known." in shown and "press o" in shown


def test_if_claude_code_was_asked_in_vain_the_page_says_why() -> None:
    usage = WEEKS["no-data"]
    asked = replace(usage.official, asked=Asked(NOW, "no network"))
    shown = page(replace(usage, official=asked))
    assert "No official limits: no network." in shown and "press o" not in shown


def test_todays_share_and_use_are_the_same_in_the_sentence_the_table_and_the_json() -> None:
    for name in ("fresh", "on-track", "behind", "last-day"):
        shown, week = page(WEEKS[name], 120, 40), snapshot(WEEKS[name])["weekly"]
        share, used = re.findall(r"Today's share is (\d+) % of the week, (\d+) % used", shown)[0]
        assert (round(week["today_share_percent"]), round(week["today_used_percent"])) == (
            *(int(share), int(used)),
        )
        rows = {row.split()[0]: row.split()[1:] for row in shown.split("\n") if row.split()}
        assert share in rows["share"] and used in rows["used"]
        assert f"about {week['windows_left']:.0f} full" in shown


def test_the_footer_names_the_key_where_a_weekly_limit_is_known() -> None:
    assert "w week" in text(frame(WEEKS["behind"], 80, 24, DISPLAY))
    assert "w week" not in text(frame(WEEKS["no-data"], 80, 24, DISPLAY))


# A week, from hour to hour


def window_at(hours: int, a_day: float) -> Usage:
    """A week that began 84 hours before NOW, `hours` after its start."""
    now = NOW + (hours - 84) * HOUR
    known = week_of_work(NOW + 84 * HOUR - now, a_day, now)
    pairs = WeekCost(400.0, 44.0)
    return worker(known, 70, 66, now=now, cost=pairs)


@pytest.mark.parametrize("a_day", [4, 12, 19, 21, 30, 55])
def test_through_a_week_every_hour_is_drawn_and_no_sentence_is_denied(a_day: float) -> None:
    used: Optional[float] = None
    for hours in range(1, 168):
        usage = window_at(hours, a_day)
        week = usage.weekly
        assert week is not None
        reached = usage.reached is not None
        said = (summary(usage) if reached else week_sentence(usage, week), *warnings(usage))
        assert "".join(said[0].split()) in "".join(page(usage).split())
        assert one_line(usage, 120, UNICODE) and frame(usage, 80, 24, DISPLAY)
        if week.projection is None or week.is_full:
            continue
        risk = week.projection.probability
        assert ("probably" in said[0]) == (risk >= 0.6)
        assert ("most likely lasts" in said[0]) == (risk < 0.25)
        assert ("weekly limit" in summary(usage)) <= (risk >= 0.25)
        low, high = week.projection.band
        assert week.window.used_percent <= low <= week.projection.likely <= high
        assert used is None or week.window.used_percent >= used
        used = week.window.used_percent


def test_a_week_that_is_used_evenly_and_lasts_is_never_an_alarm_and_ends_certain() -> None:
    risks = []
    for hours in range(24, 168):
        week = window_at(hours, 13).weekly
        assert week is not None and week.severity == "none"
        risks.append(week.risk)
    assert max(risks) < 0.25 and risks[-1] < 0.01


def test_using_more_of_a_week_never_lowers_the_risk() -> None:
    risks = [window_at(100, a_day).weekly for a_day in range(2, 40, 2)]
    known = [week.risk for week in risks if week is not None]
    assert known == sorted(known) and known[0] < 0.05 and known[-1] > 0.95


@pytest.mark.parametrize("twist", ["rollover", "fall", "gap", "moved"])
def test_captures_as_they_come_are_survived(twist: str) -> None:
    known = week_of_work(LEFT, 13)
    captures = {
        "rollover": (Capture(known.captures[0].at - timedelta(minutes=1), 97.0), *known.captures),
        "fall": (*known.captures[:4], Capture(NOW - 5 * HOUR, 3.0), Capture(NOW, 4.0)),
        "gap": (known.captures[0], known.captures[-1]),
        "moved": known.captures,
    }[twist]
    reset = NOW + (7 * DAY - HOUR if twist == "moved" else LEFT)
    window = RateLimitWindow(captures[-1].used_percent, reset, captures[-1].at, captures)
    usage = worker(window, 70)
    shown, data = page(usage), snapshot(usage)["weekly"]
    assert "Today's share" in shown or "is left for today" in shown
    assert data["probability"] is None or 0 <= data["probability"] <= 1
    assert data["today_used_percent"] is None or 0 <= data["today_used_percent"] <= 100
