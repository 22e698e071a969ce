"""Run the status-line command that the user had before, on the same input."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress


def run_chained(command_line: str, data: bytes, limit_seconds: float) -> bytes:
    """Return what the user's own command printed, or had by the time that it was ended.

    It is a shell's command line, as Claude Code itself runs it; nothing of ours is put into it.
    What it started is ended with it.
    """
    try:
        with subprocess.Popen(  # noqa: S602 - the user's own command line
            command_line,
            shell=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as child:
            try:
                return child.communicate(data, timeout=limit_seconds)[0]
            except subprocess.TimeoutExpired as late:
                return late.output or b""
            finally:
                _end(child)
    except (OSError, ValueError):
        return b""


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the command and all that it started, unless it is over: then it may leave something."""
    if child.poll() is not None:
        return
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()
