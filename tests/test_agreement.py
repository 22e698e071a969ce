"""Screen, line and snapshot are made from one Usage: they never disagree, and are never absurd.

What is expected is worked out anew from the snapshot: no formula of the model checks itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

import jsonschema
import pytz
from hypothesis import assume, example, given
from hypothesis import strategies as st

from monitor.model.blocks import SESSION, Block, Event, TokenCounts
from monitor.model.formatting import percent
from monitor.model.history import CompletedBlock, History
from monitor.model.official import Capture, OfficialLimits, RateLimitWindow
from monitor.model.plans import Rules
from monitor.model.reading import DataSize, Reading, Source
from monitor.model.usage import Usage, measure
from monitor.views.line import FIELDS, one_line
from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.snapshot import snapshot
from monitor.views.states import STATES as SCREEN_STATES
from monitor.views.style import UNICODE, Style
from tests.samples import HISTORY, STATES, official_limits, usage_in, usage_of
from tests.views.test_snapshot import SCHEMA

WIDTH, HEIGHT = 120, 40
BARS = ("Weekly", "Tokens", "Limit", "Time")

ANSWERS = {
    "ok": ("The reset ",),
    "tight": ("Tight: ", "It may get tight: "),
    "runs_out": ("You'll ", "You are at the limit; "),
    "exceeded": ("Over the limit",),
    "unknown": ("Just started: ",),
}

# Blocks with a change of clocks or a midnight in them, and one on a plain afternoon.
PLACES = st.sampled_from(
    [
        (datetime(2026, 3, 8, 4, tzinfo=timezone.utc), "US/Eastern"),
        (datetime(2026, 10, 25, 0, tzinfo=timezone.utc), "Europe/Warsaw"),
        (datetime(2026, 12, 31, 21, tzinfo=timezone.utc), "UTC"),
        (datetime(2026, 6, 10, 15, tzinfo=timezone.utc), "Asia/Kathmandu"),
        (datetime(2026, 10, 3, 13, tzinfo=timezone.utc), "Australia/Lord_Howe"),
        (datetime(2026, 6, 10, 16, tzinfo=timezone.utc), "US/Eastern"),
    ]
)
COUNTS = st.sampled_from([0, 1, 40, 700, 5_000]) | st.integers(0, 10**6)
MINUTES = st.floats(0, 300)


@st.composite
def histories(draw: st.DrawFn, start: datetime) -> Optional[History]:
    """The completed blocks of other days; sometimes none, sometimes not known yet."""
    if draw(st.booleans()):
        return None
    days = draw(st.lists(st.integers(1, 30), max_size=4, unique=True))
    blocks = [completed(start - timedelta(days=day), draw(COUNTS)) for day in sorted(days)[::-1]]
    return History(tuple(CompletedBlock(block) for block in blocks))


def completed(start: datetime, counted: int) -> Block:
    return Block(
        *(f"{start}", start, start + SESSION, start + timedelta(hours=2), False, False, 9),
        *(TokenCounts(0, counted), None, ()),
    )


def block_of(start: datetime, events: tuple[Event, ...]) -> Block:
    counted = sum(event.tokens for event in events)
    return Block(
        *("b", start, start + SESSION, events[-1].at, True, False, len(events)),
        tokens=TokenCounts(counted // 3, counted - counted // 3, 900, 80_000),
        cost_usd=12.4,
        models=("claude-opus-4-8",),
    )


@st.composite
def readings(
    draw: st.DrawFn, start: datetime, now: datetime, ages: st.SearchStrategy[float], *, whole: bool
) -> Reading:
    """What ccusage may have said shortly before `now`, with messages of these ages in minutes."""
    read_at = now - timedelta(seconds=draw(st.sampled_from([0.0, 2.0, 40.0])))
    at = {now - timedelta(minutes=age) for age in draw(st.lists(ages, min_size=1, max_size=8))}
    inside = sorted(when for when in at if start <= when < min(read_at, start + SESSION))
    events = tuple(
        Event(when, draw(COUNTS), draw(st.sampled_from([None, 0.25]))) for when in inside
    )
    block = block_of(start, events) if events else None
    minutes_in = draw(st.sampled_from([None, None, None, 30.0, 290.0]))
    if block and minutes_in and not whole:
        block = replace(block, limit_reset=start + timedelta(minutes=minutes_in))
    failed = draw(st.booleans())
    return Reading(
        blocks=(block,) if block else (),
        read_at=read_at,
        source=Source(
            ccusage_version=draw(st.sampled_from([None, "15.9.7", "18.0.11", "20.0.24"])),
            data_dirs=("/home/you/.claude",),
            size=DataSize(len(events), 1_000),
        ),
        events=events if whole else draw(st.sampled_from([events, events[1:], None])),
        error="ccusage did not answer within 20 s." if failed else None,
    )


@st.composite
def windows(draw: st.DrawFn, start: datetime, now: datetime, days: int) -> RateLimitWindow:
    """What Claude Code has said of one official limit, up to some minutes ago."""
    ages = sorted(draw(st.lists(st.floats(0, 200), min_size=1, max_size=4)), reverse=True)
    sights = sorted(draw(st.floats(0, 105) | st.integers(0, 99)) for _ in ages)
    captures = tuple(Capture(now - timedelta(minutes=a), p) for a, p in zip(ages, sights))
    resets_at = start + SESSION + timedelta(minutes=draw(st.floats(0, 59)), days=days)
    last = captures[-1]
    return RateLimitWindow(
        last.used_percent, draw(st.sampled_from([resets_at, None])), last.at, captures
    )


@st.composite
def official(draw: st.DrawFn, start: datetime, now: datetime) -> Optional[OfficialLimits]:
    five_hour = draw(st.none() | windows(start, now, 0))
    seven_day = draw(st.none() | windows(start, now, 3))
    return draw(st.sampled_from([None, official_limits(five_hour, seven_day)]))


@st.composite
def usages(
    draw: st.DrawFn,
    minute: st.SearchStrategy[float] = st.floats(-40, 340),  # noqa: B008
    ages: st.SearchStrategy[float] = MINUTES,
    *,
    limit: Optional[int] = None,
    whole: bool = False,
) -> Usage:
    """Any usage, `minute` minutes after its block began; `whole` has an exact series."""
    start, zone = draw(PLACES)
    now = start + timedelta(minutes=draw(minute))
    reading = draw(readings(start, now, ages, whole=whole))
    used = sum(block.tokens.counted for block in reading.blocks)
    near = st.floats(0.5, 5).map(lambda share: max(1, round(share * used)))
    rules = Rules(
        plan=draw(st.sampled_from(["pro", "max5", "max20", "custom_max"])),
        token_limit=limit or draw(st.none() | near | st.sampled_from([1, 10**9, max(1, used)])),
        reset_hour=draw(st.none() | st.integers(0, 23)),
        zone=pytz.timezone(zone),
        twelve_hour=draw(st.booleans()),
    )
    limits = None if limit else draw(official(start, now))
    return measure(reading, draw(histories(start)), rules, now, limits)


ACTIVE = usages(st.floats(1, 299.9))
IDLE = usages(st.floats(-40, -1) | st.floats(300, 340))
YOUNG = usages(st.floats(6, 299.9), st.floats(0.8, 4.9), whole=True)
OVER = usages(st.floats(10, 299.9), st.floats(0, 10), limit=1)
FORESEEN = usages(st.floats(10, 299.9), st.floats(5.1, 300), whole=True)


@dataclass(frozen=True)
class Output:
    """All that is said of one usage: the screen's rows by their names, the line, the snapshot."""

    usage: Usage
    rows: dict[str, str]
    text: str
    line: str
    data: dict[str, Any]

    @property
    def is_weekly(self) -> bool:
        """Whether the seven-day limit has the sentence."""
        return self.sentence.startswith(("The weekly limit", "Weekly limit"))

    @property
    def used_bar(self) -> str:
        if self.sentence.startswith("Weekly limit reached"):
            return self.rows["Weekly"]
        return self.rows["Limit" if self.usage.headline.window else "Tokens"]

    @property
    def sentence(self) -> str:
        return str(self.data["headline"]["sentence"])


