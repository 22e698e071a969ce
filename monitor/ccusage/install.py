"""Install a pinned ccusage with npm into this program's own cache directory."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, Optional

from monitor.ccusage.diagnosis import GET_NODE, known_fault, meaningful_line
from monitor.ccusage.package import command_of, package_in
from monitor.ccusage.pinned import INSTALL, INTEGRITY, PINNED
from monitor.ccusage.runner import CcusageRunner, Command, search_path
from monitor.errors import MonitorError
from monitor.store.paths import private_dir

NATIVE = "@ccusage/ccusage-"

INSTALL_SECONDS = 300.0
ABANDONED_SECONDS = 3600.0

NPM_OPTIONS = (
    # They override the user's npm configuration, and leave out what ccusage does not need.
    *("--no-save", "--no-package-lock", "--ignore-scripts", "--include=optional"),
    *("--no-global", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"),
)


def install_command(cache_dir: Path) -> tuple[str, ...]:
    """Return the npm command that installs the pinned ccusage into the cache directory only.

    Raises MonitorError if there is no npm.
    """
    npm = shutil.which("npm", path=search_path())
    if npm is None:
        raise MonitorError("npm was not found: it comes with Node.js.", GET_NODE)
    target = cache_dir / "ccusage"
    return (npm, "install", "--prefix", str(target), *NPM_OPTIONS, f"ccusage@{PINNED}")


def install(
    cache_dir: Path, runner: CcusageRunner, on_wait: Optional[Callable[[], None]] = None
) -> Command:
    """Install the pinned ccusage; `on_wait` is called several times a second. Raises MonitorError.

    It is installed beside its place and moved there once it is complete.
    """
    import tempfile

    try:
        private_dir(cache_dir)
        _sweep(cache_dir)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=cache_dir) as made:
            _run_npm(install_command(Path(made)), runner, on_wait)
            fresh = Path(made) / "ccusage"
            command_of(package_in(fresh / "node_modules" / "ccusage"), "the new ccusage")
            _check_integrity(fresh / "node_modules")
            _replace(cache_dir / "ccusage", fresh, Path(made) / "old")
    except OSError as error:
        reason = f"ccusage could not be put into {cache_dir}: {error.strerror or error}."
        raise MonitorError(reason, "Make room, or make the directory writable.") from error
    copy = cache_dir / "ccusage" / "node_modules" / "ccusage"
    return command_of(package_in(copy), str(copy))


def _run_npm(
    words: Sequence[str], runner: CcusageRunner, on_wait: Optional[Callable[[], None]]
) -> None:
    output = runner.run_tool(words, limit_seconds=INSTALL_SECONDS, name="npm", on_wait=on_wait)
    if output.code != 0:
        line = meaningful_line(output.stderr) or f"exit code {output.code}"
        reason = f"npm could not install ccusage: {line}"
        advice = f"Install it yourself: {INSTALL}"
        raise known_fault(output, "npm") or MonitorError(reason, advice)


def _check_integrity(modules: Path) -> None:
    """Raise MonitorError unless the packages in `node_modules` are those that were published."""
    installed = _installed(modules / ".package-lock.json")
    if "node_modules/ccusage" not in installed:
        reason = "npm does not say which packages it has installed, so ccusage was not kept."
        raise MonitorError(reason, "Update npm: version 7 or newer is needed.")
    for place, integrity in installed.items():
        name = place.rpartition("node_modules/")[2]
        expected = INTEGRITY.get(name, integrity if name.startswith(NATIVE) else None)
        if integrity is None or integrity != expected:
            reason = f"npm's {name} is not the package that was published; it was not kept."
            advice = "Check `npm config get registry`, and whether you can trust what it names."
            raise MonitorError(reason, advice)


def _installed(lock_file: Path) -> dict[str, Optional[str]]:
    """Return where npm has put packages, each with its hash; empty if it does not say."""
    try:
        packages = json.loads(lock_file.read_bytes())["packages"]
        return {place: package.get("integrity") for place, package in packages.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _replace(place: Path, fresh: Path, old: Path) -> None:
    if place.exists():
        place.rename(old)
    fresh.rename(place)


def _sweep(cache_dir: Path) -> None:
    """Remove the directories of installs that were killed."""
    for path in cache_dir.glob(".installing-*"):
        if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
