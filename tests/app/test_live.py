"""The pure parts of the live screen: pages by key, the cached chart, the text while reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Optional

import pytest

from monitor.app.live import ESCAPE, CachedChart, Page, _history_hint, _reading_text
from monitor.model.reading import DataSize
from monitor.model.slices import Interval, Round
from monitor.views.screen.burn_up import burn_up
from monitor.views.screen.dashboard import DisplayOptions
from monitor.views.style import ASCII, UNICODE, Style
from tests.samples import usage_in

PAGE = Page(DisplayOptions(Style()))


def after(*keys: Optional[str], rows: int = 24, blocks: int = 100) -> Page:
    page = PAGE
    for key in keys:
        page = page.after(key, rows, blocks)
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


def test_while_reading_it_says_how_much_there_is_and_since_when() -> None:
    text = _reading_text(DataSize(3_730, 2**30), 2.4, PAGE.display)
    assert text == "Reading usage … 1.0 GB in 3,730 files, 2 s"
    assert _reading_text(DataSize(), 0.2, PAGE.display) == "Reading usage … 0 s"
