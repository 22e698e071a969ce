"""Borrow the terminal, draw a frame in one write, give it back on every way out.

Only `Screen` uses cursor codes, terminal attributes and signal handlers. A signal handler only sets
`leaving` and wakes the caller's loop, which then leaves through `Screen.__exit__`, as it does after
a key or an exception. The terminal is never queried (colours, cursor position): a late answer would
be typed into the user's shell.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Callable, Optional, TextIO

_ALTERNATE_SCREEN = "\x1b[?1049h"
# Hide the cursor, do not wrap, and bracket pastes, to distinguish them from typed keys.
_MODES = "\x1b[?25l\x1b[?7l\x1b[?2004h"
# Reset each mode, then go to the last row: a few terminals have no alternate screen.
_GIVE_BACK = "\x1b[?2026l\x1b[m\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[999H\x1b[?1049l"

_FALLBACK_SIZE = (80, 24)
_MAX_SIDE = 1000
"""A terminal may claim 65535x65535. Nobody reads that, and drawing it takes gigabytes."""

_LEAVE_SIGNALS = (
    *("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK"),
    *("SIGUSR1", "SIGUSR2", "SIGALRM"),  # unexpected, but they would end the process too
)
_STAY_IGNORED = ("SIGHUP", "SIGTSTP")  # if nohup, or a shell without job control, ignores them
_TERMINAL_GONE: int = getattr(signal, "SIGHUP", signal.SIGTERM)
_GIVE_BACK_SECONDS = 1.0  # how long to wait at the end for a terminal that takes no output


def notification(environ: Mapping[str, str], title: str, text: str) -> str:
    """Return the code for a desktop notification in this terminal; "" if it has none.

    The code is OSC 99 (kitty), 777 (urxvt, foot, VTE) or 9 (iTerm2, WezTerm, Ghostty, Windows'
    ConEmu). Other terminals get none: some take OSC 9 for a progress bar, some show it as text.
    """
    program, term = environ.get("TERM_PROGRAM", ""), environ.get("TERM", "")
    if term.startswith(("tmux", "screen")):
        return ""  # they do not pass such codes on to the terminal outside
    plain_title, plain = (re.sub(r"[\x00-\x1f\x7f-\x9f;]", " ", part) for part in (title, text))
    if environ.get("KITTY_WINDOW_ID") or term.startswith("xterm-kitty"):
        return f"\x1b]99;;{plain_title}: {plain}\x1b\\"
    if term.startswith(("rxvt-unicode", "foot")) or environ.get("VTE_VERSION"):
        return f"\x1b]777;notify;{plain_title};{plain}\x1b\\"
    if program in {"iTerm.app", "WezTerm", "ghostty"} or environ.get("ConEmuANSI") == "ON":
        return f"\x1b]9;{plain_title}: {plain}\x1b\\"
    return ""


def color_count(stream: TextIO, term: str) -> Optional[int]:
    """Return how many colours terminfo says a terminal has, below 1 for none; None if unknown.

    A process can look up only one terminal: later calls return the count of the first.
    """
    if not stream.isatty():
        return None
    try:
        import curses
    except ImportError:  # on Windows
        return None
    try:
        curses.setupterm(term, stream.fileno())
        return curses.tigetnum("colors")
    except (OSError, ValueError, curses.error):
        return None


def terminal_size(stream: TextIO) -> tuple[int, int]:
    """Return columns and rows for printing to `stream`; COLUMNS and LINES override them.

    They are (80, 24) if they are not known.
    """
    actual = _window_size(_descriptor(stream))
    texts = (os.environ.get("COLUMNS", ""), os.environ.get("LINES", ""))
    columns, rows = (int(text) if text.isdecimal() else 0 for text in texts)
    return min(columns, _MAX_SIDE) or actual[0], min(rows, _MAX_SIDE) or actual[1]


def _window_size(descriptor: Optional[int]) -> tuple[int, int]:
    """Return the terminal's own columns and rows, each at least 1."""
    columns, rows = 0, 0
    if descriptor is not None:
        with suppress(OSError):
            columns, rows = os.get_terminal_size(descriptor)
    return (
        min(columns, _MAX_SIDE) or _FALLBACK_SIZE[0],
        min(rows, _MAX_SIDE) or _FALLBACK_SIZE[1],
    )


