"""The limit: which one applies, where it came from, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Optional

import pytest

from monitor.model.blocks import SESSION, Block, TokenCounts
from monitor.model.plans import (
    PLAN_TOKENS,
    Limit,
    PastBlocks,
    Rules,
    choose_limit,
    highest_block,
    past_limit,
)
from monitor.model.usage import measure
from tests.samples import (
    HISTORY,
    NOW,
    PAST,
    active,
    events_over,
    past_block,
    reading_of,
    usage_of,
    with_source,
)

HIGHEST = past_block(2, 30_500)


def choose(
    plan: str = "pro",
    token_limit: Optional[int] = None,
    counted: int = 0,
    highest: Optional[Block] = HIGHEST,
) -> Limit:
    past = PastBlocks([highest] if highest else [])
    return choose_limit(Rules(plan, token_limit=token_limit), counted, past)


@pytest.mark.parametrize(("plan", "tokens"), [("pro", 7_000), ("max5", 35_000), ("max20", 140_000)])
def test_a_plan_has_the_limit_that_the_table_says(plan: str, tokens: int) -> None:
    assert choose(plan) == Limit(tokens, "plan", plan)


def test_the_users_own_limit_beats_any_plan() -> None:
    assert choose("pro", 44_000, counted=50_000) == Limit(44_000, "user", None, 50_000)
    assert choose("custom_max", 44_000) == Limit(44_000, "user", None)


def test_pro_stays_until_it_is_passed() -> None:
    assert choose("pro", counted=7_000) == Limit(7_000, "plan", "pro", 7_000)


def test_pro_passed_gives_way_to_the_highest_block_and_says_so() -> None:
    limit = choose("pro", counted=7_001)
    assert (limit.tokens, limit.source, limit.plan) == (30_500, "custom_max", "pro")
    assert limit.note == "pro limit passed; using your highest block of 2026-06-08"


def test_pro_passed_stays_when_no_block_was_higher() -> None:
    assert choose("pro", counted=9_000, highest=past_block(2, 6_900)).tokens == 7_000
    assert choose("pro", counted=9_000, highest=None).tokens == 7_000


def test_the_other_plans_stay_when_they_are_passed() -> None:
    assert choose("max5", counted=36_000, highest=past_block(2, 90_000)).tokens == 35_000


def test_custom_max_is_the_highest_block_and_names_its_day() -> None:
    limit = choose("custom_max")
    assert limit == Limit(30_500, "custom_max", "custom_max", note="highest of 1 block, 2026-06-08")


def test_custom_max_with_no_completed_block_takes_pros_number_and_says_so() -> None:
    limit = choose("custom_max", highest=None)
    assert (limit.tokens, limit.source) == (7_000, "plan")
    assert limit.note == "no completed block yet; using pro's estimate"


def test_numbers_of_the_users_own_plans_are_used_everywhere() -> None:
    own = {**PLAN_TOKENS, "pro": 9_000}
    for plan in ("pro", "custom_max"):
        assert choose_limit(Rules(plan, plan_tokens=own), 0, PastBlocks()).tokens == 9_000


def test_of_two_blocks_as_high_the_later_is_the_highest() -> None:
    older, newer = past_block(3, 500), past_block(1, 500)
    assert highest_block([newer, older]) == newer


def test_blocks_without_tokens_are_never_the_highest() -> None:
    assert highest_block([past_block(1, 0)]) is None


def test_the_active_block_is_never_the_highest() -> None:
    usage = usage_of(active(events_over(138, 60_000)), Rules(plan="custom_max"))
    assert usage.limit.tokens == max(block.tokens.counted for block in PAST)
    assert usage.limit.tokens_over


def test_a_gap_is_never_the_highest() -> None:
    gap = replace(past_block(2, 90_000), is_gap=True)
    assert usage_of(reading_of(gap), Rules(plan="custom_max")).limit.tokens == 30_500


def test_a_block_of_the_future_is_never_the_highest() -> None:
    future = replace(past_block(-1, 90_000), is_active=True)
    assert future.start > NOW + timedelta(hours=1)
    assert usage_of(reading_of(future), Rules(plan="custom_max")).limit.tokens == 30_500


def test_the_highest_block_may_be_one_that_only_the_history_has() -> None:
    reading = replace(active(events_over(138, 9_000)), blocks=())
    assert usage_of(reading, Rules(plan="custom_max")).limit.tokens == 30_500
    assert [item.block for item in HISTORY.completed] == list(PAST)


def test_pro_passed_stays_when_the_highest_block_only_equals_it() -> None:
    assert choose("pro", counted=9_000, highest=past_block(2, 7_000)).source == "plan"


def test_a_block_that_ends_at_this_moment_may_be_the_highest() -> None:
    block = replace(past_block(1, 50_000), start=NOW - SESSION, end=NOW)
    assert usage_of(reading_of(block), Rules(plan="custom_max")).limit.tokens == 50_000


def test_past_blocks_are_compared_with_the_limit_of_the_highest_of_them() -> None:
    passed = [past_block(3, 20_000), past_block(1, 900)]
    assert past_limit(Rules("pro"), passed).tokens == 20_000
    assert past_limit(Rules("pro"), passed[1:]).tokens == 7_000
    assert past_limit(Rules("pro"), []).tokens == 7_000
    assert past_limit(Rules("max5"), passed).tokens == 35_000
    assert past_limit(Rules("pro", token_limit=9_000), passed).tokens == 9_000


MANY = [past_block(day, 9_000 + day) for day in range(3, 12)]


def note_of(*blocks: Block) -> Optional[str]:
    return choose_limit(Rules("custom_max"), 0, PastBlocks(blocks)).note


def test_a_single_outlier_is_told_as_such() -> None:
    assert note_of(*MANY, past_block(2, 30_500)) == (
        "highest of 10 blocks, 2026-06-08; 9 in 10 stayed below 9,011"
    )
    assert note_of(*MANY, past_block(2, 12_000)) == "highest of 10 blocks, 2026-06-08"


def test_of_few_blocks_none_is_called_an_outlier_and_empty_ones_do_not_count() -> None:
    few = MANY[:8]
    assert note_of(*few, past_block(2, 30_500)) == "highest of 9 blocks, 2026-06-08"
    assert note_of(*few, past_block(2, 30_500), past_block(1, 0)) == (
        "highest of 9 blocks, 2026-06-08"
    )


# Nobody chose a plan.

NOBODY = Rules(is_plan_chosen=False)


def unchosen(*blocks: Block, counted: int = 0, is_complete: bool = True) -> Limit:
    return choose_limit(NOBODY, counted, PastBlocks(blocks, is_complete))


@pytest.mark.parametrize("counted", [0, 1, 7_001])
def test_a_plan_that_nobody_chose_gives_way_from_the_first_message_on(counted: int) -> None:
    limit = unchosen(
        past_block(3, 8_000), past_block(2, 30_500), past_block(1, 900), counted=counted
    )
    assert (limit.tokens, limit.source, limit.plan) == (30_500, "custom_max", "pro")
    assert limit.note == ("2 of your 3 blocks passed pro's 7,000; highest 2026-06-08")
    assert limit.is_settled


def test_a_plan_that_nobody_chose_stays_while_no_block_has_passed_it() -> None:
    for blocks in ((), (past_block(2, 7_000),), (past_block(2, 0),)):
        limit = unchosen(*blocks, counted=40)
        assert (limit.tokens, limit.source, limit.note) == (7_000, "plan", None)


def test_what_nobody_chose_is_not_settled_before_the_history_is_known() -> None:
    limit = unchosen(past_block(2, 900), counted=40, is_complete=False)
    assert not limit.is_settled and limit.note == "looking up your highest block"
    failed = choose_limit(NOBODY, 40, PastBlocks((), is_complete=False, error="it hangs"))
    assert (failed.is_settled, failed.tokens, failed.history_error) == (True, 7_000, "it hangs")


TEN = [past_block(days, 900 * days) for days in range(1, 11)]


@pytest.mark.parametrize("rules", [Rules("custom_max"), NOBODY])
def test_a_history_that_is_read_in_part_gives_a_limit_that_says_so(rules: Rules) -> None:
    limit = choose_limit(rules, 40, PastBlocks(TEN, is_complete=False, days_read=12))
    assert (limit.tokens, limit.is_settled) == (9_000, True)
    assert limit.note is not None and limit.note.endswith(", of 12 days so far")
    whole = choose_limit(rules, 40, PastBlocks(TEN))
    assert whole.note is not None and "so far" not in whole.note


def test_a_few_blocks_of_a_history_that_is_still_read_are_not_enough() -> None:
    past = PastBlocks(TEN[:9], is_complete=False, days_read=12)
    assert not choose_limit(Rules("custom_max"), 40, past).is_settled
    assert not choose_limit(Rules("custom_max"), 40, replace(past, days_read=None)).is_settled


def test_a_limit_in_tokens_is_a_choice_too() -> None:
    rules = Rules(token_limit=44_000, is_plan_chosen=False)
    assert choose_limit(rules, 9_000, PastBlocks([HIGHEST])) == Limit(44_000, "user", None, 9_000)


def test_a_block_that_is_known_twice_counts_once_as_it_is_stored() -> None:
    for scan, counted in (("full", 31_000), ("window", 31_000), ("full", 12_000)):
        again = replace(PAST[1], tokens=replace_counted(PAST[1], counted))
        reading = with_source(reading_of(), scan=scan)
        reading = replace(reading, blocks=(PAST[0], again, PAST[2]))
        limit = measure(reading, HISTORY, NOBODY, NOW).limit
        assert limit.tokens == 30_500  # less is left of it in the transcripts, or more was misread
        assert limit.note is not None and limit.note.startswith("3 of your 3 blocks passed")


def replace_counted(block: Block, counted: int) -> TokenCounts:
    return block.tokens._replace(input=0, output=counted)
