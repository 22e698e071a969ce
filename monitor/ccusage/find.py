"""Find the npm ccusage to run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from monitor.ccusage.install import PINNED, install_command
from monitor.ccusage.package import OLDEST, command_of, major, package_in, package_of
from monitor.ccusage.runner import CcusageRunner, Command, search_path
from monitor.errors import CcusageNotFoundError, MonitorError, NotCcusageError
from monitor.process import SEE_DOCTOR
from monitor.store.paths import expand_user

ASK_SECONDS = 10.0
FETCH_SECONDS = 120.0
"""Time limits of asking an unknown program; npx and its like may have to fetch ccusage first."""


FETCHERS = {"bun", "bunx", "npm", "npx", "pnpm", "pnpx", "yarn"}


@dataclass(frozen=True)
class Candidate:
    """A ccusage that was found: `verdict` is "" when it counts, else why not, and `advice`.

    `may_be_it`: it does not count now, but it may be the npm tool, in trouble.
    """

    path: str
    command: Optional[Command]
    verdict: str
    advice: str = ""
    may_be_it: bool = False


def find(explicit: Optional[str], cache_dir: Path, runner: CcusageRunner) -> Command:
    """Return the first ccusage that counts; with `explicit`, only that one.

    Raises CcusageNotFoundError if there is none, MonitorError if the one that exists fails.
    """
    faulty: list[Candidate] = []
    for candidate in candidates(explicit, cache_dir, runner):
        if candidate.command is not None:
            return candidate.command
        faulty.append(candidate)
    if not faulty:
        raise CcusageNotFoundError("ccusage was not found on PATH.", _how_to_get(cache_dir))
    worth = max(faulty, key=lambda candidate: candidate.may_be_it)
    if explicit is not None or worth.may_be_it:
        raise MonitorError(worth.verdict, worth.advice)
    raise CcusageNotFoundError(worth.verdict, worth.advice)


def candidates(
    explicit: Optional[str], cache_dir: Path, runner: CcusageRunner
) -> Iterator[Candidate]:
    """Yield what was found, the preferred first: every `ccusage` on PATH, then our own copy.

    Lazily: a program that is no npm package has to be run to be known.
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
    typed = f"npm install -g ccusage@{PINNED}"
    return f"Install it: {typed} (or start with --yes: into {cache_dir} only)."


def _on_path() -> Iterator[Path]:
    seen: set[str] = set()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        # An entry that is not absolute depends on where one is: nothing is run from there.
        found = shutil.which("ccusage", path=folder) if Path(folder).is_absolute() else None
        if found and Path(found).parent == Path(folder) and os.path.realpath(found) not in seen:
            seen.add(os.path.realpath(found))
            yield Path(found)


def _candidate(path: str, examine: Callable[[], Command]) -> Candidate:
    try:
        return Candidate(path, examine(), "")
    except MonitorError as error:
        trouble = not isinstance(error, NotCcusageError)
        return Candidate(path, None, error.reason, error.advice, may_be_it=trouble)


def _named(text: str, runner: CcusageRunner) -> Command:
    """Examine what `--ccusage` names: a path, or a command line."""
    path = expand_user(text)
    if text.strip() and path.is_file():
        return _command_of_file(path.absolute(), runner)
    words = _words(text)
    program = shutil.which(words[0], path=search_path())
    if program is None and not Path(words[0]).is_file():
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
    """Make a word that names a file absolute: ccusage runs in another directory."""
    path = expand_user(word)
    named = path.exists() and (os.sep in word or "/" in word)
    return str(path.absolute()) if named else word


def _command_of_file(path: Path, runner: CcusageRunner) -> Command:
    package = package_of(path)
    if package is not None:
        return command_of(package, str(path))
    return _identified((str(path),), str(path), runner)


def _identified(argv: tuple[str, ...], shown: str, runner: CcusageRunner) -> Command:
    """Learn by asking whether a program that is no npm package is ccusage after all.

    `--version` first; where that is no answer (15.3 and 15.10 crash at it without a data directory;
    another program's version is not known from ours), for a report on an empty data directory.
    """
    seconds = FETCH_SECONDS if Path(argv[0]).stem in FETCHERS else ASK_SECONDS
    said = runner.run_tool((*argv, "--version"), limit_seconds=seconds, name=shown)
    version = re.fullmatch(r"(?:ccusage )?v?(\d+\.\d+\.\d+\S*)", said.stdout.strip())
    if said.code == 0 and version and major(version[1]) >= OLDEST:
        return Command(argv, shown, version[1])
    empty = runner.workdir / "empty"
    try:
        (empty / "projects").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"A private directory could not be made: {error.strerror}."
        raise MonitorError(reason, SEE_DOCTOR) from error
    runner.blocks(Command(argv, shown, None), [empty], limit_seconds=seconds)
    return Command(argv, shown, None)