def _descriptor(stream: Optional[TextIO]) -> Optional[int]:
    """Return the stream's file descriptor; None if it is absent, closed or in memory."""
    if stream is None:
        return None
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


_ESCAPE = "\x1b"
_PASTE, _PASTE_END = "\x1b[200~", "\x1b[201~"
_NAMED_KEYS = {
    **{f"\x1b{kind}{code}": name for kind in "[O" for code, name in (("A", "up"), ("B", "down"))},
    "\x1b[5~": "page_up",
    "\x1b[6~": "page_down",
}
_STRING_STARTS = "]PX^_"  # what follows is a string: an answer to a question of an earlier program


class _Keys:
    """Finds single keys among a keyboard's input: arrows, mouse reports, pastes, answers.

    It looks at each character once, so that no input takes long. `_begun` is what is needed of an
    unfinished sequence to tell where it ends.
    """

    def __init__(self) -> None:
        self._begun = ""

    @property
    def patience(self) -> float:
        """How many seconds to wait for the rest of an unfinished sequence."""
        if not self._begun:
            return 60.0
        return 1.0 if self._begun.startswith(_PASTE) else 0.05

    def feed(self, text: str) -> Optional[str]:
        """Return the key if `text` is one key, or one held down; else None.

        Arrows and page keys have names, such as `page_up`; a character after some of them counts.
        Several different characters at once are an unbracketed paste, not keys.
        """
        pressed = {key for key in map(self._key, text) if key}
        keys = {key for key in pressed if len(key) == 1} or pressed
        return keys.pop() if len(keys) == 1 else None

    def give_up(self) -> Optional[str]:
        """Forget an unfinished sequence; return Esc if it was an escape character alone."""
        key = _ESCAPE if self._begun == _ESCAPE else None
        self._begun = ""
        return key

    def _key(self, character: str) -> Optional[str]:
        """Take in a character; return the key that it is or completes."""
        before, self._begun = self._begun, _continued(self._begun, character)
        if self._begun:
            return None
        return _NAMED_KEYS.get(before + character) if before else character


def _continued(begun: str, character: str) -> str:
    """Return what is begun after one more character; "" if that ends the sequence."""
    if not begun or begun == _ESCAPE:
        if character == _ESCAPE:
            return _ESCAPE
        is_start = begun and (character in "[O" or character in _STRING_STARTS)
        return begun + character if is_start else ""  # else a key, or Alt and a key
    if begun[1] == "O":
        return ""  # arrows and function keys in application mode
    rest = _continued_csi if begun[1] == "[" else _continued_string
    return rest(begun, character)


def _continued_csi(begun: str, character: str) -> str:
    """Continue a paste, a mouse report, a function key, an arrow or another report."""
    if begun.startswith(_PASTE):
        end = (begun[len(_PASTE) :] + character)[-len(_PASTE_END) :]
        return "" if end == _PASTE_END else _PASTE + end
    if begun.startswith("\x1b[M"):  # an old-style mouse report: three more characters
        return begun + character if len(begun) < len("\x1b[M") + 2 else ""
    if begun == "\x1b[[":
        return ""  # a function key of the Linux console
    if (begun == "\x1b[" and character in "M[") or begun + character == _PASTE:
        return begun + character
    if character == _ESCAPE:
        return _ESCAPE
    return (begun + character)[: len(_PASTE)] if " " <= character <= "?" else ""


def _continued_string(begun: str, character: str) -> str:
    """Continue a string, which BEL or ESC and a backslash end."""
    if character == "\x07" or (begun[2:] == _ESCAPE and character == "\\"):
        return ""
    return begun[:2] + (_ESCAPE if character == _ESCAPE else "")


