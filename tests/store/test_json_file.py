"""The codec of the state files: what is saved comes back, and nothing else is believed."""

from __future__ import annotations

import errno
import json
import math
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.store.json_file import (
    MAX_NUMBER,
    NewerFileError,
    load,
    load_to_change,
    locked,
    save,
)

WHEN = datetime(2026, 6, 10, 18, 32, 7, 5, timezone.utc)


class Pair(NamedTuple):
    at: datetime
    tokens: int = 0


@dataclass(frozen=True)
class Inner:
    name: str
    count: int = 0


@dataclass(frozen=True)
class Sample:
    name: str
    flag: bool = False
    share: float = 0.5
    at: Optional[datetime] = None
    pairs: tuple[Pair, ...] = ()
    named: Mapping[str, Pair] = field(default_factory=dict)
    inner: Optional[Inner] = None


TIMES = st.datetimes(timezones=st.just(timezone.utc))
COUNTS = st.integers(0, MAX_NUMBER)
PAIRS = st.builds(Pair, TIMES, COUNTS)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.text(),
    "flag": st.booleans(),
    "share": st.floats(0, MAX_NUMBER),
    "at": st.none() | TIMES,
    "pairs": st.lists(PAIRS, max_size=3).map(tuple),
    "named": st.dictionaries(st.text(), PAIRS, max_size=3),
}
SAMPLES = st.builds(Sample, **FIELDS, inner=st.none() | st.builds(Inner, st.text(), COUNTS))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sample.json"


def written(path: Path, **values: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"version": 2, "name": "x", **values}))
    return path


def aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.unreadable")


