"""The colours of the history page can be told apart."""

from __future__ import annotations

import re
from itertools import combinations
from math import dist

import pytest

from monitor.views.html.style_sheet import STYLE

SIGHT = {
    "full": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "without red": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "without green": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "without blue": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}
"""What an eye makes of linear red, green and blue (Machado, Oliveira and Fernandes, 2009)."""
LMS = ((0.4122, 0.5363, 0.0514), (0.2119, 0.6807, 0.1074), (0.0883, 0.2817, 0.6300))
LAB = ((0.2105, 0.7936, -0.0041), (1.9780, -2.4286, 0.4506), (0.0259, 0.7828, -0.8087))
"""From linear light to Oklab, in which distances are as large as they look."""


def times(matrix: tuple[tuple[float, ...], ...], values: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, values)) for row in matrix]


def seen(colour: str, sight: str) -> list[float]:
    """The place of a colour such as `#1d5a80` in Oklab."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    light = [p / 12.92 if p <= 0.04045 else float(((p + 0.055) / 1.055) ** 2.4) for p in parts]
    cones = times(LMS, [max(0.0, value) for value in times(SIGHT[sight], light)])
    return times(LAB, [cone ** (1 / 3) for cone in cones])


@pytest.mark.parametrize("sight", SIGHT)
def test_every_eye_can_tell_the_colours_of_a_stack_apart(sight: str) -> None:
    for theme in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL):
        colours = re.findall(r"--who\d: (#\w+)", theme)
        assert len(colours) == 6
        for one, other in combinations(colours, 2):
            assert dist(seen(one, sight), seen(other, sight)) > 0.1, (one, other)
