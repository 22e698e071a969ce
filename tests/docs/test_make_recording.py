"""The animated picture is that of today, small, and shows each moment's frame and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.make_pictures import shapes
from docs.make_recording import AUTO, FRAMES, RECORDING, frame_at, recording
from tests.scripts import output_of

GROUP = re.compile(
    r'^<g class="f( s)?" style="animation-name:(k\d+)">\n(.*?)\n</g>$', re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def drawn() -> str:
    return recording()


def is_shown(keyframes: str, number: int) -> bool:
    """Follow the steps of a keyframes rule as a browser does: the last one passed holds."""
    steps = re.findall(r"([\d.]+)%\{visibility:(\w+)\}", keyframes)
    passed = [how for at, how in steps if float(at) <= number * 100 / FRAMES + 1e-6]
    return bool(passed[-1] == "visible")


def test_the_recording_is_what_the_script_would_draw(drawn: str) -> None:
    kept = RECORDING.read_text(encoding="utf-8")
    assert kept == drawn, "renew it with `python docs/make_recording.py`"


def test_the_script_writes_the_recording_into_its_clone(drawn: str, clone: Path) -> None:
    written = clone / "docs" / RECORDING.name
    written.unlink()
    assert output_of(clone / "docs" / "make_recording.py").startswith(f"docs/{RECORDING.name}: ")
    assert written.read_text(encoding="utf-8") == drawn


def test_the_recording_is_quick_to_load_and_fetches_nothing(drawn: str) -> None:
    assert len(drawn.encode("utf-8")) < 300_000
    assert re.findall(r"https?://[^\"]+|url\(|<script|@import", drawn) == [
        "http://www.w3.org/2000/svg"
    ]


@pytest.mark.parametrize("number", range(0, FRAMES, 13))
def test_each_moment_shows_the_shapes_of_its_frame_and_no_other(drawn: str, number: int) -> None:
    rules = dict(re.findall(r"^@keyframes (k\d+)\{(.*)\}$", drawn, re.MULTILINE))
    always = GROUP.sub("", drawn[drawn.index('<g transform="') :]).splitlines()[1:-2]
    shown = [line for line in always if line]
    for _, name, inside in GROUP.findall(drawn):
        shown += inside.splitlines() if is_shown(rules[name], number) else []
    assert sorted(shown) == sorted(shapes(frame_at(number), AUTO))


def test_where_motion_is_not_wanted_the_last_frame_stands_still(drawn: str) -> None:
    always = GROUP.sub("", drawn[drawn.index('<g transform="') :]).splitlines()[1:-2]
    still = [line for line in always if line]
    for stands, _, inside in GROUP.findall(drawn):
        still += inside.splitlines() if stands else []
    assert sorted(still) == sorted(shapes(frame_at(FRAMES - 1), AUTO))
    assert "prefers-reduced-motion" in drawn


def test_the_recording_tells_the_whole_story(drawn: str) -> None:
    words = {re.sub(r"<[^>]+>", "", line) for line in drawn.splitlines()}
    assert {"OK", "TIGHT", "RUNS OUT"} <= words
