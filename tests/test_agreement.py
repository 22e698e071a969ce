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
import pytest
import pytz
from hypothesis import assume, example, given
from hypothesis import strategies as st

from monitor.app.alerts import environment
from monitor.model.alerting import Alert
from monitor.model.blocks import SESSION, Block, Event, TokenCounts
from monitor.model.formatting import chance as in_words
from monitor.model.formatting import percent
from monitor.model.history import CompletedBlock, History
from monitor.model.limit_hits import LimitHit
from monitor.model.official import Capture, OfficialLimits, RateLimitWindow
from monitor.model.plans import Rules
from monitor.model.reading import DataSize, Reading, Source, Unreadable
from monitor.model.usage import Usage, measure
from monitor.model.week_sentence import at_time
from monitor.views.bars import bar
from monitor.views.line import FIELDS, one_line
from monitor.views.metrics import usage_families
from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.snapshot import snapshot, utc
from monitor.views.states import word as state_word
from monitor.views.style import UNICODE, Style
from monitor.views.text import Line
from tests.samples import HISTORY, SAMPLES, STATES, official_limits, usage_in, usage_of
from tests.views.test_snapshot import SCHEMA

WIDTH, HEIGHT = 120, 40
BARS = ("Tokens", "5-hour", "Time", "Week")

ANSWERS = {
    "ok": ("Most likely the reset ", "The reset "),
    "tight": ("Tight: ",),
    "runs_out": ("You'll probably ", "You'll almost certainly ", "You are at the limit; "),
    "exceeded": ("Past ", "The limit is used up, but "),
    "weekly": ("The weekly limit ",),
    "idle": ("No ",),
}
"""How the sentences begin; those not named begin with what is used, or the limit's name."""

CLAIMS = re.compile(
    r"you'll|you will|reaches|reached|hits|hit |runs out|used up|at the limit", re.IGNORECASE
)
"""What says that a limit will be reached, or is."""

RESET_FIRST = re.compile(r"\breset\b.* comes first", re.IGNORECASE)

COLOURS = {"none": "dim", "ok": "ok", "warn": "warn", "alarm": "alarm"}

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
    items = tuple(CompletedBlock(block) for block in blocks)
    return History(items, start, hits=tuple(draw(st.lists(hits(start), max_size=2))))


@st.composite
def hits(draw: st.DrawFn, start: datetime) -> LimitHit:
    """A mark of a reached limit: before, in or after the block, with or without a reset."""
    kind = draw(st.sampled_from(["five_hour", "seven_day", "seven_day_opus", "overage", "new"]))
    at = start + timedelta(minutes=draw(st.floats(-300, 300)))
    wait = draw(st.none() | st.floats(1, 290) | st.floats(1_000, 9_000))
    return LimitHit(at, kind, at + timedelta(minutes=wait) if wait else None)


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
            scan=draw(st.sampled_from(["full", "full", "window"])),
            unreadable=draw(st.sampled_from([(), (), (Unreadable("/x.jsonl", "root", "mend"),)])),
        ),
        events=events if whole else draw(st.sampled_from([events, events[1:], None])),
        unpriced_models=draw(st.sampled_from([(), (), ("claude-opus-4-8",), ("other",)])),
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
    opus = draw(st.none() | windows(start, now, 5))
    known = official_limits(five_hour, seven_day)
    if opus:
        known = replace(known, windows={**known.windows, "seven_day_opus": opus})
    return draw(st.sampled_from([None, known]))


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
        is_plan_chosen=draw(st.booleans()),
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


ANY = FORESEEN | ACTIVE | usages()


