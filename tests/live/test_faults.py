"""Faults of the source and of the data, while the monitor runs: the last good reading stays."""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import signal
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.conftest import RunMonitor
from tests.histories import Row, write_messages
from tests.live.fakes import (
    HOUR,
    MONITOR,
    NODE_TRACE,
    Fake,
    a_block,
    active,
    active_start,
    assert_only_ours,
    live,
    now,
    planted,
    stamp,
    wait_for_history,
    wait_for_words,
)
from tests.pseudo_terminal import Terminal
from tests.waiting import until

Installed = Callable[[str], Path]
Break = Callable[[Fake], None]

SHORT_PATIENCE = "import monitor.app.reader as r\nr.FULL_SECONDS = r.WINDOW_SECONDS = 1.0\n"


def short_patience_for(kind: str, tmp_path: Path) -> dict[str, str]:
    """Give up early what hangs; all else has its usual time, however busy the machine is."""
    return planted(tmp_path, SHORT_PATIENCE if kind == "hanging" else "")


def report(**changes: Any) -> str:
    return json.dumps({"blocks": [a_block(active_start(), 5_000, **changes)]})


def too_much(fake: Fake) -> None:
    fake.does("""printf '{"blocks": ['; head -c 209715200 /dev/zero | tr '\\0' ' '""")


BREAKS: dict[str, tuple[Break, str]] = {
    "missing": (lambda fake: fake.path.unlink(), "there is no such file or program"),
    "not executable": (lambda fake: fake.path.chmod(0o644), "executable|no such file or program"),
    "hanging": (Fake.hangs, "did not answer within"),
    "failing with a trace": (
        lambda fake: fake.prints("", err=NODE_TRACE, code=1),
        "TypeError: Cannot read properties",
    ),
    "killed": (lambda fake: fake.does("kill -9 $$"), r"signal 9 .SIGKILL"),
    "printing nothing": (lambda fake: fake.prints(""), "printed nothing"),
    "printing garbage": (lambda fake: fake.prints("\x1b[2J\x00 ☃ garbage"), "printed no report"),
    "printing half a JSON": (lambda fake: fake.prints(report()[:150]), "breaks off"),
    "printing 200 MB": (too_much, "printed more than 64 MiB"),
    "printing NaN": (
        lambda fake: fake.prints(report(costUSD=math.nan)),
        r"costUSD: expected an amount|no JSON",
    ),
    "printing Infinity": (
        lambda fake: fake.prints(report(entries=math.inf)),
        r"entries: expected|no JSON",
    ),
    "nesting deeply": (
        lambda fake: fake.prints('{"blocks": ' + "[" * 100_000 + "]" * 100_000 + "}"),
        "no JSON|printed no report",
    ),
    "of the other package": (
        lambda fake: fake.prints("", err="error: invalid choice: 'blocks'\n", code=2),
        "another program of the same name",
    ),
}


@pytest.mark.parametrize("kind", BREAKS)
def test_the_last_good_reading_stays_with_the_reason_and_is_got_over(
    kind: str, fake: Fake, tmp_path: Path, isolated: Path
) -> None:
    breaking, reason = BREAKS[kind]
    env = short_patience_for(kind, tmp_path)
    with live(fake, env=env, columns=140, rows=30) as terminal:
        terminal.wait_for("2,000 of")
        wait_for_history(terminal, isolated)
        breaking(fake)
        fake.changed()
        terminal.send("r")
        wait_for_words(terminal, reason)
        terminal.wait_for("2,000 of")
        terminal.wait_for(r"read [1-9]\d* s ago")
        fake.reports(active(3_000))
        fake.changed()
        terminal.send("r")
        terminal.wait_for("3,000 of")
        until(lambda: "▲" not in terminal.text(), "nothing is wrong any more")
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()
        assert_only_ours(terminal.raw, live_screen=True)


@pytest.mark.parametrize("kind", [kind for kind in BREAKS if kind != "missing"])
def test_wrong_from_the_start_it_says_why_and_recovers_without_a_restart(
    kind: str, fake: Fake, tmp_path: Path
) -> None:
    breaking, reason = BREAKS[kind]
    breaking(fake)
    with live(fake, env=short_patience_for(kind, tmp_path), columns=140) as terminal:
        wait_for_words(terminal, reason)
        terminal.wait_for("The monitor keeps trying")
        fake.reports(active(3_000))
        terminal.send("r")
        terminal.wait_for("3,000 of")


