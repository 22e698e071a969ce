"""Read an npm installation of ccusage: its version, and how to start it without npm's shims."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from monitor.ccusage.diagnosis import GET_CCUSAGE, NO_NODE
from monitor.ccusage.runner import Command, search_path
from monitor.errors import MonitorError, NotCcusageError

OLDEST = 15


@dataclass(frozen=True)
class Package:
    """The npm package that a program belongs to, as its package.json says."""

    folder: Path
    version: str
    script: Path
    wants_native: bool


def package_of(path: Path) -> Optional[Package]:
    """Return the npm package ccusage that a program belongs to; None if it belongs to none."""
    if os.name == "nt" and path.suffix.lower() in {".cmd", ".ps1", ".bat"}:
        # npm's shims are not links: `<prefix>/ccusage.cmd`, `node_modules/.bin/ccusage.cmd`.
        beside = (path.parent / "node_modules" / "ccusage", path.parent.parent / "ccusage")
        return next((package_in(folder) for folder in beside if folder.is_dir()), None)
    for folder in Path(os.path.realpath(path)).parents:
        manifest = _package_json(folder)
        if "name" in manifest:
            return package_in(folder) if manifest["name"] == "ccusage" else None
    return None


def package_in(folder: Path) -> Package:
    """Read the package in a directory. Raises NotCcusageError if its package.json is invalid."""
    manifest = _package_json(folder)
    scripts = manifest.get("bin")
    script = scripts.get("ccusage") if isinstance(scripts, dict) else scripts
    version = manifest.get("version")
    if not isinstance(script, str) or not isinstance(version, str):
        reason = f"{folder} is a broken install: its package.json is no good."
        raise NotCcusageError(reason, GET_CCUSAGE)
    wanted = manifest.get("optionalDependencies")
    native = isinstance(wanted, dict) and any("@ccusage/ccusage-" in name for name in wanted)
    return Package(folder, version, folder / script, native)


def _package_json(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / "package.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def command_of(package: Package, shown: str) -> Command:
    """Return how to run a package. Raises MonitorError if it is too old, broken, or needs Node.js.

    `shown` names it in messages.
    """
    if major(package.version) < OLDEST:
        reason = f"{shown} is version {package.version}; {OLDEST} or newer is needed."
        raise MonitorError(reason, GET_CCUSAGE)
    native = _native(package) if package.wants_native else None
    if native is not None and _made_executable(native):
        return Command((str(native),), shown, package.version, native=True, packaged=True)
    if not package.script.is_file() or (package.wants_native and native is None):
        reason = f"{shown} ({package.version}) is a broken install: no native binary."
        if not package.wants_native:
            reason = f"{shown} ({package.version}) is a broken install: files are missing."
        raise NotCcusageError(reason, GET_CCUSAGE)
    argv = (_node(shown), str(package.script))
    return Command(argv, shown, package.version, packaged=True)


def _made_executable(native: Path) -> bool:
    """Make the binary executable, as its launcher does at first: npm unpacks it without that."""
    if not os.access(native, os.X_OK):
        with suppress(OSError):
            native.chmod(0o755)
    return os.access(native, os.X_OK)


def _node(shown: str) -> str:
    # Node.js is named instead of relying on the script's first line, which Windows ignores.
    node = shutil.which("node", path=search_path()) or shutil.which("bun", path=search_path())
    if node is None:
        reason, advice = NO_NODE
        raise MonitorError(reason.format(shown=shown), advice)
    return node


def _native(package: Package) -> Optional[Path]:
    """Find the native binary as Node.js would: in `node_modules` of each directory above."""
    name = "ccusage.exe" if sys.platform == "win32" else "ccusage"
    for folder in (package.folder, *package.folder.parents):
        if folder.name == "node_modules":
            continue
        for machine in _machines():
            native = folder / "node_modules" / "@ccusage" / f"ccusage-{machine}"
            if (native / "bin" / name).is_file():
                same = _package_json(native).get("version") == package.version
                return native / "bin" / name if same else None
    return None


def _machines() -> tuple[str, ...]:
    """Return npm's names for this machine; macOS and Windows also run the other architecture."""
    import platform

    arm = platform.machine().lower() in {"arm64", "aarch64"}
    both = ("arm64", "x64") if arm else ("x64", "arm64")
    usable = both[:1] if sys.platform not in {"darwin", "win32"} else both
    return tuple(f"{sys.platform}-{name}" for name in usable)


def major(version: str) -> int:
    """Return the major number of a version; 0 if there is none."""
    digits = re.match(r"\d+", version)
    return int(digits[0]) if digits else 0
