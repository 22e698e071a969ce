"""What the program opens and reaches for, as docs/privacy.md says; seen from inside its process.

Python's audit events tell of every file, connection and process.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.histories import busy_history
from tests.pseudo_terminal import ROOT

PROGRAM = (sys.executable, str(ROOT / "ccusage_monitor.py"))
SPY = """
import json, os, sys
log = os.open(os.environ["SPY_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
def spy(event, args):
    if event in ("open", "subprocess.Popen") or event.startswith(("socket.", "urllib.", "http.")):
        os.write(log, (json.dumps([event, [str(arg) for arg in args]]) + chr(10)).encode())
sys.addaudithook(spy)
"""
SECRET = {"claudeAiOauth": {"accessToken": "sk-never-read"}}


class Spied:
    """The home of a user with credentials, and the program in it under watch."""

    def __init__(self, home: Path, plant: Path) -> None:
        self.home = home
        self.claude = home / ".claude"
        busy_history(self.claude, datetime.now(timezone.utc))
        for name in (".credentials.json", "credentials.json", "settings.json"):
            (self.claude / name).write_text(json.dumps(SECRET))
        (home / ".claude.json").write_text(json.dumps(SECRET))
        plant.mkdir()
        (plant / "sitecustomize.py").write_text(SPY)
        self.log = plant / "log"
        self._env = {**os.environ, "PYTHONPATH": str(plant), "SPY_LOG": str(self.log)}

    def run(self, *words: object, data: bytes = b"") -> list[tuple[str, list[str]]]:
        """Run the program; return the audit events, each with its arguments."""
        done = subprocess.run(
            [*PROGRAM, *map(str, words)],
            env=self._env,
            input=data,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert done.stdout
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [tuple(json.loads(line)) for line in lines]


@pytest.fixture
def spied(isolated: Path, tmp_path: Path) -> Spied:
    return Spied(isolated, tmp_path / "plant")


def opened(events: list[tuple[str, list[str]]], below: Path) -> list[str]:
    """The names of the files opened below a directory, relative to it."""
    paths = [Path(args[0]) for event, args in events if event == "open"]
    return [str(path.relative_to(below)) for path in paths if path.is_relative_to(below)]


def reached_out(events: list[tuple[str, list[str]]]) -> list[str]:
    return [event for event, _ in events if event.startswith(("socket.", "urllib.", "http."))]


def test_the_spy_sees_what_it_is_there_to_see(spied: Spied) -> None:
    (spied.log.parent / "sitecustomize.py").write_text(
        f"{SPY}\nimport socket\nopen({str(spied.claude / '.credentials.json')!r})\n"
        "socket.socket().connect_ex(('127.0.0.1', 1))\n"
    )
    events = spied.run("--version")
    assert opened(events, spied.claude) == [".credentials.json"]
    assert "socket.connect" in reached_out(events)


def test_of_claudes_files_a_snapshot_opens_transcripts_alone_and_makes_no_connection(
    spied: Spied, real_ccusage: Callable[[str], Path]
) -> None:
    events = spied.run("--ccusage", real_ccusage("20.0.24"), "--json")
    names = opened(events, spied.claude)
    # They are searched for Claude Code's marks of a reached limit.
    assert names and all(re.fullmatch(r"projects/.*\.jsonl", name) for name in names)
    searched = [args for event, args in events if event == "open" and args[0].endswith(".jsonl")]
    assert {args[1] for args in searched} <= {"r", "rb"}
    assert opened(events, spied.home / ".claude.json") == []
    assert reached_out(events) == []
    started = [args for event, args in events if event == "subprocess.Popen"]
    assert started and all("ccusage" in " ".join(args) for args in started)
    reports = [args for args in started if "blocks" in " ".join(args)]
    assert reports and all("--offline" in " ".join(args) for args in reports)


def test_a_breakdown_opens_no_transcript_and_makes_no_connection(
    spied: Spied, real_ccusage: Callable[[str], Path]
) -> None:
    events = spied.run("--ccusage", real_ccusage("20.0.24"), "breakdown")
    searched = spied.run("--ccusage", real_ccusage("20.0.24"), "--json")
    assert set(opened(events, spied.claude)) <= set(opened(searched, spied.claude))
    assert reached_out(events) == []
    started = [" ".join(args) for event, args in events if event == "subprocess.Popen"]
    assert any("--breakdown" in words for words in started)
    assert all("--offline" in words for words in started if "--breakdown" in words)


@pytest.mark.parametrize(
    "words", [("--json",), ("--once",), ("line",), ("check",), ("history", "--json")]
)
def test_projects_are_named_only_where_that_was_asked_for(
    words: tuple[str, ...], isolated: Path, tmp_path: Path, real_ccusage: Callable[[str], Path]
) -> None:
    busy_history(isolated / ".claude", datetime.now(timezone.utc))
    metrics = tmp_path / "usage.prom"
    ours = [*PROGRAM, "--ccusage", str(real_ccusage("20.0.24"))]

    def output(*command: str) -> str:
        done = subprocess.run([*ours, *command], capture_output=True, timeout=60, check=False)
        assert done.stdout or metrics.exists()
        return done.stdout.decode()

    assert "home-dev-project" in output("breakdown")
    assert "dev-project" not in output(*words)
    output("serve-metrics", "--textfile", str(metrics))
    assert "dev-project" not in metrics.read_text(encoding="utf-8")


def test_the_status_line_opens_no_file_of_claudes_and_makes_no_connection(spied: Spied) -> None:
    limits = {"five_hour": {"used_percentage": 64, "resets_at": int(time.time()) + 7200}}
    transcript = spied.claude / "projects" / "p" / "s.jsonl"
    told = {"rate_limits": limits, "transcript_path": str(transcript)}
    events = spied.run("statusline", data=json.dumps(told).encode())
    assert opened(events, spied.claude) == []
    assert reached_out(events) == []
    assert [event for event, _ in events if event == "subprocess.Popen"] == []
    state = spied.home / "state" / "ccusage-monitor"
    kept = re.compile(r"\.?official-[0-9a-f]{16}\.json(\.lock|\.[0-9a-f]{12})?")
    written = opened(events, state)
    assert written and all(kept.fullmatch(name) for name in written)


def test_of_claudes_files_installing_opens_the_settings_alone(spied: Spied) -> None:
    events = spied.run("statusline", "--install", "--yes")
    names = {
        re.sub(r"\.[0-9a-f]{12}$", "", name).lstrip(".") for name in opened(events, spied.claude)
    }
    assert names == {"settings.json", "settings.json.before-ccusage-monitor"}
    assert reached_out(events) == []
