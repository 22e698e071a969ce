"""The error of the program: two lines that are safe to print."""

from __future__ import annotations

from monitor.errors import MonitorError


def test_both_lines_are_one_line_each_with_nothing_hidden() -> None:
    error = MonitorError("bad\n\x1b[2Jthing ", "do\rthis")
    assert error.reason == "bad ␛[2Jthing"
    assert error.advice == "do␍this"
    assert str(error) == error.reason


def test_a_long_text_is_cut() -> None:
    assert len(MonitorError("x" * 10_000).reason) == 600
