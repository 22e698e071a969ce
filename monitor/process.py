"""Start, limit and end other programs, each with its whole process group."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Callable, Optional

from monitor.errors import MonitorError

MAX_BYTES = 64 * 2**20
"""Largest output accepted; ccusage prints a few MB for a history of years."""

SHELL_BYTES = 64 * 2**10
"""Largest output of a shell command that is shown; a status line has a few lines."""

ANSWER_BYTES = 2**20
"""Largest output of a program that answers one question."""

SLICE_SECONDS, ANSWER_SLICE = 0.2, 0.05
PIPE_SECONDS = 1.0
"""How long a pipe is still read after the program has ended."""

SEE_DOCTOR = "Run `ccusage-monitor doctor`, or name another ccusage with --ccusage."


class MissingInterpreterError(MonitorError):
    """The first line of a script names a program that does not exist."""


@dataclass(frozen=True)
class ProcessOutput:
    """What a program printed, and its exit code; a negative one is the signal that ended it."""

    code: int
    stdout: str
    stderr: str


class ProcessRunner:
    """Runs one program at a time; `stop` ends it at once, from any thread.

    `workdir` is a private directory, so that a program finds no configuration of the user's there.
    Runners that share a `turn` run one program at a time together.
    """

    def __init__(self, workdir: Path, turn: Optional[threading.Lock] = None) -> None:
        self.workdir = workdir
        self._turn = turn or threading.Lock()
        self._guard = threading.Lock()
        self._child: Optional[subprocess.Popen[bytes]] = None
        self._stopped = False

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        limit_seconds: float,
        name: str,
        on_wait: Optional[Callable[[], None]] = None,
    ) -> ProcessOutput:
        """Run a program to its end; a failing exit code is no error here.

        `name` stands for the program in messages; `on_wait` is called several times a second.
        Raises MonitorError if the program cannot be started, takes longer than `limit_seconds`,
        prints more than MAX_BYTES, or if `stop` is called.
        """
        with self._turn:
            try:
                child = self._start(argv, name, env)
                pipes = [_PipeReader(pipe, child) for pipe in (child.stdout, child.stderr) if pipe]
                in_time = _wait(child, pipes, time.monotonic() + limit_seconds, on_wait)
            finally:
                self._end()
        self.check_not_stopped()
        if any(pipe.overflowed for pipe in pipes):
            limit = f"{MAX_BYTES // 2**20} MiB"
            raise MonitorError(f"{name} printed more than {limit} and was ended.", SEE_DOCTOR)
        if not in_time:
            raise MonitorError(
                f"{name} did not answer within {round(limit_seconds, 1):g} s.", SEE_DOCTOR
            )
        stdout, stderr = (pipe.text() for pipe in pipes)
        return ProcessOutput(child.returncode, stdout, stderr)

    def ask(
        self,
        argv: Sequence[str],
        question: bytes,
        is_answer: Callable[[str], bool],
        *,
        env: Mapping[str, str],
        limit_seconds: float,
        name: str,
    ) -> ProcessOutput:
        """Run a program that answers a question on its standard input with a line of its output.

        After the answer its input is closed, and it is ended if it does not end by itself. Raises
        MonitorError as `run` does; it may print at most ANSWER_BYTES.
        """
        with self._turn:
            try:
                child = self._start(argv, name, env, stdin=subprocess.PIPE)
                both = [pipe for pipe in (child.stdout, child.stderr) if pipe]
                pipes = [_PipeReader(pipe, child, ANSWER_BYTES) for pipe in both]
                in_time = _question(child, pipes[0], question, is_answer, limit_seconds)
                _wait(child, pipes, time.monotonic() + PIPE_SECONDS, None)
            finally:
                self._end()
        self.check_not_stopped()
        if any(pipe.overflowed for pipe in pipes):
            raise MonitorError(f"{name} printed more than {ANSWER_BYTES // 2**20} MiB.")
        if not in_time:
            raise MonitorError(f"{name} did not answer within {round(limit_seconds, 1):g} s.")
        stdout, stderr = (pipe.text() for pipe in pipes)
        return ProcessOutput(child.returncode, stdout, stderr)

    def stop(self) -> None:
        """End the running program with all that it has started; later runs raise MonitorError."""
        with self._guard:
            self._stopped = True
            if self._child is not None and self._child.returncode is None:
                end_group(self._child)

    def resume(self) -> None:
        """Allow runs again after `stop`."""
        with self._guard:
            self._stopped = False

    def check_not_stopped(self) -> None:
        """Raise MonitorError after `stop`."""
        if self._stopped:
            raise MonitorError("Stopped while reading.", "Start it again.")

    def _start(
        self,
        argv: Sequence[str],
        name: str,
        env: Mapping[str, str],
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start the program in a helper thread, which no signal interrupts.

        Ctrl+C interrupts the main thread only; in the middle of Popen it would lose the child.
        """
        errors: list[Exception] = []

        def start() -> None:
            try:
                self._popen(argv, name, env, stdin)
            except Exception as error:  # noqa: BLE001 - raised again below, in the caller's thread
                errors.append(error)

        starter = threading.Thread(target=start, name="start", daemon=True)
        starter.start()
        starter.join()
        if errors:
            raise errors[0]
        assert self._child is not None  # noqa: S101 - started, and only this turn ends it
        return self._child

    def _popen(self, argv: Sequence[str], name: str, env: Mapping[str, str], stdin: int) -> None:
        with self._guard, _stop_key_blocked():
            self.check_not_stopped()
            try:
                self._child = subprocess.Popen(  # noqa: S603 - words, no shell
                    list(argv),
                    bufsize=0,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=self.workdir,
                    env=env,
                    **_own_group(),
                )
            except (OSError, ValueError) as error:
                raise _cannot_start(argv[0], name, error) from error

    def _end(self) -> None:
        with self._guard:
            child, self._child = self._child, None
            if child is not None and child.returncode is None:
                end_group(child)
        if child is not None:
            child.wait()


