"""The live screen: golden frames at several sizes, and what holds at every size.

`UPDATE_SCREENS=1 pytest tests/views` writes the golden frames anew; look at the difference.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple, Optional

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from monitor.model.accounts import AccountUsage
from monitor.model.forecast import Forecast
from monitor.model.official import OfficialLimits
from monitor.model.plans import Rules
from monitor.model.reading import Reading
from monitor.model.reset import Reset
from monitor.model.sentence import summary, warnings
from monitor.model.usage import Usage, measure
from monitor.views.line import one_line
from monitor.views.screen.dashboard import DisplayOptions, frame, message
from monitor.views.states import role
from monitor.views.states import word as state_word
from monitor.views.style import ASCII, UNICODE, Style
from monitor.views.text import Line
from tests.golden import SCREENS, assert_as_recorded
from tests.samples import (
    EXCEEDED,
    IDLE,
    LIMIT_REACHED,
    NOW,
    OFFICIAL,
    OK,
    RULES,
    RUNS_OUT,
    SAMPLES,
    STATES,
    TIGHT,
    active,
    events_over,
    official_limits,
    usage_in,
    usage_of,
    week_that_runs_out,
    with_source,
)


class Screen(NamedTuple):
    """A golden frame: of which sample, how large, for which wishes."""

    state: str
    width: int
    height: int
    rules: Optional[Rules] = None
    look: DisplayOptions = DisplayOptions(Style())
    roles: bool = False


ONCE = DisplayOptions(Style(), live=False)
PLAIN = DisplayOptions(Style(ASCII))
NO_COST = DisplayOptions(Style(), show_cost=False)

ACCOUNTS = DisplayOptions(
    Style(),
    account="work",
    accounts=(
        AccountUsage("private", usage_in("week-near")),
        AccountUsage("work", usage_in("runs-out")),
        AccountUsage("a client's account", usage_in("stopped")),
        AccountUsage("new", usage_in("idle")),
        AccountUsage("gone", error="No Claude data directory: /home/you/.claude-gone not found."),
        AccountUsage("slow"),
    ),
)

WIDE = ("ok", "runs-out", "exceeded", "idle", "official", "stopped", "unpriced")

GOLDEN = {
    **{f"{state}-80x24": Screen(state, 80, 24) for state in SAMPLES},
    **{f"{state}-40x20": Screen(state, 40, 20) for state in SAMPLES},
    **{f"{s}-120x40": Screen(s, 120, 40) for s in WIDE},
    **{f"{s}-60x12": Screen(s, 60, 12) for s in ("tight", "stale")},
    **{f"{s}-20x5": Screen(s, 20, 5) for s in ("ok", "runs-out", "exceeded", "idle")},
    **{
        f"{s}-80x1": Screen(s, 80, 1)
        for s in ("ok", "runs-out", "exceeded", "limit-reached", "idle", "empty", "stale")
    },
    "runs-out-80x24-roles": Screen("runs-out", 80, 24, roles=True),
    "exceeded-80x24-roles": Screen("exceeded", 80, 24, roles=True),
    "nearly-used-80x24-roles": Screen("nearly-used", 80, 24, roles=True),
    "week-near-80x24-roles": Screen("week-near", 80, 24, roles=True),
    "first-ever-passed-80x24-roles": Screen("first-ever-passed", 80, 24, roles=True),
    "stale-80x24-ascii": Screen("stale", 80, 24, look=PLAIN),
    "tight-40x20-ascii": Screen("tight", 40, 20, look=PLAIN),
    "runs-out-80x24-12-hours": Screen("runs-out", 80, 24, replace(RULES, twelve_hour=True)),
    "runs-out-80x24-no-cost": Screen("runs-out", 80, 24, look=NO_COST),
    "accounts-80x24": Screen("runs-out", 80, 24, look=ACCOUNTS),
    "accounts-120x40": Screen("runs-out", 120, 40, look=ACCOUNTS),
    "accounts-40x20": Screen("runs-out", 40, 20, look=ACCOUNTS),
    "accounts-80x1": Screen("runs-out", 80, 1, look=ACCOUNTS),
    "accounts-80x24-ascii": Screen("runs-out", 80, 24, look=replace(ACCOUNTS, style=Style(ASCII))),
    "ok-80x24-once": Screen("ok", 80, 24, look=ONCE),
    "ok-80x24-pro-passed": Screen("ok", 80, 24, replace(RULES, plan="pro")),
    "ok-80x24-custom-max": Screen("ok", 80, 24, replace(RULES, plan="custom_max")),
    "ok-80x24-own-limit": Screen("ok", 80, 24, replace(RULES, token_limit=44_000)),
    "ok-80x24-reset-hour": Screen("ok", 80, 24, replace(RULES, reset_hour=9)),
    "idle-80x24-reset-hour": Screen("idle", 80, 24, replace(RULES, reset_hour=9)),
}


def lines_of(screen: Screen) -> list[Line]:
    usage = usage_in(screen.state, screen.rules)
    return frame(usage, screen.width, screen.height, screen.look)


def drawn(screen: Screen) -> str:
    """The frame as its reader sees it, or with the roles' names in the place of colours."""
    if not screen.roles:
        lines = [screen.look.style.paint(spans) for spans in lines_of(screen)]
    else:
        lines = ["".join(map(marked, spans)) for spans in lines_of(screen)]
    return "\n".join(text.rstrip() for text in lines) + "\n"