if sys.platform == "win32":
    import msvcrt

    class _Device:
        """A Windows console; it is polled for keys 20 times a second."""

        def __init__(self, out: TextIO, inp: Optional[TextIO]) -> None:
            self._out = out
            self._has_keys = inp is not None and inp.isatty()

        def size(self) -> tuple[int, int]:
            return _window_size(_descriptor(self._out))

        def take(self, give_up: Callable[[], bool]) -> None:  # noqa: ARG002
            from colorama import just_fix_windows_console

            just_fix_windows_console()

        def give_back(self) -> None:
            self._typed()

        def close(self) -> None:
            """Do nothing: the stream is not ours."""

        def write(self, text: str, give_up: Callable[[], bool]) -> None:  # noqa: ARG002
            # Not os.write: only the stream writes Unicode in every code page.
            encoding = self._out.encoding or "utf-8"
            self._out.write(text.encode(encoding, "replace").decode(encoding))
            self._out.flush()

        def listen(self, wakeup: socket.socket, seconds: float) -> tuple[bool, str]:
            until = time.monotonic() + seconds
            while True:
                text = self._typed()
                pause = max(0.0, min(0.05, until - time.monotonic()))
                woken = bool(select.select([wakeup], [], [], 0 if text else pause)[0])
                if text or woken or pause == 0:
                    return woken, text

        def _typed(self) -> str:
            text = ""
            while self._has_keys and msvcrt.kbhit():
                text += self._key()
            return text

        def _key(self) -> str:
            key = msvcrt.getwch()
            if key in "\x00\xe0" and msvcrt.kbhit():  # an arrow or function key has a second code
                codes = {"H": "\x1b[A", "P": "\x1b[B", "I": "\x1b[5~", "Q": "\x1b[6~"}
                return codes.get(msvcrt.getwch(), "")
            if key == "\x03":  # Ctrl+C, if it arrives as a key
                signal.raise_signal(signal.SIGINT)
                return ""
            return key

    @contextmanager
    def _background_output_allowed() -> Iterator[None]:
        yield

    def _stop_this_process() -> None:
        """Do nothing: Windows has no job control."""

