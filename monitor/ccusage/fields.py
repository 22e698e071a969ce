"""Read fields of a raw report: tolerant of what is new, strict about what is read.

An error names the field that is missing or of the wrong type.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any, NoReturn, Optional

from monitor.errors import MonitorError
from monitor.model.blocks import MAX_TOKENS

ADVICE = "Try another version of ccusage (--ccusage), and see `ccusage-monitor doctor`."

MAX_COST = 1e12
"""US dollars. No real cost comes near; a larger one is a fault of the report."""

FAR_FUTURE = re.compile(r"\+?\d{5,}-")
LAST_YEAR = datetime(9999, 12, 1, tzinfo=timezone.utc)


class FieldError(ValueError):
    """A field is missing or wrong; the text begins with its name."""


def no_report(error: FieldError) -> MonitorError:
    """Return what to tell the user of a report with such a fault."""
    return MonitorError(f"ccusage printed no report: {error}.", ADVICE)


def parse_json(text: str) -> Any:
    """Return the value of a JSON text. Raises FieldError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = f"the output is no JSON ({error.__class__.__name__}: {error})"
        raise FieldError(reason) from None


def field(raw: dict[str, Any], name: str) -> Any:
    """Return the value of a field. Raises FieldError if it is missing."""
    if name not in raw:
        raise FieldError(f"{name} is missing")
    return raw[name]


def time(value: object, name: str) -> datetime:
    """Read an ISO 8601 time with an offset as UTC."""
    if not isinstance(value, str):
        reject(name, "a time", value)
    if FAR_FUTURE.match(value):
        return LAST_YEAR  # datetime ends at the year 9999: far in the future all the same
    try:
        # As ccusage writes it; anything else takes the longer way.
        usual = len(value) == len("2026-01-05T12:00:00.000Z") and value[-1] == "Z"
        when = datetime.fromisoformat(f"{value[:-1]}+00:00" if usual else _for_old_pythons(value))
        return when.astimezone(timezone.utc) if when.tzinfo else reject(name, "a time", value)
    except (ValueError, OverflowError):
        reject(name, "a time", value)


def _for_old_pythons(text: str) -> str:
    """Write a time as Python 3.9 and 3.10 can read it: no Z, and a fraction of six digits."""
    match = re.fullmatch(r"(.*T[\d:]*)\.(\d{1,9})(.*)", text.replace("Z", "+00:00"))
    return f"{match[1]}.{match[2]:0<6.6}{match[3]}" if match else text.replace("Z", "+00:00")


def optional_time(value: object, name: str) -> Optional[datetime]:
    """Read a time that may be null."""
    return None if value is None else time(value, name)


def count(value: object, name: str) -> int:
    """Read a number of tokens or messages."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TOKENS:
        reject(name, "a whole number of 0 or more", value)
    return value


def cost(value: object, name: str) -> Optional[float]:
    """Read an amount of US dollars, which may be null."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < MAX_COST:
        reject(name, "an amount in dollars", value)
    return float(value)


def flag(value: object, name: str) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        reject(name, "true or false", value)
    return value


def text_of(value: object, name: str) -> str:
    """Read a text."""
    if not isinstance(value, str):
        reject(name, "a text", value)
    return value


def texts(value: object, name: str) -> tuple[str, ...]:
    """Read a list of texts."""
    if not isinstance(value, list):
        reject(name, "a list", value)
    return tuple(text_of(item, f"{name}[{index}]") for index, item in enumerate(value))


def reject(name: str, expected: str, value: object) -> NoReturn:
    """Raise the FieldError of a value that is not what was expected."""
    shown = repr(value)
    shown = shown if len(shown) < 40 else shown[:37] + "…"
    raise FieldError(f"{name}: expected {expected}, got {shown}")
