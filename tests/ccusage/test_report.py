"""Raw reports: read whole whatever the version, or refused with the field that is wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ccusage.report import parse_events, parse_report
from monitor.errors import MonitorError
from monitor.model.blocks import (
    MAX_TOKENS,
    SESSION,
    Event,
    active_block,
    real_blocks,
    unpriced_models,
)
from tests.recordings import RECORDINGS, Recording, each_recording

Key = Union[str, int]
DEEP = object()  # stands for nesting deeper than Python's parser recurses


OLD = [r for r in RECORDINGS if r.version < "19"]
NEW = [r for r in RECORDINGS if r.version >= "19"]


def test_each_supported_major_version_has_a_recording() -> None:
    assert [r.version.split(".")[0] for r in RECORDINGS] == ["15", "16", "17", "18", "20"]


@each_recording
def test_every_block_of_a_recorded_report_is_read(recorded: Recording) -> None:
    real = real_blocks(recorded.blocks)
    assert len(real) == 12
    assert [b.entries for b in real] == [7] * 10 + [real[10].entries, 1]
    assert all(b.end - b.start == SESSION for b in real)
    assert all(b.last_activity and b.start <= b.last_activity < b.end for b in real)
    assert [b.tokens.counted for b in real[:10]] == [4_368] * 10


@pytest.mark.parametrize("recorded", OLD, ids=lambda r: r.version)
def test_versions_before_19_tell_the_reset_of_a_limit_message(recorded: Recording) -> None:
    active = active_block(recorded.blocks, recorded.now)
    assert active
    assert active.limit_reset == recorded.now + timedelta(hours=2)
    assert [b.limit_reset for b in recorded.blocks if b != active] == [None] * (
        len(recorded.blocks) - 1
    )


def test_version_20_counts_the_whole_of_a_streamed_answer_and_older_ones_its_first_line() -> None:
    def counted(recorded: Recording) -> int:
        active = active_block(recorded.blocks, recorded.now)
        assert active
        return active.tokens.counted

    assert [counted(r) for r in OLD] == [7 * (30 + 100)] * 4
    assert [counted(r) for r in NEW] == [7 * (30 + 400)]


def test_events_are_the_counted_tokens_at_each_last_activity_oldest_first() -> None:
    raw = RECORDINGS[0].raw["blocks"]
    real = real_blocks(RECORDINGS[0].blocks)
    events, unpriced = parse_events(json.dumps({"blocks": raw[::-1]}), real[0].start)
    assert unpriced == unpriced_models(real)
    assert [event.at for event in events] == [b.last_activity for b in real]
    assert [event.tokens for event in events] == [b.tokens.counted for b in real]


def sample() -> dict[str, Any]:
    """A report of one real block with every field that is read."""
    start = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)
    return {
        "blocks": [
            {
                "id": start.isoformat(),
                "startTime": "2026-01-05T12:00:00.000Z",
                "endTime": "2026-01-05T17:00:00.000Z",
                "actualEndTime": "2026-01-05T13:30:15.123Z",
                "isActive": True,
                "isGap": False,
                "entries": 3,
                "tokenCounts": {
                    "inputTokens": 5,
                    "outputTokens": 70,
                    "cacheCreationInputTokens": 900,
                    "cacheReadInputTokens": 11_000,
                },
                "totalTokens": 11_975,
                "costUSD": 1.25,
                "models": ["claude-sonnet-4-20250514"],
                "usageLimitResetTime": "2026-01-05T16:00:00Z",
            }
        ]
    }


def start_of(text: str) -> datetime:
    """Return the start of the sample's block when a report gives it so."""
    return parse_report(mutated(("blocks", 0, "startTime"), text))[0].start


def places(value: Any, path: tuple[Key, ...] = ()) -> Iterator[tuple[Key, ...]]:
    """Every place in a report that holds a value."""
    pairs: Iterator[tuple[Key, Any]] = iter(())
    if isinstance(value, dict):
        pairs = iter(value.items())
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, inner in pairs:
        yield (*path, key)
        yield from places(inner, (*path, key))


def mutated(path: tuple[Key, ...], value: Any) -> str:
    """The sample as text, with another value at one place."""
    changed = copy.deepcopy(sample())
    holder: Any = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = "DEEP" if value is DEEP else value
    text = json.dumps(changed)
    return text.replace('"DEEP"', "[" * 200_000 + "]" * 200_000) if value is DEEP else text


