"""The border to ccusage: how it is run, and what is said when it fails.

The fake is a small executable named ccusage; the real versions are run too.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import threading
from pathlib import Path
from typing import Callable

import pytest

from monitor.ccusage.diagnosis import meaningful_line
from monitor.ccusage.report import parse_report
from monitor.ccusage.runner import CcusageRunner, Command
from monitor.errors import MonitorError
from tests.real_ccusage import VERSIONS
from tests.waiting import PATIENCE, is_running, until

NEEDS_SETSID = pytest.mark.skipif(not shutil.which("setsid"), reason="needs setsid")

EMPTY = '{"blocks": []}'

NODE_TRACE = """\
file:///usr/lib/node_modules/ccusage/dist/index.js:3436
\t\tthrow new TypeError(`Cannot read properties of undefined`);
\t\t      ^

TypeError: Cannot read properties of undefined (reading 'a')
    at getPaths (file:///usr/lib/node_modules/ccusage/dist/index.js:3436:9)

Node.js v20.20.2
"""
PYTHON_TRACE = 'Traceback (most recent call last):\n  File "x", line 1\nKeyError: 1\n'


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def runner(workdir: Path) -> CcusageRunner:
    return CcusageRunner(workdir)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "claude"
    (made / "projects").mkdir(parents=True)
    return made


Fake = Callable[[str], Command]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Make an executable named ccusage of a shell script."""

    def make(script: str) -> Command:
        path = tmp_path / "bin" / "ccusage"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return Command((str(path),), "ccusage", None)

    return make


def saying(stdout: str = "", stderr: str = "", code: int = 0) -> str:
    """Write a script that prints these texts."""
    out = f"cat <<'OUT'\n{stdout}\nOUT\n" if stdout else ""
    err = f"cat >&2 <<'ERR'\n{stderr}\nERR\n" if stderr else ""
    return f"{out}{err}exit {code}"


def failure(
    runner: CcusageRunner, command: Command, data: Path, seconds: float = 20.0
) -> MonitorError:
    with pytest.raises(MonitorError) as caught:
        runner.blocks(command, [data], limit_seconds=seconds)
    assert "\n" not in caught.value.reason
    assert str(caught.value) == caught.value.reason
    assert caught.value.advice
    return caught.value


def test_a_report_is_returned_as_printed(runner: CcusageRunner, fake: Fake, data: Path) -> None:
    assert runner.blocks(fake(saying(EMPTY)), [data]).strip() == EMPTY


def test_it_is_told_to_stay_offline_and_to_read_an_empty_configuration(
    runner: CcusageRunner, fake: Fake, data: Path, tmp_path: Path
) -> None:
    command = fake(f'printf "%s\\n" "$@" > {tmp_path}/words\n{saying(EMPTY)}')
    runner.blocks(command, [data], "--session-length", "1")
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:4] == ["blocks", "--json", "--offline", "--config"]
    assert Path(words[4]).read_text() == "{}\n"
    assert words[5:] == ["--session-length", "1"]


def test_online_is_said_in_so_many_words(
    workdir: Path, fake: Fake, data: Path, tmp_path: Path
) -> None:
    CcusageRunner(workdir, online=True).blocks(
        fake(f"echo $3 > {tmp_path}/word; echo '{EMPTY}'"), [data]
    )
    assert (tmp_path / "word").read_text() == "--no-offline\n"


