"""The status line: what it prints and keeps, that it never fails, and that the monitor sees it."""

from __future__ import annotations

import io
import json
import math
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.app import status_line_hook as module
from monitor.cli import cli
from monitor.model.official import OfficialLimits, parse_rate_limits
from monitor.model.reading import Reading, Source
from monitor.store.json_file import locked
from monitor.store.official import add_reports, load_official, official_path
from monitor.store.paths import state_dir
from monitor.store.reading import ReadingFile
from tests.conftest import examples
from tests.histories import busy_history
from tests.live.fakes import NO_HOME, planted
from tests.pseudo_terminal import ROOT, Terminal
from tests.samples import block_of, events_over
from tests.waiting import PATIENCE, is_running, until

PROGRAM = (sys.executable, str(ROOT / "ccusage_monitor.py"))
HOUR = timedelta(hours=1)
NO_LIMITS = "no official limits yet; they come with the first answer"
FULL = pytest.param(
    ">/dev/full", marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
)
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc are POSIX")


def now() -> datetime:
    return datetime.now(timezone.utc)


def in_(hours: float) -> int:
    """Seconds since 1970, some hours from now."""
    return int(time.time() + hours * 3600)


def told(home: Path, **changes: Any) -> dict[str, Any]:
    """Make what Claude Code hands its status line, as its documentation shows it."""
    example = {
        "hook_event_name": "Status",
        "session_id": "abc123",
        "transcript_path": str(home / "projects" / "-home-dev-project" / "abc123.jsonl"),
        "cwd": "/home/dev/project",
        "model": {"id": "claude-opus-4-1", "display_name": "Opus"},
        "workspace": {"current_dir": "/home/dev/project", "project_dir": "/home/dev/project"},
        "version": "2.1.80",
        "output_style": {"name": "default"},
        "cost": {"total_cost_usd": 0.01234, "total_duration_ms": 45000},
        "context_window": {"context_window_size": 200000, "used_percentage": 8},
        "rate_limits": {
            "five_hour": {"used_percentage": 23.5, "resets_at": in_(2)},
            "seven_day": {"used_percentage": 41.2, "resets_at": in_(80)},
        },
    }
    return {**example, **changes}


def limits_of(five_hour: Any, resets_at: Optional[int] = None) -> dict[str, Any]:
    return {"five_hour": {"used_percentage": five_hour, "resets_at": resets_at or in_(2)}}