@given(SAMPLES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_saved_comes_back(path: Path, sample: Sample) -> None:
    save(path, sample)
    assert load(path, Sample) == sample


def test_an_object_has_the_names_of_the_fields_and_leaves_out_defaults(path: Path) -> None:
    save(path, Sample("x", pairs=(Pair(WHEN, 7),)))
    assert json.loads(path.read_text()) == {
        "version": 2,
        "name": "x",
        "pairs": [["2026-06-10T18:32:07.000005+00:00", 7]],
        "named": {},
    }


def test_what_is_missing_has_its_default_and_what_is_unknown_is_ignored(path: Path) -> None:
    written(path, pairs=[[WHEN.isoformat()]], newer={"a": 1})
    assert load(path, Sample) == Sample("x", pairs=(Pair(WHEN),))


def test_a_time_of_another_zone_is_read_as_utc(path: Path) -> None:
    there = WHEN.astimezone(timezone(timedelta(hours=5, minutes=45)))
    sample = load(written(path, at=there.isoformat()), Sample)
    assert sample is not None and sample.at == WHEN and sample.at.tzinfo is timezone.utc


@pytest.mark.parametrize(
    "values",
    [
        *({"name": None}, {"name": 7}, {"flag": 0}, {"flag": "yes"}, {"flag": None}),
        *({"share": "0.5"}, {"share": True}, {"share": -0.1}, {"share": math.nan}),
        *({"share": math.inf}, {"share": 1e16}, {"share": 10**400}, {"at": "yesterday"}),
        *({"at": 7}, {"at": "2026-06-10T18:32:07"}, {"at": "0001-01-01T00:00:00+23:59"}),
        *({"pairs": None}, {"pairs": {}}, {"pairs": [7]}, {"pairs": [[]]}, {"pairs": "ab"}),
        *({"pairs": [[WHEN.isoformat(), 1, 2]]}, {"pairs": [[WHEN.isoformat(), 1.5]]}),
        *({"pairs": [[WHEN.isoformat(), True]]}, {"pairs": [[WHEN.isoformat(), -1]]}),
        *({"pairs": [[WHEN.isoformat(), MAX_NUMBER + 1]]}, {"named": []}, {"named": {"a": 1}}),
        *({"inner": {}}, {"inner": []}, {"version": 0}, {"version": "2"}),
    ],
    ids=str,
)
def test_a_value_that_cannot_be_has_the_file_set_aside(path: Path, values: dict[str, Any]) -> None:
    text = written(path, **values).read_text()
    assert load(path, Sample) is None
    assert not path.exists()
    assert aside(path).read_text() == text


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", "{}", "\x00", "[" * 200_000])
def test_what_is_no_record_has_the_file_set_aside(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    assert load(path, Sample) is None
    assert aside(path).read_text() == text


def aged(path: Path, seconds: float) -> Path:
    path.touch()
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_the_first_save_after_an_hour_removes_what_killed_processes_left(path: Path) -> None:
    save(path, Sample("x"))
    left = [aged(path.parent / f".{name}.0123456789ab", 3700) for name in ("a.json", path.name)]
    others = [
        aged(path.parent / ".a.json.ba9876543210", 3500),
        *(aged(path.parent / name, 3700) for name in (".a.json.lock", ".a.json.0123456789AB")),
        *(aged(path.parent / name, 3700) for name in ("a.json.0123456789ab", ".a.0123456789ab")),
        aged(path.parent.parent / ".a.json.0123456789ab", 3700),
    ]
    (path.parent / ".folder.json.0123456789ab").mkdir()
    save(path, Sample("y"))
    assert all(file.exists() for file in left)
    aged(path, 3700)
    save(path, Sample("z"))
    assert not any(file.exists() for file in left)
    assert all(file.exists() for file in others)


def test_what_cannot_be_made_again_is_on_the_disk_before_it_takes_its_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path, Sample("before"))

    def refuse(descriptor: int) -> None:
        assert os.fstat(descriptor).st_size > 0
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="the disk is broken"):
        save(path, Sample("after"), durable=True)
    assert load(path, Sample) == Sample("before")
    assert list(path.parent.iterdir()) == [path]
    save(path, Sample("after"))
    assert load(path, Sample) == Sample("after")


def test_a_file_of_version_1_is_read_by_its_upgrade(path: Path) -> None:
    written(path, version=1, old_name="from before")
    sample = load(path, Sample, lambda raw: {**raw, "name": raw["old_name"]})
    assert sample == Sample("from before")
    assert load(written(path, name="now"), Sample, lambda _: {}) == Sample("now")


def test_where_nothing_can_be_set_aside_the_file_is_not_used(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    written(path, name=7)
    monkeypatch.setattr(Path, "replace", refuse)
    assert load(path, Sample) is None
    assert path.exists()


def test_no_file_is_no_record(path: Path) -> None:
    assert load(path, Sample) is None
    assert not aside(path).exists()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_a_directory_in_the_place_of_a_file_or_its_lock_leaves_nothing_open(path: Path) -> None:
    path.mkdir(parents=True)
    before = set(Path("/proc/self/fd").iterdir())
    assert load(path, Sample) is None
    with pytest.raises(IsADirectoryError):
        save(path, Sample("x"))
    path.with_name(f".{path.name}.lock").mkdir()
    with pytest.raises(IsADirectoryError), locked(path):
        pytest.fail("a directory is no lock")
    assert set(Path("/proc/self/fd").iterdir()) == before
    assert len(list(path.parent.iterdir())) == 2


def test_a_second_unusable_file_does_not_overwrite_the_first_that_was_set_aside(path: Path) -> None:
    for number, name in ((1, ""), (2, ".2"), (3, ".3")):
        written(path, flag=number)
        assert load(path, Sample) is None
        stored = path.with_name(f"{path.name}.unreadable{name}")
        assert json.loads(stored.read_text())["flag"] == number


def test_the_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    text = written(path, version=3, name=["another shape"]).read_text()
    assert load(path, Sample) is None
    with pytest.raises(NewerFileError):
        load_to_change(path, Sample)
    assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks")
def test_a_lock_that_another_process_keeps_is_not_waited_for_for_ever(path: Path) -> None:
    again = pytest.raises(BlockingIOError, match="holds the lock")
    with locked(path), again, locked(path, 0.05):
        pytest.fail("it was taken twice")
    with locked(path, 0.05):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks")
def test_a_file_system_without_locks_is_used_without_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with locked(path):
        save(path, Sample("x"))
    assert load(path, Sample) == Sample("x")