@dataclass(frozen=True)
class Output:
    """All that is said of one usage: the screen's rows by their names, the line, the snapshot."""

    usage: Usage
    lines: list[Line]
    rows: dict[str, str]
    bars: dict[str, str]
    text: str
    line: str
    data: dict[str, Any]

    @property
    def leads(self) -> str:
        """The bar of the limit that the sentence is about."""
        if not self.usage.headline.is_five_hour:
            return "Week"
        return "5-hour" if self.usage.five_hour.window else "Tokens"

    @property
    def word(self) -> str:
        return state_word(self.usage)

    @property
    def sentence(self) -> str:
        return str(self.data["headline"]["sentence"])

    @property
    def is_about_five_hours(self) -> bool:
        """Whether the sentence is about the five-hour limit of a block under way."""
        return bool(self.data["status"] == "active" and self.usage.headline.is_five_hour)


def output_of(usage: Usage) -> Output:
    lines = frame(usage, WIDTH, HEIGHT, DisplayOptions(Style()))
    texts = ["".join(span.text for span in spans) for spans in lines]
    rows = {
        text[1:11].strip(): text[11:].removeprefix("5-hour limit: ")
        for text in texts
        if text[1:2].isalpha()
    }
    drawn = {text[:8].strip(): text for text in texts if set(text[8:9]) & set("█▏▎▍▌▋▊▉░▒━─")}
    line = "".join(span.text for span in one_line(usage, WIDTH, UNICODE))
    bars = {name: drawn[name] for name in BARS if name in drawn}
    return Output(usage, lines, rows, bars, "\n".join(texts), line, snapshot(usage))


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
    day = f"{local:%A} " if 1 < days < 7 else f"{local.date()} "
    hour = (local.hour - 1) % 12 + 1 if usage.rules.twelve_hour else local.hour
    half = f" {'PM' if local.hour >= 12 else 'AM'}" if usage.rules.twelve_hour else ""
    clock = f"{hour}:{local:%M}{half}" if half else f"{hour:02}:{local:%M}"
    return f"{names.get(days, day)}{clock}"


def percents_in(text: str) -> list[str]:
    return re.findall(r"(?:under 1|\d+) %", text.replace("< 1", "under 1"))


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


def metric(usage: Usage, name: str) -> Optional[float]:
    """The value of a metric without labels that matter; None if it is not given."""
    families = {family.name: family for family in usage_families(usage, "1", show_cost=True)}
    family = families.get(f"ccusage_monitor_{name}")
    return None if family is None else float(family.samples[0].value)


def told_by_alerts(usage: Usage) -> dict[str, str]:
    told = environment(Alert("percent", "T", "S."), usage)
    return {name.rpartition("ALERT_")[2]: value for name, value in told.items()}


def every_sample(check: Any) -> Any:
    """Try every sample too, since chance seldom makes the states that are told apart by little."""
    for name in SAMPLES:
        check = example(usage_in(name))(check)
    return check


# --- one percentage, one severity, one state


@given(ANY)
@every_sample
def test_the_used_percentage_is_the_same_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    used = output.data["headline"]["used_percent"]
    assert used == usage.headline.used_percent
    if used is None:
        assert FIELDS["percent"](usage, UNICODE) == told_by_alerts(usage)["PERCENT"] == ""
        assert metric(usage, "used_ratio") is None
        return
    word = percent(used)
    assert FIELDS["percent"](usage, UNICODE) == word
    assert FIELDS["bar"](usage, UNICODE) == "".join(
        span.text for span in bar(used, None, 10, "", UNICODE.bar)
    )
    assert metric(usage, "used_ratio") == pytest.approx(used / 100)
    assert told_by_alerts(usage)["PERCENT"] == f"{used:.1f}"
    if usage.is_settled and output.leads in output.bars:
        assert percents_in(output.bars[output.leads])[-1] == word
    if usage.is_settled and output.data["status"] == "active":
        assert percents_in(output.line)[0] == word


