"""The history page: whole, safe, offline, and with every figure in it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, Optional

import pytest
import pytz

from monitor.model.blocks import Block, TokenCounts
from monitor.model.formatting import TimeFormat
from monitor.model.history import CompletedBlock, HourlyTokens
from monitor.views.history_table import TableOptions
from monitor.views.html.report import page
from monitor.views.html.svg import Column, Mark, columns, round_steps, ticks
from monitor.views.style import UNICODE
from tests.samples import NOW, past_block

SHOWN = TableOptions(35_000, TimeFormat(pytz.utc), UNICODE)
VOID = {"meta", "br", "hr", "img", "input", "link"}
LOADS = {"src", "href", "xlink:href", "action", "data", "poster", "srcset", "background"}
RUNS = {"script", "iframe", "object", "embed", "link", "base", "form", "image", "use", "style"}


class Reader(HTMLParser):
    """Reads a page strictly: every tag that opens is closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, Optional[str]]]] = []
        self.cells: list[list[str]] = []
        self.texts: list[str] = []
        self.tips: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        elif tag in {"td", "th"}:
            self.cells[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th"}:
            self.cells[-1][-1] += data
        elif self.open and self.open[-1] == "title":
            self.tips.append(data)
        elif self.open and self.open[-1] != "style":
            self.texts.append(data)

    def all(self, tag: str, **attributes: str) -> list[dict[str, Optional[str]]]:
        wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
        return [a for t, a in self.tags if t == tag and wanted.items() <= a.items()]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def completed(days: int, counted: int, hour: int = 9, **changes: Any) -> CompletedBlock:
    percent = changes.pop("official_percent", None)
    block: Block = replace(past_block(days, counted, hour), **changes)
    return CompletedBlock(block, percent)


PAST = [
    completed(4, 21_000),
    completed(2, 40_500, official_percent=100.0),
    completed(1, 26_200, official_percent=63.0),
    completed(1, 8_000, hour=16),
]


def read(
    *blocks: CompletedBlock, shown: TableOptions = SHOWN, hours: Optional[HourlyTokens] = None
) -> Reader:
    """Read the page of these blocks, all of whose tokens came in the first hour unless said."""
    first_hours = {item.block.start: item.block.tokens.counted for item in blocks}
    return Reader(page(blocks, first_hours if hours is None else hours, shown, NOW))


# --- what it says


def test_the_head_says_what_it_is_of_which_days_and_whose_clock() -> None:
    text = read(*PAST).text
    assert text.startswith(
        "Claude Code usage 2026-06-06 to 2026-06-09 · 4 completed blocks · times in UTC"
    )
    assert "Made by ccusage-monitor on 2026-06-10 18:32." in text


def test_the_key_figures_are_those_of_the_blocks() -> None:
    text = read(*PAST).text
    assert "Blocks 4 on 3 days" in text
    assert "Counted tokens 95,700 23,925 per block" in text
    assert "Cost $24.80 $6.20 a block" in text
    assert "Highest block 40,500 2026-06-08" in text
    assert "Limit hits 1 reported by Claude" in text


def test_the_pictures_say_their_sense_in_a_sentence() -> None:
    text = read(*PAST).text
    assert "The dashed line is the limit: 35,000 tokens. 1 block passed it." in text
    assert "In red: 1 block that hit the limit, as Claude said." in text
    assert "31,900 on an average day with use; most on 2026-06-08 Mon: 40,500." in text
    assert "Most on Mon from 09:00: 40,500." in text


def test_the_table_has_every_block_newest_first() -> None:
    head, *rows = read(*PAST).cells
    assert head == ["Start", "Length", "Messages", "Tokens", "Of limit", "Cost", "Models"]
    assert [row[0] for row in rows] == [
        "2026-06-09 16:00",
        "2026-06-09 09:00",
        "2026-06-08 09:00",
        "2026-06-06 09:00",
    ]
    assert rows[1][1:] == ["3 h", "90", "26,200", "63 % official", "$6.20", "sonnet-4"]
    assert rows[2][4] == "hit · highest"
    assert rows[3][4] == "60 %"


def test_without_costs_there_is_no_amount_and_no_column_of_them() -> None:
    shown = replace(SHOWN, show_cost=False)
    html = page(PAST, {}, shown, NOW)
    assert "$" not in html and "Cost" not in html
    assert {len(row) for row in Reader(html).cells} == {6}


def test_a_cost_that_is_not_known_is_no_zero() -> None:
    unknown = completed(1, 8_000, cost_usd=None)
    assert "$" not in page([unknown], {}, SHOWN, NOW)
    assert "Cost $12.40 $6.20 a block" in read(completed(1, 8_000), completed(3, 10)).text
    # A sum that leaves one out is no cost.
    text = read(unknown, completed(3, 10)).text
    assert "$6.20 a block" not in text
    assert "Cost ? not known for 1 block" in text


def test_times_are_on_the_readers_clock() -> None:
    shown = replace(SHOWN, time_format=TimeFormat(pytz.timezone("Asia/Kolkata"), twelve_hour=True))
    report = read(completed(1, 500, hour=20), shown=shown)
    assert report.cells[1][0] == "2026-06-10 1:30 AM"
    assert "times in Asia/Kolkata" in report.text
    assert "Most on Wed from 01:00: 500." in report.text


def test_an_empty_history_is_a_page_that_says_so() -> None:
    report = read()
    assert "No completed block yet." in report.text
    assert report.all("svg") == [] and report.cells == []


def test_blocks_without_a_token_make_a_page_too() -> None:
    report = read(completed(1, 0), completed(2, 0))
    assert "Highest block 0" in report.text
    assert report.all("rect", **{"class": "bar"}) == []


# --- the pictures


def bars(report: Reader) -> list[dict[str, Optional[str]]]:
    return report.all("rect", **{"class": "bar"})


def test_a_column_stands_for_each_block_and_each_day_as_high_as_its_tokens() -> None:
    plain = [replace(item, official_percent=None) for item in PAST]
    drawn = bars(read(*plain))
    assert len(drawn) == len(PAST) + 3
    heights = [float(bar["height"] or "") for bar in drawn[: len(PAST)]]
    wanted = [240 * tokens / 50_000 for tokens in (21_000, 40_500, 26_200, 8_000)]
    assert heights == pytest.approx(wanted, abs=0.05)


def test_the_columns_tell_their_own_block_and_day_oldest_first() -> None:
    told = [tip for tip in read(*PAST).tips if " tokens" in tip and tip.startswith("2026-")]
    assert [tip.partition(",")[0] for tip in told if " 09:00" in tip or " 16:00" in tip] == [
        "2026-06-06 09:00: 21",
        "2026-06-08 09:00: 40",
        "2026-06-09 09:00: 26",
        "2026-06-09 16:00: 8",
    ]


def test_days_without_use_leave_a_gap() -> None:
    days = bars(read(completed(4, 10), completed(1, 10)))[2:]
    first, second = (float((bar["x"] or "").rstrip("%")) for bar in days)
    assert second - first == pytest.approx(3 * 100 / 16)


def test_official_percents_have_a_picture_of_their_own_where_known() -> None:
    assert len(read(*PAST).all("svg")) == 4
    assert len(read(PAST[0]).all("svg")) == 3
    assert "63 % official" in read(*PAST).tips


def test_a_block_that_hit_the_limit_is_marked_in_picture_and_table() -> None:
    report = read(*PAST)
    assert len(report.all("tr", **{"class": "hit"})) == 1
    assert len(report.all("g", **{"class": "hit"})) == 3  # block, official percent, day


def test_the_heat_map_has_every_hour_of_the_week_and_is_left_out_where_hours_are_unknown() -> None:
    block = completed(2, 900)
    start = block.block.start
    report = read(block, hours={start: 600, start + timedelta(hours=1): 300})
    assert len(report.all("rect", **{"class": "cell"})) == 7 * 24
    shades = [cell["fill-opacity"] for cell in report.all("rect", **{"class": "heat"})]
    assert shades == ["1.00", "0.57"]
    unknown = read(block, hours={})
    assert "Hours of the week" not in unknown.text
    assert unknown.all("rect", **{"class": "cell"}) == []


def test_every_picture_can_be_read_out_and_every_column_answers_the_pointer() -> None:
    report = read(*PAST)
    pictures = report.all("svg")
    assert all(p["role"] == "img" and len(p["aria-label"] or "") > 20 for p in pictures)
    assert "2026-06-08 09:00: 40,500 tokens, hit, 3 h" in report.tips
    assert "2026-06-09 Tue: 34,200 tokens, 2 blocks" in report.tips
    assert "Mon 09:00: 40,500 tokens" in report.tips


def test_the_limit_line_stands_at_its_value() -> None:
    line = read(*PAST).all("line", **{"class": "limit"})
    assert [float(one["y1"] or "") for one in line] == [pytest.approx(240 * (1 - 35 / 50))]


@pytest.mark.parametrize("top", [1, 4, 7, 99, 100, 101, 23_210, 435_805, 10**9])
def test_the_scale_is_a_few_round_steps_that_reach_the_top(top: int) -> None:
    steps = round_steps(top)
    assert steps[0] == 0 and steps[-1] >= top > steps[-2]
    assert 2 <= len(steps) <= 6
    assert str(steps[1]).rstrip("0") in {"1", "2", "5"}


def test_a_few_columns_leave_room_and_names_are_not_repeated() -> None:
    names = ["2026-06-08"] * 3 + ["2026-06-09"] * 2
    assert ticks(names, 16) == {"2026-06-08": 0}
    assert ticks([*names, "2026-06-10"], 16) == {"2026-06-08": 0, "2026-06-10": 5}
    assert len(ticks([str(n) for n in range(1000)], 1000)) == 6
    assert 'width="6.250%"' in columns([Column(0, 1, "")], [], 10, "", len(names), names)


def test_names_of_marks_are_escaped() -> None:
    assert "<b>" not in columns([], [Mark(1, "<b>")], 10, '"<b>', 1)


# --- safe and whole


EVIL = "claude-<script>alert(1)</script>\"'&\x1b[31m\u202e\udcff"


def test_what_comes_from_data_is_shown_and_never_run() -> None:
    evil = completed(1, 5_000, models=(EVIL,))
    html = page([evil], {}, SHOWN, NOW)
    report = Reader(html)
    assert report.all("script") == []
    assert "<script>alert(1)</script>" in report.cells[1][-1]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", html)
    html.encode("utf-8")


def test_the_page_needs_nothing_from_elsewhere_and_may_not_fetch_it() -> None:
    html = page(PAST, {}, SHOWN, NOW)
    report = Reader(html)
    assert not re.search(r"https?:|//|url\(|@import|@font-face", html)
    assert not {name for _, attributes in report.tags for name in attributes} & LOADS
    assert {tag for tag, _ in report.tags} & RUNS == {"style"}
    assert not [n for _, attributes in report.tags for n in attributes if n.startswith("on")]
    policy = report.all("meta", http_equiv="Content-Security-Policy")[0]["content"] or ""
    assert "default-src 'none'" in policy and "script" not in policy


def test_the_page_adapts_to_dark_to_narrow_screens_and_to_paper() -> None:
    html = page(PAST, {}, SHOWN, NOW)
    for query in ("(prefers-color-scheme: dark)", "(max-width: ", "@media print"):
        assert query in html
    assert Reader(html).all("meta", name="viewport")
    # What is wider than the screen all the same scrolls in a box of its own, with keys too.
    assert Reader(html).all("div", **{"class": "scroll", "tabindex": "0"})


def test_every_colour_of_the_style_is_set_for_light_dark_and_paper() -> None:
    style = page([], {}, SHOWN, NOW).partition("<style>")[2].partition("</style>")[0]
    used = set(re.findall(r"var\((--[a-z0-9]+)\)", style)) - {"--left", "--labels"}
    for part in re.findall(r":root \{(.*?)\}", style, re.DOTALL):
        assert set(re.findall(r"(--[a-z0-9]+):", part)) == used
    assert style.count(":root {") == 3
    assert style.count("{") == style.count("}")


def test_a_thousand_blocks_make_less_than_a_megabyte() -> None:
    names = ("claude-opus-4-5-20251101", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001")
    start = NOW - timedelta(days=400)
    many, hours = [], {}
    for number in range(1000):
        begun = start + timedelta(hours=9 * number)
        hours.update({begun + timedelta(hours=i): 1_000 * (number % 90) + i for i in range(5)})
        block = replace(
            past_block(1, 0),
            start=begun,
            last_activity=begun + timedelta(hours=4, minutes=38),
            tokens=TokenCounts(0, 5_000 * (number % 90) + 10),
            models=names,
        )
        many.append(CompletedBlock(block, official_percent=50.5))
    html = page(many, hours, SHOWN, NOW)
    assert len(html.encode("utf-8")) < 1_000_000
    assert len(Reader(html).cells) == 1_001
