"""Time zones by name: the machine's own, and those that a wrong name may mean."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytz

from monitor.clock import utc_now

FAMILIAR = (
    *("US/Pacific", "US/Mountain", "US/Central", "US/Eastern", "US/Alaska", "US/Hawaii"),
    *("Canada/Atlantic", "Canada/Newfoundland", "Europe/London", "Europe/Dublin", "Europe/Lisbon"),
    *("Europe/Berlin", "Europe/Athens", "Europe/Moscow", "Africa/Lagos", "Africa/Johannesburg"),
    *("Africa/Nairobi", "Asia/Jerusalem", "Asia/Karachi", "Asia/Kolkata", "Asia/Jakarta"),
    *("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Manila", "Asia/Tokyo", "Asia/Seoul"),
    *("Australia/Perth", "Australia/Adelaide", "Australia/Sydney", "Pacific/Auckland"),
)
"""The zones that abbreviations such as PST are taken for; most others share theirs with one."""

_ABBREVIATION = re.compile(r"([A-Z]+)\d*[A-Z]*")
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])0?(\d{1,2})(?::?00)?")


def local_zone() -> Any:
    """Return the machine's zone as a pytz zone, by its name, else by its present offset."""
    import time

    offset = time.localtime().tm_gmtoff
    for name in filter(None, _local_names()):
        try:
            zone = pytz.timezone(name)
        except (pytz.UnknownTimeZoneError, UnicodeEncodeError, ValueError):
            continue
        if offset == _offset(zone):
            return zone
    return pytz.FixedOffset(offset // 60) if offset else pytz.utc


def similar_zones(name: str) -> Sequence[str]:
    """Return up to three zones that `name` may mean; none if it looks like no zone at all.

    >>> similar_zones("PST"), similar_zones("New York"), similar_zones("UTC+2")
    (['US/Pacific', 'Asia/Manila'], ['America/New_York'], ['Etc/GMT-2'])
    """
    word = name.strip().replace(" ", "_")
    return (
        _by_offset(word.upper()) or _by_abbreviation(word.upper()) or _by_spelling(word.casefold())
    )


def _by_offset(word: str) -> Sequence[str]:
    """Return the zone of a fixed offset; IANA has its sign reversed."""
    match = _OFFSET.fullmatch(word)
    zone = f"Etc/GMT{'-' if match[1] == '+' else '+'}{match[2]}" if match else ""
    return [zone] if zone in pytz.all_timezones_set else []


def _by_abbreviation(word: str) -> Sequence[str]:
    match = _ABBREVIATION.fullmatch(word)
    return [zone for zone in FAMILIAR if match and match[1] in _abbreviations(zone)][:3]


def _abbreviations(name: str) -> set[str]:
    zone, year = pytz.timezone(name), utc_now().year
    return {str(zone.localize(datetime(year, month, 1)).tzname()) for month in (1, 7)}  # noqa: DTZ001


def _by_spelling(word: str) -> Sequence[str]:
    """Return the zones whose name, or city alone, is spelled nearly like this."""
    import difflib

    names = {zone.casefold(): zone for zone in pytz.common_timezones}
    names.update({name.rpartition("/")[2]: zone for name, zone in names.items()})
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.75)
    return list(dict.fromkeys(names[name] for name in near))


def _local_names() -> Iterator[str]:
    yield os.environ.get("TZ", "")
    with suppress(OSError):
        yield str(Path("/etc/localtime").readlink()).partition("/zoneinfo/")[2]
    with suppress(Exception):  # it raises what its many sources raise
        import tzlocal  # slow to load, and seldom needed after the two

        yield tzlocal.get_localzone_name()


def _offset(zone: Any) -> float:
    offset = utc_now().astimezone(zone).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0
