"""The kinds of values that options take, on the command line, in the environment, in a file."""

from __future__ import annotations

import math
import re
from typing import Any, Optional

import click

MAX_LIMIT = 10**12


class TokenLimit(click.ParamType):
    """A number of tokens: `44000`, `44k`, `1.5M`."""

    name = "N"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> int:
        """Return the number of tokens, 1 to 10^12; fails with what is allowed."""
        found = re.fullmatch(r"(\d[\d_,]*(?:\.\d+)?)\s*([kKmM]?)", str(value).strip())
        if found and not isinstance(value, bool):
            scale = {"": 1, "k": 1_000, "m": 1_000_000}[found[2].lower()]
            tokens = float(re.sub("[_,]", "", found[1])) * scale
            if 1 <= tokens <= MAX_LIMIT and (scale > 1 or "." not in found[1]):
                return round(tokens)
        return self.fail(f"{value!r} is no number of tokens; try 44000, 44k or 1.5M.", param, ctx)


class Number(click.FloatRange):
    """A number within a range; NaN is none."""

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> float:
        """Return the number; fails with the range allowed."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


class Seconds(Number):
    """A number of seconds within a range."""

    name = "SECONDS"


class Percent(Number):
    """A percentage within a range."""

    name = "PERCENT"


class Zone(click.ParamType):
    """The IANA name of a time zone that pytz knows; returns its canonical spelling."""

    name = "NAME"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> str:
        """Return the zone's name; fails with the nearest names that exist."""
        import pytz

        try:
            return str(pytz.timezone(str(value).strip()).zone)
        except (pytz.UnknownTimeZoneError, UnicodeEncodeError, ValueError):
            self.fail(f"{value!r} is no time zone{_similar_zones(str(value))}.", param, ctx)


def _similar_zones(name: str) -> str:
    import difflib

    import pytz

    found = difflib.get_close_matches(name, pytz.all_timezones, n=3, cutoff=0.6)
    return f"; the nearest are {', '.join(found)}" if found else "; try one such as Europe/Berlin"