def test_it_runs_in_a_neutral_place_without_the_users_settings(
    runner: CcusageRunner,
    fake: Fake,
    data: Path,
    tmp_path: Path,
    workdir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LOG_LEVEL", "FORCE_COLOR", "DEBUG", "CCUSAGE_MODEL_ALIASES"):
        monkeypatch.setenv(name, "1")
    command = fake(f"env > {tmp_path}/env; pwd -P > {tmp_path}/pwd; cat; echo '{EMPTY}'")
    runner.blocks(command, [data])
    seen = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert not {"LOG_LEVEL", "FORCE_COLOR", "DEBUG", "CCUSAGE_MODEL_ALIASES"} & set(seen)
    assert (seen["NO_COLOR"], seen["CLAUDE_CONFIG_DIR"]) == ("1", str(data))
    assert (tmp_path / "pwd").read_text().strip() == str(workdir.resolve())


def test_it_is_told_to_save_memory_only_if_that_is_asked(
    runner: CcusageRunner, fake: Fake, data: Path, tmp_path: Path
) -> None:
    command = fake(f"env > {tmp_path}/env; echo '{EMPTY}'")
    for wanted in (True, False):
        runner.blocks(command, [data], saves_memory=wanted)
        seen = (tmp_path / "env").read_text()
        assert ("MIMALLOC_PURGE_DELAY=10\n" in seen) is wanted
        assert f"CLAUDE_CONFIG_DIR={data}\n" in seen


def test_several_data_directories_are_handed_over_absolute(
    runner: CcusageRunner, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = fake(f"echo $CLAUDE_CONFIG_DIR > {tmp_path}/dirs; echo '{EMPTY}'")
    runner.blocks(command, [Path("one"), Path("two")])
    assert (tmp_path / "dirs").read_text() == f"{tmp_path}/one,{tmp_path}/two\n"


@pytest.mark.parametrize(
    ("script", "reason", "advice"),
    [
        (saying(stderr=NODE_TRACE, code=1), "TypeError: Cannot read properties of", "doctor"),
        (saying(stderr=PYTHON_TRACE, code=1), "failed: KeyError: 1", "doctor"),
        (saying(stderr='Error: CliError("bad \\"x\\"")', code=1), 'failed: bad "x"', "doctor"),
        (saying(stderr="  \nout of luck\n", code=3), "failed: out of luck", "doctor"),
        ("exit 3", "failed with exit code 3", "doctor"),
        ("kill -9 $$", "signal 9 (SIGKILL)", "doctor"),
        ("exit 0", "printed nothing.", "doctor"),
        (saying(stderr="WARN odd"), "printed nothing, but: WARN odd", "doctor"),
        (saying("hello\nworld"), "printed no report, but “hello”", "doctor"),
        (saying('["blocks"]'), "printed no report", "doctor"),
        (saying('{"blocks": [{"id": "2026-'), "breaks off in the middle", "doctor"),
        (
            saying(stderr="ccusage native binary is not available for linux-x64.", code=1),
            "broken install",
            "npm install",
        ),
        (
            saying(
                stderr="ccusage requires Bun or Node.js >=22.0.0. Current Node.js: v20.20.2", code=1
            ),
            "needs Node.js 22.0.0 or newer, and this is v20.20.2",
            "Update Node.js",
        ),
        (
            saying(
                stderr="Error: No valid Claude data directories found in CLAUDE_CONFIG_", code=1
            ),
            "no usage yet",
            "--demo",
        ),
        (
            saying(stderr="ccusage: error: argument command: invalid choice: 'blocks' (…)", code=2),
            "another program of the same name",
            "npm tool",
        ),
        (
            saying(stderr="env: 'node': No such file or directory", code=127),
            "needs Node.js, and there is none",
            "'.[node]'",
        ),
        (
            saying(EMPTY, "[ccusage]  ERROR  Failed to fetch model pricing: fetch failed"),
            "empty report and an error: Failed to fetch model pricing",
            "--online",
        ),
    ],
)
def test_a_fault_is_named_with_what_to_do(
    runner: CcusageRunner, fake: Fake, data: Path, script: str, reason: str, advice: str
) -> None:
    error = failure(runner, fake(script), data)
    assert reason in error.reason
    assert advice in error.advice
    assert " at " not in error.reason


def test_a_warning_beside_a_report_is_no_fault(
    runner: CcusageRunner, fake: Fake, data: Path
) -> None:
    report = saying(EMPTY, "[ccusage]  WARN  Configuration file not found or invalid: x.json")
    assert runner.blocks(fake(report), [data]).strip() == EMPTY


def test_bytes_that_are_no_utf_8_are_replaced(
    runner: CcusageRunner, fake: Fake, data: Path
) -> None:
    text = runner.blocks(fake('printf \'{"blocks": [], "x": "\\377"}\''), [data])
    assert "�" in text


def test_escape_codes_in_an_error_are_made_visible(
    runner: CcusageRunner, fake: Fake, data: Path
) -> None:
    error = failure(runner, fake("printf 'Error: \\033[2Jx\\007' >&2; exit 1"), data)
    assert "␛[2Jx␇" in error.reason
    assert error.reason.isprintable()


def test_a_long_error_is_cut(runner: CcusageRunner, fake: Fake, data: Path) -> None:
    error = failure(runner, fake("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1"), data)
    assert len(error.reason) < 400


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("npm error code E404\nnpm error 404 Not Found - GET x\nnpm error A log", "404 Not Found"),
        ("{\n}\n    at f\nNode.js v20.1.0\n", ""),
        ("", ""),
    ],
)
def test_the_meaningful_line_is_found(text: str, line: str) -> None:
    assert meaningful_line(text).startswith(line)
    assert bool(meaningful_line(text)) == bool(line)


