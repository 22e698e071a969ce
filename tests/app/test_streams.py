"""Standard streams that are closed, or cannot show every character, do no harm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real_ccusage import ROOT

if sys.platform == "win32":
    pytest.skip("closes the streams with a POSIX shell", allow_module_level=True)

SCRIPT = """
import sys
from monitor.app.streams import abandon_output, prepare_streams
prepare_streams()
{body}
abandon_output()
"""


def run(body: str, redirections: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    script = SCRIPT.format(body=body)
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -c "$1" {redirections}', sys.executable, script],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_was_closed_before_the_start_takes_what_is_printed(closed: str) -> None:
    body = "sys.stdin.read(); print('out'); print('err', file=sys.stderr)"
    done = run(body, f"{closed} </dev/null" if "<" not in closed else closed)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_a_character_that_the_encoding_lacks_is_a_question_mark() -> None:
    done = run("print('50 % · ░')", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout) == (0, "50 % ? ?\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_output_makes_no_second_error_at_the_end() -> None:
    body = "try:\n    print('x', flush=True)\nexcept OSError:\n    pass"
    done = run(body, ">/dev/full")
    assert done.returncode == 0
    assert done.stderr == ""
