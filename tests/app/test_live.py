"""The pure parts of the live screen: pages by key, the cached chart, the text while reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.app.live import ESCAPE, CachedChart, Page, _reading_text
from monitor.model.reading import DataSize
from monitor.views.screen.burn_up import burn_up
from monitor.views.screen.dashboard import DisplayOptions
from monitor.views.style import ASCII, UNICODE, Style
from tests.samples import usage_in

PAGE = Page(DisplayOptions(Style()))


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
    page = PAGE
    for key in keys:
        page = page.after(key)
    assert page.name == name


def test_c_hides_the_costs_and_shows_them_again() -> None:
    assert not PAGE.after("c").display.show_cost
    assert PAGE.after("c").after("c") == PAGE


def test_no_key_changes_nothing() -> None:
    assert PAGE.after(None) == PAGE


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
