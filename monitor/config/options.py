"""The kinds of values that options take, on the command line, in the environment, in a file."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Optional, Union

import click

MAX_LIMIT = 10**12


class TokenLimit(click.ParamType):
    """A number of tokens: `44000`, `44k`, `1.5M`."""

    name = "N"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> int:
        """Return the number of tokens, 1 to 10^12. Raises click.BadParameter with examples."""
        match = re.fullmatch(r"(\d[\d_,]*(?:\.\d+)?)\s*([kKmM]?)", str(value).strip())
        if match and not isinstance(value, bool):
            scale = {"": 1, "k": 1_000, "m": 1_000_000}[match[2].lower()]
            tokens = float(re.sub("[_,]", "", match[1])) * scale
            if 1 <= tokens <= MAX_LIMIT and (scale > 1 or "." not in match[1]):
                return round(tokens)
        return self.fail(
            f"{value!r} is not a number of tokens; try 44000, 44k or 1.5M.", param, ctx
        )


class Number(click.ParamType):
    """A number within a range, both ends included; `name` is what `--help` shows."""

    def __init__(self, name: str, low: float, high: float) -> None:
        self.name = name
        self._low, self._high = low, high

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> float:
        """Return the number. Raises click.BadParameter with the range."""
        with suppress(ValueError):
            number = float(value)
            if self._low <= number <= self._high:  # false for NaN
                return number
        return self.fail(f"{value!r} is not a number from {self._low} to {self._high}.", param, ctx)


class Hour(click.ParamType):
    """An hour of the day, 0 to 23."""

    name = "0-23"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> int:
        """Return the hour. Raises click.BadParameter with what is allowed."""
        text = str(value).strip()
        if re.fullmatch(r"\d{1,2}", text, re.ASCII) and int(text) < 24:
            return int(text)
        return self.fail(f"{value!r} is not an hour from 0 to 23; for 9 pm write 21.", param, ctx)


class DataDirectory(click.Path):
    """A directory's path; a blank one would quietly stand for the present directory."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)
        self.name = "DIR"  # as `--help` shows it; click.Path sets its own

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> Path:
        """Return the path. Raises click.BadParameter if there is none in `value`."""
        if not str(value).strip():
            self.fail("The name of the directory is empty.", param, ctx)
        return Path(value)


class Zone(click.ParamType):
    """The IANA name of a time zone that pytz knows; returns its canonical spelling."""

    name = "NAME"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> str:
        """Return the zone's name. Raises click.BadParameter with the names that may be meant."""
        import pytz

        try:
            return str(pytz.timezone(str(value).strip()).zone)
        except (pytz.UnknownTimeZoneError, UnicodeEncodeError, ValueError):
            from monitor.config.time_zones import similar_zones

            advice = " or ".join(similar_zones(str(value))) or "one such as Europe/Berlin"
            self.fail(f"{value!r} is not a time zone; try {advice}.", param, ctx)


class Since(click.ParamType):
    """A date, `2026-11-01` or `20261101`, or a number of days back, `30d`."""

    name = "DATE"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> Union[date, timedelta]:
        """Return the day, or how long ago it was. Raises click.BadParameter with examples."""
        text = str(value).strip()
        if re.fullmatch(r"\d{1,4}d", text, re.ASCII):
            return timedelta(days=int(text[:-1]))
        try:
            return datetime.strptime(text.replace("-", ""), "%Y%m%d").date()  # noqa: DTZ007 - a day
        except ValueError:
            advice = "try 2026-11-01, 20261101 or 30d"
            return self.fail(f"{value!r} is not a date; {advice}.", param, ctx)