def marked(span: tuple[str, str]) -> str:
    text, role = span
    return f"<{role}>{text}</>" if role and text else text


def text_of(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in spans) for spans in lines)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_frame_looks_as_recorded(name: str) -> None:
    assert_as_recorded(name, drawn(GOLDEN[name]))


def test_no_two_golden_frames_are_the_same() -> None:
    frames = [path.read_text(encoding="utf-8") for path in SCREENS.glob("*.txt")]
    assert len(frames) >= len(GOLDEN)
    assert len(set(frames)) == len(frames)


STYLES = st.sampled_from([UNICODE, ASCII]).map(Style)
LOOKS = st.builds(DisplayOptions, STYLES, st.booleans(), st.booleans())
ALL_RULES = st.builds(
    replace,
    st.just(RULES),
    plan=st.sampled_from(["pro", "max5", "max20", "custom_max"]),
    token_limit=st.sampled_from([None, None, 1, 44_000, 10**12]),
    reset_hour=st.none() | st.integers(0, 23),
    twelve_hour=st.booleans(),
)
READINGS = st.sampled_from(list(STATES.values()))
HUGE = active(events_over(138, 10**15))


@given(
    reading=READINGS | st.just(HUGE),
    rules=ALL_RULES,
    official=st.none() | st.sampled_from(list(OFFICIAL.values())),
    look=LOOKS,
    width=st.integers(1, 200),
    height=st.integers(1, 60),
)
def test_a_frame_is_never_wider_or_taller_than_the_screen(
    reading: Reading,
    rules: Rules,
    official: Optional[OfficialLimits],
    look: DisplayOptions,
    width: int,
    height: int,
) -> None:
    lines = frame(usage_of(reading, rules, official), width, height, look)
    painted = [look.style.paint(spans) for spans in lines]
    assert 1 <= len(lines) <= height
    assert max(wcswidth(text) for text in painted) <= width
    assert look.style.glyphs is UNICODE or all(text.isascii() for text in painted)


@given(
    sentences=st.lists(st.text("ab日 ", max_size=90), min_size=1, max_size=4),
    width=st.integers(1, 200),
    height=st.integers(1, 60),
    hint=st.sampled_from(["", "q or Ctrl+C to leave"]),
)
def test_a_message_is_never_wider_or_taller_than_the_screen(
    sentences: list[str], width: int, height: int, hint: str
) -> None:
    lines = message(DisplayOptions(Style()), sentences, width, height, hint)
    assert 1 <= len(lines) <= height
    assert max(wcswidth(text) for text in text_of(lines).split("\n")) <= width


def test_a_message_says_what_is_wrong_what_to_do_and_how_to_leave() -> None:
    lines = message(DisplayOptions(Style()), ["It failed.", "Mend it."], 40, 10, "q to leave")
    assert text_of(lines).split("\n") == [
        " Claude Code",
        "",
        " It failed.",
        " Mend it.",
        " q to leave",
    ]


def test_a_message_in_one_row_is_its_first_sentence() -> None:
    assert (
        text_of(message(DisplayOptions(Style()), ["It failed.", "Mend it."], 40, 1)) == "It failed."
    )


@pytest.mark.parametrize("state", SAMPLES)
@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 20), (120, 40)])
def test_the_answer_comes_first_and_whole(state: str, width: int, height: int) -> None:
    usage = usage_in(state)
    shown = text_of(frame(usage, width, height, DisplayOptions(Style())))
    assert summary(usage) in " ".join(shown.replace(state_word(usage), "").split())