def output_of(usage: Usage) -> Output:
    lines = frame(usage, WIDTH, HEIGHT, DisplayOptions(Style()))
    texts = ["".join(span.text for span in spans) for spans in lines]
    rows = {text[1:11].strip(): text[11:] for text in texts if text[1:2].isalpha()}
    rows.update({name: text for text in texts for name in BARS if f" {name} " in text[:8]})
    line = "".join(span.text for span in one_line(usage, WIDTH, UNICODE))
    return Output(usage, rows, "\n".join(texts), line, snapshot(usage))


def moment(text: Optional[str]) -> Optional[datetime]:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def on_the_clock(usage: Usage, text: Optional[str]) -> str:
    """A moment of the snapshot as a person in the zone would write it, `tomorrow` included."""
    when, now = moment(text), usage.now.astimezone(usage.rules.zone)
    assert when is not None
    exact = when + timedelta(seconds=30)
    local = exact.replace(second=0, microsecond=0).astimezone(usage.rules.zone)
    days = (local.date() - now.date()).days
    names = {0: "", 1: "tomorrow ", -1: "yesterday "}
    hour = (local.hour - 1) % 12 + 1 if usage.rules.twelve_hour else local.hour
    half = f" {'PM' if local.hour >= 12 else 'AM'}" if usage.rules.twelve_hour else ""
    clock = f"{hour}:{local:%M}{half}" if half else f"{hour:02}:{local:%M}"
    return f"{names.get(days, f'{local.date()} ')}{clock}"


