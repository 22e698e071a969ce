"""Draw docs/recording.svg: the live screen during two simulated hours of work, in 14 seconds.

    python docs/make_recording.py

The monitor's own model and views make each frame. The file holds each shape once, with the times at
which it is visible.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from docs.make_pictures import COLUMNS, DARK, LIGHT, ROWS, Theme, shapes, window
from monitor.model.blocks import Event
from monitor.model.usage import measure
from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.style import Style
from monitor.views.text import Line
from tests.samples import HISTORY, RULES, START, block_of, reading_of

RECORDING = Path(__file__).parent / "recording.svg"
FRAMES, STEP, FRAME_SECONDS = 40, timedelta(minutes=3), 0.35
FIRST = timedelta(minutes=30)
"""How many frames, how far apart they are in the simulated work, how long each is seen."""

WORK = ((12, 44, 70), (44, 62, 240), (62, 94, 520))
"""From which minute of the block to which, at how many tokens a minute; then a pause."""

AUTO = Theme(
    *("auto", "var(--back)", "var(--text)", "var(--dim)", "var(--edge)", "var(--title)"),
    {number: f"var(--c{number})" for number in LIGHT.colors},
)
"""The colours that the reader's system asks for: dark or light."""


def recording() -> str:
    """Return the animated picture; the same at every call."""
    seen: dict[str, list[int]] = defaultdict(list)
    for number in range(FRAMES):
        for shape in shapes(frame_at(number), AUTO):
            seen[shape].append(number)
    together: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for shape, frames in seen.items():
        together[tuple(frames)].append(shape)
    groups = [_group(i, times, drawn) for i, (times, drawn) in enumerate(together.items())]
    keyframes = [_keyframes(i, times) for i, times in enumerate(together)]
    return window("\n".join(groups), AUTO, _style(keyframes))


def frame_at(number: int) -> list[Line]:
    """Return what the screen shows at this frame of the recording."""
    now = START + FIRST + number * STEP
    done = tuple(event for event in _events() if event.at <= now)
    cost = sum(event.cost_usd or 0 for event in done)
    block = replace(block_of(done), cost_usd=cost)
    reading = replace(reading_of(block, events=done), read_at=now - timedelta(seconds=2))
    return frame(measure(reading, HISTORY, RULES, now), COLUMNS, ROWS, DisplayOptions(Style()))


@lru_cache(maxsize=1)
def _events() -> tuple[Event, ...]:
    """Make one answer a minute, some large, some small.

    Costs are binary fractions: from Python 3.12 on, others add up to another last digit.
    """
    chance = random.Random(7)  # noqa: S311 - the same picture each time
    return tuple(
        Event(START + timedelta(minutes=minute), tokens, tokens / 2048)
        for begin, end, pace in WORK
        for minute in range(begin, end)
        for tokens in [round(pace * chance.uniform(0.4, 1.6))]
    )


def _group(number: int, times: tuple[int, ...], drawn: list[str]) -> str:
    still = " s" if times[-1] == FRAMES - 1 else ""
    inside = "\n".join(drawn)
    if len(times) == FRAMES:
        return inside
    return f'<g class="f{still}" style="animation-name:k{number}">\n{inside}\n</g>'


def _keyframes(number: int, times: tuple[int, ...]) -> str:
    """Say when a group is seen; a rule of one line, hidden where nothing else is said."""
    steps = {0: "hidden"}
    for begin, end in _spans(times):
        steps.update({begin: "visible", end: "hidden"})
    rules = "".join(f"{at * 100 / FRAMES:g}%{{visibility:{how}}}" for at, how in steps.items())
    return f"@keyframes k{number}{{{rules}}}" if len(times) < FRAMES else ""


def _spans(times: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield the first frame and the one after the last of each unbroken stretch."""
    for _, group in groupby(enumerate(times), lambda pair: pair[1] - pair[0]):
        stretch = [frame_number for _, frame_number in group]
        yield stretch[0], stretch[-1] + 1


def _style(keyframes: list[str]) -> str:
    """Return the style sheet; where motion is not wanted, the last frame stands still."""
    rules = "\n".join(filter(None, keyframes))
    return f"""
<style>
:root{{{_variables(LIGHT)}}}
@media (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}
.f{{visibility:hidden;animation:{FRAMES * FRAME_SECONDS:g}s step-end infinite}}
.s{{visibility:visible}}
@media (prefers-reduced-motion:reduce){{.f{{animation:none}}}}
{rules}
</style>"""


def _variables(theme: Theme) -> str:
    named = {name: getattr(theme, name) for name in ("back", "text", "dim", "edge", "title")}
    named.update({f"c{number}": color for number, color in theme.colors.items()})
    return ";".join(f"--{name}:{color}" for name, color in named.items())


def main() -> None:
    """Write the recording."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    RECORDING.write_text(recording(), encoding="utf-8")
    print(f"docs/{RECORDING.name}: {RECORDING.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