else:
    import errno
    import termios

    class _Device:
        """A POSIX terminal."""

        def __init__(self, out: TextIO, inp: Optional[TextIO]) -> None:
            out.flush()
            self._encoding = out.encoding or "utf-8"
            self._shared = out.fileno()
            self._fd = self._own_descriptor()
            keyboard = _descriptor(inp)
            self._keyboard = keyboard if keyboard is not None and os.isatty(keyboard) else None
            self._attributes_of = self._shared if self._keyboard is None else self._keyboard
            self._attributes: Optional[list[Any]] = None
            self._unsent = b""

        def _own_descriptor(self) -> int:
            """Open the terminal again, so that only our descriptor is non-blocking.

            A terminal that takes no output must not keep us from leaving, and O_NONBLOCK on the
            inherited descriptor would affect the shell too.
            """
            flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK
            try:
                return os.open(os.ttyname(self._shared), flags)
            except OSError:
                return self._shared

        def size(self) -> tuple[int, int]:
            return _window_size(self._shared)

        def take(self, give_up: Callable[[], bool]) -> None:
            """Read keys at once and without echo; Ctrl+C and Ctrl+Z remain signals.

            In the background this stops the process (SIGTTOU) until `fg`, as it should.
            """
            while not give_up() and not self._turn_echo_off():
                pass

        def _turn_echo_off(self) -> bool:
            """Turn the echo off; return False if a signal interrupted that."""
            try:
                before = termios.tcgetattr(self._attributes_of)
                termios.tcsetattr(self._attributes_of, termios.TCSANOW, _without_echo(before))
                # Only now: in the background the attributes may be those of the shell itself.
                self._attributes = self._attributes or before
            except termios.error as error:
                # After any other error the terminal is gone, and the next write fails.
                return bool(error.args[0] != errno.EINTR)
            return True

        def give_back(self) -> None:
            """Restore the attributes, and drop unread keys: the shell would get them."""
            if self._attributes is None:
                return
            with suppress(termios.error):
                termios.tcsetattr(self._attributes_of, termios.TCSANOW, self._attributes)
                termios.tcflush(self._attributes_of, termios.TCIFLUSH)

        def close(self) -> None:
            if self._fd != self._shared:
                os.close(self._fd)
                self._fd = self._shared

        def write(self, text: str, give_up: Callable[[], bool]) -> None:
            """Send `text`, in one write if the terminal takes it. Raises OSError if it is gone.

            Once `give_up` returns true, the rest waits for the next call, so that codes stay whole.
            """
            self._unsent += text.encode(self._encoding, "replace")
            while self._unsent:
                if not self._send() and give_up():
                    return

        def _send(self) -> bool:
            """Send as much as the terminal takes now; return False if it takes nothing."""
            try:
                self._unsent = self._unsent[os.write(self._fd, self._unsent) :]
            except BlockingIOError:
                select.select([], [self._fd], [], 0.05)
                return False
            return True

        def listen(self, wakeup: socket.socket, seconds: float) -> tuple[bool, str]:
            """Return (woken, typed text). Raises OSError if the keyboard is gone."""
            keyboard = self._keyboard
            if keyboard is None:
                return bool(select.select([wakeup], [], [], seconds)[0]), ""
            descriptor = wakeup.fileno()
            ready, _, _ = select.select([descriptor, keyboard], [], [], seconds)
            return descriptor in ready, self._typed(keyboard) if keyboard in ready else ""

        def _typed(self, keyboard: int) -> str:
            self._keyboard = None  # if reading fails, it is not read again
            data = os.read(keyboard, 65536)
            if not data:
                raise OSError(errno.EIO, "the terminal was closed")
            self._keyboard = keyboard
            return data.decode("utf-8", "replace")

    def _without_echo(attributes: list[Any]) -> list[Any]:
        changed = [*attributes[:6], list(attributes[6])]
        changed[0] &= ~termios.IXON  # Ctrl+S would freeze the screen
        changed[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
        changed[3] |= termios.ISIG
        changed[6][termios.VMIN], changed[6][termios.VTIME] = 1, 0
        return changed

    @contextmanager
    def _background_output_allowed() -> Iterator[None]:
        """Ignore SIGTTOU: giving the terminal back from the background would stop the process."""
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGTTOU, before)

    def _stop_this_process() -> None:
        """Stop until SIGCONT, as the default action does, so that the shell notices."""
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, before)


_STYLE = re.compile("\x1b\\[([0-9;]*)m")
_NARROW = re.compile("[ -~·–—“”…≈▲✓✗\u2500-\u259f\u2800-\u28ff]*")
"""One cell each: ASCII, and what the monitor itself draws with."""
_IN_NUMBERS = frozenset("0123456789.,")
_GAP = 4
"""Cells between two changes that cost fewer bytes than to go past them."""

_Cell = tuple[str, str]
"""The style of a cell, as SGR parameters ("" is the plain one), and its character."""


def _changes(
    before: Optional[Sequence[str]], lines: Sequence[str], rows: int, pen: str
) -> tuple[str, str]:
    """Return the codes that turn the rows `before` (None if unknown) into `lines`, and the pen.

    The pen is the style that the terminal writes with.
    """
    known, codes = before or (), []
    for row, line in enumerate(lines, 1):
        for column, cells in _changed_runs(known[row - 1] if row <= len(known) else None, line):
            text, pen = _written(cells, pen)
            codes.append(f"\x1b[{row};{column}H{text}")
    if len(lines) < rows and (before is None or len(lines) < len(before)):
        codes.append(f"\x1b[{len(lines) + 1};1H\x1b[m\x1b[J")
        pen = ""
    text = "".join(codes)
    # The terminal shows all at once what is between the marks; a single change needs none.
    return f"\x1b[?2026h{text}\x1b[?2026l" if len(codes) > 1 else text, pen