@given(ANY)
@every_sample
def test_the_severity_is_the_colour_of_the_word_and_of_the_sentence(usage: Usage) -> None:
    output = output_of(usage)
    colour = COLOURS[output.data["headline"]["severity"]]
    spans = [span for spans in output.lines[1:5] for span in spans if span.text.strip()]
    at = next(i for i, span in enumerate(spans) if span.text.strip() == output.word)
    said = spans[:at]
    assert " ".join(span.text.strip() for span in said).strip() == output.sentence
    assert spans[at].role == colour
    assert {span.role for span in said} == {"strong" if colour == "dim" else colour}


@given(ANY)
@every_sample
def test_the_state_is_the_same_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    status, verdict = output.data["status"], output.data["forecast"]["verdict"]
    lead = output.data["headline"]
    assert (status == "limit_reached") == (usage.reached is not None)
    assert output.word in output.text
    assert output.sentence in " ".join(output.text.replace(output.word, " ").split())
    assert "unknown time" not in output.sentence + output.line
    assert FIELDS["verdict"](usage, UNICODE) == told_by_alerts(usage)["VERDICT"] == verdict
    assert FIELDS["status"](usage, UNICODE) == told_by_alerts(usage)["STATUS"] == status
    if status == "limit_reached":
        assert (lead["severity"], verdict) == ("alarm", "unknown")
        assert re.match(r"(?i).*(limit|”)( of \w+| of extra usage)? reached", output.sentence)
        assert output.line.startswith(output.sentence[0].lower() + output.sentence[1:6])
        return
    is_hidden = usage.block is None and usage.reading.source.unreadable and usage.last is None
    if is_hidden and usage.headline.is_five_hour:
        elsewhere = usage.headline.window is not None
        hidden = "Claude Code's usage cannot be read here"
        assert output.sentence.startswith(
            "No active block on this machine" if elsewhere else hidden
        )
        return
    used = percent(usage.five_hour.used_percent)
    expected = ANSWERS.get(usage.state, ("Just started: ", "Your limit reset ", used))
    looking_up = "is being looked up" in output.sentence
    assert output.sentence.startswith(expected) or looking_up
    assert looking_up == (not usage.is_settled and usage.state == "unknown")
    assert " reached" not in output.line


@given(ANY)
@every_sample
def test_a_limit_at_100_percent_is_never_passed_over_in_silence(usage: Usage) -> None:
    output = output_of(usage)
    full = [key for key in ("five_hour", "seven_day") if is_full(usage, key)]
    if not full or usage.block is None:
        return
    said = ("reached", "still answers", "You are at the limit", "still going", "at any moment")
    assert any(word in output.sentence for word in said)
    assert output.data["headline"]["severity"] in ("warn", "alarm")


def is_full(usage: Usage, window: str) -> bool:
    known = usage.official.windows.get(window)
    return known is not None and known.used_percent >= 100


# --- no sentence that its own probability denies


@given(ANY)
@every_sample
def test_no_sentence_says_more_than_its_probability(usage: Usage) -> None:
    output = output_of(usage)
    forecast, chance = output.data["forecast"], output.data["forecast"]["probability"]
    assume(output.is_about_five_hours and forecast["verdict"] != "exceeded")
    if usage.is_settled and usage.headline.tokens_left == 0:
        assert output.sentence.startswith("You are at the limit; ") or chance is None
        return
    assert (chance is not None and chance >= 0.6) == bool(CLAIMS.search(output.sentence))
    assert (chance is not None and chance < 0.25) == bool(RESET_FIRST.search(output.sentence))
    told = [text for text in (output.sentence, output.line) if "chance" in text]
    assert bool(told) == (chance is not None and chance >= 0.25)
    assert all(f"{in_words(chance)} chance" in text for text in told)