def test_a_program_that_is_missing_is_named(
    runner: CcusageRunner, data: Path, tmp_path: Path
) -> None:
    gone = Command((str(tmp_path / "gone"),), "gone", None)
    assert "gone cannot be started: No such file" in failure(runner, gone, data).reason


def test_a_script_whose_interpreter_is_missing_is_told_from_a_missing_file(
    runner: CcusageRunner, fake: Fake, data: Path
) -> None:
    command = fake("")
    Path(command.argv[0]).write_text("#!/no/such/node\n")
    assert "its first line names is missing" in failure(runner, command, data).reason


def test_a_file_that_is_not_executable_is_named(
    runner: CcusageRunner, fake: Fake, data: Path
) -> None:
    command = fake("exit 0")
    Path(command.argv[0]).chmod(0o600)
    error = failure(runner, command, data)
    assert "not executable" in error.reason
    assert "chmod +x" in error.advice


def wait_for_end(pid: int) -> None:
    until(lambda: not is_running(pid), f"process {pid} has ended")


def pid_in(path: Path) -> int:
    until(lambda: path.exists() and path.read_text().endswith("\n"), f"a process id in {path}")
    return int(path.read_text())


def launcher(tmp_path: Path) -> str:
    """Write a script that starts a child and waits for it, as the launcher of ccusage 20 does."""
    return f"sleep 300 & echo $! > {tmp_path}/pid; wait"


