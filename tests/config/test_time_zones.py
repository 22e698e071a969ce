"""The machine's own zone, and the zones that a wrong name may mean."""

from __future__ import annotations

import time

import pytest
import pytz

from monitor.config.time_zones import FAMILIAR, local_zone, similar_zones


@pytest.mark.parametrize(
    ("name", "zones"),
    [
        ("PST", ["US/Pacific", "Asia/Manila"]),
        ("pdt", ["US/Pacific"]),
        ("CST6", ["US/Central", "Asia/Shanghai"]),
        ("CEST", ["Europe/Berlin"]),
        ("IST", ["Europe/Dublin", "Asia/Jerusalem", "Asia/Kolkata"]),
        ("paris", ["Europe/Paris"]),
        ("new york", ["America/New_York"]),
        ("US/Eastren", ["US/Eastern"]),
        ("UTC+2", ["Etc/GMT-2"]),
        ("GMT-05:00", ["Etc/GMT+5"]),
        ("UTC+15", []),
        ("Mars/Base", []),
        ("", []),
    ],
)
def test_a_wrong_name_is_told_the_zones_that_are_meant(name: str, zones: list[str]) -> None:
    assert list(similar_zones(name)) == zones


def test_every_familiar_zone_exists() -> None:
    assert set(FAMILIAR) <= pytz.all_timezones_set


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process is set on POSIX only")
@pytest.mark.parametrize(
    ("value", "name"),
    [("Asia/Kathmandu", "Asia/Kathmandu"), ("UTC", "UTC"), ("XYZ-2", "pytz.FixedOffset(120)")],
)
def test_the_machines_zone_is_that_of_its_name_or_offset(
    value: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", value)
    time.tzset()
    try:
        assert str(local_zone()) == name
    finally:
        monkeypatch.undo()
        time.tzset()
