"""One frame, one snapshot, a stream of them: what scripts and pipes see."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import RunMonitor
from tests.histories import Row, busy_history, write_messages
from tests.live.fakes import (
    HOUR,
    MONITOR,
    NODE_TRACE,
    Fake,
    a_block,
    active,
    active_start,
    now,
    planted,
    private_files,
)
from tests.pseudo_terminal import BASH
from tests.real_ccusage import ROOT
from tests.waiting import PATIENCE, is_running

SCHEMA = json.loads((ROOT / "monitor/views/snapshot.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

Installed = Callable[[str], Path]


def read_snapshot(text: str) -> dict[str, Any]:
    """Read a snapshot; it fits the schema, and holds no NaN or Infinity."""

    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    snapshot: dict[str, Any] = json.loads(text, parse_constant=no_constant)
    VALIDATOR.validate(snapshot)
    return snapshot


def of_fake(fake: Fake) -> tuple[object, ...]:
    return "--ccusage", fake.path, "--claude-dir", fake.data


# --- the same answer from every version


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("history")
    busy_history(directory, now())
    return directory


def test_the_schema_is_printed_without_a_ccusage(run_monitor: RunMonitor) -> None:
    done = run_monitor("--ccusage", "/no/such/ccusage", "--json-schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == SCHEMA
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_named_directory_that_is_not_there_is_left_out_and_said(
    fake: Fake, run_monitor: RunMonitor, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    done = run_monitor("--json", *of_fake(fake), "--claude-dir", gone)
    assert json.loads(done.stdout)["warnings"] == [
        f"{gone} is no directory; its usage is left out."
    ]


def test_four_versions_of_the_real_ccusage_give_the_same_block(
    history: Path, real_ccusage: Installed, run_monitor: RunMonitor
) -> None:
    found = []
    for version in ("15.9.7", "17.2.1", "18.0.11", "20.0.24"):
        done = run_monitor("--json", "--ccusage", real_ccusage(version), "--claude-dir", history)
        snapshot = read_snapshot(done.stdout)
        assert snapshot["source"]["ccusage_version"] == version
        assert snapshot["source"]["scan"] == "window"
        block = snapshot["block"]
        found.append((snapshot["tokens"]["counted"], block["start"], block["end"]))
    assert found == [found[0]] * 4
    assert found[0][0] > 0


@pytest.mark.parametrize("version", ["15.9.7", "18.0.11"])
def test_an_old_version_says_once_that_it_counts_too_little(
    version: str, history: Path, real_ccusage: Installed, run_monitor: RunMonitor
) -> None:
    done = run_monitor("--json", "--ccusage", real_ccusage(version), "--claude-dir", history)
    warnings = read_snapshot(done.stdout)["warnings"]
    assert len([text for text in warnings if "19" in text or "20" in text]) == 1


def test_a_full_scan_says_the_same_as_the_window(
    history: Path, real_ccusage: Installed, run_monitor: RunMonitor
) -> None:
    words = ("--json", "--ccusage", real_ccusage("20.0.24"), "--claude-dir", history)
    window = read_snapshot(run_monitor(*words).stdout)
    full = read_snapshot(run_monitor(*words, "--full-scan").stdout)
    assert (window["source"]["scan"], full["source"]["scan"]) == ("window", "full")
    assert window["tokens"] == full["tokens"]
    assert window["block"]["start"] == full["block"]["start"]


# --- nothing to show


def idle(directory: Path) -> None:
    write_messages(directory, [Row(now() - 9 * HOUR)])


def without_projects(directory: Path) -> None:
    directory.mkdir()


def with_empty_projects(directory: Path) -> None:
    (directory / "projects").mkdir(parents=True)


NO_USAGE = "No Claude Code usage here yet. The first block starts with your first message."


@pytest.mark.parametrize("version", ["15.9.7", "17.2.1", "18.0.11", "20.0.24"])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (idle, "No active block; the last ended"),
        (without_projects, NO_USAGE),
        (with_empty_projects, NO_USAGE),
    ],
)
def test_nothing_to_show_is_a_normal_answer_that_says_why(
    version: str,
    make: Callable[[Path], None],
    said: str,
    tmp_path: Path,
    real_ccusage: Installed,
    run_monitor: RunMonitor,
) -> None:
    make(tmp_path / "claude")
    words = ("--ccusage", real_ccusage(version), "--claude-dir", tmp_path / "claude")
    shown = run_monitor("--once", *words)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert said in " ".join(shown.stdout.split())
    snapshot = read_snapshot(run_monitor("--json", *words).stdout)
    assert (snapshot["status"], snapshot["block"]) == ("idle", None)
    assert snapshot["headline"]["used_percent"] is None


def test_a_directory_that_is_not_there_is_named_with_what_to_do(
    tmp_path: Path, run_monitor: RunMonitor, fake: Fake
) -> None:
    for mode in ("--once", "--json"):
        done = run_monitor(mode, "--ccusage", fake.path, "--claude-dir", tmp_path / "gone")
        assert (done.returncode, done.stdout) == (1, "")
        reason, advice = done.stderr.splitlines()
        assert "gone" in reason and "not found" in reason
        assert "--claude-dir" in advice


def test_without_any_claude_data_the_default_places_are_named(
    run_monitor: RunMonitor, fake: Fake
) -> None:
    done = run_monitor("--once", "--ccusage", fake.path)
    assert done.returncode == 1
    assert ".claude" in done.stderr.splitlines()[0]
    assert "--demo" in done.stderr.splitlines()[1]


# --- no reading to be had: one line says which, one what to do

OTHER_PACKAGE = """\
usage: ccusage [-h] {daily,monthly} ...
ccusage: error: argument command: invalid choice: 'blocks' (choose from daily, monthly)
"""
FAILING = {
    "failing with a stack trace": ("", NODE_TRACE, 1, "TypeError: Cannot read properties"),
    "failing silently": ("", "", 3, "exit code 3"),
    "printing nothing": ("", "", 0, "printed nothing"),
    "printing garbage": ("lorem ipsum\x00\x1b[2J", "", 0, "printed no report"),
    "printing half a JSON": ('{"blocks": [{"id": "x"', "", 0, "breaks off"),
    "printing other JSON": ('{"a": 1}', "", 0, "printed no report"),
    "another program of the name": ("", OTHER_PACKAGE, 2, "another program"),
    "without a whole install": ("", "ccusage native binary is not available\n", 1, "broken"),
}


def assert_two_lines(done: subprocess.CompletedProcess[str], reason: str) -> None:
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 2, done.stderr
    assert reason in lines[0]
    assert len(lines[1]) > 10
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("mode", ["--once", "--json"])
@pytest.mark.parametrize("kind", FAILING)
def test_a_ccusage_in_trouble_costs_two_lines(
    kind: str, mode: str, fake: Fake, run_monitor: RunMonitor
) -> None:
    stdout, stderr, code, reason = FAILING[kind]
    fake.prints(stdout, err=stderr, code=code)
    done = run_monitor(mode, *of_fake(fake))
    assert_two_lines(done, reason)
    assert str(fake.path) in done.stderr


def test_no_ccusage_at_all_says_how_to_get_one(
    run_monitor: RunMonitor, fake: Fake, tmp_path: Path
) -> None:
    (tmp_path / "nothing").mkdir()
    done = run_monitor("--once", "--claude-dir", fake.data, env={"PATH": str(tmp_path / "nothing")})
    assert_two_lines(done, "ccusage was not found on PATH")


def test_a_named_ccusage_that_is_not_there_is_said(run_monitor: RunMonitor, fake: Fake) -> None:
    done = run_monitor("--once", "--ccusage", "/nowhere/ccusage", "--claude-dir", fake.data)
    assert_two_lines(done, "/nowhere/ccusage")


def test_an_install_without_its_native_binary_is_told_apart(
    run_monitor: RunMonitor, fake: Fake, tmp_path: Path
) -> None:
    package = tmp_path / "node_modules" / "ccusage"
    package.mkdir(parents=True)
    said = {
        "name": "ccusage",
        "version": "20.0.26",
        "bin": {"ccusage": "cli.js"},
        "optionalDependencies": {"@ccusage/ccusage-linux-x64": "20.0.26"},
    }
    (package / "package.json").write_text(json.dumps(said), encoding="utf-8")
    (package / "cli.js").write_text("#!/usr/bin/env node\n", encoding="utf-8")
    (package / "cli.js").chmod(0o755)
    done = run_monitor("--once", "--ccusage", package / "cli.js", "--claude-dir", fake.data)
    assert_two_lines(done, "broken install")


def test_a_hanging_ccusage_is_given_up_and_leaves_nobody_behind(
    fake: Fake, run_monitor: RunMonitor, tmp_path: Path, isolated: Path
) -> None:
    short = "import monitor.app.reader as r\nr.FULL_SECONDS = r.WINDOW_SECONDS = 2.0\n"
    fake.hangs()
    done = run_monitor("--once", *of_fake(fake), env=planted(tmp_path, short))
    assert_two_lines(done, "did not answer within")
    assert len(fake.pids()) == 2
    assert [pid for pid in fake.pids() if is_running(pid)] == []
    assert private_files(isolated) == []


# --- what is printed


def test_the_frame_in_a_pipe_has_no_colour_and_no_cursor_code(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    done = run_monitor("--once", *of_fake(fake))
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "2,000 of ~7,000" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_forced_colours_are_the_only_codes_in_a_pipe(fake: Fake, run_monitor: RunMonitor) -> None:
    import re

    done = run_monitor("--once", *of_fake(fake), env={"FORCE_COLOR": "1"})
    assert "\x1b[" in done.stdout
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


def test_live_without_a_terminal_prints_one_frame(fake: Fake, run_monitor: RunMonitor) -> None:
    live, once = run_monitor(*of_fake(fake)), run_monitor("--once", *of_fake(fake))
    assert (live.returncode, live.stderr) == (0, "")
    assert "\x1b" not in live.stdout
    assert [line[:10] for line in live.stdout.splitlines()][1:] == [
        line[:10] for line in once.stdout.splitlines()
    ][1:]


STATES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "active": active,
    "over the limit": lambda: active(9_604),
    "idle": lambda: [a_block(now() - 30 * HOUR)],
    "limit reached": lambda: active(
        usageLimitResetTime=(now() + HOUR).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    ),
    "without cost": lambda: active(costUSD=None),
    "just begun": lambda: [a_block(active_start(0 * HOUR), 0, models=[])],
    "two active blocks": lambda: [*active(), a_block(active_start() + 2 * HOUR, 7)],
    "hostile names": lambda: active(models=["\x1b[2J", "a\ud800b", "\u202egnp.exe"]),
}


@pytest.mark.parametrize("options", [(), ("--plan", "custom_max"), ("--reset-hour", "5")])
@pytest.mark.parametrize("state", STATES)
def test_every_snapshot_fits_the_schema(
    state: str, options: tuple[str, ...], fake: Fake, run_monitor: RunMonitor
) -> None:
    fake.reports(STATES[state]())
    done = run_monitor("--json", *of_fake(fake), *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("{\n")
    assert read_snapshot(done.stdout)["schema_version"] == 1


def test_hidden_costs_are_null_in_the_snapshot_too(fake: Fake, run_monitor: RunMonitor) -> None:
    snapshot = read_snapshot(run_monitor("--json", "--no-cost", *of_fake(fake)).stdout)
    assert snapshot["block"]["cost_usd"] is None
    assert snapshot["burn_rate"]["cost_per_hour"] is None


@pytest.mark.parametrize(
    ("words", "note"),
    [
        (("--plan", "pro"), "pro limit passed; using your highest block of "),
        ((), "1 of your 1 block passed pro's 7,000; highest 20"),
    ],
)
def test_a_passed_pro_plan_gives_way_to_the_highest_block_with_a_note(
    fake: Fake, run_monitor: RunMonitor, words: tuple[str, ...], note: str
) -> None:
    fake.reports([a_block(now() - 50 * HOUR, 12_345), a_block(active_start(), 7_300)])
    limit = read_snapshot(run_monitor("--json", *of_fake(fake), *words).stdout)["limit"]
    assert (limit["tokens"], limit["source"]) == (12_345, "custom_max")
    assert limit["note"].startswith(note)
    assert not limit["exceeded"]


def test_a_plan_that_was_chosen_stays_until_it_is_passed(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    fake.reports([a_block(now() - 50 * HOUR, 12_345), a_block(active_start(), 300)])
    for words, tokens in ((("--plan", "pro"), 7_000), ((), 12_345)):
        limit = read_snapshot(run_monitor("--json", *of_fake(fake), *words).stdout)["limit"]
        assert limit["tokens"] == tokens
    chosen = run_monitor("--json", *of_fake(fake), env={"CCUSAGE_MONITOR_PLAN": "pro"})
    assert read_snapshot(chosen.stdout)["limit"]["tokens"] == 7_000


def test_a_limit_of_ones_own_is_passed_with_the_true_percentage(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    fake.reports(active(60_368))
    words = ("--token-limit", "44k", *of_fake(fake))
    limit = read_snapshot(run_monitor("--json", *words).stdout)["limit"]
    assert (limit["tokens"], limit["source"], limit["tokens_left"]) == (44_000, "user", 0)
    assert limit["used_percent"] == pytest.approx(137.2)
    shown = run_monitor("--once", *words).stdout
    assert "137 %" in shown
    (bar,) = [line for line in shown.splitlines() if line.startswith(" Tokens")]
    assert "░" not in bar


def test_custom_max_is_the_highest_completed_block_of_the_real_history(
    tmp_path: Path, real_ccusage: Installed, run_monitor: RunMonitor
) -> None:
    # The highest is older than any window that is looked at.
    write_messages(tmp_path, [Row(now() - timedelta(days=20), 1_000, 8_000)], session="old")
    write_messages(tmp_path, [Row(now() - timedelta(days=3), 100, 800)], session="middle")
    write_messages(tmp_path, [Row(now() - timedelta(minutes=9), 5, 60)], session="new")
    words = ("--ccusage", real_ccusage("20.0.24"), "--claude-dir", tmp_path)
    limit = read_snapshot(run_monitor("--json", "--plan", "custom_max", *words).stdout)["limit"]
    assert (limit["tokens"], limit["source"]) == (9_000, "custom_max")


def test_custom_max_without_a_completed_block_is_the_pro_number_and_says_so(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    fake.reports([a_block(active_start(), 500)])
    limit = read_snapshot(run_monitor("--json", "--plan", "custom_max", *of_fake(fake)).stdout)[
        "limit"
    ]
    assert limit["tokens"] == 7_000
    assert limit["note"]


# --- the stream


def shell(line: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a shell line in which "$@" is the monitor; `pipefail` shows every exit code."""
    return subprocess.run(
        [*BASH[:1], "-o", "pipefail", "-c", line, "-", *MONITOR, *map(str, words)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def test_a_stream_ends_quietly_when_its_reader_has_enough(fake: Fake, isolated: Path) -> None:
    done = shell('"$@" | head -2', "--json", "--follow", "--refresh", "1", *of_fake(fake))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    first, second = map(read_snapshot, lines)
    assert second["generated_at"] > first["generated_at"]
    assert private_files(isolated) == []


def test_a_reader_that_wants_nothing_at_all_ends_it_as_quietly(fake: Fake) -> None:
    for mode in (("--json", "--follow"), ("--json",), ("--once",)):
        done = shell('"$@" | true', *mode, *of_fake(fake))
        assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_standard_output_is_no_crash(fake: Fake) -> None:
    for mode in ("--json", "--once"):
        done = shell('"$@" >&-', mode, *of_fake(fake))
        assert done.returncode in (0, 1)
        assert "Traceback" not in done.stderr and "Exception" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_in_one_line(fake: Fake, isolated: Path) -> None:
    for mode in (("--json",), ("--once",), ("--json", "--follow")):
        done = shell('"$@" >/dev/full', *mode, *of_fake(fake))
        assert done.returncode == 1
        assert done.stderr.splitlines() == [
            "The output could not be written: No space left on device."
        ]
    assert private_files(isolated) == []


def test_ctrl_c_ends_a_stream_with_0(fake: Fake) -> None:
    import signal

    argv = [*MONITOR, "--json", "--follow", "--refresh", "60", *map(str, of_fake(fake))]
    running = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout and running.stderr
    read_snapshot(running.stdout.readline().decode())
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, err) == (0, b"")


def test_a_stream_goes_on_with_the_old_reading_while_ccusage_fails(fake: Fake) -> None:
    argv = [*MONITOR, "--json", "--follow", "--refresh", "1", *map(str, of_fake(fake))]
    running = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert running.stdout
    try:
        first = read_snapshot(running.stdout.readline().decode())
        assert first["source"]["stale"] is False
        fake.prints("", err=NODE_TRACE, code=1)
        fake.changed()
        lines = (read_snapshot(line.decode()) for line in running.stdout)
        stale = next(line for line in lines if line["source"]["stale"])
        assert "TypeError" in stale["source"]["error"]
        assert stale["tokens"] == first["tokens"]
        fake.reports(active(3_000))
        fresh = next(line for line in lines if not line["source"]["stale"])
        assert fresh["tokens"]["counted"] == 3_000
    finally:
        running.terminate()
        running.communicate(timeout=PATIENCE)
    assert running.returncode == 143


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "gbk", "ascii", "utf-8"])
def test_any_output_encoding_shows_the_frame_and_leaves_json_utf_8(
    encoding: str, fake: Fake
) -> None:
    fake.reports(active(models=["modèle-é-日本-🎉"]))
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    argv = [*MONITOR, *map(str, of_fake(fake))]
    frame = subprocess.run([*argv, "--once"], env=env, capture_output=True, check=False)
    assert (frame.returncode, frame.stderr) == (0, b"")
    assert "2,000 of ~7,000" in frame.stdout.decode(encoding)
    snapshot = subprocess.run([*argv, "--json"], env=env, capture_output=True, check=True)
    assert read_snapshot(snapshot.stdout.decode("utf-8"))["block"]["models"] == ["modèle-é-日本-🎉"]


def test_without_any_locale_it_still_works(fake: Fake) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR")}
    argv = [*MONITOR, "--once", *map(str, of_fake(fake))]
    done = subprocess.run(
        argv,
        env={**kept, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"2,000 of ~7,000" in done.stdout


@pytest.mark.parametrize(
    ("zone", "name", "offset"),
    [
        ("Asia/Kolkata", "Asia/Kolkata", "+05:30"),
        ("IST-5:30", "UTC+05:30", "+05:30"),
        ("<-03>3", "UTC-03:00", "-03:00"),
        ("UTC+14", "UTC-14:00", "-14:00"),
    ],
)
def test_the_machines_zone_is_taken_however_it_is_said(
    zone: str, name: str, offset: str, fake: Fake, run_monitor: RunMonitor
) -> None:
    for more in ((), ("--reset-hour", 9)):
        done = run_monitor("--json", *more, *of_fake(fake), env={"TZ": zone})
        reset = json.loads(done.stdout)["reset"]
        assert (reset["timezone"], reset["local"][-6:]) == (name, offset)
