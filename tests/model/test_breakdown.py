"""Parts become rows that add up, with names that can be told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.blocks import TokenCounts
from monitor.model.breakdown import (
    BLOCK,
    Breakdown,
    Part,
    difference,
    leaders,
    rows,
    week_start,
    zone_day,
)
from monitor.model.official import OfficialLimits, RateLimitWindow
from tests.samples import NOW, OK

BLOCK_OF_OK = OK.blocks[-1]
OPUS, SONNET = "claude-opus-4-20250514", "claude-sonnet-4-20250514"


def part(output: int = 100, **changes: Any) -> Part:
    made = Part(
        SONNET, TokenCounts(0, output, 10, 1_000), 0.5, "~/.claude", "-p-api", "~/p/api", "s1"
    )
    return made._replace(**changes)


names = st.sampled_from(["a", "b", "c"])
parts = st.lists(
    st.builds(
        part,
        st.integers(0, 1_000),
        model=st.sampled_from([OPUS, SONNET, "claude-opus-4-20260101"]),
        data_dir=names,
        project=names.map("-home-{}".format),
        label=names,
        session=st.sampled_from(["12345678-a", "12345678-b", "c"]),
        cost_usd=st.none() | st.floats(0, 10),
    )
)


@given(parts=parts, by=st.sampled_from(["project", "model", "session"]))
def test_rows_add_up_to_the_parts_and_have_labels_of_their_own(parts: list[Part], by: str) -> None:
    made = rows(parts, by)
    assert sum(row.tokens.counted for row in made) == sum(p.tokens.counted for p in parts)
    assert sum(row.tokens.total for row in made) == sum(p.tokens.total for p in parts)
    assert [row.tokens.counted for row in made] == sorted(
        (row.tokens.counted for row in made), reverse=True
    )
    assert len({row.label for row in made}) == len(made)
    shares = [row.share_percent for row in made if row.share_percent is not None]
    assert not shares or sum(shares) == pytest.approx(100)


def test_a_row_of_several_models_has_a_cost_only_if_each_has() -> None:
    priced, free = part(), part(model=OPUS, cost_usd=None)
    assert [row.cost_usd for row in rows([priced, priced], "project")] == [1.0]
    assert [row.cost_usd for row in rows([priced, free], "project")] == [None]


def test_who_used_nothing_has_no_row() -> None:
    assert rows([part(model="<synthetic>", tokens=TokenCounts())], "model") == []


def test_labels_are_as_short_as_they_can_be() -> None:
    two = [part(session=f"12345678-{end}") for end in "ab"]
    assert [row.label for row in rows(two[:1], "session")] == ["api 12345678"]
    dirs = [part(data_dir=f"/{name}/.claude") for name in ("home", "srv")]
    assert [row.label for row in rows(dirs, "project")] == [
        "~/p/api (/home/.claude)",
        "~/p/api (/srv/.claude)",
    ]
    assert [row.label for row in rows(two, "session")] == ["api 12345678-a", "api 12345678-b"]
    dirs = [part(data_dir=name) for name in ("~/.claude", "~/.claude-work")]
    assert [row.label for row in rows(dirs, "project")] == [
        "~/p/api (.claude)",
        "~/p/api (.claude-work)",
    ]


def test_the_leaders_have_short_names_unless_two_share_one() -> None:
    api, web = part(300), part(100, project="-p-web", label="~/p/web", model=OPUS)
    other = part(200, project="-q-api", label="~/q/api")
    assert labels(api, web) == ["api", "web", "sonnet-4"]
    assert labels(api, web, other) == ["~/p/api", "~/q/api", "sonnet-4"]
    assert labels() == []


def labels(*given: Part) -> list[str]:
    return [row.label for row in leaders(Breakdown(BLOCK, NOW, NOW, given))]


def test_a_model_was_last_active_at_a_time_that_is_not_known() -> None:
    made = part(last_activity=NOW)
    assert [rows([made], by)[0].last_activity for by in ("session", "model")] == [NOW, None]


@pytest.mark.parametrize(("more", "text"), [(0, ""), (-7, "7 tokens fewer"), (7, "7 tokens more")])
def test_a_difference_from_the_block_is_said(more: int, text: str) -> None:
    counted = BLOCK_OF_OK.tokens.counted
    breakdown = Breakdown(BLOCK, NOW, NOW, (part(counted + more),), BLOCK_OF_OK)
    assert breakdown.missing == -more
    assert text in difference(breakdown)
    assert bool(difference(breakdown)) == bool(more)
    assert difference(replace(breakdown, block=None)) == ""


@given(hour=st.integers(0, 23), zone=st.sampled_from(["US/Eastern", "Asia/Kolkata", "UTC"]))
def test_there_is_a_zone_whose_day_begins_at_any_hour(hour: int, zone: str) -> None:
    start = datetime(2026, 6, 10, hour, tzinfo=timezone.utc)
    found = zone_day(start, pytz.timezone(zone))
    assert found is not None
    local = start.astimezone(pytz.timezone(found[0]))
    assert (local.hour, local.minute, local.strftime("%Y%m%d")) == (0, 0, found[1])


def test_at_half_an_hour_only_the_users_own_midnight_will_do() -> None:
    kolkata = pytz.timezone("Asia/Kolkata")
    midnight = kolkata.localize(datetime(2026, 6, 10)).astimezone(timezone.utc)
    assert zone_day(midnight, kolkata) == ("Asia/Kolkata", "20260610")
    assert zone_day(midnight, pytz.utc) is None
    assert zone_day(midnight, pytz.FixedOffset(330)) is None


RESET = datetime(2026, 6, 14, 9, 0, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("resets_at", "start", "note"),
    [
        (RESET, datetime(2026, 6, 7, 9, tzinfo=timezone.utc), ""),
        (RESET + timedelta(minutes=40), datetime(2026, 6, 7, 9, tzinfo=timezone.utc), "full hour"),
        (None, datetime(2026, 6, 3, 18, tzinfo=timezone.utc), "not known"),
    ],
)
def test_the_week_begins_at_the_official_reset_to_the_hour(
    resets_at: datetime, start: datetime, note: str
) -> None:
    window = RateLimitWindow(40, resets_at, NOW)
    found, text = week_start(OfficialLimits({"seven_day": window}), NOW)
    assert found == start
    assert note in text
    assert bool(text) == bool(note)