def run_shell(
    command_line: str,
    *,
    limit_seconds: float,
    data: Optional[bytes] = None,
    variables: Optional[Mapping[str, str]] = None,
) -> tuple[Optional[int], bytes]:
    """Run a shell command line of the user's; return its exit code and what it printed.

    `data` is its standard input; without it the output is thrown away. `variables` are added to its
    environment; nothing of ours is put into the command line. The code is None if the command could
    not be run, or took longer than `limit_seconds` and was ended with all that it had started. It
    is also ended when it prints more than SHELL_BYTES; only these are returned.
    A command that ends by itself may leave programs running.
    """
    closed = subprocess.DEVNULL
    child: Optional[subprocess.Popen[bytes]] = None
    try:
        with _signals_deferred(), _stop_key_blocked():
            child = subprocess.Popen(  # noqa: S602 - the user's own command line
                command_line,
                bufsize=0,
                shell=True,
                env={**os.environ, **(variables or {})},
                stdin=closed if data is None else subprocess.PIPE,
                stdout=closed if data is None else subprocess.PIPE,
                stderr=closed,
                **_own_group(),
            )
        return _exchange(child, data, limit_seconds)
    except (OSError, ValueError):
        return None, b""
    finally:
        if child is not None:
            with child:
                if child.poll() is None:
                    end_group(child)


def _question(
    child: subprocess.Popen[bytes],
    pipe: _PipeReader,
    question: bytes,
    is_answer: Callable[[str], bool],
    limit_seconds: float,
) -> bool:
    """Write the question and wait for the line that answers it; then close the program's input.

    Return False if the program neither answers nor ends in time.
    """
    deadline = time.monotonic() + limit_seconds
    assert child.stdin is not None  # noqa: S101 - it was started with a pipe
    with suppress(OSError), child.stdin:
        child.stdin.write(question)
        while pipe.is_alive() and child.poll() is None and time.monotonic() < deadline:
            pipe.join(ANSWER_SLICE)
            if any(map(is_answer, pipe.text().split("\n"))):
                return True
    return child.poll() is not None or not pipe.is_alive()


