"""Every end of the process: its exit code, at most two lines, no traceback."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from monitor.app.exits import as_monitor_error, exit_with
from monitor.errors import MonitorError


def raising(error: BaseException) -> Callable[[], int]:
    def action() -> int:
        raise error

    return action


def ended(action: Callable[[], int]) -> object:
    with pytest.raises(SystemExit) as leaving:
        exit_with(action)
    return leaving.value.code


def test_an_action_that_returns_ends_with_its_exit_code() -> None:
    assert ended(lambda: 11) == 11


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 0)])
def test_ctrl_c_and_a_closed_pipe_end_quietly(
    error: BaseException, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ended(raising(error)) == code
    assert capfd.readouterr() == ("", "")


def test_an_error_is_a_line_that_says_what_and_a_line_that_says_what_to_do(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert ended(raising(MonitorError("It broke.", "Mend it."))) == 1
    assert capfd.readouterr().err == "It broke.\nMend it.\n"


def test_a_bug_is_one_line_that_names_the_place(capfd: pytest.CaptureFixture[str]) -> None:
    assert ended(raising(ValueError("odd\x1b[2J"))) == 1
    first, second = capfd.readouterr().err.splitlines()
    assert first.startswith("The monitor itself failed at test_exits.py:")
    assert first.endswith("ValueError: odd␛[2J")
    assert "report it" in second


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EACCES, "Permission denied", "/x"), "A file could not be used"),
        (OSError(errno.ENOSPC, "No space left on device"), "The output could not be written"),
        (OSError(errno.ENOTCONN, "odd"), "The monitor itself failed"),
        (RuntimeError("odd"), "The monitor itself failed"),
    ],
)
def test_each_kind_of_error_says_what_it_is(error: Exception, reason: str) -> None:
    assert as_monitor_error(error).reason.startswith(reason)


def test_a_missing_library_is_left_to_the_starter() -> None:
    with pytest.raises(ModuleNotFoundError):
        exit_with(raising(ModuleNotFoundError("No module named 'x'")))
