"""Say numbers, times and durations in words, the same way everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple, Union

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class TimeFormat(NamedTuple):
    """How times are written: in which zone, and on a 12- or 24-hour clock."""

    zone: tzinfo
    twelve_hour: bool = False

    @property
    def name(self) -> str:
        """The zone's name, or the offset of one that has none: `US/Eastern`, `UTC+05:30`."""
        if getattr(self.zone, "zone", self) is not None:
            return str(self.zone)
        # Only a fixed offset has no name: the moment does not matter.
        offset = datetime(2000, 1, 1, tzinfo=self.zone).strftime("%z")
        return f"UTC{offset[:3]}:{offset[3:5]}"

    def local(self, when: datetime) -> datetime:
        """Return `when` on this clock's zone."""
        return when.astimezone(self.zone)

    def minute(self, when: datetime) -> str:
        """Write a time of day to the nearest minute: `15:47` or `3:47 PM`."""
        return self._write(nearest_minute(when), "%H:%M", "%I:%M %p")

    def second(self, when: datetime) -> str:
        """Write a time of day with seconds: `15:47:09` or `3:47:09 PM`."""
        return self._write(when, "%H:%M:%S", "%I:%M:%S %p")

    def day(self, when: datetime) -> str:
        """Write a date: `2026-11-19`."""
        return self.local(when).strftime("%Y-%m-%d")

    def minute_or_day(self, when: datetime, now: datetime) -> str:
        """Write a time of day, with its day where that is not today: the next days by name."""
        # What has been keeps its minute, and is never said to be still to come.
        shown = when.replace(second=0, microsecond=0) if when < now else nearest_minute(when)
        days = (self.local(shown).date() - self.local(now).date()).days
        day = {0: "", 1: "tomorrow ", -1: "yesterday "}.get(days)
        if day is None:
            weekday = WEEKDAYS[self.local(shown).weekday()]
            named = {7: f"next {weekday}"}.get(days, self.day(shown))
            day = f"{weekday if 1 < days < 7 else named} "
        return f"{day}{self.minute(shown)}"

    def _write(self, when: datetime, full: str, half: str) -> str:
        local = self.local(when)
        if not self.twelve_hour:
            return local.strftime(full)
        # strftime's %p is empty in many locales.
        text = local.strftime(half.replace("%p", "AM" if local.hour < 12 else "PM"))
        return text.removeprefix("0")


def first_day(since: Union[date, timedelta], time_format: TimeFormat, now: datetime) -> date:
    """Return the first day to show, on the user's clock."""
    return since if isinstance(since, date) else time_format.local(now).date() - since


def nearest_minute(when: datetime) -> datetime:
    """Round to the minute that a reader of a clock would name.

    Times and differences between them are both taken from rounded instants, so that "15:47" and
    "1 h 13 min before 17:00" always agree.
    """
    return (when + timedelta(seconds=30)).replace(second=0, microsecond=0)


def minutes(span: timedelta) -> float:
    """Return a duration in minutes."""
    return span / MINUTE


def duration(span: timedelta) -> str:
    """Write a duration of any length in its two largest units, rounded, never truncated to hours.

    >>> duration(timedelta(hours=1, minutes=36))
    '1 h 36 min'
    >>> duration(timedelta(seconds=20)), duration(timedelta(days=2, hours=3, minutes=50))
    ('under a minute', '2 d 4 h')
    """
    if span < MINUTE:
        return "under a minute"
    total = int(minutes(span) + 0.5)
    hours, rest = divmod(total, 60)
    if hours >= 24:
        days, hours = divmod(int(total / 60 + 0.5), 24)
        return f"{days} d {hours} h" if hours else f"{days} d"
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def between(first: datetime, last: datetime) -> str:
    """Write how long it is from one time shown to another, so that all three agree."""
    return duration(nearest_minute(last) - nearest_minute(first))


def age(span: timedelta) -> str:
    """Write how long ago something was, seconds included while they matter.

    >>> age(timedelta(seconds=2)), age(timedelta(minutes=5))
    ('2 s', '5 min')
    """
    return f"{max(0, int(span / SECOND))} s" if span < 2 * MINUTE else duration(span)