@given(ANY)
@every_sample
def test_the_verdict_follows_the_probability_and_never_the_pace(usage: Usage) -> None:
    data = snapshot(usage)
    forecast, chance = data["forecast"], data["forecast"]["probability"]
    assume(data["status"] == "active" and forecast["verdict"] != "exceeded")
    if chance is not None:
        by_chance = "ok" if chance < 0.25 else "tight" if chance < 0.6 else "runs_out"
        assert forecast["verdict"] == by_chance
    elif usage.is_settled:
        nearly = usage.five_hour.used_percent >= 90 - 1e-9
        assert (forecast["verdict"] == "tight") == (nearly and forecast["verdict"] != "runs_out")
        assert forecast["verdict"] in ("unknown", "tight")
    colours = {"ok": "ok", "tight": "warn", "runs_out": "alarm", "unknown": "none"}
    if usage.headline.is_five_hour:
        assert data["headline"]["severity"] == colours[forecast["verdict"]]


@given(FORESEEN)
@every_sample
def test_what_is_likely_is_on_the_side_of_the_limit_that_the_sentence_takes(usage: Usage) -> None:
    forecast = snapshot(usage)["forecast"]
    likely, chance = forecast["likely_percent"], forecast["probability"]
    assume(likely is not None and usage.headline.tokens_left != 0)
    assert likely <= 100 + 1e-6 or chance >= 0.25
    assert likely >= 100 - 1e-6 or chance < 0.6


@given(FORESEEN | usages())
@every_sample
def test_no_number_of_the_sentence_is_denied_by_another(usage: Usage) -> None:
    output = output_of(usage)
    assume(output.is_about_five_hours and usage.is_settled)
    forecast = output.data["forecast"]
    allowed = {percent(usage.five_hour.used_percent)}
    if forecast["likely_percent"] is not None and forecast["verdict"] == "ok":
        assert percent(forecast["likely_percent"]) in output.sentence
        allowed = {percent(forecast["likely_percent"])}
    if forecast["probability"] is not None and forecast["verdict"] in ("tight", "runs_out"):
        allowed = {in_words(forecast["probability"])}
    assert set(percents_in(output.sentence)) <= allowed
    left = re.search(r"([\d,]+) tokens? left", output.sentence)
    if left:
        assert left[1] == f"{output.data['headline']['tokens_left']:,}"
        assert f"{left[1]} left" in output.line
        assert usage.five_hour.window or f"{left[1]} left" in output.rows["Used"]


@given(FORESEEN)
@every_sample
def test_the_time_of_the_sentence_is_within_the_range_of_the_forecast(usage: Usage) -> None:
    output = output_of(usage)
    earliest, at, latest = (
        usage.forecast.earliest,
        usage.forecast.likely_at,
        usage.forecast.latest or usage.reset.at,
    )
    if at is None or " reach the limit around " not in output.sentence:
        assert " around 1" not in output.sentence or usage.state == "weekly"
        return
    assert earliest is not None and latest is not None and earliest <= at <= latest
    said = output.sentence.partition(" around ")[2].partition(": ")[0]
    # A forecast is told to five minutes.
    near = (at + timedelta(minutes=shift) for shift in range(-3, 4))
    assert said in [on_the_clock(usage, when.isoformat()) for when in near]
    row = output.rows["Runs out"].removeprefix("5-hour limit: ")
    assert row.startswith(("at the earliest ", "without a break "))


# --- one reset, one pace, one count


@given(usages())
@every_sample
def test_the_reset_is_at_the_same_minute_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    at = output.data["reset"]["at"]
    if at is None:
        assert "Resets" not in output.rows
        assert "resets" not in output.line or usage.state == "weekly"
        return
    when = on_the_clock(usage, at)
    assert output.rows["Resets"].startswith(when)
    assert f"resets {when}" in output.line or usage.state == "weekly"
    assert FIELDS["reset"](usage, UNICODE) == when
    assert moment(output.data["reset"]["local"]) == (moment(at) or usage.now).replace(microsecond=0)
    assert metric(usage, "reset_timestamp_seconds") == pytest.approx(
        (moment(at) or usage.now).timestamp()
    )
    doubts = usage.state == "exceeded" and "true limit is higher" in output.sentence
    if usage.block and usage.state not in ("idle", "weekly") and not doubts:
        assert when in output.sentence


