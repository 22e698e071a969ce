"""End the process: an exit code of the contract, one or two clear lines, no traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from monitor.app.streams import abandon_output, prepare_streams
from monitor.errors import MonitorError

OK, NO_READING, INTERRUPTED = 0, 1, 130

UNWRITABLE = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EINVAL)


def exit_with(action: Callable[[], int]) -> NoReturn:
    """Run the action and end the process with its exit code; flush what is printed first."""
    prepare_streams()
    try:
        code = action()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = OK
    except ModuleNotFoundError:
        raise  # a library that is imported late: the starter says what to install
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        code = _print_error(as_monitor_error(error))
    abandon_output()
    sys.exit(code)


def as_monitor_error(error: Exception) -> MonitorError:
    """Return the error as one with a reason and an advice; a bug of ours is called one."""
    if isinstance(error, MonitorError):
        return error
    if isinstance(error, OSError) and error.filename is not None:
        return MonitorError(f"A file could not be used: {error}.", "See `ccusage-monitor doctor`.")
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        return MonitorError(f"The output could not be written: {error.strerror}.")
    return _internal_error(error)


def _internal_error(error: Exception) -> MonitorError:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    reason = f"The monitor itself failed at {where}: {error.__class__.__name__}: {error}"
    return MonitorError(reason, "Please report it. `python -X dev -m monitor` shows a trace.")


def _print_error(error: MonitorError) -> int:
    for text in (error.reason, error.advice):
        if text:
            print(text, file=sys.stderr)
    return NO_READING