@pytest.mark.parametrize("state", SAMPLES)
def test_every_warning_is_shown_whole_at_80x24_and_at_40x20(state: str) -> None:
    usage = usage_in(state)
    for width, height in ((80, 24), (40, 20)):
        # A long path may be broken, but nothing of it is lost.
        shown = "".join(text_of(frame(usage, width, height, DisplayOptions(Style()))).split())
        assert all("".join(text.split()) in shown for text in warnings(usage))


@pytest.mark.parametrize("height", range(2, 25))
def test_as_the_height_shrinks_the_answer_stays(height: int) -> None:
    for reading in (OK, TIGHT, RUNS_OUT, EXCEEDED, IDLE):
        usage = usage_of(reading)
        shown = " ".join(text_of(frame(usage, 80, height, DisplayOptions(Style()))).split())
        assert summary(usage)[:60] in shown


@pytest.mark.parametrize(
    ("reading", "word"),
    [(EXCEEDED, "PAST ESTIMATE"), (LIMIT_REACHED, "LIMIT REACHED"), (IDLE, "IDLE"), (OK, "OK")],
)
def test_the_word_for_the_severity_stands_beside_the_answer(reading: object, word: str) -> None:
    shown = text_of(frame(usage_of(reading), 80, 24, DisplayOptions(Style())))  # type: ignore[arg-type]
    assert any(line.rstrip().endswith(f"  {word}") for line in shown.split("\n")[:5])


def row(usage: Usage, name: str) -> str:
    lines = text_of(frame(usage, 120, 40, DisplayOptions(Style()))).split("\n")
    return next(line[11:] for line in lines if line.startswith(f" {name} "))


def test_a_number_never_touches_its_bar() -> None:
    usage = usage_of(OK)
    little = replace(usage, five_hour=replace(usage.five_hour, used_percent=0.3))
    assert row(little, "Tokens").rstrip().endswith("░    < 1 %")


def test_running_out_after_midnight_is_tomorrow() -> None:
    later = NOW.replace(hour=4, minute=0, second=0) + timedelta(days=1)
    foretold = Forecast("runs_out", later, 100.0, 0.8, earliest=later)
    usage = replace(usage_of(OK), forecast=foretold)
    assert row(usage, "Runs out").startswith("without a break tomorrow 00:00")


@pytest.mark.parametrize(
    ("zone", "span"),
    [
        ("US/Eastern", "17:00–17:15, in ~2 h 30 min "),
        ("Asia/Calcutta", "02:30–02:45, in ~2 h 30 min "),
        ("Europe/Moscow", "tomorrow 00:00–00:15, in ~2 h 30 min "),
        ("Asia/Tehran", "tomorrow 00:30–00:45, in ~2 h 30 min "),
        ("Africa/Cairo", "tomorrow 00:00–00:15, in ~2 h 30 min "),
        ("Africa/Johannesburg", "23:00–23:15, in ~2 h 30 min "),
    ],
)
def test_the_span_of_the_reset_names_a_day_once(zone: str, span: str) -> None:
    usage = usage_of(OK, replace(RULES, zone=pytz.timezone(zone)))
    assert row(usage, "Resets").startswith(span)


def test_a_span_of_the_reset_over_midnight_names_the_day_where_it_begins() -> None:
    first, last = (NOW.replace(hour=h, minute=m, second=0) for h, m in ((20, 50), (21, 5)))
    usage = usage_of(OK, replace(RULES, zone=pytz.timezone("Europe/Moscow")))
    usage = replace(usage, reset=Reset(first, "block_end", last))
    assert row(usage, "Resets").startswith("23:50–tomorrow 00:05, in ~2 h 20 min ")


@pytest.mark.parametrize(
    ("state", "value", "note"),
    [
        ("ok", "6 % chance before the reset", "not at this pace"),
        ("tight", "without a break at 16:38", ""),
        ("runs-out", "without a break at 15:08", ""),
        ("nearly-used", "not known yet", ""),
    ],
)
def test_the_forecast_and_the_pace_are_two_statements(state: str, value: str, note: str) -> None:
    shown = row(usage_in(state), "Runs out").rstrip()
    assert (shown[: len(value)], shown[len(value) :].strip()) == (value, note)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40)])
def test_no_row_jumps_while_the_sentence_changes(width: int, height: int) -> None:
    def names(state: str) -> dict[str, int]:
        shown = text_of(frame(usage_in(state), width, height, DisplayOptions(Style())))
        return {
            text[:8].strip(): at for at, text in enumerate(shown.split("\n")) if text[1:2] > "@"
        }

    places = [names(state) for state in ("ok", "tight", "runs-out", "warming-up", "nearly-used")]
    for name in ("Tokens", "Time", "Used", "Resets"):
        assert len({place[name] for place in places}) == 1


