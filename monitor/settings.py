"""Command line › environment › settings file › default, into one frozen Settings."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import click

from monitor.settings_file import plans_of

if TYPE_CHECKING:
    from monitor.model.usage import Rules
    from monitor.source.reader import Source

MAX_LIMIT = 10**12


@dataclass(frozen=True)
class Settings:
    """What the user chose, checked."""

    rules: Rules
    source: Source
    refresh: float
    show_cost: bool
    ascii: bool
    no_color: bool
    yes: bool
    demo: bool


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


class Seconds(click.FloatRange):
    """A number of seconds within a range; NaN is none."""

    name = "SECONDS"

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> float:
        """Return the seconds; fails with the range allowed."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        return seconds


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


class PlanName(click.Choice):
    """One of the plans, or a name of the settings file's `[plans]` table."""

    def convert(
        self, value: Any, param: Optional[click.Parameter], ctx: Optional[click.Context]
    ) -> str:
        """Return the plan's name; fails with the names there are."""
        own = plans_of(ctx)
        if value in own:
            return str(value)
        return str(click.Choice([*self.choices, *own]).convert(value, param, ctx))


def settings_from(params: Mapping[str, Any]) -> Settings:
    """Build the settings from click's parameters, all present and converted."""
    import pytz

    from monitor.model.plans import PLAN_TOKENS
    from monitor.model.usage import Rules
    from monitor.source.reader import Source

    zone = params["timezone"]
    rules = Rules(
        plan=params["plan"],
        token_limit=params["token_limit"],
        reset_hour=params["reset_hour"],
        zone=pytz.timezone(zone) if zone else local_zone(),
        twelve_hour=is_twelve_hour(params["time_format"]),
        plan_tokens={**PLAN_TOKENS, **params["plans"]},
    )
    source = Source(
        ccusage=params["ccusage"],
        claude_dirs=tuple(Path(name) for name in params["claude_dir"]),
        online=params["online"],
        full_scan=params["full_scan"],
    )
    return Settings(
        rules=rules,
        source=source,
        refresh=params["refresh"],
        show_cost=not params["no_cost"],
        ascii=params["ascii"],
        no_color=params["no_color"],
        yes=params["yes"],
        demo=params["demo"],
    )


def local_zone() -> Any:
    """Return the machine's zone as a pytz zone; UTC when it has no name that pytz knows."""
    import pytz
    import tzlocal

    try:
        return pytz.timezone(tzlocal.get_localzone_name() or "UTC")
    except Exception:  # noqa: BLE001 - tzlocal raises what its many sources raise
        return pytz.utc


def is_twelve_hour(chosen: Optional[str]) -> bool:
    """Whether times are written on a 12-hour clock: as chosen, else as the user's locale does."""
    if chosen is not None:
        return chosen == "12"
    import locale

    try:
        locale.setlocale(locale.LC_TIME, "")
        return any(code in locale.nl_langinfo(locale.T_FMT) for code in ("%r", "%p", "%I"))
    except (locale.Error, AttributeError):
        return False  # an unknown locale, or Windows


def _similar_zones(name: str) -> str:
    import difflib

    import pytz

    found = difflib.get_close_matches(name, pytz.all_timezones, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(found)}?" if found else "; try one such as Europe/Berlin"