def percent_in(text: str) -> str:
    found = re.search(r"(under 1|\d+) %", text.replace("< 1", "under 1"))
    assert found, text
    return found[0]


def span_of(text: str) -> timedelta:
    """A duration in words as a time span."""
    if text.startswith("under a minute"):
        return timedelta(seconds=30)
    units = {"d": "days", "h": "hours", "min": "minutes"}
    found = re.findall(r"(\d+) (d|h|min)\b", text)
    assert found, text
    return sum((timedelta(**{units[u]: int(n)}) for n, u in found), timedelta())


def numbers(value: Any) -> Iterator[float]:
    """Every number of the snapshot."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from numbers(inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


def is_forecasting(output: Output) -> bool:
    return bool(output.data["status"] == "active")


@given(ACTIVE)
def test_the_used_percentage_is_the_same_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    assume(is_forecasting(output))
    used = output.data["headline"]["used_percent"]
    word = percent_in(output.used_bar)
    assert word == percent_in(output.line)
    assert abs(float(word.replace("under 1", "0.5")[:-2]) - used) <= 1


@given(ACTIVE)
def test_what_is_left_is_the_same_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    assume(is_forecasting(output) and not usage.headline.window)
    assert output.data["headline"]["used_percent"] == output.data["limit"]["used_percent"]
    limit, counted = output.data["limit"], output.data["tokens"]["counted"]
    left = f"{limit['tokens_left']:,} left"
    if limit["exceeded"]:
        left = f"{counted - limit['tokens']:,} over"
    assert f" {left}" in output.rows["Used"]
    assert f" {left} " in output.line
    assert output.rows["Used"].startswith(f"{counted:,} of ")
    assert limit["tokens_left"] == max(0, limit["tokens"] - counted)


@given(usages())
def test_the_reset_is_at_the_same_minute_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    at = output.data["reset"]["at"]
    if at is None:
        assert "Resets" not in output.rows and "resets" not in output.line
        return
    when = on_the_clock(usage, at)
    assert output.rows["Resets"].startswith(when)
    # A weekly limit that is reached resets at its own time, whatever the hour of one's own.
    assert f"resets {when}" in output.line or usage.is_weekly_reached
    assert moment(output.data["reset"]["local"]) == (moment(at) or usage.now).replace(microsecond=0)
    # A sentence on running out tells how long before the reset that is, not when that is.
    elsewhere = usage.block is None or output.is_weekly or " before the reset." in output.sentence
    assert elsewhere or when in output.sentence or "likely comes first" in output.sentence


@given(FORESEEN | usages())
def test_it_runs_out_at_the_same_minute_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    forecast = output.data["forecast"]
    assert forecast["before_reset"] is (forecast["runs_out_at"] is not None)
    if forecast["runs_out_at"] is None:
        assert output.is_weekly or "runs out" not in output.line
        assert "hits the limit" not in output.sentence
        assert "at this pace" not in output.rows.get("Runs out", "").replace("not at this pace", "")
        return
    when = on_the_clock(usage, forecast["runs_out_at"])
    assert output.rows["Runs out"].startswith(f"{when} at this pace")
    assert output.is_weekly or f" · runs out {when} " in output.line
    assert when in output.sentence or output.is_weekly or "You are at the limit" in output.sentence


@given(usages())
def test_the_verdict_is_the_same_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    status, verdict = output.data["status"], output.data["forecast"]["verdict"]
    key = verdict if status == "active" else status
    if status == "active" and output.is_weekly:
        key = "weekly"
        assert "weekly limit runs out " in output.line
    assert SCREEN_STATES[key].word in output.text
    reached = ("limit reached", "weekly limit reached")
    assert output.line.startswith(reached) == (status == "limit_reached")
    assert "unknown time" not in output.sentence
    answers = {"idle": ("No ",), "limit_reached": ("Limit reached", "Weekly limit reached")}
    unknown = "too little was used here for a forecast." in output.sentence
    expected = answers.get(status, ANSWERS[verdict])
    assert output.sentence.startswith((*expected, "The weekly limit comes first")) or unknown
    assert output.sentence in " ".join(output.text.replace(SCREEN_STATES[key].word, " ").split())
    assert not unknown or verdict == "unknown"
    assert output.data["limit"]["exceeded"] or verdict != "exceeded"


@given(FORESEEN | usages())
@example(usage_in("week-first"))
@example(usage_in("runs-out"))
def test_verdict_likely_and_chance_mean_the_same_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    forecast = output.data["forecast"]
    likely, chance = forecast["likely_percent"], forecast["probability"]
    assert FIELDS["verdict"](usage, UNICODE) == forecast["verdict"]
    assert FIELDS["likely"](usage, UNICODE) == ("" if likely is None else percent(likely))
    if chance is not None and "Runs out" in output.rows:
        assert f"{percent(100 * chance)} chance before the reset" in output.rows["Runs out"]
    assert "% likely" not in output.text + output.line


@given(usages())
def test_nothing_runs_out_after_the_reset_or_in_the_past(usage: Usage) -> None:
    data = snapshot(usage)
    reset = moment(data["reset"]["at"])
    for key in ("runs_out_at", "earliest", "latest"):
        when = moment(data["forecast"][key])
        if when is not None:
            assert reset is not None
            assert (moment(data["generated_at"]) or when) <= when <= reset


@given(IDLE)
def test_there_is_no_rate_and_no_forecast_when_idle(usage: Usage) -> None:
    output = output_of(usage)
    assume(output.data["status"] == "idle")
    assert output.data["burn_rate"]["tokens_per_minute"] == 0
    assert "tokens/min" not in output.text
    assert set(output.data["forecast"].values()) == {None, False, "unknown"}


@given(usages())
def test_nothing_is_ever_negative(usage: Usage) -> None:
    output = output_of(usage)
    assert min(numbers(output.data)) >= 0
    texts = [output.text, output.line, output.sentence, *output.data["warnings"]]
    assert not [text for text in texts if re.search(r"(?<![\w-])[-−]\s?\$?\d", text)]


@given(YOUNG)
def test_there_is_no_forecast_with_less_than_five_minutes_of_data(usage: Usage) -> None:
    output = output_of(usage)
    assume(is_forecasting(output) and usage.events and usage.headline.tokens_left != 0)
    forecast = dict(output.data["forecast"], sustainable_tokens_per_minute=None)
    assert set(forecast.values()) <= {None, False, "unknown", "exceeded"}
    assert output.rows["Runs out"].startswith(("not known yet", "over"))
    assert "tokens/min" not in output.rows["Pace"]


@given(OVER)
def test_over_the_limit_is_always_said(usage: Usage) -> None:
    output = output_of(usage)
    assume(output.data["limit"]["exceeded"])
    warned = [text for text in output.data["warnings"] if "of the limit is used" in text]
    assert warned
    assert all(text in output.text for text in warned)
    if is_forecasting(output):
        assert output.sentence.startswith("Over the limit")


@given(FORESEEN)
def test_what_is_likely_is_never_below_what_is_used(usage: Usage) -> None:
    output = output_of(usage)
    forecast, used = output.data["forecast"], output.data["headline"]["used_percent"]
    assume(forecast["likely_percent"] is not None)
    low, high = forecast["likely_range"]
    assert used - 1e-6 <= low <= forecast["likely_percent"] <= high
    near = re.search(r"be near (\d+) %", output.sentence)
    shown_used = float(percent_in(output.used_bar).replace("under 1", "0.5")[:-2])
    assert near is None or float(near[1]) >= shown_used


@given(ACTIVE)
def test_a_bar_never_overflows_and_is_full_only_at_the_limit(usage: Usage) -> None:
    output = output_of(usage)
    assume(usage.block is not None)
    for row in (output.used_bar, output.rows["Time"]):
        assert len(row) == WIDTH
    cells = [cell for cell in output.used_bar if cell in f"█{UNICODE.bar.parts}▒░"]
    weekly = output.sentence.startswith("Weekly limit reached")
    assert (set(cells) == {"█"}) == (weekly or output.data["headline"]["used_percent"] >= 100)


@given(ACTIVE)
def test_durations_are_those_between_the_times_shown(usage: Usage) -> None:
    output = output_of(usage)
    reset, runs_out = (
        moment(output.data["reset"]["at"]),
        moment(output.data["forecast"]["runs_out_at"]),
    )
    assume(reset is not None)
    assert reset is not None
    minute = timedelta(minutes=1)
    slack = minute if reset - usage.now < timedelta(hours=23) else 30 * minute
    until = output.rows["Resets"].rpartition(" in ")[2]
    assert abs(span_of(until.split("  ")[0]) - (reset - usage.now)) <= slack
    found = re.search(r", (.*) before the reset", output.sentence)
    if found and runs_out:
        exact = [(t + minute / 2).replace(second=0, microsecond=0) for t in (runs_out, reset)]
        assert abs(span_of(found[1]) - (exact[1] - exact[0])) <= minute / 2
        is_short = reset - runs_out < timedelta(hours=5)
        assert (f"pausing {found[1]} avoids it" in output.text) == is_short


@given(usages())
def test_the_snapshot_always_fits_its_schema(usage: Usage) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(snapshot(usage))


@given(st.sampled_from(list(STATES)), st.integers(-180, 180))
@example("runs-out", 0)
def test_time_alone_never_makes_them_disagree(state: str, minutes: int) -> None:
    before = usage_of(STATES[state])
    now = before.now + timedelta(minutes=minutes)
    usage = measure(before.reading, HISTORY, before.rules, now)
    output = output_of(usage)
    key = output.data["forecast"]["verdict"] if is_forecasting(output) else output.data["status"]
    assert SCREEN_STATES[key].word in output.text
    assert output.sentence in " ".join(output.text.replace(SCREEN_STATES[key].word, " ").split())
