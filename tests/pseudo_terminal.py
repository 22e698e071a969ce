"""Run a program in a pseudo-terminal and read its screen through a terminal emulator.

The output is read only while one of the `Terminal` methods runs: a test that does not look is a
terminal that takes no output. A synchronized frame is shown when it is complete.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

import pyte

from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parent.parent
BEGIN_FRAME, END_FRAME = b"\x1b[?2026h", b"\x1b[?2026l"
SWITCH = re.compile(rb"(\x1b\[\?1049[hl])")
PERHAPS_MODE = re.compile(rb"\x1b(?:\[(?:\?[0-9]*)?)?\Z")
# What would wipe, move about in, or switch off something on the user's own screen.
HARMFUL = re.compile(rb"\x1bc|\x1b\[!p|\x1b\[[0-9;]*[ABHLMSTdfr]|\x1b\[[123]?J|\x1b\[\?[0-9;]*[hl]")
WIPES_SCROLLBACK = re.compile(rb"\x1bc|\x1b\[3J|\x1b\[!p")
BASH = ("bash", "--norc", "--noprofile", "-i")


class Terminal:
    """A program with a terminal, controlling terminal and session of its own; a context manager.

    `env` is added to the environment, a value of None removes a name. `stdin` is "terminal",
    "null", "pipe" (open and empty) or "closed"; stdout and stderr are the terminal.
    """

    def __init__(
        self,
        argv: Sequence[Union[str, Path]],
        *,
        columns: int = 80,
        rows: int = 24,
        env: Optional[Mapping[str, Optional[str]]] = None,
        cwd: Optional[Path] = None,
        stdin: str = "terminal",
    ) -> None:
        self.raw = b""
        self.sent_while_outside_alternate = b""
        self.in_alternate = False
        self._held_back = b""
        self._main = pyte.HistoryScreen(columns, rows, history=5000)
        self._alternate = pyte.HistoryScreen(columns, rows, history=5000)
        self._streams = {False: _stream(self._main), True: _stream(self._alternate)}
        self._is_shell = tuple(argv[:1]) == BASH[:1]
        self._master, self._slave = pty.openpty()
        self._set_size(columns, rows)
        self.attributes_at_start = self.attributes()
        self._pipe: list[int] = []
        self.process = self._start(argv, _environment(env), cwd or ROOT, stdin)

    @classmethod
    def shell(cls, **options: Any) -> Terminal:
        """A bash with job control; its prompt is `ready> `."""
        env = {"PS1": "ready> ", "HISTFILE": None, "BASH_SILENCE_DEPRECATION_WARNING": "1"}
        return cls(BASH, env={**env, **(options.pop("env", None) or {})}, **options)

    def __enter__(self) -> Terminal:  # noqa: PYI034 (typing.Self came with 3.11)
        return self

    def __exit__(self, *_: object) -> None:
        # A monitor that is killed could not end a ccusage that hangs: first it may leave by itself.
        self.hang_up()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for descriptor in self._pipe:
            os.close(descriptor)

    # --- what the user does

    def send(self, keys: Union[str, bytes]) -> None:
        """Type `keys`."""
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size; the kernel sends SIGWINCH."""
        self._read(0)
        self._main.resize(rows, columns)
        self._alternate.resize(rows, columns)
        self._set_size(columns, rows)

    def signal(self, number: int) -> None:
        """Send a signal to the program alone."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal window."""
        if self._master >= 0:
            os.close(self._master)
            os.close(self._slave)
        self._master = self._slave = -1

    # --- what the user sees

    def screen(self) -> list[str]:
        """The rows now shown, without spaces at their ends."""
        self._read(0)
        return [row.rstrip() for row in self._shown().display]

    def text(self) -> str:
        """The rows now shown, as one text."""
        return "\n".join(self.screen())

    def cursor_hidden(self) -> bool:
        """Whether the program hid the cursor."""
        return last_mode(self.raw, 25, default=True) is False

    def scrolled(self) -> int:
        """How many rows have left the alternate screen at its top; always 0 for a good program."""
        return len(self._alternate.history.top)

    def scrollback(self) -> list[str]:
        """The rows that scrolled off the main screen, then those on it."""
        columns = range(self._main.columns)
        gone = ["".join(row[x].data for x in columns).rstrip() for row in self._main.history.top]
        return gone + [row.rstrip() for row in self._main.display]

    def attributes(self) -> list[Any]:
        """The terminal's attributes, as termios.tcgetattr gives them."""
        return termios.tcgetattr(self._slave)

    def echoes(self) -> bool:
        """Whether typed keys are shown, and come a line at a time, as in a shell's child."""
        wanted = termios.ECHO | termios.ICANON
        return bool(self.attributes()[3] & wanted == wanted)

    def foreground(self) -> int:
        """The process group that has the terminal."""
        return os.tcgetpgrp(self._master)

    # --- waiting

    def pump(self, seconds: float) -> None:
        """Read output for so long."""
        for _ in self._until(seconds):
            pass

    def wait_for(self, pattern: str, seconds: float = PATIENCE) -> re.Match[str]:
        """Wait until the screen shows a match of `pattern`."""
        for _ in self._until(seconds):
            found = re.search(pattern, self.text(), re.MULTILINE)
            if found:
                return found
        raise AssertionError(f"no {pattern!r} within {seconds} s on:\n{self.text()}")

    def wait_for_question(self, pattern: str) -> None:
        """Wait until the screen shows `pattern` and the program waits for the answer.

        Python misses a signal that comes between its writing a prompt and its reading: no person is
        that quick, but a test is on a busy machine.
        """
        self.wait_for(pattern)
        state = Path(f"/proc/{self.process.pid}/stat")
        if not state.exists():  # no Linux
            self.pump(0.5)
            return
        for _ in self._until(PATIENCE):
            if state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "S":
                return

    def wait_until_read(self) -> None:
        """Wait until the program has read all that was typed; what follows is another key then."""
        for _ in self._until(PATIENCE):
            pending = struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4)))
            if pending == (0,):
                return
        raise AssertionError(f"what was typed is not read after {PATIENCE} s")

    def leave_code(self, seconds: float = PATIENCE) -> int:
        """Wait for the program's end; its exit code, or minus the signal that killed it."""
        for _ in self._until(seconds):
            if self.process.poll() is not None:
                self._read(0)
                return self.process.returncode
        raise AssertionError(f"still running after {seconds} s, showing:\n{self.text()}")

    def assert_given_back(self) -> None:
        """The terminal is as it was before the program, and the user's own screen untouched."""
        self._read(0)
        raw = self.raw
        assert not self.in_alternate, "the alternate screen was not left"
        assert last_mode(raw, 25, default=True), "the cursor is still hidden"
        assert last_mode(raw, 7, default=True), "automatic wrap is still off"
        assert not last_mode(raw, 2026, default=False), "synchronized output was not ended"
        assert not WIPES_SCROLLBACK.search(raw), "the scrollback was wiped"
        if self._is_shell:
            return  # bash sets modes and attributes of its own at its prompt
        assert not last_mode(raw, 2004, default=False), "bracketed paste is still on"
        assert self.attributes() == self.attributes_at_start, "other attributes than at the start"
        harm = HARMFUL.search(self.sent_while_outside_alternate)
        assert harm is None, f"sent to the user's own screen: {harm!r}"

    # --- inside

    def _shown(self) -> Any:
        return self._alternate if self.in_alternate else self._main

    def _set_size(self, columns: int, rows: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, size)

    def _start(
        self, argv: Sequence[Union[str, Path]], env: dict[str, str], cwd: Path, stdin: str
    ) -> subprocess.Popen[bytes]:
        slave, inputs = self._slave, {"terminal": self._slave, "null": subprocess.DEVNULL}
        if stdin == "pipe":
            self._pipe = list(os.pipe())
            inputs["pipe"] = self._pipe[0]

        def own_the_terminal() -> None:
            fcntl.ioctl(1, termios.TIOCSCTTY, 0)
            if stdin == "closed":
                os.close(0)

        return subprocess.Popen(
            [str(part) for part in argv],
            stdin=inputs.get(stdin, slave),
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=env,
            start_new_session=True,
            preexec_fn=own_the_terminal,  # noqa: PLW1509 (it takes no lock, only calls the system)
        )

    def _until(self, seconds: float) -> Iterator[None]:
        """Read, and give the caller a turn, until `seconds` have passed."""
        end = time.monotonic() + seconds
        while True:
            late = time.monotonic() >= end
            yield
            if late:
                return
            self._read(min(0.02, seconds))

    def _read(self, seconds: float) -> None:
        """Take in what the program has written; wait `seconds` at most for the first of it."""
        if self._master < 0:
            time.sleep(seconds)
            return
        with contextlib.suppress(OSError):
            for turn in range(64):  # no endless reading of a program that never pauses
                if not select.select([self._master], [], [], 0 if turn else seconds)[0]:
                    return
                data = os.read(self._master, 65536)
                self.raw += data
                self._show(data)

    def _show(self, data: bytes) -> None:
        """Feed the emulator; it knows no alternate screen, so there are two of it."""
        data = self._held_back + data
        shown = _length_to_show(data)
        self._held_back = data[shown:]
        for part in SWITCH.split(data[:shown]):
            if SWITCH.match(part):
                self.in_alternate = part.endswith(b"h")
                if self.in_alternate:
                    self._alternate.erase_in_display(2)
                continue
            if not self.in_alternate:
                self.sent_while_outside_alternate += part
            self._streams[self.in_alternate].feed(part)


def _length_to_show(data: bytes) -> int:
    """Return how much comes before a frame, or a mode, whose end has not been read yet."""
    begin = data.rfind(BEGIN_FRAME)
    if data.find(END_FRAME, max(begin, 0)) < begin:
        return begin
    cut = PERHAPS_MODE.search(data)
    return cut.start() if cut else len(data)


def last_mode(raw: bytes, number: int, *, default: bool) -> bool:
    """Whether private mode `number` was last set or reset; `default` when it was neither."""
    found = re.findall(rb"\x1b\[\?%d([hl])" % number, raw)
    return bool(found[-1] == b"h") if found else default


def python(source: str) -> list[str]:
    """The command that runs `source` with the Python of the tests."""
    return [sys.executable, "-c", source]


def _stream(screen: Any) -> Any:
    return pyte.ByteStream(screen)


def _environment(changes: Optional[Mapping[str, Optional[str]]]) -> dict[str, str]:
    env: dict[str, Optional[str]] = {**os.environ, "TERM": "xterm-256color", **(changes or {})}
    return {name: value for name, value in env.items() if value is not None}
