"""A settings file that others can change starts no program, and says how to mend that."""

from __future__ import annotations

import grp
import os
import pwd
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import cli
from monitor.config.trust import STARTS_PROGRAMS, how_to_mend
from tests.conftest import RunMonitor

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="owners and modes are POSIX")
as_root = pytest.mark.skipif(
    sys.platform == "win32" or os.getuid() != 0, reason="only root can give files away"
)
SOMEBODY = 12_345


class Evil:
    """A settings file in a directory of its own, and the program that it names."""

    def __init__(self, home: Path) -> None:
        self.ran = home / "ran"
        self.program = home / "evil.sh"
        self.program.write_text(f"#!/bin/sh\necho ran >>'{self.ran}'\n", encoding="utf-8")
        self.program.chmod(0o755)
        self.folder = home / "shared"
        self.folder.mkdir()
        self.file = self.folder / "config.toml"
        self.says(f"ccusage = '{self.program}'")

    def says(self, text: str) -> None:
        """Write this into the file."""
        self.file.write_text(f"{text}\n", encoding="utf-8")


@pytest.fixture
def evil(tmp_path: Path) -> Evil:
    """A settings file that starts a program, and that only we can change so far."""
    return Evil(tmp_path)


def refusal(run_monitor: RunMonitor, *words: object, **options: Any) -> str:
    """Return the first of the two lines with which the monitor refuses the settings file."""
    done = run_monitor(*words, **options)
    assert (done.returncode, done.stdout) == (2, ""), done
    lines: list[str] = done.stderr.splitlines()
    assert len(lines) == 2
    return lines[0]


def mend(line: str) -> None:
    """Run the command that a refusal ends in."""
    command = re.search(r"then run: (.*)", line)
    assert command is not None
    subprocess.run(["/bin/sh", "-c", command[1]], check=True)


def give_to_a_group(path: Path) -> None:
    """Give a file to a group that is not the user's own; only root can."""
    if os.getuid() == 0:
        os.chown(path, -1, SOMEBODY)


def test_a_group_of_the_user_alone_may_write(evil: Evil, run_monitor: RunMonitor) -> None:
    user = pwd.getpwuid(os.getuid())
    if grp.getgrgid(user.pw_gid).gr_name != user.pw_name:
        pytest.skip("this user has no group of its own")
    os.chown(evil.file, -1, user.pw_gid)
    evil.file.chmod(0o664)
    assert run_monitor("--config", evil.file, "config", "--show").returncode == 0


@pytest.mark.parametrize(
    "mode",
    [0o666, 0o646, pytest.param(0o664, marks=as_root), pytest.param(0o620, marks=as_root)],
)
@pytest.mark.parametrize("named", ["option", "environment"])
def test_a_file_that_others_can_write_starts_no_program_until_it_is_mended(
    evil: Evil, mode: int, named: str, run_monitor: RunMonitor
) -> None:
    evil.file.chmod(mode)
    give_to_a_group(evil.file)
    words: tuple[object, ...] = ("--config", evil.file) if named == "option" else ()
    env = {} if words else {"CCUSAGE_MONITOR_CONFIG": str(evil.file)}
    for command in ("line", "--once", "doctor", "check"):
        line = refusal(run_monitor, *words, command, env=env)
    assert line.startswith(f"Error: {evil.file}: ccusage: starts a program, so only you and root ")
    assert line.endswith(f"then run: chmod go-w {evil.file}")
    assert not evil.ran.exists()
    mend(line)
    assert run_monitor(*words, "config", "--show", env=env).returncode == 0


@pytest.mark.parametrize("text", ["[alerts]\ncommand = 'true'", "alert-command = 'true'"])
def test_a_file_that_others_can_write_names_no_command_for_alerts(
    evil: Evil, text: str, run_monitor: RunMonitor
) -> None:
    evil.says(text)
    evil.file.chmod(0o666)
    line = refusal(run_monitor, "--config", evil.file, "line")
    assert "command: starts a program" in line


def test_every_option_that_takes_a_command_is_one_that_starts_programs() -> None:
    commands = {p.name for p in cli.params if getattr(p, "metavar", None) == "CMD"}
    assert commands <= STARTS_PROGRAMS


def test_without_such_a_key_a_file_that_others_can_write_works(
    evil: Evil, run_monitor: RunMonitor
) -> None:
    evil.says("plan = 'team'\nclaude-dir = '/a'\n[plans]\nteam = '60k'\n[alerts]\nbell = true")
    evil.file.chmod(0o666)
    evil.folder.chmod(0o777)
    assert run_monitor("--config", evil.file, "config", "--show").returncode == 0