def test_where_a_week_leads_a_passed_estimate_is_named_as_that_of_the_five_hours() -> None:
    usage = usage_of(
        EXCEEDED, official=official_limits(None, week_that_runs_out(timedelta(hours=1)))
    )
    assert usage.headline.window == "seven_day" and usage.still_answered
    assert row(usage, "Runs out").startswith("5-hour limit: not known, as your true limit is")


def test_the_sentence_and_its_word_have_the_colour_of_the_severity() -> None:
    for state in SAMPLES:
        usage = usage_in(state)
        _, _, *rest = frame(usage, 200, 24, DisplayOptions(Style()))
        roles = {span.role for spans in rest[:2] for span in spans if span.text.strip()}
        assert roles == ({role(usage)} if role(usage) != "dim" else {"strong", "dim"})


def test_a_limit_that_leads_is_a_bar_of_its_severity_and_the_others_are_plain() -> None:
    def colour(state: str, name: str) -> str:
        lines = frame(usage_in(state), 80, 24, DisplayOptions(Style()))
        spans = next(spans for spans in lines if spans and spans[0].text.strip() == name)
        return next(span.role for span in spans[1:] if span.text)

    assert (colour("week-first", "5-hour"), colour("week-first", "Week")) == ("likely", "alarm")
    assert (colour("week-near", "5-hour"), colour("week-near", "Week")) == ("likely", "warn")
    assert (colour("official", "5-hour"), colour("official", "Week")) == ("alarm", "likely")
    assert colour("stopped-opus", "Opus") == "alarm"


def test_only_a_default_that_is_a_mere_guess_names_the_ways_to_a_better_limit() -> None:
    hinted = {
        state
        for state in SAMPLES
        if "--plan" in text_of(frame(usage_in(state), 80, 40, DisplayOptions(Style())))
    }
    assert hinted == {"first-ever", "first-ever-passed"}


def test_a_cost_that_leaves_a_model_out_is_named_and_never_zero() -> None:
    usage = usage_in("unpriced")
    assert row(usage, "Cost").startswith("$12.40 and opus-5.5, which ccusage 20.0.24 has no price")
    nothing = replace(usage, block=replace(usage.block, cost_usd=0.0))  # type: ignore[type-var]
    assert row(nothing, "Cost").startswith("opus-5.5, which ccusage 20.0.24 has no price for")
    for look in (DisplayOptions(Style()), NO_COST):
        assert "$0.00" not in text_of(frame(nothing, 120, 40, look))
    assert "Spent" not in text_of(frame(usage, 120, 40, DisplayOptions(Style())))
    assert row(usage_in("ok"), "Spent").startswith("$12.40 today · $31.00 in 7 days ")


def test_costs_are_hidden_when_they_are_not_wanted() -> None:
    for width, height in ((120, 40), (80, 24), (40, 20)):
        assert "$" not in text_of(frame(usage_of(OK), width, height, NO_COST))


def test_one_frame_says_nothing_of_keys() -> None:
    assert "Ctrl+C" not in text_of(frame(usage_of(OK), 80, 24, ONCE))


def test_escape_sequences_in_what_ccusage_says_are_shown_not_obeyed() -> None:
    source = with_source(IDLE, ccusage_version="\x1b[2J", data_dirs=("/home/\x1b]0;x\x07",))
    hostile = replace(source, error="\x1b[H.")
    shown = text_of(frame(usage_of(hostile), 80, 24, DisplayOptions(Style())))
    assert "\x1b" not in shown and "\x07" not in shown


def test_a_limit_that_is_looked_up_is_no_percentage_yet() -> None:
    usage = measure(OK, None, replace(RULES, plan="pro"), NOW)
    lines = frame(usage, 80, 24, DisplayOptions(Style()))
    shown = "\n".join("".join(span.text for span in line) for line in lines)
    assert "NO FORECAST" in shown and "9,000 tokens " in shown
    assert "looking up your highest block" in shown
    bar = next(row for row in shown.splitlines() if row.startswith(" Tokens"))
    assert bar.endswith("… ") and "█" not in bar
    assert "limit 7k" not in shown
    assert "".join(span.text for span in one_line(usage, 80, UNICODE)).startswith("9,000 used")