# --- wrong values

WRONG: dict[str, list[object]] = {
    "id": [None, 7, []],
    "startTime": [None, 7, "yesterday", "2026-13-45T99:00:00Z", "2026-01-05T12:00:00", ""],
    "endTime": [None, {}, "9999-12-31T23:59:59.999-23:59", "0001-01-01T00:00:00+14:00"],
    "actualEndTime": [7, "x", False],
    "isActive": [None, "yes", 1],
    "isGap": ["no", 0],
    "entries": [None, -1, 1.5, "3", True, 10**40],
    "tokenCounts": [None, [], 5, {}, {"inputTokens": 1}],
    "costUSD": ["free", -1, True, 1e300, 10**400],
    "models": [None, "gpt", [1], [None], {"a": 1}],
    "usageLimitResetTime": [5, "soon", []],
}
CASES = [(key, value) for key, values in WRONG.items() for value in values]


def test_a_wrong_type_in_any_field_is_named_never_a_crash(fake: Fake, tmp_path: Path) -> None:
    """One process looks at all of them, through the reader that the program uses."""
    source = """
import json, os, sys
from pathlib import Path
from monitor.clock import utc_now
from monitor.errors import MonitorError
from monitor.app.poller import Poller
from monitor.app.reader import Reader
from monitor.config.settings import DataOptions

fake, work = Path(sys.argv[1]), Path(sys.argv[2])
options = DataOptions(str(fake / "bin/ccusage"), (fake / "claude",))
poller = Poller(Reader(options, work, work / "cache"), work / "state")
for line in sys.stdin:
    (fake / "report").write_text(line)
    error = poller.poll().error
    print(error.reason if error else "read")
"""
    (tmp_path / "work").mkdir()
    lines = "".join(report(**{key: value}) + "\n" for key, value in CASES)
    done = subprocess.run(
        [MONITOR[0], "-c", source, str(fake.home), str(tmp_path / "work")],
        input=lines,
        cwd=Path(MONITOR[1]).parent,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    said = done.stdout.splitlines()
    assert len(said) == len(CASES)
    for (key, value), answer in zip(CASES, said):
        assert f"blocks[0].{key}" in answer or "no JSON" in answer, (key, value, answer)


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_type_costs_two_lines(key: str, fake: Fake, run_monitor: RunMonitor) -> None:
    fake.prints(report(**{key: WRONG[key][0]}))
    done = run_monitor("--once", "--ccusage", fake.path, "--claude-dir", fake.data)
    assert (done.returncode, done.stdout) == (1, "")
    reason, advice = done.stderr.splitlines()
    assert key in reason
    assert "doctor" in advice


def twice(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*blocks, *blocks]


STRANGE: dict[str, tuple[Callable[[], list[dict[str, Any]]], int]] = {
    "a block listed twice": (lambda: twice([a_block(active_start(), 2_000)]), 2_000),
    "overlapping blocks": (
        lambda: [a_block(active_start(3 * HOUR), 700), a_block(active_start(), 2_000)],
        2_000,
    ),
    "a second active block in the future": (
        lambda: [
            a_block(active_start(), 2_000),
            a_block(now() + 9 * HOUR, 9, isActive=True),
        ],
        2_000,
    ),
    "a gap after the active block": (
        lambda: [
            a_block(active_start(), 2_000),
            a_block(now() - HOUR, 0, isGap=True, id="gap-x", isActive=False),
        ],
        2_000,
    ),
    "blocks in the wrong order": (
        lambda: [a_block(active_start(), 2_000), a_block(now() - 40 * HOUR, 6_000)],
        2_000,
    ),
    "unknown keys": (lambda: [a_block(active_start(), 2_000, new={"deep": [1, 2]})], 2_000),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_a_strange_report_shows_the_block_that_holds_the_present(
    kind: str, fake: Fake, run_monitor: RunMonitor
) -> None:
    make, counted = STRANGE[kind]
    fake.reports(make())
    done = run_monitor("--json", "--ccusage", fake.path, "--claude-dir", fake.data)
    found = json.loads(done.stdout)
    assert (found["status"], found["tokens"]["counted"]) == ("active", counted)


def test_only_future_blocks_are_no_active_block(fake: Fake, run_monitor: RunMonitor) -> None:
    fake.reports([a_block(now() + 9 * HOUR, 9, isActive=True)])
    done = run_monitor("--json", "--ccusage", fake.path, "--claude-dir", fake.data)
    assert json.loads(done.stdout)["status"] == "idle"


# --- another version comes


def test_another_version_of_the_real_ccusage_takes_over_while_it_runs(
    real_ccusage: Installed, tmp_path: Path
) -> None:
    link = tmp_path / "ccusage"
    link.symlink_to(real_ccusage("18.0.11"))
    write_messages(tmp_path / "claude", [Row(now() - timedelta(minutes=9), 5, 60)])
    words = ("--ccusage", link, "--claude-dir", tmp_path / "claude")
    with live(None, *words, columns=120) as terminal:
        terminal.wait_for("65 of ~7,000")
        terminal.wait_for("ccusage 18.0.11")
        link.unlink()
        terminal.pump(0.5)
        link.symlink_to(real_ccusage("20.0.24"))
        extra = [Row(now() - timedelta(seconds=2), 5, 95)]
        write_messages(tmp_path / "claude", extra, session="5f0c7a52-0009-4000-8000-000000000001")
        terminal.wait_for("165 of ~7,000")
        terminal.send("q")
        assert terminal.leave_code() == 0


# --- time

SHIFTED = """
import os
from datetime import timedelta
from pathlib import Path
import monitor.clock
real = monitor.clock.utc_now
def shifted():
    try:
        return real() + timedelta(seconds=float(Path(os.environ["CLOCK"]).read_text() or 0))
    except FileNotFoundError:
        return real()
monitor.clock.utc_now = shifted
"""


class Clock:
    """The monitor's clock, which a test can set forward and back."""

    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "clock"
        self.env = {**planted(tmp_path, SHIFTED), "CLOCK": str(self.path)}

    def jump(self, span: timedelta) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(str(span.total_seconds()), encoding="utf-8")
        new.replace(self.path)


def test_a_block_that_ends_while_it_is_watched_becomes_idle_then_the_next(
    fake: Fake, tmp_path: Path
) -> None:
    clock = Clock(tmp_path)
    start = active_start()
    fake.reports([a_block(start, 2_000)])
    with live(fake, env=clock.env) as terminal:
        terminal.wait_for("2,000 of")
        # ccusage says the same until a message comes: only time has passed.
        fake.reports([a_block(start, 2_000, isActive=False)])
        clock.jump(start + 5 * HOUR - now() + timedelta(seconds=5))
        terminal.wait_for("No active block")
        fake.reports(
            [a_block(start, 2_000, isActive=False), a_block(start + 5 * HOUR, 321, isActive=True)]
        )
        fake.changed()
        terminal.send("r")
        terminal.wait_for("321 of")


def test_a_reset_hour_that_comes_while_it_is_watched_gives_way_to_the_next(
    fake: Fake, tmp_path: Path
) -> None:
    clock = Clock(tmp_path)
    soon = (now() + HOUR).replace(minute=0, second=0, microsecond=0)
    fake.reports([a_block(now().replace(minute=0, second=0, microsecond=0), 2_000)])
    with live(fake, "--reset-hour", soon.hour, "--timezone", "UTC", env=clock.env) as terminal:
        terminal.wait_for(rf"Resets +(tomorrow )?{soon:%H}:00, in")
        clock.jump(soon - now() + timedelta(seconds=2))
        terminal.wait_for(rf"Resets +tomorrow {soon:%H}:00, in|Resets +{soon:%H}:00, in (23|24) h")


@pytest.mark.parametrize("jump", [-6 * HOUR, 6 * HOUR, 24 * 366 * HOUR, -24 * 366 * HOUR])
def test_a_clock_that_jumps_is_no_crash_and_coming_back_mends_it(
    jump: timedelta, fake: Fake, tmp_path: Path
) -> None:
    clock = Clock(tmp_path)
    with live(fake, env=clock.env) as terminal:
        terminal.wait_for("2,000 of")
        clock.jump(jump)
        until(lambda: "2,000 of" not in terminal.text(), "another time, another screen")
        clock.jump(timedelta())
        terminal.wait_for("2,000 of")
        terminal.send("q")
        assert terminal.leave_code() == 0
        terminal.assert_given_back()


def test_a_step_of_a_second_back_is_not_even_seen(fake: Fake, tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    with live(fake, env=clock.env) as terminal:
        terminal.wait_for("2,000 of")
        clock.jump(timedelta(seconds=-2))
        terminal.pump(1.2)
        terminal.wait_for("2,000 of")
        assert "-" not in terminal.wait_for("read .* ago").group()


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("Europe/Berlin", datetime.fromisoformat("2026-03-29T00:30:00+00:00")),
        ("Europe/Berlin", datetime.fromisoformat("2026-10-25T00:30:00+00:00")),
        ("America/New_York", datetime.fromisoformat("2026-03-08T06:30:00+00:00")),
        ("Australia/Lord_Howe", datetime.fromisoformat("2026-04-04T14:45:00+00:00")),
    ],
)
def test_the_days_on_which_clocks_change_are_days_like_any_other(
    zone: str, moment: datetime, fake: Fake, tmp_path: Path
) -> None:
    clock = Clock(tmp_path)
    begun = moment.replace(minute=0) - HOUR
    fake.reports([a_block(begun, 2_000, isActive=True, actualEndTime=stamp(moment))])
    clock.jump(moment - now())
    for hour in (1, 2, 3):
        words = ("--timezone", zone, "--reset-hour", hour)
        with live(fake, *words, env=clock.env) as terminal:
            terminal.wait_for("2,000 of")
            terminal.wait_for(r"Resets +.*\d\d:\d\d, in")
            terminal.send("q")
            assert terminal.leave_code() == 0


# --- data


def test_a_data_directory_that_vanishes_and_comes_back(fake: Fake) -> None:
    aside = fake.home / "aside"
    with live(fake, columns=140) as terminal:
        terminal.wait_for("2,000 of")
        fake.data.rename(aside)
        wait_for_words(terminal, "No Claude data directory")
        terminal.wait_for("2,000 of")
        fake.reports(active(3_000))
        aside.rename(fake.data)
        terminal.send("r")
        terminal.wait_for("3,000 of")


def test_a_directory_that_appears_later_is_found_without_a_restart(fake: Fake) -> None:
    aside = fake.home / "aside"
    fake.data.rename(aside)
    with live(fake, columns=140) as terminal:
        wait_for_words(terminal, "No Claude data directory")
        aside.rename(fake.data)
        terminal.wait_for("2,000 of")


@pytest.fixture
def real_data(tmp_path: Path) -> Path:
    data = tmp_path / "claude"
    write_messages(data, [Row(now() - timedelta(minutes=9), 5, 60)])
    return data


def counted(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stderr
    found: int = json.loads(done.stdout)["tokens"]["counted"]
    return found


def strange_names(data: Path) -> None:
    session = data / "projects" / "-home-dev-project"
    for number, name in enumerate(
        ("new\nline", "emoji 🎉 日本", "esc\x1b[2J\x07", "-rf *", "'\"$(x)")
    ):
        folder = data / "projects" / name
        folder.mkdir()
        row = Row(now() - timedelta(minutes=number + 1), 100, 0, message=f"m{number}", request="r")
        path = write_messages(data, [row], session=f"s{number}")
        path.rename(folder / f"{name}.jsonl")
    assert session.exists()


def links_in_circles(data: Path) -> None:
    (data / "projects" / "up").symlink_to(data / "projects", target_is_directory=True)
    (data / "projects" / "self").symlink_to("self")
    (data / "projects" / "dangling.jsonl").symlink_to(data / "nowhere.jsonl")


def huge_old_file(data: Path) -> None:
    path = data / "projects" / "huge.jsonl"
    with path.open("wb") as file:
        file.truncate(2 * 2**30)
    os.utime(path, (0, 0))


def unreadable_files(data: Path) -> None:
    """Root reads them all the same; what root cannot read either is a folder of that name."""
    path = write_messages(data, [Row(now() - timedelta(minutes=2), 0, 0)], session="secret")
    path.chmod(0)
    (data / "projects" / "folder.jsonl").mkdir()


def broken_lines(data: Path) -> None:
    path = data / "projects" / "-home-dev-project" / "broken.jsonl"
    path.write_bytes(b'null\n{"message":null}\n\xff\xfe\n{"half": \n[1,2\n\0\0\n')


@pytest.mark.parametrize(
    ("spoil", "wanted"),
    [
        (strange_names, 565),
        (links_in_circles, 65),
        (huge_old_file, 65),
        (unreadable_files, 65),
        (broken_lines, 65),
    ],
)
def test_strange_data_costs_no_message_that_can_be_read(
    spoil: Callable[[Path], None],
    wanted: int,
    real_data: Path,
    real_ccusage: Installed,
    run_monitor: RunMonitor,
) -> None:
    spoil(real_data)
    words = ("--json", "--ccusage", real_ccusage("20.0.24"), "--claude-dir", real_data)
    assert counted(run_monitor(*words)) == wanted


def test_a_hundred_thousand_files_are_watched(real_data: Path, real_ccusage: Installed) -> None:
    old = (now() - timedelta(days=40)).timestamp()
    # Hard links: a hundred thousand names, quickly made.
    for folder in range(100):
        place = real_data / "projects" / f"many-{folder}"
        place.mkdir()
        one = place / "x.jsonl"
        one.touch()
        os.utime(one, (old, old))
        for number in range(999):
            os.link(one, place / f"{number}.jsonl")
    words = ("--ccusage", real_ccusage("20.0.24"), "--claude-dir", real_data)
    with live(None, *words) as terminal:
        terminal.wait_for("65 of ~7,000")
        terminal.send("q")
        assert terminal.leave_code() == 0
    shutil.rmtree(real_data)


# --- the home


def no_room() -> None:
    """In the program before it starts: from now on no file can grow."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_on_a_full_disk_it_is_a_frame_or_two_clear_lines(fake: Fake) -> None:
    """No file can be written at all: as on a full disk, whoever the user is."""
    words = ("--ccusage", str(fake.path), "--claude-dir", str(fake.data))
    done = subprocess.run(
        [*MONITOR, "--once", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        preexec_fn=no_room,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == (0 if done.returncode == 0 else 2)
    assert done.returncode in (0, 1)


def test_with_a_home_that_cannot_be_written_to_it_shows_the_usage_all_the_same(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    """A home below a file holds nothing, whoever the user is; root writes where it may not."""
    home = str(fake.transcript / "home")
    xdg = {f"XDG_{name}_HOME": f"{home}/{name}" for name in ("CACHE", "CONFIG", "DATA", "STATE")}
    words = ("--json", "--ccusage", fake.path, "--claude-dir", fake.data)
    done = run_monitor(*words, env={"HOME": home, **xdg})
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["tokens"]["counted"] == 2_000


def test_with_nowhere_to_write_at_all_it_says_so(fake: Fake, run_monitor: RunMonitor) -> None:
    home = str(fake.transcript / "home")
    xdg = {f"XDG_{name}_HOME": f"{home}/{name}" for name in ("CACHE", "CONFIG", "DATA", "STATE")}
    plant = f"import tempfile\ntempfile.tempdir = {home!r}\n"
    env = {"HOME": home, **xdg, **planted(fake.home, plant)}
    words = ("--json", "--ccusage", fake.path, "--claude-dir", fake.data)
    done = run_monitor(*words, env=env)
    assert (done.returncode, done.stdout) == (1, "")
    reason, advice = done.stderr.splitlines()
    assert "private directory" in reason
    assert "TMPDIR" in advice


def test_a_terminal_is_not_needed_to_recover_a_stream(fake: Fake) -> None:
    argv = [*MONITOR, "--ccusage", str(fake.path), "--claude-dir", str(fake.data)]
    with Terminal([*argv, "--json", "--follow", "--refresh", "1"], columns=400) as terminal:
        terminal.wait_for('"counted": ?2000')
        assert not terminal.in_alternate
        terminal.send("\x03")
        assert terminal.leave_code() == 0
