"""The burn-up chart: golden frames, what can be read off them, and what must always hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.blocks import SESSION, Block, Event, TokenCounts
from monitor.model.burn import BurnRate, burn_rate
from monitor.model.five_hour import choose_five_hour
from monitor.model.forecast import Forecast
from monitor.model.official import OfficialLimits
from monitor.model.plans import Limit, Rules
from monitor.model.reading import Reading
from monitor.model.reset import Reset
from monitor.model.usage import Usage
from monitor.views.screen.burn_up import burn_up, short_count
from monitor.views.style import ASCII, UNICODE, Glyphs, Style
from monitor.views.text import Line, width_of
from tests.golden import assert_as_recorded

START = datetime(2026, 1, 5, 13, tzinfo=timezone.utc)

# Minutes after the start, and counted tokens: a burst, a pause of forty minutes, and steady work.
WORK = (
    *((7, 400), (9, 900), (12, 250), (16, 1900), (21, 700), (24, 2600), (33, 800), (41, 1700)),
    *((48, 500), (55, 450), (95, 1200), (103, 900), (110, 2100), (117, 600), (121, 1300)),
    *((128, 2400), (134, 300), (139, 2600), (146, 900), (152, 710)),
)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def usage_of(
    work: Sequence[tuple[float, int]] = WORK,
    minute: float = 154,
    limit: int = 35_000,
    band: Optional[tuple[float, float, float]] = (24_000, 30_000, 41_000),
    reset: Optional[datetime] = None,
    burn: Optional[BurnRate] = None,
    *,
    exact: bool = True,
    twelve_hour: bool = False,
) -> Usage:
    now = at(minute)
    events = tuple(Event(at(m), tokens) for m, tokens in work)
    tokens = TokenCounts(sum(event.tokens for event in events))
    block = Block(
        *("id", START, START + SESSION, now, True, False, len(events), tokens, None),
        models=("claude-opus-4",),
    )
    series = events if exact else None
    chosen = Limit(limit, "user", None, tokens.counted)
    return Usage(
        five_hour=choose_five_hour(chosen, None, None, now),
        now=now,
        reading=Reading((block,), now),
        rules=Rules(zone=pytz.utc, twelve_hour=twelve_hour),
        block=block,
        events=series,
        limit=chosen,
        burn=burn or burn_rate(block, series, now),
        reset=Reset(reset or block.end, "block_end"),
        forecast=Forecast("ok", tokens=band),
        official=OfficialLimits(),
    )


WORKING = usage_of()
LIMIT_FAR = usage_of(limit=1_000_000)
EXCEEDED = usage_of(limit=16_000, band=None)
NO_SERIES = usage_of(band=None, exact=False)
BEGUN = usage_of(WORK[:1], minute=8, band=None)


def plain(lines: Sequence[Line], glyphs: Glyphs = UNICODE) -> list[str]:
    return [Style(glyphs).paint(drawn).rstrip() for drawn in lines]


def ascii_rows(usage: Usage, width: int = 78, rows: int = 8) -> list[str]:
    return plain(burn_up(usage, width, rows, ASCII), ASCII)


def roles(drawn: Line) -> list[str]:
    """The role of each cell."""
    return [span.role for span in drawn for _ in span.text]


GOLDEN = {
    "chart-118x16": (WORKING, 118, 16, UNICODE),
    "chart-118x16-ascii": (WORKING, 118, 16, ASCII),
    "chart-78x8": (WORKING, 78, 8, UNICODE),
    "chart-78x8-ascii": (WORKING, 78, 8, ASCII),
    "chart-38x6": (WORKING, 38, 6, UNICODE),
    "chart-38x6-ascii": (WORKING, 38, 6, ASCII),
    "chart-limit-far": (LIMIT_FAR, 78, 8, UNICODE),
    "chart-exceeded": (EXCEEDED, 78, 8, UNICODE),
    "chart-no-series": (NO_SERIES, 78, 8, UNICODE),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_chart_looks_as_recorded(name: str) -> None:
    drawn = plain(burn_up(*GOLDEN[name]), GOLDEN[name][-1])
    assert_as_recorded(name, "\n".join(drawn) + "\n")


def test_the_curve_ends_at_now_and_the_band_begins_there() -> None:
    for drawn in burn_up(WORKING, 78, 8, UNICODE)[:-1]:
        now = 11 + round(154 / 300 * 66)
        assert "curve" not in roles(drawn)[now + 1 :]
        assert not {"band", "probable"} & set(roles(drawn)[:now])


def test_the_curve_ends_in_the_row_that_is_labelled_used() -> None:
    row = next(text for text in ascii_rows(WORKING) if "used 23k" in text)
    assert row[11 + round(154 / 300 * 66)] == "#"


def test_a_message_stamped_after_now_counts_as_now() -> None:
    level = BurnRate(0.0, 60)
    ahead, present = (usage_of((*WORK[:-1], (m, 710)), burn=level) for m in (170, 154))
    assert ascii_rows(ahead, rows=24) == ascii_rows(present, rows=24)


def test_a_band_far_over_the_limit_does_not_flatten_the_curve() -> None:
    rows = ascii_rows(usage_of(band=(30_000, 90_000, 10_000_000)))
    assert rows[3].startswith("limit 35k")
    assert sum("#" in row for row in rows) >= 3


def test_the_likely_line_meets_the_limit_when_it_is_said_to_run_out() -> None:
    # 11,790 of the likely 14,600 are left: the straight line takes 118 of the 146 minutes.
    usage = usage_of(band=(23_210, 23_210 + 14_588, 60_000), burn=BurnRate(900.0, 60))
    meets = 11 + (154 + 118) / 300 * 66
    row = next(text for text in ascii_rows(usage, rows=24) if "limit 35k" in text)
    assert row.index("+", 12) <= meets <= row.rindex("+")


def test_where_no_more_is_likely_the_line_is_level() -> None:
    rows = ascii_rows(usage_of(burn=BurnRate(900.0, 60), band=(23_210, 23_210, 23_210)))
    assert [row.count("+" * 30) for row in rows if "used" in row] == [1]


def test_no_line_is_drawn_while_nothing_is_forecast() -> None:
    assert "+" not in "".join(row[12:] for row in ascii_rows(usage_of(band=None)))
    assert BEGUN.burn.tokens_per_minute is None
    assert "probable" not in {
        role for drawn in burn_up(BEGUN, 78, 8, UNICODE) for role in roles(drawn)
    }


def test_a_limit_out_of_sight_is_said_and_the_curve_gets_the_height() -> None:
    rows = ascii_rows(LIMIT_FAR)
    assert "limit 1M is above" in rows[0]
    assert sum("#" in row for row in rows) >= 4


def test_the_said_limit_moves_aside_for_what_is_likely() -> None:
    usage = usage_of(((2, 500),), minute=6, limit=1_000_000, band=(500, 58_800, 60_000))
    assert "limit 1M is above" in ascii_rows(usage)[0]
    (only, _) = ascii_rows(usage, rows=2)
    assert "limit" not in only and only.count("+") > 60


def test_zero_tokens_are_drawn_at_the_bottom() -> None:
    rows = ascii_rows(usage_of(((10, 0),), band=None))
    assert ["#" in row for row in rows] == [False] * 6 + [True, False]


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        (1, ["now", "13:01", "reset", "18:00"]),
        (154, ["13:00", "now", "15:34", "reset", "18:00"]),
        pytest.param(
            154.9, ["13:00", "now", "15:34", "reset", "18:00"], id="as the header's clock"
        ),
        (245, ["13:00", "now", "17:05", "reset", "18:00"]),
        (250, ["13:00", "reset", "18:00"]),
        (299, ["13:00", "reset", "18:00"]),
    ],
)
def test_times_that_would_touch_give_way_to_the_reset(minute: float, expected: list[str]) -> None:
    assert ascii_rows(usage_of(minute=minute))[-1].split() == expected


def test_times_are_written_as_the_user_reads_clocks() -> None:
    axis = ascii_rows(usage_of(twelve_hour=True))[-1]
    assert axis.split("  ")[-1].strip() == "reset 6:00 PM"


def test_a_reset_long_after_the_block_leaves_the_axis_at_the_end_of_the_block() -> None:
    assert ascii_rows(usage_of(reset=at(900)))[-1].endswith("ends 18:00")
    assert ascii_rows(usage_of(reset=at(340)))[-1].endswith("reset 18:40")
    assert ascii_rows(usage_of(reset=at(200)))[-1].endswith("reset 16:20")


def test_two_values_of_one_row_keep_the_label_of_the_limit() -> None:
    usage = usage_of(limit=23_300, band=None)
    labels = [row[:9].strip() for row in ascii_rows(usage)]
    assert "limit 23k" in labels
    assert "used 23k" not in labels


def test_without_an_active_block_there_is_nothing_to_draw() -> None:
    idle = replace(WORKING, block=None)
    assert burn_up(idle, 78, 8, UNICODE) == []


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        *((0, "0"), (999, "999"), (1000, "1k"), (9949, "9.9k"), (9951, "10k"), (999_499, "999k")),
        *((999_500, "1M"), (1_530_000, "1.5M"), (2 * 10**9, "2G"), (10**15, "1P")),
    ],
)
def test_a_label_takes_four_cells_at_most(tokens: int, expected: str) -> None:
    assert short_count(tokens) == expected
    assert len(expected) <= 4


COUNTS = st.integers(0, 10**6) | st.integers(0, 10**15)
MINUTES = st.floats(0, 299.99)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Any active block: also over the limit, with no tokens, at its reset, with absurd numbers."""
    minute = draw(MINUTES)
    minutes = draw(st.lists(st.floats(0, minute), min_size=1, max_size=12))
    work = [(m, draw(COUNTS)) for m in sorted(minutes)]
    used = sum(tokens for _, tokens in work)
    more = draw(st.none() | st.tuples(COUNTS, COUNTS, COUNTS))
    return usage_of(
        work,
        minute=minute,
        limit=draw(st.integers(1, 10**12)),
        band=(used + min(more), used + sorted(more)[1], used + max(more)) if more else None,
        reset=draw(st.none() | st.floats(-1, 2000).map(lambda m: at(m + minute))),
        burn=draw(st.sampled_from([None, BurnRate(None), BurnRate(0.0), BurnRate(1e15)])),
        exact=draw(st.booleans()),
        twelve_hour=draw(st.booleans()),
    )


GLYPHS = st.sampled_from([UNICODE, ASCII])


@given(usage=usages(), width=st.integers(0, 130), rows=st.integers(0, 20), glyphs=GLYPHS)
def test_a_chart_has_the_rows_asked_for_and_is_never_wider(
    usage: Usage, width: int, rows: int, glyphs: Glyphs
) -> None:
    lines = burn_up(usage, width, rows, glyphs)
    assert len(lines) == (rows if width else 0)
    assert all(width_of(drawn) <= width for drawn in lines)


@given(usage=usages(), width=st.integers(1, 130), rows=st.integers(1, 20))
def test_in_ascii_everything_is_ascii(usage: Usage, width: int, rows: int) -> None:
    assert all(text.isascii() for text in plain(burn_up(usage, width, rows, ASCII), ASCII))


@given(usage=usages(), width=st.integers(24, 130), rows=st.integers(2, 20))
def test_the_curve_never_falls(usage: Usage, width: int, rows: int) -> None:
    lines = burn_up(usage, width, rows, ASCII)[:-1]
    curve = [[role == "curve" for role in roles(drawn[2:])] for drawn in lines]
    tops = [column.index(True) for column in zip(*curve) if True in column]
    assert tops
    assert tops == sorted(tops, reverse=True)
