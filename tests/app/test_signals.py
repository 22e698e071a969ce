"""Signals that end the process run every `finally` on the way."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from monitor.app.signals import ignore_signals, signals_unwind

if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

NUMBERS = [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]


@pytest.fixture(autouse=True)
def handlers_restored() -> Iterator[None]:
    """Leave the handlers as they were, whatever a test does."""
    numbers = {*NUMBERS, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM}
    before = {number: signal.getsignal(number) for number in numbers}
    for number in NUMBERS:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_unwinds_and_ends_with_128_and_its_number(number: signal.Signals) -> None:
    unwound = []

    def interrupted() -> None:
        with signals_unwind():
            try:
                os.kill(os.getpid(), number)
                signal.pause()
            finally:
                unwound.append(number)

    with pytest.raises(SystemExit) as leaving:
        interrupted()
    assert unwound == [number]
    assert leaving.value.code == 128 + number


def test_afterwards_the_signals_are_as_before() -> None:
    with signals_unwind():
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_what_was_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with signals_unwind():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_on_the_way_out_further_signals_do_nothing() -> None:
    ignore_signals()
    for number in (*NUMBERS, signal.SIGINT):
        os.kill(os.getpid(), number)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
