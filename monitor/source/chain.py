"""Run the status-line command that the user had before, on the same input."""

from __future__ import annotations

import subprocess


def run_chained(command_line: str, data: bytes, limit_seconds: float) -> bytes:
    """Return what the user's own command printed; nothing when it fails or takes too long.

    It is a shell's command line, as Claude Code itself runs it; nothing of ours is put into it.
    """
    try:
        done = subprocess.run(  # noqa: S602 - the user's own command line
            command_line,
            shell=True,
            input=data,
            capture_output=True,
            timeout=limit_seconds,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return b""
    return done.stdout