PLACES = list(places(sample()))
HOSTILE = st.one_of(
    st.sampled_from([None, float("nan"), float("inf"), -float("inf"), -1, -0.5, True, False]),
    st.sampled_from([10**16, 10**400, 1e308, "", "2026-01-05", "9999-12-31T23:59:59-23:59", "\0"]),
    st.sampled_from(["0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z", "٣", "\ud800", [], {}]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
)


def parsed_or_named(text: str, path: tuple[Key, ...]) -> None:
    """Hold that the text parses into sound records, or that the error names the field."""
    try:
        blocks = parse_report(text)
    except MonitorError as error:
        message = str(error)
        assert "\n" not in message
        named = (str(path[-1]), "NaN", "Infinity", "is no JSON")
        assert any(word in message for word in named), message
        return
    for block in blocks:
        assert 0 <= block.tokens.counted <= 2 * MAX_TOKENS
        assert block.cost_usd is None or 0 <= block.cost_usd < 1e12
        assert block.start.utcoffset() == block.end.utcoffset() == timedelta(0)


@given(path=st.sampled_from(PLACES), value=HOSTILE)
def test_a_report_with_one_changed_field_parses_or_the_error_names_the_field(
    path: tuple[Key, ...], value: Any
) -> None:
    parsed_or_named(mutated(path, value), path)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_nesting_too_deep_to_parse_is_a_report_error_too(path: tuple[Key, ...]) -> None:
    parsed_or_named(mutated(path, DEEP), path)


REQUIRED = ["id", "startTime", "endTime", "isActive", "entries", "tokenCounts"]
COUNTS = ["inputTokens", "outputTokens", "cacheCreationInputTokens", "cacheReadInputTokens"]


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(name: str) -> None:
    report = sample()
    del report["blocks"][0][name]
    with pytest.raises(MonitorError, match=rf": blocks\[0\]\.{name} is missing\.$"):
        parse_report(json.dumps(report))


@pytest.mark.parametrize("name", COUNTS)
def test_a_missing_token_count_is_named(name: str) -> None:
    report = sample()
    del report["blocks"][0]["tokenCounts"][name]
    with pytest.raises(MonitorError, match=rf": blocks\[0\]\.tokenCounts\.{name} is missing\.$"):
        parse_report(json.dumps(report))


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", [None, True, -1, 1.5, 10**16, "7", [7], {}])
def test_a_token_count_is_a_whole_number_of_zero_or_more(name: str, value: Any) -> None:
    text = mutated(("blocks", 0, "tokenCounts", name), value)
    with pytest.raises(MonitorError, match=rf"tokenCounts\.{name}: expected a whole number"):
        parse_report(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["entries", "costUSD"])
def test_numbers_that_json_does_not_have_are_rejected(name: str, value: float) -> None:
    with pytest.raises(MonitorError, match=name):
        parse_report(mutated(("blocks", 0, name), value))


@pytest.mark.parametrize("value", [True, -0.01, 1e12, "1.25", [1.25]])
def test_a_cost_is_an_amount_of_zero_or_more(value: Any) -> None:
    with pytest.raises(MonitorError, match=r"blocks\[0\]\.costUSD: expected an amount in dollars"):
        parse_report(mutated(("blocks", 0, "costUSD"), value))


@pytest.mark.parametrize("name", ["isGap", "actualEndTime", "costUSD", "models", "totalTokens"])
def test_what_a_version_may_leave_out_is_not_required(name: str) -> None:
    report = sample()
    del report["blocks"][0][name]
    assert len(parse_report(json.dumps(report))) == 1


def test_unknown_keys_of_newer_versions_are_ignored() -> None:
    report = sample()
    report["blocks"][0]["agents"] = {"new": [1, 2]}
    report["totals"] = None
    assert parse_report(json.dumps(report)) == parse_report(json.dumps(sample()))


@pytest.mark.parametrize("text", ["", "null", "[]", "7", '"x"', "{}", '{"blocks": {}}', "<html>"])
def test_what_is_no_report_is_said_in_one_line(text: str) -> None:
    with pytest.raises(MonitorError) as caught:
        parse_report(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-01-05T12:00:00Z", datetime(2026, 1, 5, 12, tzinfo=timezone.utc)),
        ("2026-01-05T12:00:00.123Z", datetime(2026, 1, 5, 12, 0, 0, 123_000, timezone.utc)),
        ("2026-01-05T12:00:00.123456Z", datetime(2026, 1, 5, 12, 0, 0, 123_456, timezone.utc)),
        ("2026-01-05T12:00:00.123456789Z", datetime(2026, 1, 5, 12, 0, 0, 123_456, timezone.utc)),
        ("2026-01-05T12:00:00.5Z", datetime(2026, 1, 5, 12, 0, 0, 500_000, timezone.utc)),
        ("2026-01-05T14:30:00+02:30", datetime(2026, 1, 5, 12, tzinfo=timezone.utc)),
    ],
)
def test_times_are_read_alike_on_every_python(text: str, wanted: datetime) -> None:
    assert start_of(text) == wanted


