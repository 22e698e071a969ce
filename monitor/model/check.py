"""Answer whether enough is left for a task, given in tokens or as a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple, Optional, Union

from monitor.model import sentence
from monitor.model.formatting import count, duration, minutes
from monitor.model.usage import Usage

ENOUGH, TIGHT, NOT_ENOUGH, UNKNOWN = 0, 10, 11, 20
"""Exit codes of `check`."""

CLOSE = 0.8
"""Above this share of what is left, a need is tight."""

BEST_FIRST = (ENOUGH, TIGHT, UNKNOWN, NOT_ENOUGH)

Need = Union[int, timedelta]
"""Counted tokens, or how long the work takes at the present pace."""


class Answer(NamedTuple):
    """An exit code of `check`, and a sentence that gives the reason."""

    code: int
    sentence: str


def check(usage: Usage, need: Optional[Need]) -> Answer:
    """Answer for `need`; without one, whether the present pace lasts to the reset."""
    if usage.state in ("limit_reached", "exceeded"):
        # Also without a block here, since other devices use the same limit.
        return Answer(NOT_ENOUGH, sentence.summary(usage))
    if usage.block is None:
        return Answer(UNKNOWN, sentence.summary(usage))
    if need is None:
        codes = {"ok": ENOUGH, "warn": TIGHT, "alarm": NOT_ENOUGH}
        return Answer(codes.get(usage.headline.severity, UNKNOWN), sentence.summary(usage))
    left = usage.five_hour.tokens_left
    tokens = need if isinstance(need, int) else _tokens_in(usage, need)
    if tokens is None:
        answer = Answer(UNKNOWN, "Not known yet: there is too little data for a pace.")
    elif left is None:
        answer = Answer(UNKNOWN, "Not known yet: what a token is worth of the official limit.")
    else:
        answer = _compared(round(tokens), round(left), _named(need, tokens))
    if usage.binding_week is None:
        return answer
    return answer if answer.code == NOT_ENOUGH else _weekly_first(usage, need)


def best(answers: Sequence[tuple[str, Usage, Answer]]) -> tuple[str, Answer]:
    """Return name and answer of the account with most left; a fresh block is better than none left.

    An account that cannot be read comes last. Of equal answers the one counts with more tokens
    left; with more percent if they are not known.
    """
    rests = [usage.five_hour.tokens_left for _, usage, _ in answers]
    are_known = None not in rests

    def rank(place: int) -> tuple[bool, int, float]:
        _, usage, answer = answers[place]
        rest = rests[place] if are_known else -usage.five_hour.used_percent
        return usage.is_hidden, BEST_FIRST.index(answer.code), -(rest or 0.0)

    name, _, answer = answers[min(range(len(answers)), key=rank)]
    return name, answer


def _weekly_first(usage: Usage, need: Need) -> Answer:
    """Answer by the weekly limit that binds, which is not known in tokens."""
    ends = usage.binding_week.runs_out_at if usage.binding_week else None
    too_long = isinstance(need, timedelta) and ends is not None and usage.now + need > ends
    return Answer(NOT_ENOUGH if too_long else TIGHT, sentence.summary(usage))


def _compared(tokens: int, left: int, needs: str) -> Answer:
    # Both numbers are rounded as they are shown: 26,000 of 26,000 fit.
    if tokens > left:
        return Answer(NOT_ENOUGH, f"Not enough: {needs}, {count(left)} left.")
    if tokens > CLOSE * left:
        return Answer(TIGHT, f"Tight: {needs}, {count(left)} left.")
    return Answer(ENOUGH, f"Enough: {needs}, {count(left)} left.")


def _tokens_in(usage: Usage, span: timedelta) -> Optional[float]:
    """Return the tokens that the present pace takes in that time, up to the reset."""
    paces = (usage.burn.tokens_per_minute, usage.burn.recent)
    known = [pace for pace in paces if pace is not None]
    if not known or usage.reset.at is None:
        return None
    # A pause just now says nothing about the task: take the faster of the last hour and 10 minutes.
    pace = max(known) or usage.burn.whole
    return None if pace is None else pace * minutes(min(span, usage.reset.at - usage.now))


def _named(need: Need, tokens: float) -> str:
    if isinstance(need, int):
        return f"{count(need)} tokens needed"
    return f"{duration(need)} at this pace needs {count(tokens)} tokens"
