"""What each kind of option value accepts, and what a wrong one is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from monitor.config.options import DataDirectory, Hour, Number, TokenLimit, Zone


def refusal(kind: Any, value: object) -> str:
    with pytest.raises(click.BadParameter) as caught:
        kind.convert(value, None, None)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("44000", 44_000),
        ("44,000", 44_000),
        ("44_000", 44_000),
        (" 44k ", 44_000),
        ("1.5M", 1_500_000),
        ("0.5k", 500),
        (7_000, 7_000),
    ],
)
def test_a_token_limit_may_be_written_in_short(text: object, tokens: int) -> None:
    assert TokenLimit().convert(text, None, None) == tokens


@pytest.mark.parametrize("text", ["0", "1.5", "k", "", "-1", "2T", True, "9" * 20, "0.0001k"])
def test_what_is_not_a_token_limit_hears_what_is(text: object) -> None:
    message = refusal(TokenLimit(), text)
    assert message == f"{text!r} is not a number of tokens; try 44000, 44k or 1.5M."


@pytest.mark.parametrize("text", ["1", "2.5", "3600", 3])
def test_a_number_lies_between_its_ends(text: object) -> None:
    assert Number("SECONDS", 1, 3600).convert(text, None, None) == float(str(text))


@pytest.mark.parametrize("text", ["0.9", "3600.1", "nan", "inf", "soon", ""])
def test_a_number_outside_hears_the_ends(text: str) -> None:
    message = refusal(Number("SECONDS", 1, 3600), text)
    assert message == f"{text!r} is not a number from 1 to 3600."


@pytest.mark.parametrize(("text", "hour"), [("0", 0), ("9", 9), ("09", 9), ("23", 23), (7, 7)])
def test_an_hour_is_a_number_from_0_to_23(text: object, hour: int) -> None:
    assert Hour().convert(text, None, None) == hour


@pytest.mark.parametrize("text", ["9pm", "24", "-1", "9.5", "21:00", "", "٩"])
def test_what_is_not_an_hour_hears_how_the_evening_is_written(text: str) -> None:
    message = refusal(Hour(), text)
    assert message == f"{text!r} is not an hour from 0 to 23; for 9 pm write 21."


def test_a_directory_has_a_name() -> None:
    assert DataDirectory().convert("~/.claude", None, None) == Path("~/.claude")
    for blank in ("", "  "):
        assert refusal(DataDirectory(), blank) == "The name of the directory is empty."


@pytest.mark.parametrize(("text", "name"), [("us/eastern", "US/Eastern"), (" UTC ", "UTC")])
def test_a_zone_gets_its_canonical_name(text: str, name: str) -> None:
    assert Zone().convert(text, None, None) == name


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("PST", "try US/Pacific or Asia/Manila."),
        ("EST5", "try US/Eastern."),
        ("Mars/Base", "try one such as Europe/Berlin."),
        ("Zürich", "try Europe/Zurich."),
        ("../etc/passwd", "try one such as Europe/Berlin."),
    ],
)
def test_what_is_not_a_zone_hears_which_may_be_meant(text: str, advice: str) -> None:
    assert refusal(Zone(), text) == f"{text!r} is not a time zone; {advice}"