def _exchange(
    child: subprocess.Popen[bytes], data: Optional[bytes], limit_seconds: float
) -> tuple[Optional[int], bytes]:
    """Write a command's input and read its output; return its code, None when late, and output."""
    deadline, code = time.monotonic() + limit_seconds, None
    reader = _PipeReader(child.stdout, child, SHELL_BYTES) if child.stdout else None
    child.stdout = None  # the reader closes it
    try:
        child.communicate(data, timeout=limit_seconds)
        code = child.returncode
    except subprocess.TimeoutExpired:
        end_group(child)
        deadline = time.monotonic() + PIPE_SECONDS
    if reader is None:
        return code, b""
    reader.join(max(0.0, deadline - time.monotonic()))
    return None if reader.is_alive() else code, reader.data()[:SHELL_BYTES]


def start_detached(argv: Sequence[str]) -> None:
    """Start a program that goes on by itself, without input or output. Raises OSError."""
    closed = subprocess.DEVNULL
    with _stop_key_blocked():
        child = subprocess.Popen(  # noqa: S603 - words, no shell
            list(argv), stdin=closed, stdout=closed, stderr=closed, **_own_group()
        )
    child.returncode = 0  # nobody waits for it, and Python shall not warn of that


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End a program that was started here, and all that it has started."""
    if sys.platform == "win32":
        if child.poll() is None:  # taskkill finds nothing once the root of the tree has ended
            words = ["taskkill", "/T", "/F", "/PID", str(child.pid)]
            subprocess.run(words, capture_output=True, check=False)  # noqa: S603
        return
    # macOS answers EPERM for processes that have ended and were not waited for.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


class _PipeReader(threading.Thread):
    """Reads a pipe to its end; ends the program when it prints more than `limit` bytes."""

    def __init__(
        self, pipe: IO[bytes], child: subprocess.Popen[bytes], limit: int = MAX_BYTES
    ) -> None:
        super().__init__(daemon=True)
        self.overflowed = False
        self._limit = limit
        self._pipe = pipe
        self._child = child
        self._chunks: list[bytes] = []
        self.start()

    def run(self) -> None:
        size = 0
        with self._pipe:
            while chunk := self._pipe.read(2**16):
                self._chunks.append(chunk)
                size += len(chunk)
                if size > self._limit:
                    self.overflowed = True
                    end_group(self._child)
                    return

    def data(self) -> bytes:
        return b"".join(self._chunks)

    def text(self) -> str:
        return self.data().decode("utf-8", errors="replace")


@contextmanager
def _stop_key_blocked() -> Iterator[None]:
    """Block Ctrl+Z while a program starts, until it has a group of its own.

    A child that is stopped before that would keep Popen from returning, and so this process from
    stopping; the shell would wait for both.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Let signals that arrive inside act at the end: in the middle of Popen they lose the child.

    Does nothing outside of the main thread, which no signal interrupts.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    try:
        for number in handlers:
            signal.signal(number, lambda number, _frame: arrived.append(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for late in arrived:
        signal.raise_signal(late)


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags}
    return {"start_new_session": True}


def _wait(
    child: subprocess.Popen[bytes],
    pipes: Sequence[_PipeReader],
    deadline: float,
    on_wait: Optional[Callable[[], None]],
) -> bool:
    """Wait until the program has ended and its pipes are read; return False at the deadline."""
    while any(pipe.is_alive() for pipe in pipes):
        for pipe in pipes:
            pipe.join(min(SLICE_SECONDS, max(0.0, deadline - time.monotonic())))
        if on_wait:
            on_wait()
        if child.poll() is not None:
            end_group(child)  # programs that it left behind may hold the pipes open for ever
            for pipe in pipes:
                pipe.join(PIPE_SECONDS)
            return True
        if time.monotonic() >= deadline:
            return False
    try:
        child.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    end_group(child)
    return True


def _cannot_start(program: str, name: str, error: Exception) -> MonitorError:
    if isinstance(error, FileNotFoundError) and Path(program).exists():
        reason = f"{name} cannot be started: the program that its first line names is missing."
        return MissingInterpreterError(reason, SEE_DOCTOR)
    if isinstance(error, PermissionError):
        advice = "Make it executable (chmod +x), or name another with --ccusage."
        return MonitorError(f"{name} cannot be started: it is not executable for you.", advice)
    text = getattr(error, "strerror", None) or str(error)
    return MonitorError(f"{name} cannot be started: {text}.", SEE_DOCTOR)