@given(usages())
@every_sample
def test_a_limit_that_is_reached_has_a_reset_of_its_own(usage: Usage) -> None:
    output = output_of(usage)
    reached, lead, reset = usage.reached, output.data["headline"], output.data["reset"]
    if reached is None:
        return
    assert lead["window"] == reached.window
    if reached.window != "five_hour" or (reached.resets_at and usage.rules.reset_hour is None):
        assert reset["at"] == utc(reached.resets_at)
        assert reset["source"] in ("official", "limit_message")
    if reset["at"] is None:
        assert "when it resets is not known" in output.sentence


@given(FORESEEN | usages())
@every_sample
def test_where_another_limit_leads_the_rows_name_the_five_hour_one(usage: Usage) -> None:
    text = output_of(usage).text
    assume(usage.status == "active" and " Resets" in text)
    for what in (" Resets    5-hour limit: ", " Runs out  5-hour limit: "):
        if what[:10] in text:
            assert (what in text) != usage.headline.is_five_hour


@given(FORESEEN | usages())
@every_sample
def test_the_pace_is_a_second_statement_and_the_same_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    forecast, row = output.data["forecast"], output.rows.get("Runs out", "")
    assert forecast["before_reset"] is (forecast["runs_out_at"] is not None)
    assert output.is_about_five_hours or "at this pace" not in output.sentence or not usage.reached
    if output.is_about_five_hours:
        assert "pace" not in output.sentence.replace("The pace is being read", "")
    if forecast["runs_out_at"] is None:
        assert "without a break at" not in output.text
        return
    when = on_the_clock(usage, forecast["runs_out_at"])
    assert FIELDS["runs_out"](usage, UNICODE) == when
    if usage.headline.tokens_left or not usage.headline.is_five_hour:
        wanted = f"without a break {at_time(usage, usage.forecast.runs_out_at)}"
        assert row.rstrip().endswith(wanted) or usage.five_hour.tokens_left == 0


@given(FORESEEN | usages())
@every_sample
def test_likely_and_chance_mean_the_same_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    forecast = output.data["forecast"]
    likely, chance = forecast["likely_percent"], forecast["probability"]
    assert FIELDS["likely"](usage, UNICODE) == ("" if likely is None else percent(likely))
    assert metric(usage, "run_out_probability_ratio") == chance
    row = output.rows.get("Runs out", "")
    if chance is None:
        assert "chance" not in output.text + output.line or usage.binding_week is not None
        assert row == "" or row.startswith(("not known", "now"))
    elif forecast["verdict"] == "ok" and row and not row.startswith("now"):
        assert row.startswith(f"{in_words(chance)} chance before the reset")
    elif row:
        assert row.startswith(
            ("at the earliest ", "without a break ", "now", f"{in_words(chance)} chance")
        )


@given(ACTIVE)
@every_sample
def test_what_is_left_is_the_same_everywhere(usage: Usage) -> None:
    output = output_of(usage)
    assume(output.is_about_five_hours and usage.is_settled and not usage.five_hour.window)
    assert output.data["headline"]["used_percent"] == output.data["limit"]["used_percent"]
    limit, counted = output.data["limit"], output.data["tokens"]["counted"]
    counted -= usage.tokens_before_reset
    left = f"{limit['tokens_left']:,} left"
    if limit["exceeded"]:
        left = f"{counted - limit['tokens']:,} past "
    assert f" {left}" in output.rows["Used"]
    assert f" {left}" in output.line
    about = "~" if limit["source"] == "plan" else ""
    assert output.rows["Used"].startswith(f"{counted:,} of {about}{limit['tokens']:,}")
    assert limit["tokens_left"] == max(0, limit["tokens"] - counted)


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
    assume(output.data["status"] == "active" and usage.events)
    assume(usage.five_hour.tokens_left != 0)
    forecast = dict(output.data["forecast"], sustainable_tokens_per_minute=None)
    assert set(forecast.values()) <= {None, False, "unknown", "tight", "exceeded"}
    if forecast["verdict"] != "exceeded":
        assert output.rows["Runs out"].startswith("not known yet")
        assert "tokens/min" not in output.rows["Pace"]