def test_a_time_without_an_offset_is_rejected() -> None:
    with pytest.raises(MonitorError, match="startTime: expected a time"):
        start_of("2026-01-05T12:00:00")


def test_the_largest_count_that_is_believed_is_a_million_billions() -> None:
    text = mutated(("blocks", 0, "tokenCounts", "inputTokens"), 10**15)
    assert parse_report(text)[0].tokens.input == 10**15
    with pytest.raises(MonitorError, match="inputTokens"):
        parse_report(mutated(("blocks", 0, "tokenCounts", "inputTokens"), 10**15 + 1))


@pytest.mark.parametrize(
    ("length", "shown"), [(37, f"'{'x' * 37}'"), (38, f"'{'x' * 36}…"), (9_000, f"'{'x' * 36}…")]
)
def test_a_wrong_value_is_shown_shortened_when_it_is_long(length: int, shown: str) -> None:
    with pytest.raises(MonitorError) as caught:
        parse_report(mutated(("blocks", 0, "entries"), "x" * length))
    assert str(caught.value).endswith(f"expected a whole number of 0 or more, got {shown}.")


def test_only_pieces_from_a_moment_on_are_read_as_events() -> None:
    old, new = sample()["blocks"][0], sample()["blocks"][0]
    old.update(actualEndTime="2026-01-05T12:59:59.999Z", costUSD="not read")
    new.update(actualEndTime="2026-01-05T13:00:00.000Z")
    since = datetime(2026, 1, 5, 13, tzinfo=timezone.utc)
    assert parse_events(json.dumps({"blocks": [old, new]}), since) == (
        (Event(since, 75, 1.25),),
        frozenset(),
    )
    with pytest.raises(MonitorError, match=r"blocks\[0\]\.costUSD"):
        parse_events(json.dumps({"blocks": [old, new]}), since - timedelta(seconds=1))


def test_pieces_that_cost_nothing_tell_which_models_have_no_price() -> None:
    priced, free, old = (sample()["blocks"][0] for _ in range(3))
    priced.update(models=["known"])
    free.update(models=["new", "<synthetic>"], costUSD=0)
    old.update(models=["older"], costUSD=0, actualEndTime="2026-01-05T12:59:59.999Z")
    for piece in (priced, free):
        piece.update(actualEndTime="2026-01-05T13:00:00.000Z")
    since = datetime(2026, 1, 5, 13, tzinfo=timezone.utc)
    _, unpriced = parse_events(json.dumps({"blocks": [priced, free, old]}), since)
    assert unpriced == {"new"}


@pytest.mark.parametrize("text", ["2026-01-05T12:00:00.0000", "2026-01-05T12:00:00.000z"])
def test_a_time_as_long_as_usual_but_without_its_z_is_rejected(text: str) -> None:
    with pytest.raises(MonitorError, match="startTime: expected a time"):
        start_of(text)


def test_a_block_that_does_not_say_whether_it_is_a_gap_is_none() -> None:
    report = sample()
    del report["blocks"][0]["isGap"]
    assert not parse_report(json.dumps(report))[0].is_gap


def test_a_piece_that_is_no_object_is_named() -> None:
    with pytest.raises(MonitorError, match=r": blocks\[0\]: expected an object, got 'x'\.$"):
        parse_events('{"blocks": ["x"]}', datetime(2026, 1, 5, tzinfo=timezone.utc))


@pytest.mark.parametrize("end", ["10000-01-01T04:00:00.000Z", "+010000-01-01T04:00:00.000Z"])
def test_a_time_after_the_year_9999_is_far_in_the_future(end: str) -> None:
    assert start_of(end).year == 9999
