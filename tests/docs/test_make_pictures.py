from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.make_pictures import DARK, LIGHT, Theme, as_text, picture, sample_frame, with_frame
from tests.scripts import ROOT, output_of

DOCUMENT = "docs/screen.md"
TEXT = (ROOT / DOCUMENT).read_text(encoding="utf-8")
RENEW = "renew with `python docs/make_pictures.py`"
PICTURES = ("docs/screen-dark.svg", "docs/screen-light.svg")


def test_the_frame_shown_is_what_the_script_would_write() -> None:
    assert with_frame(TEXT, as_text(sample_frame())) == TEXT, RENEW


def test_the_frame_shown_is_one_that_the_tests_of_the_screen_hold() -> None:
    golden = (ROOT / "tests" / "screens" / "runs-out-80x24.txt").read_text(encoding="utf-8")
    assert f"```text\n{golden}```\n" in TEXT, RENEW


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_a_picture_is_what_the_script_would_draw(theme: Theme) -> None:
    drawn = (ROOT / "docs" / f"screen-{theme.name}.svg").read_text(encoding="utf-8")
    assert drawn == picture(sample_frame(), theme), RENEW


def test_every_word_of_the_frame_is_in_the_picture() -> None:
    drawn = picture(sample_frame(), LIGHT)
    words = re.findall(r"[A-Za-z0-9$,.:%~'–]{2,}", as_text(sample_frame()))
    assert len(words) > 50
    assert [word for word in words if word not in drawn] == []


def test_the_script_writes_pictures_and_frame_into_its_clone(clone: Path) -> None:
    for name in PICTURES:
        (clone / name).unlink()
    (clone / DOCUMENT).write_text(with_frame(TEXT, "old\n"), encoding="utf-8")
    assert output_of(clone / "docs" / "make_pictures.py").splitlines() == list(PICTURES)
    for name in (*PICTURES, DOCUMENT):
        assert (clone / name).read_text("utf-8") == (ROOT / name).read_text("utf-8")