def test_at_the_time_limit_the_child_of_the_launcher_is_ended_too(
    runner: CcusageRunner, fake: Fake, data: Path, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    for seconds in (0.5, 10):  # a busy machine may not have started the child in half a second
        error = failure(runner, fake(launcher(tmp_path)), data, seconds)
        assert f"did not answer within {seconds:g} s" in error.reason
        if pid.exists():
            break
    wait_for_end(pid_in(pid))


def test_stop_ends_a_hanging_run_from_another_thread_and_allows_no_other(
    runner: CcusageRunner, fake: Fake, data: Path, tmp_path: Path
) -> None:
    errors: list[MonitorError] = []
    command = fake(launcher(tmp_path))
    thread = threading.Thread(target=lambda: errors.append(failure(runner, command, data, 3600)))
    thread.start()
    child = pid_in(tmp_path / "pid")
    runner.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    wait_for_end(child)
    assert "Stopped" in errors[0].reason
    assert "Stopped" in failure(runner, fake(saying(EMPTY)), data).reason


def test_what_a_finished_run_leaves_behind_is_ended(
    runner: CcusageRunner, fake: Fake, data: Path, tmp_path: Path
) -> None:
    script = f"sleep 300 > /dev/null 2>&1 & echo $! > {tmp_path}/pid; echo '{EMPTY}'"
    runner.blocks(fake(script), [data])
    wait_for_end(pid_in(tmp_path / "pid"))


@pytest.mark.parametrize("start", ["", pytest.param("setsid ", marks=NEEDS_SETSID)])
def test_a_grandchild_that_holds_the_pipe_open_does_not_hang_us(
    runner: CcusageRunner, fake: Fake, data: Path, tmp_path: Path, start: str
) -> None:
    script = f"{start}sleep 300 & echo $! > {tmp_path}/pid; echo '{EMPTY}'"
    try:
        # The limit is far beyond the test's own: it would fail if the limit were waited for.
        assert runner.blocks(fake(script), [data], limit_seconds=3600).strip() == EMPTY
    finally:
        if start:
            os.kill(pid_in(tmp_path / "pid"), 9)


@pytest.mark.skipif(sys.platform == "win32", reason="no job control")
def test_ctrl_z_cannot_stop_it_while_it_is_being_started(runner: CcusageRunner) -> None:
    """Stopped before exec it would hold us in Popen, and the shell would wait for both for ever."""
    source = "import signal; print(signal.SIGTSTP in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    assert runner.run_tool([sys.executable, "-c", source]).stdout == "True\n"


def test_a_program_that_closes_its_output_and_hangs_is_ended(
    runner: CcusageRunner, fake: Fake, data: Path
) -> None:
    error = failure(runner, fake("exec >&- 2>&-; exec sleep 300"), data, seconds=0.5)
    assert "did not answer" in error.reason


@pytest.mark.parametrize("stream", ["", " >&2"])
def test_endless_output_is_stopped(
    runner: CcusageRunner, fake: Fake, data: Path, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    monkeypatch.setattr("monitor.process.MAX_BYTES", 2**20)
    error = failure(runner, fake(f"exec yes{stream}"), data, seconds=3600)
    assert "more than 1 MiB" in error.reason


def test_runs_wait_for_each_other(
    runner: CcusageRunner, fake: Fake, data: Path, tmp_path: Path
) -> None:
    script = f"mkdir {tmp_path}/turn && sleep 0.05 && rmdir {tmp_path}/turn && echo '{EMPTY}'"
    command = fake(script)
    reports: list[str] = []
    threads = [
        threading.Thread(target=lambda: reports.append(runner.blocks(command, [data])))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert [text.strip() for text in reports] == [EMPTY] * 5


def one_message(folder: Path) -> Path:
    """Make a data directory with one message in it."""
    path = folder / "projects" / "p" / "a.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(
        '{"type":"assistant","timestamp":"2026-01-05T12:00:00.000Z","sessionId":"s",'
        '"requestId":"r","version":"1.0.80","cwd":"/x","message":{"id":"m","role":"assistant",'
        '"type":"message","model":"claude-sonnet-4-20250514","content":[],"usage":{"input_tokens"'
        ':100,"output_tokens":1,"cache_creation_input_tokens":0,"cache_read_input_tokens":0}}}\n',
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["plain", "with, comma", "blank at the end "])
def test_every_version_reads_a_data_directory_of_any_name(
    runner: CcusageRunner,
    real_ccusage: Callable[[str], Path],
    tmp_path: Path,
    version: str,
    name: str,
) -> None:
    command = Command((str(real_ccusage(version)),), "ccusage", version)
    text = runner.blocks(command, [one_message(tmp_path / name)])
    assert [block.tokens.counted for block in parse_report(text)] == [101]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_names_a_directory_without_projects(
    runner: CcusageRunner, real_ccusage: Callable[[str], Path], tmp_path: Path, version: str
) -> None:
    command = Command((str(real_ccusage(version)),), "ccusage", version)
    assert "no usage yet" in failure(runner, command, tmp_path).reason


@pytest.mark.parametrize("version", VERSIONS)
def test_no_version_is_led_astray_by_a_users_configuration(
    runner: CcusageRunner,
    real_ccusage: Callable[[str], Path],
    tmp_path: Path,
    isolated: Path,
    version: str,
) -> None:
    data = one_message(tmp_path / "claude")
    hostile = '{"defaults": {"since": "20990101"}, "commands": {"blocks": {"since": "20990101"}}}'
    for folder in (data, isolated / ".claude", isolated / ".config" / "claude"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ccusage.json").write_text(hostile)
    command = Command((str(real_ccusage(version)),), "ccusage", version)
    assert len(parse_report(runner.blocks(command, [data]))) == 1