def _changed_runs(before: Optional[str], line: str) -> Iterator[tuple[int, Sequence[_Cell]]]:
    """Yield the columns at which a row has changed, and the cells from there on.

    It is the whole row if it was not known, or has characters that may be wide.
    """
    if line == before:
        return
    old, new = _cells(before or ""), _cells(line)
    if before is None or old is None or new is None or len(old) != len(new):
        yield 1, [("", line)]
        return
    end = 0
    for start in range(len(new)):
        if start >= end and new[start] != old[start]:
            end = _end_of_run(old, new, start)
            while start and new[start][1] in _IN_NUMBERS and new[start - 1][1] in _IN_NUMBERS:
                start -= 1  # noqa: PLW2901 - a number is written whole: a screen reader speaks it
            yield start + 1, new[start:end]


def _end_of_run(old: Sequence[_Cell], new: Sequence[_Cell], start: int) -> int:
    """Return where a change that begins at `start` ends; changes that are near are one."""
    end = start + 1
    for at in range(end, len(new)):
        is_in_number = new[at][1] in _IN_NUMBERS and new[at - 1][1] in _IN_NUMBERS
        if new[at] != old[at] or (is_in_number and at == end):
            end = at + 1
        elif at - end >= _GAP:
            break
    return end


def _cells(line: str) -> Optional[list[_Cell]]:
    """Return the cells of a row; None if it has characters that may be wide, or other codes."""
    texts = _STYLE.split(line)
    if not _NARROW.fullmatch("".join(texts[::2])):
        return None
    styles = ["", *("" if style == "0" else style for style in texts[1::2])]
    return [(style, each) for style, text in zip(styles, texts[::2]) for each in text]


def _written(cells: Sequence[_Cell], pen: str) -> tuple[str, str]:
    """Return the text that writes cells, and the pen after it."""
    codes = []
    for style, text in cells:
        if style != pen:
            codes.append(f"\x1b[0;{style}m" if style else "\x1b[m")
        codes.append(text)
        pen = style
    return "".join(codes), pen


