"""Every way out ends here: one or two clear lines, an exit code of the contract, no traceback."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, Optional

OK, NO_READING, INTERRUPTED = 0, 1, 130

LEAVE_SIGNALS = ("SIGTERM", "SIGHUP", "SIGQUIT")


class Failure(Exception):  # noqa: N818 - the program failed, the code did not
    """No reading could be had: the reason and what to do, a line each."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


def exit_with(action: Callable[[], int]) -> NoReturn:
    """Run the action and end the process with its exit code; what is printed is flushed first."""
    try:
        code = action()
        sys.stdout.flush()
    except Failure as failure:
        code = _say(failure)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = OK
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EINVAL):
            raise
        code = _say(Failure(f"The output could not be written: {error.strerror}."))
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
            signal.signal(number, signal.SIG_DFL)


def _unwind(number: int, _frame: Optional[FrameType]) -> NoReturn:
    raise SystemExit(128 + number)


def _say(failure: Failure) -> int:
    for text in (failure.reason, failure.advice):
        if text:
            print(text, file=sys.stderr)
    return NO_READING


def _abandon_output() -> None:
    """Keep Python from failing once more on a closed or full output when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