def said(data: object, *options: str, before: tuple[str, ...] = ()) -> str:
    """Return what is printed for this input, without starting a process; its exit code is 0."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    kept = sys.stdin, sys.stdout
    with tempfile.TemporaryFile() as out:
        stdout = io.TextIOWrapper(out, "ascii")
        sys.stdin, sys.stdout = io.TextIOWrapper(io.BytesIO(raw)), stdout
        try:
            action = cli.main([*before, "statusline", *options], standalone_mode=False)
            assert action() == 0
        finally:
            sys.stdin, sys.stdout = kept
            stdout.detach()
        out.seek(0)
        return out.read().decode("utf-8")


def test_the_line_is_ascii_where_that_was_asked_for(isolated: Path) -> None:
    line = said(told(isolated), before=("--ascii",))
    assert line.isascii()
    assert "24 % " in line


def run(
    data: bytes, *options: str, env: Optional[Mapping[str, Optional[str]]] = None
) -> subprocess.CompletedProcess[bytes]:
    """Run it as a process of its own."""
    wanted = {**os.environ, **(env or {})}
    return subprocess.run(
        [*PROGRAM, "statusline", *options],
        cwd=ROOT,
        env={name: value for name, value in wanted.items() if value is not None},
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )


def assert_harmless(done: subprocess.CompletedProcess[bytes]) -> None:
    assert (done.returncode, done.stderr) == (0, b"")
    line, newline, rest = done.stdout.decode("utf-8").partition("\n")
    assert line.strip() and newline and not rest
    assert len(line) < 300


@pytest.fixture
def home(isolated: Path) -> Path:
    """A Claude data directory at its default place."""
    path = isolated / ".claude"
    (path / "projects").mkdir(parents=True)
    return path


# What it prints.


def test_the_documented_example_gives_a_line_with_both_limits_context_and_model(home: Path) -> None:
    line = said(told(home))
    assert line == "5h 24 % (2h left) · 7d 41 % (3d 8h left) · context 8 % · Opus\n"


def test_it_says_the_same_as_a_process_whatever_the_locale_is(home: Path) -> None:
    data = json.dumps(told(home)).encode()
    for env in ({"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "utf-16"}):
        done = run(data, env=env)
        assert done.stdout.decode("utf-8").startswith("5h 24 % (2h left) · 7d 41 %")


def test_what_is_not_told_is_left_out(home: Path) -> None:
    line = said(told(home, rate_limits=limits_of(64), context_window={}, model=None))
    assert line == "5h 64 % (2h left)\n"


def test_the_spend_limit_is_shown_when_present(home: Path) -> None:
    spend = {"spend_limit": {"used_percentage": 12, "resets_at": in_(400)}}
    assert "spend 12 % (16d 16h left)" in said(told(home, rate_limits=spend))


def test_without_official_limits_it_says_when_they_come(home: Path) -> None:
    assert said(told(home, rate_limits=None)).startswith(NO_LIMITS)
    assert said(b"") == f"{NO_LIMITS}\n"


def test_what_was_captured_before_is_shown_with_its_age(home: Path) -> None:
    before = now() - timedelta(minutes=25)
    add_reports(
        state_dir(), str(home), "a session", parse_rate_limits(limits_of(64), before), before
    )
    assert said(told(home, rate_limits=None)).startswith("5h 64 % (2h left), 25 min old · context")


def test_another_data_directorys_limits_are_not_shown(home: Path, tmp_path: Path) -> None:
    said(told(home))
    assert said(told(tmp_path, rate_limits=None)).startswith(NO_LIMITS)


def test_without_official_limits_the_monitors_last_reading_is_shown_with_its_age(
    home: Path,
) -> None:
    reading = a_reading(home, now() - timedelta(minutes=3))
    ReadingFile(state_dir()).store(reading, is_confirmed=False)
    kept = state_dir() / next(state_dir().glob("last-*.json")).name
    then = (now() - timedelta(minutes=3)).timestamp()
    os.utime(kept, (then, then))
    line = said(told(home, rate_limits=None), before=("--plan", "max5"))
    assert line.startswith("estimate 80 %, read 3 min ago · context 8 %")


def test_a_last_reading_whose_block_is_over_says_so(home: Path) -> None:
    ReadingFile(state_dir()).store(a_reading(home, now() - timedelta(hours=9)), is_confirmed=False)
    assert said(told(home, rate_limits=None)).startswith("no active block, read 0 s ago")


def a_reading(home: Path, read_at: datetime) -> Reading:
    """A reading with a block of 28,000 tokens that began an hour before."""
    start = read_at.replace(minute=0, second=0, microsecond=0) - HOUR
    events = tuple(
        event._replace(at=start + timedelta(minutes=i)) for i, event in enumerate(EVENTS)
    )
    block = replace(block_of(events), last_activity=events[-1].at)
    source = Source(ccusage_version="20.0.24", data_dirs=(str(home),))
    return Reading((block,), read_at, source, events)


EVENTS = events_over(40, 28_000)


def test_escape_sequences_in_a_models_name_are_shown_not_obeyed(home: Path) -> None:
    line = said(told(home, model={"display_name": "\x1b[2J\x07Opus\n\n" + "x" * 500}))
    assert "\x1b" not in line and line.count("\n") == 1
    assert len(line) < 200


# What it keeps.


def test_it_keeps_the_limits_privately_for_the_data_directory_of_the_transcript(
    home: Path, tmp_path: Path
) -> None:
    other = tmp_path / "work"
    said(told(other, rate_limits=limits_of(64)))
    assert load_official(state_dir(), [str(home)]) == OfficialLimits()
    limits = load_official(state_dir(), [str(other)])
    assert limits.windows["five_hour"].used_percent == 64
    path = official_path(state_dir(), str(other))
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_of_several_named_data_directories_the_one_with_the_transcript_is_meant(
    home: Path, tmp_path: Path
) -> None:
    names = ("--claude-dir", str(home), "--claude-dir", str(tmp_path))
    said(told(tmp_path), before=names)
    assert not load_official(state_dir(), [str(home)]).windows
    assert load_official(state_dir(), [str(tmp_path / ".")]).windows


def test_a_transcript_elsewhere_is_kept_for_the_named_data_directory(home: Path) -> None:
    said(told(Path("/else")), before=("--claude-dir", str(home)))
    assert load_official(state_dir(), [str(home)]).windows


def test_the_projects_directory_itself_is_the_same_place(home: Path) -> None:
    said(told(home))
    assert load_official(state_dir(), [str(home / "projects")]).windows


def test_nothing_is_written_when_nothing_was_told(home: Path) -> None:
    said(told(home, rate_limits=None))
    said(told(home, rate_limits={"five_hour": {"used_percentage": 1767615455}}))
    assert not state_dir().exists() or not list(state_dir().iterdir())


def test_a_kept_file_that_is_broken_is_set_aside_and_replaced(home: Path) -> None:
    path = official_path(state_dir(), str(home))
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"version": 1, "five_hour": ')
    assert said(told(home)).startswith("5h 24 %")
    assert path.with_name(f"{path.name}.unreadable").exists()
    assert load_official(state_dir(), [str(home)]).windows["five_hour"]


def test_what_is_kept_is_what_was_captured(home: Path) -> None:
    first = now().replace(microsecond=0)
    rates = {**limits_of(10), "seven_day": {"used_percentage": 3, "resets_at": in_(100)}}
    kept = add_reports(state_dir(), str(home), "a session", parse_rate_limits(rates, first), first)
    after = first + 3 * HOUR
    later = parse_rate_limits(limits_of(97, in_(7.95)), after)
    kept = add_reports(state_dir(), str(home), "a session", later, after)
    assert kept.past and "five_hour" not in kept.windows, "97 % minutes after a rollover"
    stored = load_official(state_dir(), [str(home)])
    assert (stored.windows, stored.past) == (kept.windows, kept.past)


@pytest.mark.parametrize(
    "content",
    [
        *('{"version":1}', '{"version":1,"five_hour":{}}', '{"version":1,"five_hour":5}'),
        '{"version":1,"five_hour":null,"past":[[1,2]]}',
        '{"version":1,"five_hour":{"used_percent":1e9,"resets_at":null,"captured_at":"x"}}',
    ],
)
def test_a_kept_file_of_another_shape_is_nothing_known(home: Path, content: str) -> None:
    path = official_path(state_dir(), str(home))
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    assert load_official(state_dir(), [str(home)]) == OfficialLimits()
    assert said(told(home)).startswith("5h 24 %")


# Nothing makes it fail.

INPUTS = {
    "empty": b"",
    "blank": b" \n",
    "no JSON": b"{",
    "a list": b"[1,2]",
    "deep": b"[" * 100_000,
    "bad UTF-8": b'{"model":{"display_name":"\xff\xfe"},"rate_limits":{}}',
    "zero bytes": b"\0" * 1_000,
    "a path with a zero byte": b'{"transcript_path":"/a/projects/\\u0000/s.jsonl"}',
    "a surrogate": b'{"model":{"display_name":"\\ud83d"},"transcript_path":"/\\ud83d/projects/s"}',
    "a huge number": b'{"rate_limits":{"five_hour":{"used_percentage":1' + b"0" * 4_000 + b"}}}",
    "NaN": b'{"rate_limits":{"five_hour":{"used_percentage":NaN,"resets_at":Infinity}}}',
}


@pytest.mark.parametrize("name", INPUTS)
def test_bad_input_gives_a_short_line_and_exit_code_0(home: Path, name: str) -> None:
    assert_harmless(run(INPUTS[name]))


def test_other_encodings_of_the_same_json_are_read(home: Path) -> None:
    text = json.dumps(told(home))
    for encoding in ("utf-8-sig", "utf-16", "utf-32", "utf-16-le"):
        assert said(text.encode(encoding)).startswith("5h 24 % (2h left)")


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
WINDOWS = VALUES | st.fixed_dictionaries(
    {}, optional={"used_percentage": VALUES, "resets_at": VALUES | st.just(in_(2))}
)
KEYS = {
    "rate_limits": VALUES
    | st.fixed_dictionaries({}, optional={"five_hour": WINDOWS, "seven_day": WINDOWS}),
    "transcript_path": VALUES | st.text().map(lambda text: f"/{text}/projects/p/s.jsonl"),
    "model": VALUES | st.fixed_dictionaries({"display_name": VALUES}),
    "context_window": VALUES | st.fixed_dictionaries({"used_percentage": VALUES}),
}
BYTES = st.binary(max_size=300) | st.fixed_dictionaries({}, optional=KEYS).map(
    lambda value: json.dumps(value).encode()
)


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=BYTES)
def test_no_input_at_all_makes_it_fail(isolated: Path, data: bytes) -> None:
    line = said(data)
    assert line.strip() and line.count("\n") == 1
    assert all(character.isprintable() for character in line[:-1])
    assert "Traceback" not in line and "no reading" not in line


@POSIX
@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", FULL])
def test_a_closed_or_full_stream_does_no_harm(home: Path, stream: str) -> None:
    line = f"{shlex.join([*PROGRAM, 'statusline', '--chain', 'echo mine'])} {stream}"
    done = subprocess.run(
        ["/bin/sh", "-c", line], input=b"{}", capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


@POSIX
def test_a_terminal_for_input_is_not_waited_for(home: Path) -> None:
    with Terminal([*PROGRAM, "statusline"]) as terminal:
        terminal.wait_for("no official limits yet")
        assert terminal.leave_code() == 0


def test_a_home_that_cannot_be_written_to_costs_only_the_memory(home: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    data = json.dumps(told(home)).encode()
    done = run(data, env={"XDG_STATE_HOME": str(blocked), "HOME": str(blocked)})
    assert_harmless(done)
    assert done.stdout.startswith(b"5h 24 %")


@pytest.mark.parametrize("value", [None, "", "/nonexistent", "relative"])
def test_a_home_that_is_unknown_does_no_harm(home: Path, value: Optional[str]) -> None:
    names = [name for name in os.environ if name == "HOME" or name.startswith("XDG_")]
    env = {**dict.fromkeys(names), "HOME": value, "XDG_STATE_HOME": str(home / "state")}
    data = {"rate_limits": limits_of(64)}
    done = run(json.dumps(data).encode(), env=env)
    assert_harmless(done)
    assert done.stdout.startswith(b"5h 64 %")


@POSIX
@pytest.mark.parametrize("has_room", [True, False], ids=["", "nor a temporary directory"])
def test_a_user_without_a_home_gets_a_line_too(has_room: bool, tmp_path: Path) -> None:  # noqa: FBT001
    env = {**planted(tmp_path, NO_HOME), "TMPDIR": str(tmp_path)}
    if not has_room:
        (tmp_path / f"ccusage-monitor-{os.getuid()}").touch()
    done = run(json.dumps({"rate_limits": limits_of(64)}).encode(), env=env)
    assert_harmless(done)
    assert done.stdout.startswith(b"5h 64 %" if has_room else b"ccusage-monitor: ")


def test_a_broken_settings_file_gives_a_line_that_says_so(home: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("plan = [")
    done = run(b"{}", env={"CCUSAGE_MONITOR_CONFIG": str(config)})
    assert_harmless(done)
    assert b"config.toml" in done.stdout


def test_a_wrong_option_gives_a_line_that_says_so(home: Path) -> None:
    done = run(b"{}", "--nonsense")
    assert_harmless(done)
    assert b"--nonsense" in done.stdout


# The status-line command that the user had before.


def test_a_chained_command_gets_the_same_input_and_its_output_follows_as_it_is(home: Path) -> None:
    data = json.dumps(told(home)).encode()
    done = run(data, "--chain", "printf '\\033[32mgreen\\033[0m \\377'; cat")
    line, _, rest = done.stdout.partition(b"\n")
    assert line.startswith(b"5h 24 %")
    assert rest == b"\x1b[32mgreen\x1b[0m \xff" + data
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", ["exit 3", "no-such-command-here", "kill -9 $$", "'", "\0"])
def test_a_chained_command_that_fails_does_no_harm(home: Path, command: str) -> None:
    assert said(told(home), "--chain", command).startswith("5h 24 % (2h left)")


def test_a_chained_command_that_fails_late_has_its_output_shown(home: Path) -> None:
    assert said(told(home), "--chain", "echo mine; exit 3").endswith("Opus\nmine\n")


def test_a_chained_command_that_reads_nothing_of_a_large_input_does_no_harm(home: Path) -> None:
    assert said(told(home, more="x" * 2**20), "--chain", "echo mine").endswith("Opus\nmine\n")


@POSIX
def test_a_chained_command_that_hangs_is_ended_with_all_it_started(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHAIN_SECONDS", 3.0)
    pids = tmp_path / "pids"
    command = f"echo early; sleep 1000 & echo $! $$ > {shlex.quote(str(pids))}; wait"
    assert said(told(home), "--chain", command).endswith("Opus\nearly\n")
    until(lambda: not any(is_running(int(pid)) for pid in pids.read_text().split()), "all ended")


@POSIX
def test_claude_code_ending_it_ends_the_chained_command_too(home: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = f"sleep 1000 & echo $! $$ > {shlex.quote(str(pids))}; wait"
    child = subprocess.Popen([*PROGRAM, "statusline", "--chain", command], stdin=subprocess.DEVNULL)
    until(lambda: pids.exists() and len(pids.read_text().split()) == 2, "the command runs")
    child.terminate()
    assert child.wait(PATIENCE) == 143
    until(lambda: not any(is_running(int(pid)) for pid in pids.read_text().split()), "all ended")


# Many at once, and the monitor beside it.


def test_of_50_at_once_each_is_heard_and_the_file_is_whole(home: Path, tmp_path: Path) -> None:
    inputs = [
        told(home, rate_limits=limits_of(i, in_(0.5 if i % 3 else 3)), session_id=str(i))
        for i in range(50)
    ]
    children = [start(tmp_path / f"{i}.json", data) for i, data in enumerate(inputs)]
    path = official_path(state_dir(), str(home))
    for _ in whole_while(children, path):
        pass
    assert {child.wait() for child in children} == {0}
    stored = json.loads(path.read_bytes())
    assert set(stored["sessions"]) == {str(i) for i in range(50)}
    assert stored["windows"]["five_hour"]["used_percent"] in range(50)


def start(path: Path, data: object) -> subprocess.Popen[bytes]:
    path.write_text(json.dumps(data))
    with path.open("rb") as file:
        return subprocess.Popen(
            [*PROGRAM, "statusline"], cwd=ROOT, stdin=file, stdout=subprocess.DEVNULL
        )


def whole_while(children: list[subprocess.Popen[bytes]], path: Path) -> Iterator[None]:
    """Read the file again and again until all have ended: it is always whole."""
    while any(child.poll() is None for child in children):
        if path.exists():
            assert json.loads(path.read_bytes())["version"] == 2
        yield
        time.sleep(0.005)


@POSIX
def test_the_live_monitor_switches_to_the_official_percentage_and_reset(
    home: Path, real_ccusage: Callable[[str], Path]
) -> None:
    busy_history(home, now())
    ccusage = str(real_ccusage("20.0.24"))
    argv = [*PROGRAM, "--ccusage", ccusage, "--plan", "max20", "--refresh", "1"]
    with Terminal(argv) as terminal:
        terminal.wait_for(r"max20 · estimate")
        terminal.wait_for(r"Used +\S+ of ~140,000")
        reset = datetime.fromtimestamp(in_(2), timezone.utc)
        run(json.dumps(told(home, rate_limits=limits_of(64, int(reset.timestamp())))).encode())
        terminal.wait_for(r"Claude Code · official")
        terminal.wait_for(r"5-hour +[█▏▎▍▌▋▊▉░▒]+ +64 %")
        terminal.wait_for(r"Used +official, \d+ s ago")
        shown = (reset + timedelta(seconds=30)).strftime("%H:%M")
        terminal.wait_for(rf"Resets +(tomorrow )?{shown}, in .* official")
        terminal.send("q")
        assert terminal.leave_code() == 0


def test_the_next_snapshot_has_the_official_percentage_and_reset(
    home: Path, real_ccusage: Callable[[str], Path], run_monitor: Any
) -> None:
    busy_history(home, now())
    options = ("--ccusage", real_ccusage("20.0.24"), "--json")
    before = json.loads(run_monitor(*options).stdout)
    assert (before["headline"]["source"], before["official"]) == ("estimate", None)
    run(json.dumps(told(home, rate_limits=limits_of(64.5, in_(2)))).encode())
    after = json.loads(run_monitor(*options).stdout)
    assert after["headline"]["used_percent"] == 64.5
    assert (after["headline"]["source"], after["reset"]["source"]) == ("official", "official")
    assert after["limit"] == before["limit"]
    assert math.isclose(after["reset"]["minutes"], 120, abs_tol=2)


def a_session(home: Path, name: str, percent: float, hours: float, api_ms: int = 0) -> bytes:
    window = {"used_percentage": percent, "resets_at": in_(hours)}
    cost = {"total_api_duration_ms": api_ms} if api_ms else None
    return json.dumps(
        told(home, rate_limits={"seven_day": window}, session_id=name, cost=cost)
    ).encode()


@POSIX
def test_a_process_that_is_stopped_while_it_stores_does_not_stop_the_line(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.store.official.locked", partial(locked, seconds=0.05))
    assert said(a_session(home, "a", 100, 60)).startswith("7d 100 % ")
    with locked(official_path(state_dir(), str(home))):
        assert said(a_session(home, "a", 3, 60)).startswith("7d 3 % ")


def test_after_an_upgrade_the_new_limit_is_shown_however_often_an_old_session_is_drawn(
    home: Path,
) -> None:
    old, new = a_session(home, "old", 100, 120), a_session(home, "new", 3, 72)
    assert "7d 100 %" in said(old)
    assert "7d 3 %" in said(new)
    for session in (old, new, old, old):
        assert "7d 3 %" in said(session)
    assert "7d 4 %" in said(a_session(home, "new", 4, 72))


def test_a_session_that_got_an_answer_confirms_what_it_said(home: Path) -> None:
    said(a_session(home, "one", 30, 72, api_ms=1_000))
    path = official_path(state_dir(), str(home))
    raw = json.loads(path.read_text())
    raw["windows"]["seven_day"]["captured_at"] = (now() - HOUR).isoformat()
    path.write_text(json.dumps(raw))
    assert "30 % (3d left), 1 h old" in said(a_session(home, "one", 30, 72, api_ms=1_000))
    assert "30 % (3d left) ·" in said(a_session(home, "one", 30, 72, api_ms=2_000)) + " ·"


def test_the_plain_hook_does_without_the_command_line_and_prints_the_same(tmp_path: Path) -> None:
    data = {"session_id": "s", "rate_limits": {"five_hour": {"used_percentage": 37}}}
    code = (
        "import sys; sys.argv = ['ccusage-monitor', 'statusline'];"
        "import ccusage_monitor, atexit;"
        "atexit.register(lambda: print('click' in sys.modules, file=sys.stderr));"
        "ccusage_monitor.main()"
    )
    printed = []
    for name, env in (("plain", {}), ("other", {"CCUSAGE_MONITOR_PLAN": "max5"})):
        home = {"HOME": str(tmp_path / name), "XDG_STATE_HOME": str(tmp_path / name)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            input=json.dumps(data),
            env={**os.environ, **home, **env},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        printed.append(done.stdout)
        assert done.stderr == f"{name == 'other'}\n"
    assert printed[0] == printed[1] != ""
