"""The pure parts of the live screen: pages by key, the cached chart, the text while reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, Optional

import pytest

from monitor.app.live import ESCAPE, CachedWeek, Page, Ticking, _reading_text
from monitor.app.watched_account import CachedChart, _history_hint
from monitor.model.reading import DataSize
from monitor.model.slices import Interval, Round
from monitor.views.screen.burn_up import burn_up
from monitor.views.screen.dashboard import DisplayOptions
from monitor.views.screen.week_screen import week_page
from monitor.views.style import ASCII, UNICODE, Style
from tests.samples import usage_in
from tests.weeks import WEEKS

PAGE = Page(DisplayOptions(Style()))


def after(*keys: Optional[str], rows: int = 24, blocks: int = 100, weeks: int = 1) -> Page:
    page = PAGE
    for key in keys:
        page = page.after(key, rows, blocks, weeks)
    return page


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ("h", "history"),
        ("hh", ""),
        ("?", "help"),
        ("??", ""),
        ("h?", "help"),
        ("?h", "history"),
        (f"h{ESCAPE}", ""),
        (f"?{ESCAPE}", ""),
        ("hr", "history"),
        ("hc", "history"),
        ("w", "week"),
        ("ww", ""),
        ("w\t", "week"),
        ("hw", "week"),
        (f"w{ESCAPE}", ""),
        ("x", ""),
    ],
)
def test_keys_choose_the_page_and_the_same_key_goes_back(keys: str, name: str) -> None:
    assert after(*keys).name == name


def test_c_hides_the_costs_and_shows_them_again() -> None:
    assert not after("c").display.show_cost
    assert after("c", "c") == PAGE


def test_no_key_changes_nothing() -> None:
    assert after(None) == PAGE


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        (("h",), 0),
        (("h", "down", "down"), 2),
        (("h", "down", "up", "up"), 0),
        (("h", "page_down"), 18),
        (("h", "page_down", "page_up", "down"), 1),
        (("h", *["page_down"] * 9), 84),
        (("h", "down", "h", "h"), 0),
        (("h", "down", "?"), 0),
        (("h", "down", "c"), 1),
        (("h", "down", None, "r"), 1),
        (("?", "down"), 1),
        (("down", "page_down"), 0),  # the dashboard does not scroll
    ],
)
def test_arrows_and_page_keys_scroll_a_page_and_another_page_starts_at_its_top(
    keys: tuple[Optional[str], ...], first: int
) -> None:
    assert after(*keys).first == first


def test_a_dim_line_says_how_much_of_the_history_is_read() -> None:
    usage = usage_in("ok")
    assert _history_hint(usage) == ""
    first = usage.now - timedelta(days=120)
    running = Round(usage.now, (Interval(None, usage.now - timedelta(days=12)),), first)
    history = replace(usage.history, round=running)
    assert _history_hint(replace(usage, history=history)) == "History: 12 of 120 days read"
    failed = replace(history, error="it hangs")
    assert _history_hint(replace(usage, history=failed)) == "", "a warning says so"


def test_a_page_key_scrolls_on_any_terminal() -> None:
    assert after("h", "page_down", rows=3).first == 1


def test_the_chart_is_drawn_again_only_for_another_minute_size_or_usage() -> None:
    usage = usage_in("ok")
    usage = replace(usage, now=usage.now.replace(second=1))
    chart = CachedChart()
    first = chart(usage, 60, 10, UNICODE)
    assert first == burn_up(usage, 60, 10, UNICODE)
    assert chart(replace(usage, now=usage.now + timedelta(seconds=30)), 60, 10, UNICODE) is first
    later = replace(usage, now=usage.now + timedelta(minutes=1))
    for other in ((later, 60, 10, UNICODE), (usage, 61, 10, UNICODE), (usage, 60, 10, ASCII)):
        assert chart(*other) == burn_up(*other)
        assert chart(*other) is not first


@pytest.mark.parametrize(
    ("keys", "turn"), [("w", 0), ("ww", 1), ("w\t", 1), ("www", 0), (f"ww{ESCAPE}w", 0), ("wwh", 0)]
)
def test_w_turns_to_the_next_weekly_limit_where_there_are_several(keys: str, turn: int) -> None:
    assert after(*keys, weeks=2).turn == turn


@pytest.mark.parametrize("page", ["w", "p"])
def test_tab_leaves_an_account_without_usage_also_after_a_page_was_asked_for(page: str) -> None:
    account = SimpleNamespace(usage=None, blocks=0, weeks=0)
    accounts: Any = [account, SimpleNamespace(usage=usage_in("ok"), blocks=0, weeks=0)]
    on_first = replace(PAGE, chosen=0)
    for key in (page, "\t"):
        on_first = on_first.after_all(key, 24, accounts)
    assert (on_first.chosen, on_first.name) == (1, "")


def test_the_page_of_the_week_is_drawn_again_only_for_another_minute_size_turn_or_limit() -> None:
    usage = WEEKS["opus-first"]
    usage = replace(usage, now=usage.now.replace(second=1))
    page, display = CachedWeek(), PAGE.display
    first = page(usage, 0, 80, 24, display)
    assert first == week_page(usage, 0, 80, 24, display)
    same = replace(usage, now=usage.now + timedelta(seconds=30))
    assert page(same, 0, 80, 24, display) is first
    later = replace(usage, now=usage.now + timedelta(minutes=1))
    fewer = replace(usage, official=WEEKS["behind"].official)
    plain = DisplayOptions(Style(ASCII))
    for other in (
        (later, 0, 80, 24, display),
        (usage, 1, 80, 24, display),
        (usage, 0, 81, 24, display),
        (usage, 0, 80, 24, plain),
        (fewer, 0, 80, 24, display),
    ):
        assert page(*other) == week_page(*other)
        assert page(*other) is not first


def test_while_reading_it_says_how_much_there_is_and_since_when() -> None:
    text = _reading_text(DataSize(3_730, 2**30), 2.4, PAGE.display)
    assert text == "Reading usage … 1.0 GB in 3,730 files, 2 s"
    assert _reading_text(DataSize(), 0.2, PAGE.display) == "Reading usage … 0 s"


class Drawn:
    """Draws a frame whose text counts how often it was drawn."""

    def __init__(self, ticking: Ticking) -> None:
        self._ticking = ticking
        self._count = 0

    def at(self, seconds: float, key: object = 0) -> list[str]:
        now = NOON + timedelta(seconds=seconds)
        shown = TIME_FORMAT.second(now)
        return list(self._ticking.lines(key, now, lambda: self._draw(shown)))

    def _draw(self, shown: str) -> list[str]:
        self._count += 1
        return [f"{shown} {shown} UTC", f"drawn {self._count}"]


NOON = datetime(2026, 6, 10, 12, tzinfo=timezone.utc)
TIME_FORMAT = usage_in("ok").rules.time_format


def test_while_nothing_is_new_only_the_last_time_in_the_first_row_ticks() -> None:
    drawn = Drawn(Ticking(TIME_FORMAT))
    noon, later = (TIME_FORMAT.second(NOON + timedelta(seconds=s)) for s in (0, 7))
    drawn.at(0)
    assert drawn.at(7) == [f"{noon} {later} UTC", "drawn 1"]


def test_all_is_drawn_anew_when_something_is_new_and_every_quarter_of_a_minute() -> None:
    drawn = Drawn(Ticking(TIME_FORMAT))
    rows = [drawn.at(0), drawn.at(3), drawn.at(3, key=1), drawn.at(14, key=1), drawn.at(15, key=1)]
    assert [row[1] for row in rows] == ["drawn 1", "drawn 1", "drawn 2", "drawn 2", "drawn 3"]