class Screen:
    """The borrowed terminal, a context manager for the main thread.

    `leaving` is the number of the signal that ends the program, None until there is one. A terminal
    that is gone (a read or write fails) counts as SIGHUP and raises nothing.
    """

    def __init__(self, out: TextIO, inp: Optional[TextIO] = None) -> None:
        self.leaving: Optional[int] = None
        self._device = _Device(out, inp)
        self._keys = _Keys()
        self._wakeup, self._waker = socket.socketpair()
        self._wakeup.setblocking(False)
        self._waker.setblocking(False)
        self._handlers: dict[int, Any] = {}
        self._former_wakeup_fd = -1
        self._borrowed = False
        self._stop_requested = self._continued = False
        self._frame: list[str] = []
        self._pen = ""
        self._frame_size = (0, 0)
        self._redraw_all = True

    def __enter__(self) -> Screen:  # noqa: PYI034 (typing.Self came with 3.11)
        try:
            self._set_handlers()
            self._take()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        """Give everything back. Nothing else does, and a second call is harmless."""
        try:
            self._give_back()
        finally:
            self._device.close()
            self._restore_handlers()
            self._waker.close()
            self._wakeup.close()

    def size(self) -> tuple[int, int]:
        """Return the present columns and rows, each at least 1; (80, 24) if they are not known."""
        return self._device.size()

    def draw(self, lines: Sequence[str]) -> None:
        """Show `lines`, which are as wide as the terminal; write only what has changed."""
        if not self._borrowed:
            return
        redraw_all, self._redraw_all = self._redraw_all, False  # first, to miss no later resize
        size = self.size()
        rows = size[1]
        before = None if redraw_all or size != self._frame_size else self._frame
        self._frame, self._frame_size = list(lines[:rows]), size
        codes, self._pen = _changes(before, self._frame, rows, self._pen)
        if codes:
            self._write(codes, self._is_leaving)

    def bell(self) -> None:
        """Ring the terminal's bell."""
        if self._borrowed:
            self._write("\a", self._is_leaving)

    def notify(self, title: str, text: str) -> None:
        """Show a desktop notification, if the terminal is one that can."""
        code = notification(os.environ, title, text)
        if code and self._borrowed:
            self._write(code, self._is_leaving)

    def wait(self, seconds: float) -> Optional[str]:
        """Sleep until a key, `wake`, a resize, a signal or the end of `seconds`; return the key."""
        until = time.monotonic() + seconds
        while self.leaving is None:
            left = max(0.0, until - time.monotonic())
            woken, key = self._listen(min(left, self._keys.patience))
            if woken:
                self._handle_wakeup()
            if key or woken or time.monotonic() >= until:
                return key
        return None

    def wake(self) -> None:
        """Make the present or the next `wait` return. Any thread may call this at any time."""
        with suppress(OSError):  # full: it wakes anyway; closed: nobody waits any more
            self._waker.send(b"\0")

    def _write(self, text: str, give_up: Callable[[], bool]) -> None:
        try:
            self._device.write(text, give_up)
        except OSError:
            self.leaving = self.leaving or _TERMINAL_GONE

    def _listen(self, seconds: float) -> tuple[bool, Optional[str]]:
        try:
            woken, text = self._device.listen(self._wakeup, seconds)
        except OSError:
            self.leaving = self.leaving or _TERMINAL_GONE
            return True, None
        if text:
            return woken, self._keys.feed(text)
        # If woken, the rest of a sequence may still arrive; only after silence nothing follows.
        return woken, None if woken else self._silence(seconds)

    def _silence(self, seconds: float) -> Optional[str]:
        return self._keys.give_up() if seconds >= self._keys.patience else None

    def _handle_wakeup(self) -> None:
        """Do what signal handlers cannot: stop, or go on after a stop."""
        with suppress(OSError):
            self._wakeup.recv(4096)
        if self._stop_requested:
            self._stop_requested = False
            self._give_back()
            _stop_this_process()
            self._continued = True
        if self._continued and self.leaving is None:
            self._continued = False
            self._take()

    def _take(self) -> None:
        """Take the terminal, or take it again after a stop."""
        self._device.take(self._is_leaving)
        if self._is_leaving():  # the signal may have come during a stop in the background
            return
        self._write(("" if self._borrowed else _ALTERNATE_SCREEN) + _MODES, self._is_leaving)
        self._borrowed = self._redraw_all = True
        self._pen = ""

    def _is_leaving(self) -> bool:
        return self.leaving is not None

    def _give_back(self) -> None:
        if not self._borrowed:
            return
        self._borrowed = False
        until = time.monotonic() + _GIVE_BACK_SECONDS
        with _background_output_allowed():
            self._write(_GIVE_BACK, lambda: time.monotonic() > until)
            self._device.give_back()

    def _set_handlers(self) -> None:
        wanted: dict[str, Any] = dict.fromkeys(_LEAVE_SIGNALS, self._on_leave)
        wanted.update(SIGTSTP=self._on_stop, SIGCONT=self._on_continue, SIGWINCH=self._on_resize)
        self._former_wakeup_fd = signal.set_wakeup_fd(
            self._waker.fileno(), warn_on_full_buffer=False
        )
        for name, handler in wanted.items():
            number = getattr(signal, name, None)
            if number is None:
                continue
            if name in _STAY_IGNORED and signal.getsignal(number) == signal.SIG_IGN:
                continue
            self._handlers[number] = signal.signal(number, handler)

    def _restore_handlers(self) -> None:
        if self._handlers:
            signal.set_wakeup_fd(self._former_wakeup_fd)
        while self._handlers:
            number, handler = self._handlers.popitem()
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _on_leave(self, number: int, _frame: Optional[FrameType]) -> None:
        self.leaving = self.leaving or number

    def _on_stop(self, _number: int, _frame: Optional[FrameType]) -> None:
        self._stop_requested = True

    def _on_continue(self, _number: int, _frame: Optional[FrameType]) -> None:
        self._continued = True

    def _on_resize(self, _number: int, _frame: Optional[FrameType]) -> None:
        self._redraw_all = True
