"""Several accounts: which of them is shown first, and what they are asked together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.model.accounts import AccountUsage, binds_first
from monitor.model.check import Answer, best
from tests.samples import RULES, usage_in


@pytest.mark.parametrize(
    ("states", "first"),
    [
        (("ok", "runs-out", "tight"), "runs-out"),
        (("runs-out", "stopped"), "stopped"),
        (("tight", "week-first"), "week-first"),
        (("idle", "ok"), "ok"),
        (("idle", "empty"), "idle"),
        (("warming-up", "ok"), "ok"),
        ((None, "idle"), "idle"),
        (("week-first", "stopped-week"), "stopped-week"),
    ],
)
def test_the_account_that_binds_first_is_the_one_stopped_first_of_the_most_severe(
    states: tuple[str, ...], first: str
) -> None:
    accounts = [AccountUsage(str(name), usage_in(name) if name else None) for name in states]
    assert accounts[binds_first(accounts)].name == first
    accounts.reverse()
    if states != ("idle", "empty"):  # neither binds, so the first one stays
        assert accounts[binds_first(accounts)].name == first


def test_of_accounts_that_are_fine_the_one_that_has_used_more_comes_first() -> None:
    more = usage_in("ok")
    less = usage_in("ok", replace(RULES, token_limit=200_000))
    assert more.headline.severity == less.headline.severity == "ok"
    assert binds_first([AccountUsage("a", less), AccountUsage("b", more)]) == 1
    assert binds_first([AccountUsage("b", more), AccountUsage("a", less)]) == 0


def test_an_account_without_a_forecast_that_has_used_more_comes_first() -> None:
    fine = usage_in("ok", replace(RULES, token_limit=900_000))
    unknown = usage_in("warming-up", replace(RULES, token_limit=5_000))
    assert (fine.headline.severity, unknown.headline.severity) == ("ok", "none")
    assert binds_first([AccountUsage("a", fine), AccountUsage("b", unknown)]) == 1


def test_an_account_that_cannot_be_read_is_the_last_answer() -> None:
    hidden, usage = usage_in("unreadable-idle"), usage_in("ok")
    answers = [("hidden", hidden, Answer(20, "")), ("none", usage, Answer(11, ""))]
    assert best(answers)[0] == "none"


def test_a_fresh_block_is_a_better_answer_than_none_left_but_not_than_a_known_rest() -> None:
    usage = usage_in("ok")
    enough, tight, unknown, none = (
        (str(code), usage, Answer(code, "")) for code in (0, 10, 20, 11)
    )
    assert best([none, unknown, tight, enough])[0] == "0"
    assert best([none, unknown, tight])[0] == "10"
    assert best([none, unknown])[0] == "20"
    assert best([none]) == ("11", Answer(11, ""))


def test_of_equal_answers_that_of_the_account_with_more_tokens_left_counts() -> None:
    answers = [
        (name, usage_in("ok", replace(RULES, token_limit=limit)), Answer(0, ""))
        for name, limit in (("a", 50_000), ("b", 90_000), ("c", 70_000))
    ]
    assert best(answers)[0] == "b"
