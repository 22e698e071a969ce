"""Find the npm ccusage; install a pinned one on request."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from monitor.ccusage.runner import (
    GET_NODE,
    NO_NODE,
    REINSTALL,
    SEE_DOCTOR,
    CcusageError,
    Command,
    NoCcusageError,
    Runner,
    known_fault,
    meaningful_line,
    search_path,
)
from monitor.store.json_file import private_dir
from monitor.store.paths import expanded

PINNED = "20.0.24"
"""The version that `install` brings; the one that most was tried with."""

OLDEST = 15

ASK_SECONDS = 10.0
FETCH_SECONDS = 120.0
"""Time limits of asking an unknown program; npx and its like may have to fetch ccusage first."""

INSTALL_SECONDS = 300.0
SAY_EVERY_SECONDS = 2.0
ABANDONED_SECONDS = 3600.0

FETCHERS = {"bun", "bunx", "npm", "npx", "pnpm", "pnpx", "yarn"}

NPM_OPTIONS = (
    # What a user's npm configuration may say otherwise, and nothing that ccusage does not need.
    *("--no-save", "--no-package-lock", "--ignore-scripts", "--include=optional"),
    *("--no-global", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"),
)


class NotFound(CcusageError):  # noqa: N818 - read as `except NotFound`, it needs no suffix
    """No ccusage counts; one can be installed."""


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


@dataclass(frozen=True)
class _Package:
    """The npm package that a program belongs to, as its package.json says."""

    folder: Path
    version: str
    script: Path
    wants_native: bool


def find(explicit: Optional[str], cache_dir: Path, runner: Runner) -> Command:
    """Return the first ccusage that counts; only `explicit` does when it is given.

    Raises NotFound when there is none, CcusageError when the one that there is does not work.
    """
    faulty: list[Candidate] = []
    for candidate in candidates(explicit, cache_dir, runner):
        if candidate.command is not None:
            return candidate.command
        faulty.append(candidate)
    if not faulty:
        raise NotFound("ccusage was not found on PATH.", _how_to_get(cache_dir))
    worth = max(faulty, key=lambda candidate: candidate.may_be_it)
    if explicit is not None or worth.may_be_it:
        raise CcusageError(worth.verdict, worth.advice)
    raise NotFound(worth.verdict, worth.advice)


def candidates(explicit: Optional[str], cache_dir: Path, runner: Runner) -> Iterator[Candidate]:
    """Yield what was found, the preferred first: every `ccusage` on PATH, then our own copy.

    Lazily: a program that is no npm package has to be run to be known.
    """
    if explicit is not None:
        yield _judged(explicit, lambda: _named(explicit, runner))
        return
    for path in _on_path():
        yield _judged(str(path), lambda path=path: _of_file(path, runner))  # type: ignore[misc]
    copy = cache_dir / "ccusage" / "node_modules" / "ccusage"
    if copy.exists():
        yield _judged(str(copy), lambda: _of_package(_package_in(copy), str(copy)))


def install_command(cache_dir: Path) -> tuple[str, ...]:
    """Return the words that install the pinned ccusage into the cache directory, nothing global.

    Raises CcusageError when there is no npm.
    """
    npm = shutil.which("npm", path=search_path())
    if npm is None:
        raise CcusageError("npm was not found: it comes with Node.js.", GET_NODE)
    target = cache_dir / "ccusage"
    return (npm, "install", "--prefix", str(target), *NPM_OPTIONS, f"ccusage@{PINNED}")


def install(cache_dir: Path, runner: Runner, say: Callable[[str], None]) -> Command:
    """Install the pinned ccusage; `say` gets lines of progress. Raises CcusageError.

    It is made beside its place and moved there when it is good, so that a half-finished one is
    never taken for it.
    """
    import tempfile

    try:
        private_dir(cache_dir)
        _sweep(cache_dir)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=cache_dir) as made:
            say(f"Installing ccusage {PINNED} with npm into {cache_dir / 'ccusage'} …")
            _run_npm(install_command(Path(made)), runner, say)
            fresh = Path(made) / "ccusage"
            _of_package(_package_in(fresh / "node_modules" / "ccusage"), "the new ccusage")
            _replace(cache_dir / "ccusage", fresh, Path(made) / "old")
    except OSError as error:
        reason = f"ccusage could not be put into {cache_dir}: {error.strerror or error}."
        raise CcusageError(reason, "Make room, or make the directory writable.") from error
    copy = cache_dir / "ccusage" / "node_modules" / "ccusage"
    command = _of_package(_package_in(copy), str(copy))
    say(f"Installed ccusage {command.version}.")
    return command


def _run_npm(words: Sequence[str], runner: Runner, say: Callable[[str], None]) -> None:
    began = said = time.monotonic()

    def tell() -> None:
        nonlocal said
        if time.monotonic() - said >= SAY_EVERY_SECONDS:
            said = time.monotonic()
            say(f"… {said - began:.0f} s")

    output = runner.run(words, limit_seconds=INSTALL_SECONDS, shown="npm", on_wait=tell)
    if output.code != 0:
        line = meaningful_line(output.stderr) or f"exit code {output.code}"
        reason = f"npm could not install ccusage: {line}"
        advice = f"Install it yourself: npm install -g ccusage@{PINNED}"
        raise known_fault(output, "npm") or CcusageError(reason, advice)


def _replace(place: Path, fresh: Path, old: Path) -> None:
    if place.exists():
        place.rename(old)
    fresh.rename(place)


def _sweep(cache_dir: Path) -> None:
    """Remove what installs that were killed have left."""
    for path in cache_dir.glob(".installing-*"):
        if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _how_to_get(cache_dir: Path) -> str:
    try:
        install_command(cache_dir)
    except CcusageError as error:
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


def _judged(path: str, examine: Callable[[], Command]) -> Candidate:
    try:
        return Candidate(path, examine(), "")
    except CcusageError as error:
        trouble = not isinstance(error, NoCcusageError)
        return Candidate(path, None, error.reason, error.advice, may_be_it=trouble)


def _named(text: str, runner: Runner) -> Command:
    """Examine what `--ccusage` names: a path, or a command line."""
    path = expanded(text)
    if text.strip() and path.is_file():
        return _of_file(path.absolute(), runner)
    words = _words(text)
    program = shutil.which(words[0], path=search_path())
    if program is None and not Path(words[0]).is_file():
        reason = f"--ccusage {text}: there is no such file or program."
        raise CcusageError(reason, "Give the path of ccusage, or a command line that runs it.")
    program = str(Path(program or words[0]).absolute())
    if len(words) == 1:
        return _of_file(Path(program), runner)
    return _asked((program, *words[1:]), text, runner)


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(text, posix=os.name != "nt")
    except ValueError as error:
        reason = f"--ccusage {text}: {error}."
        raise CcusageError(reason, "Close the quotes.") from error
    if not words:
        raise CcusageError("--ccusage names no command.", "Give a path or a command line.")
    return [_absolute(word.strip('"') if os.name == "nt" else word) for word in words]


def _absolute(word: str) -> str:
    """Make a word that names a file absolute: ccusage runs in another directory."""
    path = expanded(word)
    named = path.exists() and (os.sep in word or "/" in word)
    return str(path.absolute()) if named else word


def _of_file(path: Path, runner: Runner) -> Command:
    package = _package_of(path)
    if package is not None:
        return _of_package(package, str(path))
    return _asked((str(path),), str(path), runner)


def _package_of(path: Path) -> Optional[_Package]:
    """Return the npm package ccusage that a program belongs to; nothing is run for it."""
    if os.name == "nt" and path.suffix.lower() in {".cmd", ".ps1", ".bat"}:
        # npm's shims are no links: `<prefix>/ccusage.cmd`, `node_modules/.bin/ccusage.cmd`.
        beside = (path.parent / "node_modules" / "ccusage", path.parent.parent / "ccusage")
        return next((_package_in(folder) for folder in beside if folder.is_dir()), None)
    for folder in Path(os.path.realpath(path)).parents:
        said = _package_json(folder)
        if "name" in said:
            return _package_in(folder) if said["name"] == "ccusage" else None
    return None


def _package_in(folder: Path) -> _Package:
    said = _package_json(folder)
    scripts = said.get("bin")
    script = scripts.get("ccusage") if isinstance(scripts, dict) else scripts
    version = said.get("version")
    if not isinstance(script, str) or not isinstance(version, str):
        reason = f"{folder} is a broken install: its package.json is no good."
        raise NoCcusageError(reason, REINSTALL)
    wanted = said.get("optionalDependencies")
    native = isinstance(wanted, dict) and any("@ccusage/ccusage-" in name for name in wanted)
    return _Package(folder, version, folder / script, native)


def _package_json(folder: Path) -> dict[str, Any]:
    try:
        said = json.loads((folder / "package.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _of_package(package: _Package, shown: str) -> Command:
    major = _major(package.version)
    if major < OLDEST:
        reason = f"{shown} is version {package.version}; {OLDEST} or newer is needed."
        raise CcusageError(reason, "Update it: npm install -g ccusage")
    native = _native(package) if package.wants_native else None
    if native is not None and _made_executable(native):
        return Command((str(native),), shown, package.version, native=True, packaged=True)
    if not package.script.is_file() or (package.wants_native and native is None):
        reason = f"{shown} ({package.version}) is a broken install: no native binary."
        if not package.wants_native:
            reason = f"{shown} ({package.version}) is a broken install: files are missing."
        raise NoCcusageError(reason, REINSTALL)
    argv = (_node(shown), str(package.script))
    return Command(argv, shown, package.version, packaged=True)


def _made_executable(native: Path) -> bool:
    """Mend the mode as the launcher does at its first run: npm unpacks the binary without it."""
    if not os.access(native, os.X_OK):
        with suppress(OSError):
            native.chmod(0o755)
    return os.access(native, os.X_OK)


def _node(shown: str) -> str:
    # Run by name, not by the script's first line, so that it works the same on Windows.
    node = shutil.which("node", path=search_path()) or shutil.which("bun", path=search_path())
    if node is None:
        reason, advice = NO_NODE
        raise CcusageError(reason.format(shown=shown), advice)
    return node


def _native(package: _Package) -> Optional[Path]:
    """Find the native binary as Node would: in `node_modules` of every directory above."""
    name = "ccusage.exe" if sys.platform == "win32" else "ccusage"
    for folder in (package.folder, *package.folder.parents):
        if folder.name == "node_modules":
            continue
        for machine in _machines():
            found = folder / "node_modules" / "@ccusage" / f"ccusage-{machine}"
            if (found / "bin" / name).is_file():
                same = _package_json(found).get("version") == package.version
                return found / "bin" / name if same else None
    return None


def _machines() -> tuple[str, ...]:
    """Name this machine as npm does; macOS and Windows also run programs of the other kind."""
    import platform

    arm = platform.machine().lower() in {"arm64", "aarch64"}
    both = ("arm64", "x64") if arm else ("x64", "arm64")
    usable = both[:1] if sys.platform not in {"darwin", "win32"} else both
    return tuple(f"{sys.platform}-{name}" for name in usable)


def _asked(argv: tuple[str, ...], shown: str, runner: Runner) -> Command:
    """Learn by asking whether a program that is no npm package is ccusage after all.

    `--version` first; where that is no answer (15.3 and 15.10 crash at it without a data directory;
    another program's version is not known from ours), for a report on an empty data directory.
    """
    seconds = FETCH_SECONDS if Path(argv[0]).stem in FETCHERS else ASK_SECONDS
    said = runner.run((*argv, "--version"), limit_seconds=seconds, shown=shown)
    version = re.fullmatch(r"(?:ccusage )?v?(\d+\.\d+\.\d+\S*)", said.stdout.strip())
    if said.code == 0 and version and _major(version[1]) >= OLDEST:
        return Command(argv, shown, version[1])
    empty = runner.workdir / "empty"
    try:
        (empty / "projects").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"A private directory could not be made: {error.strerror}."
        raise CcusageError(reason, SEE_DOCTOR) from error
    runner.blocks(Command(argv, shown, None), [empty], limit_seconds=seconds)
    return Command(argv, shown, None)


def _major(version: str) -> int:
    digits = re.match(r"\d+", version)
    return int(digits[0]) if digits else 0
