"""Every way out ends here: one or two clear lines, an exit code of the contract, no traceback."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn, Optional

from monitor.model.formatting import visible

OK, NO_READING, INTERRUPTED = 0, 1, 130

UNWRITABLE = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EINVAL)

LEAVE_SIGNALS = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM")


class Failure(Exception):  # noqa: N818 - the program failed, the code did not
    """No reading could be had: the reason and what to do, a line each."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


def exit_with(action: Callable[[], int]) -> NoReturn:
    """Run the action and end the process with its exit code; what is printed is flushed first."""
    _open_missing_streams()
    _print_anything()
    try:
        code = action()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = OK
    except ModuleNotFoundError:
        raise  # one of ours that is loaded late: the starter says what to install
    except Exception as error:  # the last place that can say anything
        if sys.flags.dev_mode:
            raise
        code = _say(_failure_of(error))
    _abandon_output()
    sys.exit(code)


@contextmanager
def signals_unwind() -> Iterator[None]:
    """Let SIGTERM, SIGHUP and SIGQUIT leave through every `finally`, with exit code 128+N.

    Python runs no `finally` on them by itself; the live screen has its own handlers.
    """
    numbers = [getattr(signal, name) for name in LEAVE_SIGNALS if hasattr(signal, name)]
    ours = [n for n in numbers if signal.getsignal(n) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _unwind)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is _unwind:
                signal.signal(number, signal.SIG_DFL)


def leave_in_peace() -> None:
    """Ignore further signals: a closed terminal sends several, and we are on our way out."""
    for name in (*LEAVE_SIGNALS, "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _unwind(number: int, _frame: Optional[FrameType]) -> NoReturn:
    leave_in_peace()
    raise SystemExit(128 + number)


def fault_of_ours(error: Exception) -> Failure:
    """Say where the program itself failed, in a line instead of a traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    reason = f"The monitor itself failed at {where}: {error.__class__.__name__}: {error}"
    return Failure(visible(reason), "Please report it. `python -X dev -m monitor` shows a trace.")


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, Failure):
        return error
    if isinstance(error, OSError) and error.filename is not None:
        return Failure(
            visible(f"A file could not be used: {error}."), "See `ccusage-monitor doctor`."
        )
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return Failure(f"The output could not be written: {error.strerror}.")
    return fault_of_ours(error)


def _say(failure: Failure) -> int:
    for text in (failure.reason, failure.advice):
        if text:
            print(text, file=sys.stderr)
    return NO_READING


def _open_missing_streams() -> None:
    """Put the null device where a standard stream was closed before we were started.

    Python has None there, and the next file that is opened would get the stream's number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115


def _print_anything() -> None:
    """Let a character that the streams' encoding lacks be a question mark, not a failure."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _abandon_output() -> None:
    """Keep Python from failing once more on a closed or full output when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