@given(OVER)
def test_a_passed_limit_is_said_once_and_doubted_where_messages_got_through(usage: Usage) -> None:
    output = output_of(usage)
    assume(output.data["limit"]["exceeded"] and output.is_about_five_hours)
    assume(not usage.five_hour.window)
    assert output.sentence.startswith("Past your limit of 1")
    assert ("your true limit is higher" in output.sentence) == usage.still_answered
    assert ("Runs out" in output.rows) == usage.still_answered
    assert (
        len(
            re.findall(
                r"(?i)\bpast\b", output.text.replace("PAST ESTIMATE", "").replace("PAST LIMIT", "")
            )
        )
        == 2
    )
    assert not re.search(r"(?i)\bover\b", output.text + output.line)
    doubled = [text for text in output.data["warnings"] if "limit is used" in text]
    assert not [text for text in doubled if "weekly" not in text]


@given(FORESEEN)
def test_what_is_likely_is_never_below_what_is_used(usage: Usage) -> None:
    output = output_of(usage)
    forecast, used = output.data["forecast"], usage.five_hour.used_percent
    assume(forecast["likely_percent"] is not None)
    low, high = forecast["likely_range"]
    assert used - 1e-6 <= low <= forecast["likely_percent"] <= high


@given(ACTIVE)
@every_sample
def test_a_bar_never_overflows_and_is_full_only_at_the_limit(usage: Usage) -> None:
    output = output_of(usage)
    assume(usage.block is not None and usage.is_settled)
    for row in output.bars.values():
        assert len(row) == WIDTH
    used = {"Week": None, output.leads: usage.headline.used_percent}
    for name in ("5-hour", "Tokens"):
        used.setdefault(name, usage.five_hour.used_percent)
    for name, value in used.items():
        if value is None or name not in output.bars:
            continue
        cells = [cell for cell in output.bars[name] if cell in f"█{UNICODE.bar.parts}▒░┃"]
        assert (set(cells) == {"█"}) == (value == 100)
        assert ("┃" in cells) == (value > 100)


@given(ACTIVE)
def test_durations_are_those_between_the_times_shown(usage: Usage) -> None:
    output = output_of(usage)
    reset = moment(output.data["reset"]["at"])
    assume(reset is not None)
    assert reset is not None
    minute = timedelta(minutes=1)
    # Beyond a day it is rounded to minutes, then to hours.
    slack = minute if reset - usage.now < timedelta(hours=23) else 31 * minute
    until = output.rows["Resets"].rpartition(" in ")[2]
    slack = 10 * minute if until.startswith("~") else slack
    assert abs(span_of(until.split("  ")[0]) - (reset - usage.now)) <= slack


@given(usages())
@every_sample
def test_a_cost_is_whole_or_not_known(usage: Usage) -> None:
    output = output_of(usage)
    block = output.data["block"]
    assume(block is not None)
    unpriced = set(block["models"]) & set(usage.reading.unpriced_models)
    assert set(block["unpriced_models"]) == unpriced
    if unpriced:
        assert block["cost_usd"] is None and output.data["burn_rate"]["cost_per_hour"] is None
        assert metric(usage, "block_cost_usd") is None and FIELDS["cost"](usage, UNICODE) == ""
        assert "has no price for" in output.rows["Cost"]
        assert "API-equivalent" not in output.rows["Cost"] and "Spent" not in output.rows


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
    assert output.word in output.text
    assert output.sentence in " ".join(output.text.replace(output.word, " ").split())
