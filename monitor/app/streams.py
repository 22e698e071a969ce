"""The standard streams: open, able to print anything, and never failing at the very end."""

from __future__ import annotations

import io
import os
import sys


def prepare_streams() -> None:
    """Open the null device in place of closed streams; print `?` for what an encoding lacks."""
    _open_missing()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def abandon_output() -> None:
    """Keep Python from failing once more, at its end, on an output that is closed or full."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_missing() -> None:
    """Open the null device for each standard stream that was closed before the program started.

    Python has None there, and the next file to be opened would get the stream's number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