def test_the_command_of_the_own_file_is_started(evil: Evil, run_monitor: RunMonitor) -> None:
    run_monitor("--config", evil.file, "--claude-dir", evil.folder, "--once")
    assert evil.ran.exists()


@as_root
def test_a_file_of_another_user_starts_no_program(evil: Evil, run_monitor: RunMonitor) -> None:
    os.chown(evil.file, SOMEBODY, SOMEBODY)
    line = refusal(run_monitor, "--config", evil.file, "line")
    assert line.endswith(f"then run: chown root {evil.file}")
    evil.file.chmod(0o666)
    line = refusal(run_monitor, "--config", evil.file, "line")
    assert line.endswith(f"chown root {evil.file} && chmod go-w {evil.file}")
    mend(line)
    assert run_monitor("--config", evil.file, "config", "--show").returncode == 0


@as_root
def test_a_file_of_roots_is_trusted_by_everybody(evil: Evil) -> None:
    code = "import os, sys; from pathlib import Path; from monitor.config.trust import how_to_mend"
    code += f"\nos.setuid({SOMEBODY}); path = Path('/etc/passwd')"
    code += "\nprint(how_to_mend(path, path.stat()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


def test_a_directory_in_which_others_can_replace_the_file_is_named(
    evil: Evil, run_monitor: RunMonitor
) -> None:
    inner = evil.folder / "team settings"
    inner.mkdir()
    evil.file = evil.file.rename(inner / "config.toml")
    evil.folder.chmod(0o777)
    inner.chmod(0o777)
    line = refusal(run_monitor, "--config", evil.file, "line")
    assert line.endswith(f"then run: chmod go-w {evil.folder} '{inner}'")
    mend(line)
    assert run_monitor("--config", evil.file, "config", "--show").returncode == 0


def test_a_directory_with_the_sticky_bit_is_fine(evil: Evil, run_monitor: RunMonitor) -> None:
    evil.folder.chmod(0o1777)
    assert run_monitor("--config", evil.file, "config", "--show").returncode == 0


def test_links_are_followed_to_the_real_file_and_by_way_of_every_directory(
    evil: Evil, tmp_path: Path, run_monitor: RunMonitor
) -> None:
    between = tmp_path / "between"
    between.mkdir()
    (between / "link").symlink_to("../shared")
    link = tmp_path / "own.toml"
    link.symlink_to(between / "link" / "config.toml")
    assert run_monitor("--config", link, "config", "--show").returncode == 0
    evil.folder.chmod(0o777)
    assert str(evil.folder) in str(refused_folders(link))
    evil.folder.chmod(0o755)
    between.chmod(0o777)
    assert str(between) in str(refused_folders(link))
    between.chmod(0o755)
    evil.file.chmod(0o666)
    mend(refusal(run_monitor, "--config", link, "line"))
    assert run_monitor("--config", link, "config", "--show").returncode == 0


def refused_folders(path: Path) -> list[Path]:
    command = how_to_mend(path, path.stat()) or ""
    return [Path(os.path.realpath(word)) for word in command.split()[2:]]


def test_the_file_that_was_read_is_judged_and_not_one_put_in_its_place(
    evil: Evil, tmp_path: Path
) -> None:
    evil.file.chmod(0o666)
    with evil.file.open("rb") as opened:
        good = tmp_path / "good.toml"
        good.write_text("", encoding="utf-8")
        good.replace(evil.file)
        assert how_to_mend(evil.file, evil.file.stat()) is None
        assert how_to_mend(evil.file, os.fstat(opened.fileno())) is not None


def test_a_status_line_with_such_a_file_does_not_fail_and_starts_nothing(
    evil: Evil, run_monitor: RunMonitor
) -> None:
    evil.file.chmod(0o666)
    env = {"CCUSAGE_MONITOR_CONFIG": str(evil.file)}
    done = run_monitor("statusline", env=env, input="{}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"ccusage-monitor: {evil.file}: ccusage: starts a program")
    assert len(done.stdout.splitlines()) == 1 and not evil.ran.exists()


def test_the_file_that_init_makes_may_start_programs_whatever_the_umask(
    tmp_path: Path, run_monitor: RunMonitor
) -> None:
    path = tmp_path / "new" / "config.toml"
    before = os.umask(0)
    try:
        run_monitor("--config", path, "config", "--init")
    finally:
        os.umask(before)
    assert how_to_mend(path, path.stat()) is None
