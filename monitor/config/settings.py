"""Command line › environment › settings file › default, into one frozen Settings."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from monitor.model.usage import Rules


@dataclass(frozen=True)
class DataOptions:
    """Which data to read, and how."""

    ccusage: Optional[str] = None
    claude_dirs: tuple[Path, ...] = ()
    online: bool = False
    full_scan: bool = False

    @property
    def key(self) -> str:
        """The options that change the numbers; part of the cache key."""
        return repr((self.ccusage, self.online, self.full_scan))


@dataclass(frozen=True)
class AlertSettings:
    """When to alert, in percent of the limit, and how; without any way there are no alerts."""

    percents: tuple[float, ...] = (80.0, 95.0)
    bell: bool = False
    notify: bool = False
    command: Optional[str] = None

    @property
    def wanted(self) -> bool:
        """Whether any way to alert was chosen."""
        return self.bell or self.notify or bool(self.command)


@dataclass(frozen=True)
class Settings:
    """What the user chose, checked."""

    rules: Rules
    data: DataOptions
    refresh: float
    show_cost: bool
    ascii: bool
    no_color: bool
    yes: bool
    demo: bool
    alerts: AlertSettings


def settings_from(params: Mapping[str, Any]) -> Settings:
    """Build the settings from click's parameters, all present and converted."""
    return Settings(
        rules=_rules(params),
        data=DataOptions(
            ccusage=params["ccusage"],
            claude_dirs=directories(params["claude_dir"]),
            online=params["online"],
            full_scan=params["full_scan"],
        ),
        refresh=params["refresh"],
        show_cost=not params["no_cost"],
        ascii=params["ascii"],
        no_color=params["no_color"],
        yes=params["yes"],
        demo=params["demo"],
        alerts=_alerts(params),
    )


def directories(names: Sequence[str]) -> tuple[Path, ...]:
    """Return the paths of `--claude-dir`. Raises click.BadParameter for an empty one."""
    if not all(name.strip() for name in names):
        from click import BadParameter

        # An unset shell variable would quietly stand for the present directory.
        raise BadParameter("--claude-dir is empty.")
    return tuple(Path(name) for name in names)


def _rules(params: Mapping[str, Any]) -> Rules:
    import pytz

    from monitor.model.plans import PLAN_TOKENS
    from monitor.model.usage import Rules

    zone = params["timezone"]
    return Rules(
        plan=params["plan"],
        token_limit=params["token_limit"],
        reset_hour=params["reset_hour"],
        zone=pytz.timezone(zone) if zone else local_zone(),
        twelve_hour=is_twelve_hour(params["time_format"]),
        plan_tokens={**PLAN_TOKENS, **params["plans"]},
    )


def _alerts(params: Mapping[str, Any]) -> AlertSettings:
    return AlertSettings(
        percents=tuple(params["alert_at"]) or AlertSettings.percents,
        bell=params["bell"],
        notify=params["notify"],
        command=params["alert_command"],
    )


def local_zone() -> Any:
    """Return the machine's zone as a pytz zone, by its name, else by its offset of now."""
    import time

    import pytz

    offset = time.localtime().tm_gmtoff
    for name in filter(None, _zone_names()):
        try:
            zone = pytz.timezone(name)
        except (pytz.UnknownTimeZoneError, UnicodeEncodeError, ValueError):
            continue
        if offset == _offset(zone):
            return zone
    return pytz.FixedOffset(offset // 60) if offset else pytz.utc


def _zone_names() -> Iterator[str]:
    yield os.environ.get("TZ", "")
    with suppress(OSError):
        yield str(Path("/etc/localtime").readlink()).partition("/zoneinfo/")[2]
    with suppress(Exception):  # it raises what its many sources raise
        import tzlocal  # slow to load, and seldom needed after the two

        yield tzlocal.get_localzone_name()


def _offset(zone: Any) -> float:
    from monitor.clock import utc_now

    offset = utc_now().astimezone(zone).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


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
