"""Traps that other monitors of Claude Code's usage fall into: a test each, by what ours does."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import pytz

from monitor.model.blocks import SESSION, TokenCounts
from monitor.model.history import CompletedBlock, History
from monitor.model.plans import Rules
from monitor.model.reading import Reading
from monitor.model.sentence import summary, warnings
from monitor.model.usage import Usage, measure
from monitor.views.line import one_line
from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.snapshot import snapshot
from monitor.views.style import UNICODE, Style
from tests.samples import (
    EXCEEDED,
    HISTORY,
    IDLE,
    NOW,
    OK,
    RULES,
    RUNS_OUT,
    SAMPLES,
    START,
    WARMING_UP,
    active,
    block_of,
    events_over,
    past_block,
    reading_of,
    usage_in,
    usage_of,
)


def screen(usage: Usage, width: int = 80, height: int = 24) -> str:
    lines = frame(usage, width, height, DisplayOptions(Style()))
    return "\n".join("".join(span.text for span in spans) for spans in lines)


def line(usage: Usage) -> str:
    return "".join(span.text for span in one_line(usage, 120, UNICODE))


def with_cache(reading: Reading, tokens: int) -> Reading:
    *past, block = reading.blocks
    counts = block.tokens._replace(cache_creation=tokens, cache_read=tokens)
    return replace(reading, blocks=(*past, replace(block, tokens=counts)))


def test_cache_tokens_move_neither_percentage_nor_limit_nor_rate() -> None:
    few, many = (usage_of(with_cache(OK, n), Rules(plan="pro")) for n in (0, 10**9))
    assert (few.headline, few.limit, few.burn) == (many.headline, many.limit, many.burn)
    assert line(few) == line(many)


def test_the_reset_is_the_blocks_end_not_an_hour_of_a_fixed_list() -> None:
    events = tuple(e._replace(at=e.at + timedelta(hours=1)) for e in events_over(60, 9_000))
    usage = usage_of(active(events))
    assert usage.block is not None
    assert usage.reset.at == usage.block.start + SESSION == START + timedelta(hours=6)


def test_custom_max_follows_the_history_while_it_runs() -> None:
    rules = Rules(plan="custom_max")
    grown = History((*HISTORY.completed, CompletedBlock(past_block(1, 50_000, hour=3))), NOW)
    before, after = (measure(IDLE, history, rules, NOW) for history in (HISTORY, grown))
    assert (before.limit.tokens, after.limit.tokens) == (30_500, 50_000)


def test_custom_max_is_never_more_than_was_ever_used() -> None:
    counts = [21_000, 30_500, 26_200, 230_000]
    history = History(
        tuple(CompletedBlock(past_block(i + 1, n)) for i, n in enumerate(counts)), NOW
    )
    assert measure(IDLE, history, Rules(plan="custom_max"), NOW).limit.tokens == 230_000


@pytest.mark.parametrize("state", SAMPLES)
def test_reassurance_and_alarm_are_never_on_one_screen(state: str) -> None:
    usage = usage_in(state)
    shown = screen(usage)
    reassuring = re.search("reset .* comes first", shown)
    alarming = re.search("reach the limit|Past |used up|limit reached|RUNS OUT|TIGHT", shown)
    assert not (reassuring and alarming)


def test_a_bar_past_100_percent_shows_how_far_and_is_as_long_as_the_other() -> None:
    rows = screen(usage_of(EXCEEDED)).split("\n")
    tokens, time = (
        next(row for row in rows if row.startswith(f" {n}")) for n in ("Tokens", "Time")
    )
    whole = time.count("━") + time.count("─")
    assert tokens.count("█") + tokens.count("┃") + tokens.count("▒") == whole
    assert tokens.count("█") == pytest.approx(whole / 1.372, abs=1)
    assert "137 %" in tokens


def test_three_idle_hours_leave_no_rate_and_nothing_to_run_out() -> None:
    reading = active(events_over(60, 30_000))
    usage = measure(reading, HISTORY, RULES, START + timedelta(hours=4, minutes=20))
    assert usage.burn.tokens_per_minute == 0
    assert usage.forecast.runs_out_at is None
    assert "Pace      0 tokens/min" in screen(usage)
    assert "without a break" not in screen(usage)
    assert "The reset at 17:00 comes first" in screen(usage)


def test_the_window_of_the_rate_is_named() -> None:
    assert "last 60 min" in screen(usage_of(OK))
    young = measure(WARMING_UP, HISTORY, RULES, NOW + timedelta(minutes=18))
    assert young.burn.window_minutes == pytest.approx(21.6, abs=0.1)
    assert "last 22 min" in screen(young)
    assert "average of the block" in screen(usage_of(replace(OK, events=None)))


def test_screen_and_snapshot_give_one_forecast() -> None:
    usage = usage_of(RUNS_OUT)
    data = snapshot(usage)["forecast"]
    assert data["runs_out_at"] == "2026-06-10T19:08:04.144Z"
    assert data["local"] == "2026-06-10T15:08:04-04:00"
    assert "without a break at 15:08" in screen(usage)
    chance = f"{100 * data['probability']:.0f} % chance"
    assert chance in summary(usage) and chance in line(usage)
    assert "15:08" not in summary(usage) + line(usage)


def test_158_percent_of_the_limit_is_said_everywhere() -> None:
    usage = usage_of(active(events_over(138, 55_300)))
    assert summary(usage).startswith("Past the estimate of 35,000 since ")
    assert "PAST ESTIMATE" in screen(usage) and "20,300 past it" in screen(usage)
    assert "158 %" in screen(usage)
    assert "158 %" in line(usage) and "20,300 past the limit" in line(usage)
    assert warnings(usage) == ()


def test_the_line_is_in_the_zone_that_was_asked_for() -> None:
    kathmandu = replace(RULES, zone=pytz.timezone("Asia/Kathmandu"))
    assert "resets 02:45" in line(usage_of(OK, kathmandu))
    assert "resets 17:00" in line(usage_of(OK))


def test_the_line_counts_the_same_tokens_as_the_screen() -> None:
    usage = usage_of(with_cache(EXCEEDED, 10**9))
    assert "13,020 past the limit" in line(usage) and "13,020 past it" in screen(usage)


def test_durations_are_never_cut_to_hours() -> None:
    usage = measure(OK, HISTORY, RULES, START + timedelta(hours=3, minutes=24))
    assert "~1 h 40 min" in screen(usage)
    exact = measure(replace(OK, events=None), HISTORY, RULES, usage.now)
    assert "in 1 h 36 min" in screen(exact)


def test_a_rate_has_no_thousandths() -> None:
    events = events_over(138, 861_339)
    usage = usage_of(active(events), Rules(token_limit=2_000_000))
    assert usage.burn.tokens_per_minute != round(usage.burn.tokens_per_minute or 0)
    assert re.search(r"Pace      \d,\d{3} tokens/min", screen(usage))


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        (RULES, "plan estimate of mid-2025"),
        (Rules(token_limit=44_000), "your token limit"),
        (Rules(plan="custom_max"), "highest of 3 blocks, 2026-06-08"),
        (Rules(plan="pro"), "pro limit passed; using your highest block of 2026-06-08"),
    ],
)
def test_the_limits_source_is_named(rules: Rules, named: str) -> None:
    assert named in screen(usage_of(OK, rules))


@pytest.mark.parametrize(
    ("rules", "named"), [(RULES, "end of block"), (replace(RULES, reset_hour=9), "your reset hour")]
)
def test_the_resets_source_is_named(rules: Rules, named: str) -> None:
    assert named in screen(usage_of(OK, rules))


def test_of_two_active_blocks_the_one_that_contains_now_is_shown() -> None:
    now_block = block_of(events_over(138, 9_000))
    for hours in (3, 5, 24):
        future = replace(
            now_block,
            id="future",
            start=START + timedelta(hours=hours),
            end=START + timedelta(hours=hours) + SESSION,
            tokens=TokenCounts(0, 90_000),
        )
        for blocks in ((now_block, future), (future, now_block)):
            assert usage_of(reading_of(*blocks)).block == now_block


def test_a_reset_after_midnight_is_tomorrow_until_midnight() -> None:
    moscow = replace(RULES, zone=pytz.timezone("Europe/Moscow"))
    before, after = (
        measure(OK, HISTORY, moscow, START + timedelta(hours=hours)) for hours in (4.9, 5)
    )
    assert "resets tomorrow 00:00" in line(before)
    assert "last ended 00:00" in line(after)
