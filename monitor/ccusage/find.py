"""Find the npm tool ccusage."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from monitor.ccusage.diagnosis import GET_CCUSAGE
from monitor.ccusage.install import install_command
from monitor.ccusage.package import OLDEST, command_of, major, package_in, package_of
from monitor.ccusage.runner import CcusageRunner, Command, search_path
from monitor.errors import CcusageNotFoundError, MonitorError, NotCcusageError
from monitor.process import SEE_DOCTOR
from monitor.store.paths import expand_user

ASK_SECONDS = 10.0
FETCH_SECONDS = 120.0
"""Time limits for an unknown program; npx and the like may have to fetch ccusage first."""


FETCHERS = {"bun", "bunx", "npm", "npx", "pnpm", "pnpx", "yarn"}


@dataclass(frozen=True)
class Candidate:
    """A program that may be ccusage.

    `fault` says why it cannot be used, and `advice` what to do; both are "" if it can be used. A
    faulty one that `may_be_it` is not known to be another program.
    """

    path: str
    command: Optional[Command]
    fault: str
    advice: str = ""
    may_be_it: bool = False


def find(explicit: Optional[str], cache_dir: Path, runner: CcusageRunner) -> Command:
    """Return the first ccusage that can be used; with `explicit`, only that one.

    Raises CcusageNotFoundError if there is none, MonitorError if the only one fails.
    """
    faulty: list[Candidate] = []
    for candidate in candidates(explicit, cache_dir, runner):
        if candidate.command is not None:
            return candidate.command
        faulty.append(candidate)
    if not faulty:
        raise CcusageNotFoundError("ccusage was not found on PATH.", _how_to_get(cache_dir))
    likeliest = max(faulty, key=lambda candidate: candidate.may_be_it)
    if explicit is not None or likeliest.may_be_it:
        raise MonitorError(likeliest.fault, likeliest.advice)
    raise CcusageNotFoundError(likeliest.fault, likeliest.advice)


def candidates(
    explicit: Optional[str], cache_dir: Path, runner: CcusageRunner
) -> Iterator[Candidate]:
    """Yield the candidates in order of preference: each `ccusage` on PATH, then the own copy.

    This is lazy, since a program that is no npm package must be run to be identified.
    """
    if explicit is not None:
        yield _candidate(explicit, lambda: _named(explicit, runner))
        return
    for path in _on_path():
        yield _candidate(str(path), lambda path=path: _command_of_file(path, runner))  # type: ignore[misc]
    copy = cache_dir / "ccusage" / "node_modules" / "ccusage"
    if copy.exists():
        yield _candidate(str(copy), lambda: command_of(package_in(copy), str(copy)))


def _how_to_get(cache_dir: Path) -> str:
    try:
        install_command(cache_dir)
    except MonitorError as error:
        return error.advice
    return GET_CCUSAGE


def _on_path() -> Iterator[Path]:
    seen: set[str] = set()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        # A relative entry depends on the working directory: nothing is run from there.
        path = shutil.which("ccusage", path=folder) if Path(folder).is_absolute() else None
        if path and Path(path).parent == Path(folder) and os.path.realpath(path) not in seen:
            seen.add(os.path.realpath(path))
            yield Path(path)


def _candidate(path: str, examine: Callable[[], Command]) -> Candidate:
    try:
        return Candidate(path, examine(), "")
    except MonitorError as error:
        may_be_it = not isinstance(error, NotCcusageError)
        return Candidate(path, None, error.reason, error.advice, may_be_it)


def _named(text: str, runner: CcusageRunner) -> Command:
    """Return the command that `--ccusage` names: a path, or a command line."""
    path = expand_user(text)
    if text.strip() and os.path.isfile(path):  # noqa: PTH113 - pathlib's may raise for a long text
        return _command_of_file(path.absolute(), runner)
    words = _words(text)
    program = shutil.which(words[0], path=search_path())
    if program is None and not os.path.isfile(words[0]):  # noqa: PTH113
        reason = f"--ccusage {text}: there is no such file or program."
        raise MonitorError(reason, "Give the path of ccusage, or a command line that runs it.")
    program = str(Path(program or words[0]).absolute())
    if len(words) == 1:
        return _command_of_file(Path(program), runner)
    return _identified((program, *words[1:]), text, runner)


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(text, posix=os.name != "nt")
    except ValueError as error:
        reason = f"--ccusage {text}: {error}."
        raise MonitorError(reason, "Close the quotes.") from error
    if not words:
        raise MonitorError("--ccusage names no command.", "Give a path or a command line.")
    return [_absolute(word.strip('"') if os.name == "nt" else word) for word in words]


def _absolute(word: str) -> str:
    """Return the word as an absolute path if it names a file: ccusage runs elsewhere."""
    path = expand_user(word)
    named = path.exists() and (os.sep in word or "/" in word)
    return str(path.absolute()) if named else word


def _command_of_file(path: Path, runner: CcusageRunner) -> Command:
    package = package_of(path)
    if package is not None:
        return command_of(package, str(path))
    return _identified((str(path),), str(path), runner)


def _identified(argv: tuple[str, ...], shown: str, runner: CcusageRunner) -> Command:
    """Run a program that is no npm package, to find out whether it is ccusage.

    It is run for its version. If that fails or is no ccusage version (15.3 and 15.10 crash without
    a data directory), it is run for a report on an empty data directory.
    """
    seconds = FETCH_SECONDS if Path(argv[0]).stem in FETCHERS else ASK_SECONDS
    output = runner.run_tool((*argv, "--version"), limit_seconds=seconds, name=shown)
    version = re.fullmatch(r"(?:ccusage )?v?(\d+\.\d+\.\d+\S*)", output.stdout.strip())
    if output.code == 0 and version and major(version[1]) >= OLDEST:
        return Command(argv, shown, version[1])
    empty = runner.workdir / "empty"
    try:
        (empty / "projects").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"A private directory could not be made: {error.strerror}."
        raise MonitorError(reason, SEE_DOCTOR) from error
    runner.blocks(Command(argv, shown, None), [empty], limit_seconds=seconds)
    return Command(argv, shown, None)
