"""Status lines, answers and hits in any order: the headline is never absurd."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple, Optional

from hypothesis import given
from hypothesis import strategies as st

from monitor.model.history import History
from monitor.model.limit_hits import LimitHit
from monitor.model.official import (
    MAX_PERCENT,
    OfficialLimits,
    Report,
    UsageAnswer,
    with_answer,
    with_session,
)
from monitor.model.sentence import summary
from monitor.model.usage import measure
from monitor.views.snapshot import snapshot
from tests.samples import NOW, OK, RULES

MINUTE = timedelta(minutes=1)
WINDOWS = st.sampled_from(["five_hour", "seven_day", "seven_day_opus", "model:Fable"])


class Told(NamedTuple):
    """What somebody says of the limits, some minutes after the one before."""

    who: str
    minutes: float
    reports: dict[str, Report]


@st.composite
def tellings(draw: st.DrawFn) -> list[Told]:
    reports = st.dictionaries(
        WINDOWS,
        st.builds(
            Report,
            st.floats(0, MAX_PERCENT) | st.sampled_from([0.0, 97.0, 100.0, 102.0]),
            st.none() | st.integers(1, 280).map(lambda m: NOW + m * MINUTE),
        ),
        min_size=1,
        max_size=3,
    )
    who = st.sampled_from(["claude", "session a", "session b"])
    return draw(st.lists(st.builds(Told, who, st.floats(0, 30), reports), max_size=8))


def told(tellings: list[Told]) -> tuple[OfficialLimits, datetime]:
    """Let them be told one after the other, so that the last one is told at NOW."""
    at, limits = NOW - sum(t.minutes for t in tellings) * MINUTE, OfficialLimits()
    for who, minutes, reports in tellings:
        at += minutes * MINUTE
        if who == "claude":
            limits = with_answer(limits, UsageAnswer(reports, "max"), at)
        else:
            limits = with_session(limits, who, reports, at)
    return limits, at


RESETS = st.none() | st.integers(1, 280).map(lambda m: NOW + m * MINUTE)
HITS = st.builds(LimitHit, st.integers(0, 200).map(lambda m: NOW - m * MINUTE), WINDOWS, RESETS)


@given(tellings(), st.none() | HITS)
def test_the_headline_is_never_absurd(tellings: list[Told], hit: Optional[LimitHit]) -> None:
    limits, _ = told(tellings)
    usage = measure(OK, History(hits=(hit,) if hit else ()), RULES, NOW, limits)
    data = snapshot(usage)
    lead, official = data["headline"], data["official"]
    known = {window["id"]: window for window in official["windows"]} if official else {}
    assert 0 <= lead["used_percent"] <= MAX_PERCENT
    assert lead["window"] in {"five_hour", *known}
    assert all(
        window["resets_at"] is None or window["resets_at"] > data["generated_at"]
        for window in known.values()
    )
    if data["status"] == "limit_reached":
        assert (lead["severity"], lead["tokens_left"]) == ("alarm", 0)
        assert lead["used_percent"] >= 100
    assert summary(usage).endswith(".")


@given(tellings())
def test_after_an_answer_nothing_is_known_of_the_plan_but_what_it_named(
    tellings: list[Told],
) -> None:
    limits, at = told(tellings)
    answer = UsageAnswer({"five_hour": Report(19.0, NOW + 99 * MINUTE)}, "max")
    after = with_answer(limits, answer, at + MINUTE)
    assert set(after.windows) == {"five_hour"}
    assert after.plan == "max" and after.asked is not None