def count(number: float) -> str:
    """Write a whole number with thousands separators.

    >>> count(23210), count(62.6)
    ('23,210', '63')
    """
    return f"{int(number + 0.5):,}"


def rate(number: float) -> str:
    """Write tokens per minute: no more digits than say something.

    >>> rate(5014.2), rate(157.2), rate(4.21), rate(0.02)
    ('5,010', '157', '4.2', 'under 0.1')
    """
    if 0 < number < 0.05:
        return "under 0.1"
    if number >= 1000:
        return count(float(f"{number:.3g}"))  # else the fourth changes with every tick of the clock
    return count(number) if number >= 9.95 or number == int(number) else f"{number:.1f}"


def percent(number: float) -> str:
    """Write a percentage without claiming 0 or 100 before it is so.

    >>> percent(0), percent(0.3), percent(66.4), percent(99.7), percent(137.2)
    ('0 %', 'under 1 %', '66 %', '99 %', '137 %')
    """
    if 0 < number < 1:
        return "under 1 %"
    return f"{99 if 99 < number < 100 else int(number + 0.5)} %"


def chance(probability: float) -> str:
    """Write a probability from 0 to 1 in percent, rounded down: 59.6 % is not yet 60 %.

    >>> chance(0.596), chance(0.002), chance(1.0)
    ('59 %', 'under 1 %', '100 %')
    """
    return percent(
        math.floor(100 * probability + 1e-9) if probability >= 0.01 else 100 * probability
    )


def dollars(amount: float) -> str:
    """Write an amount of US dollars: `$12.40`.

    >>> dollars(1234.5)
    '$1,234.50'
    """
    return f"${amount:,.2f}"


def size(number: int) -> str:
    """Write a number of bytes.

    >>> size(1100000000), size(2048)
    ('1.0 GB', '2 kB')
    """
    for unit, name in ((2**30, "GB"), (2**20, "MB"), (2**10, "kB")):
        if number >= unit:
            value = number / unit
            return f"{value:.1f} {name}" if value < 10 and name != "kB" else f"{value:.0f} {name}"
    return f"{number} bytes"


def plural(number: int, noun: str) -> str:
    """Write a number with its noun: `1 file`, `3,730 files`.

    >>> plural(1, "file"), plural(3730, "file")
    ('1 file', '3,730 files')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def model_names(names: Iterable[str]) -> str:
    """List the models that wrote something, by short names.

    >>> model_names(["claude-opus-4-20250514", "<synthetic>", "gpt-5"])
    'opus-4, gpt-5'
    """
    # Claude Code names messages of its own "<synthetic>".
    return ", ".join(short_model(name) for name in names if name != "<synthetic>")


def short_model(name: str) -> str:
    """Return a model's name without maker and date, its version as `3.5`.

    >>> short_model("claude-opus-4-20250514"), short_model("claude-3-5-haiku-20241022")
    ('opus-4', 'haiku-3.5')
    """
    parts = visible(name).split("-")
    is_claude = parts[0] == "claude"
    if is_claude:
        parts = parts[1:]
    if len(parts) > 1 and len(parts[-1]) == 8 and parts[-1].isdecimal():
        parts = parts[:-1]
    if is_claude:
        words = [part for part in parts if not part.isdecimal()]
        version = ".".join(part for part in parts if part.isdecimal())
        parts = [*words, *([version] if version else [])]
    return "-".join(parts) or visible(name)


def visible(text: str) -> str:
    """Make control characters of a text from outside visible: no escape sequence may pass.

    >>> visible("a" + chr(27) + "[2Jb")
    'a␛[2Jb'
    """
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    code = ord(character)
    if code < 32:
        return chr(0x2400 + code)  # Unicode's pictures of the control characters
    if code == 127:
        return "␡"
    # C1 controls, surrogates, and marks that reorder or hide text.
    return character if character.isprintable() else "�"


def one_line(text: str, length: int = 600) -> str:
    """Make a text from outside fit for a message: one line, nothing hidden, cut to `length`."""
    return cut(visible(" ".join(text.split("\n")).strip()), length)


def cut(text: str, length: int = 300) -> str:
    """Cut a text to a length in characters.

    >>> cut("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"
