"""Signals: leave through every `finally`, and ignore further ones on the way out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, Optional

LEAVE_SIGNALS = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM")


@contextmanager
def signals_unwind() -> Iterator[None]:
    """Let SIGTERM, SIGHUP and SIGQUIT leave through every `finally`, with exit code 128+N.

    Python by itself runs no `finally` on these; the live screen has its own handlers.
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


def ignore_signals() -> None:
    """Ignore further signals: a closed terminal sends several, and the program is ending."""
    for name in (*LEAVE_SIGNALS, "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def _unwind(number: int, _frame: Optional[FrameType]) -> NoReturn:
    ignore_signals()
    raise SystemExit(128 + number)
