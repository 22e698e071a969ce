"""Shell commands of the user's: their input, output, environment, and their end.

How a single program is run, limited and ended is tested in tests/ccusage/test_runner.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.errors import MonitorError
from monitor.process import ProcessRunner, run_shell
from tests.waiting import is_running, until

if sys.platform == "win32":
    pytest.skip("commands of a POSIX shell", allow_module_level=True)


def test_a_command_gets_the_data_and_what_it_prints_is_returned() -> None:
    assert run_shell("tr a-z A-Z", data=b"hello", limit_seconds=30) == (0, b"HELLO")


def test_without_data_the_output_is_thrown_away_and_the_input_is_empty() -> None:
    assert run_shell("cat; echo much; exit 3", limit_seconds=30) == (3, b"")


def test_variables_are_added_to_the_environment_and_are_never_part_of_the_command() -> None:
    code, output = run_shell(
        'cat; printf %s "$ODD"', data=b"", variables={"ODD": "$(id); `id`"}, limit_seconds=30
    )
    assert (code, output) == (0, b"$(id); `id`")


def test_at_the_time_limit_it_is_ended_with_all_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = f"echo early; sleep 1000 & echo $! $$ >{pids}; wait"
    for seconds in (0.5, 10):  # a busy machine may not have started it in half a second
        done = run_shell(command, data=b"", limit_seconds=seconds)
        if pids.exists():
            break
    assert done == (None, b"early\n")
    until(lambda: not any(is_running(int(pid)) for pid in pids.read_text().split()), "all ended")


def test_a_command_that_prints_without_end_is_ended_and_its_first_64_kib_are_returned(
    tmp_path: Path,
) -> None:
    pids = tmp_path / "pids"
    command = f"echo $$ >{pids}; sh -c 'echo $$ >>{pids}; exec yes' & wait"
    code, output = run_shell(command, data=b"x" * 2**20, limit_seconds=600)
    assert (code, output) == (-9, b"y\n" * 2**15)
    until(lambda: not any(is_running(int(pid)) for pid in pids.read_text().split()), "all ended")


def test_what_an_ended_command_leaves_running_is_left_alone(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert run_shell(f"(sleep 0.3; touch {mark}) >/dev/null 2>&1 &", limit_seconds=30)[0] == 0
    until(mark.exists, "what it left running has gone on")


@pytest.mark.parametrize("command", ["exit 0\0", "x" * 3_000_000])
def test_a_command_that_cannot_be_started_has_no_exit_code(command: str) -> None:
    assert run_shell(command, limit_seconds=30) == (None, b"")


def test_a_runner_that_was_stopped_starts_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    runner = ProcessRunner(tmp_path)
    runner.stop()
    with pytest.raises(MonitorError, match="Stopped"):
        runner.run(["true"], env=os.environ, limit_seconds=30, name="true")
    runner.resume()
    assert runner.run(["true"], env=os.environ, limit_seconds=30, name="true").code == 0


ENDED_EARLY = """
import signal, sys
from monitor.process import run_shell

class Ended(Exception):
    pass

def end(number, frame):
    raise Ended

signal.signal(signal.SIGALRM, end)
for milliseconds in range(1, 31):
    signal.setitimer(signal.ITIMER_REAL, milliseconds / 2000)
    try:
        run_shell(f"echo $$ >>{sys.argv[1]}; sleep 1000", data=b"", limit_seconds=30)
    except Ended:
        pass
"""


def test_a_signal_at_any_moment_of_the_start_leaves_no_command_behind(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.touch()
    subprocess.run([sys.executable, "-c", ENDED_EARLY, str(pids)], check=True)
    started = [int(pid) for pid in pids.read_text().split()]
    until(lambda: not any(is_running(pid) for pid in started), "every command has ended")
