"""Install the real ccusage versions that the tests run, once, and run them by themselves.

Each version gets a directory of its own, as a user's installation would be, so its
`node_modules/.bin` can be put on PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parent.parent
SCRIPTS = Path(sys.executable).parent
CACHE = ROOT / ".cache" / "ccusage"
PACKAGE = ROOT / "tests" / "ccusage_versions" / "package.json"
NPM_OPTIONS = (
    # What the user's npm configuration may say otherwise; the program of ccusage 20 is an
    # optional package.
    *("--no-package-lock", "--no-global", "--ignore-scripts", "--include=optional"),
    *("--no-audit", "--no-fund", "--no-update-notifier"),
)
# What the user has, before a test points HOME elsewhere: npm may need its configuration.
ENVIRONMENT = dict(os.environ)


def _versions() -> tuple[str, ...]:
    dependencies = json.loads(PACKAGE.read_text(encoding="utf-8"))["dependencies"]
    return tuple(spec.rpartition("@")[2] for spec in dependencies.values())


VERSIONS = _versions()
"""Exact versions, oldest first."""


def with_node(path: str) -> str:
    """Return a PATH on which the virtual environment's own Node.js comes first, if it has one."""
    return f"{SCRIPTS}{os.pathsep}{path}" if shutil.which("node", path=str(SCRIPTS)) else path


def install(version: str) -> Path:
    """Return the executable of one version of VERSIONS, installed with npm if it is not yet.

    Several test workers may ask at once: one of them installs, the others wait for it.
    Raises RuntimeError when there is no npm or it fails: a test of the real ccusage is never
    skipped.
    """
    if version not in VERSIONS:
        raise ValueError(f"{version} is not in {PACKAGE}, which has {VERSIONS}")
    home = CACHE / version
    if not home.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{home}.lock"):
            if not home.exists():
                _install_into(home, version)
    return _executable(home)


def report(version: str, *directories: Path, options: tuple[str, ...] = ()) -> str:
    """Return what `ccusage blocks --json` of one version prints about Claude data directories."""
    env = dict(os.environ, PATH=with_node(os.environ["PATH"]), HOME=str(CACHE / "no-home"))
    env["CLAUDE_CONFIG_DIR"] = ",".join(str(directory) for directory in directories)
    command = [str(install(version)), "blocks", "--json", "--offline", *options]
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True
    )
    return done.stdout.decode("utf-8")


def _install_into(home: Path, version: str) -> None:
    with tempfile.TemporaryDirectory(dir=home.parent) as made:
        fresh = Path(made) / version
        fresh.mkdir()
        package = {"private": True, "dependencies": {"ccusage": version}}
        (fresh / "package.json").write_text(json.dumps(package), encoding="utf-8")
        _npm_install(fresh, dict(ENVIRONMENT, PATH=with_node(ENVIRONMENT.get("PATH", ""))))
        fresh.rename(home)  # in one step: a run that is broken off leaves no half of it


def _npm_install(directory: Path, env: Mapping[str, str]) -> None:
    npm = shutil.which("npm", path=env["PATH"])
    if npm is None:
        raise RuntimeError("the tests need npm: pip install -e '.[node,test]'")
    done = subprocess.run(
        [npm, "install", *NPM_OPTIONS],
        cwd=directory,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm could not install ccusage into {directory}:\n{done.stderr}")


def _executable(home: Path) -> Path:
    found = shutil.which("ccusage", path=str(home / "node_modules" / ".bin"))
    if found is None:
        raise RuntimeError(f"{home} holds no ccusage; remove it and run the tests again")
    return Path(found)
