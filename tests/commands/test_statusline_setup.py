"""Installing the status line in Claude Code's settings.json, and putting it back as it was."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional

import click
import pytest

from monitor.claude.settings import BACKUP
from monitor.cli import cli
from monitor.errors import MonitorError
from tests.pseudo_terminal import ROOT, Terminal

PROGRAM = (sys.executable, str(ROOT / "ccusage_monitor.py"))
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="a shell, modes and terminals of POSIX")

SETTINGS = {
    "$schema": "https://example.com/claude-code-settings.json",
    "model": "opus",
    "permissions": {"allow": ["Bash(ls:*)"], "deny": []},
    "zeta": 1.5,
    "hooks": {},
    "alpha": "ü 🙂",
}


@pytest.fixture
def path(isolated: Path) -> Path:
    """Where settings.json is, or would be."""
    return isolated / ".claude" / "settings.json"


def put(path: Path, content: Any, indent: Optional[int] = 4) -> bytes:
    """Write settings.json as somebody may have formatted it; return its bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else json.dumps(content, indent=indent).encode()
    path.write_bytes(data)
    return data


def change(*options: str) -> int:
    """Install or uninstall in this process, with nobody asked."""
    action = cli.main(["statusline", *options, "--yes"], standalone_mode=False)
    return int(action())


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def command_of(path: Path) -> str:
    return str(read(path)["statusLine"]["command"])


def shell(command: str) -> bytes:
    """Run a command line as Claude Code does; it gets an empty object."""
    done = subprocess.run(
        ["/bin/sh", "-c", command], input=b"{}", capture_output=True, timeout=60, check=True
    )
    assert done.stderr == b""
    return done.stdout


def left_beside(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


CONTENTS = {
    "indented by four": json.dumps(SETTINGS, indent=4).encode(),
    "indented by two, UTF-8": json.dumps(SETTINGS, indent=2, ensure_ascii=False).encode() + b"\n",
    "tabs": json.dumps(SETTINGS, indent="\t").encode(),
    "one line": json.dumps(SETTINGS).encode(),
    "Windows line ends": json.dumps(SETTINGS, indent=2).replace("\n", "\r\n").encode(),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(SETTINGS).encode(),
    "an empty object": b"{}",
    "an empty file": b" \n",
    "half a surrogate": b'{"alpha": "\\ud83d"}',
    "a status line": json.dumps(
        {"statusLine": {"type": "command", "command": "echo mine", "padding": 2}, "model": "opus"}
    ).encode(),
    "a status line that is null": b'{"statusLine": null, "a": 1}',
    "a status line of another kind": b'{"statusLine": "none"}',
}


@pytest.mark.parametrize("name", CONTENTS)
def test_after_uninstalling_the_file_is_the_same_byte_for_byte(path: Path, name: str) -> None:
    data = put(path, CONTENTS[name])
    assert change("--install") == 0
    assert path.read_bytes() != data
    assert change("--uninstall") == 0
    assert path.read_bytes() == data
    assert left_beside(path) == ["settings.json"]


def test_without_a_file_it_is_made_and_removed_again(path: Path) -> None:
    assert change("--install") == 0
    assert list(read(path)) == ["statusLine"]
    assert change("--uninstall") == 0
    assert left_beside(path) == []


def test_the_options_typed_before_the_command_are_in_the_hook(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir(parents=True)
    monkeypatch.chdir(path.parent.parent)
    asked = ["--plan", "max5", "--ascii", "--claude-dir", ".claude", "--yes", "statusline"]
    assert cli.main([*asked, "--install"], standalone_mode=False)() == 0
    words = shlex.split(command_of(path))
    given = ["--plan", "max5", "--ascii", "--claude-dir", str(path.parent), "statusline"]
    assert words[-len(given) :] == given
    assert cli.main([*asked, "--uninstall"], standalone_mode=False)() == 0
    assert left_beside(path) == []


def test_installing_again_takes_what_is_typed_now_and_forgets_nothing(path: Path) -> None:
    data = put(path, {"statusLine": {"type": "command", "command": "echo mine", "padding": 2}})
    assert change("--install") == 0
    once = path.read_bytes()
    assert change("--install") == 0
    assert path.read_bytes() == once
    asked = ["--ascii", "--yes", "statusline", "--install"]
    assert cli.main(asked, standalone_mode=False)() == 0
    words = shlex.split(command_of(path))
    assert words[-4:] == ["--ascii", "statusline", "--chain", "echo mine"]
    assert read(path)["statusLine"]["padding"] == 2
    assert change("--install", "--chain", "echo other") == 0
    assert shlex.split(command_of(path))[-1] == "echo other"
    assert change("--uninstall") == 0
    assert path.read_bytes() == data


def test_an_empty_data_directory_is_wrong_use(path: Path) -> None:
    with pytest.raises(click.BadParameter, match="empty"):
        cli.main(["--claude-dir", "", "statusline", "--install"], standalone_mode=False)


def test_a_mistyped_data_directory_is_not_made(path: Path, tmp_path: Path) -> None:
    asked = ["--claude-dir", str(tmp_path / "typo"), "--yes", "statusline", "--install"]
    with pytest.raises(MonitorError, match="typo is not a directory"):
        cli.main(asked, standalone_mode=False)()
    assert not (tmp_path / "typo").exists()


def test_the_demo_changes_no_settings(path: Path) -> None:
    with pytest.raises(click.UsageError, match="leave it out"):
        cli.main(["--demo", "--yes", "statusline", "--install"], standalone_mode=False)
    assert not path.exists()


def test_a_backup_is_spoken_of_only_where_there_is_something_to_keep(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert change("--install") == 0
    assert "backup" not in capsys.readouterr().out
    assert change("--uninstall") == 0
    put(path, {"model": "opus"})
    assert change("--install") == 0
    assert "A backup is stored beside it" in capsys.readouterr().out


def test_uninstalling_or_refusing_makes_no_directory(path: Path) -> None:
    assert change("--uninstall") == 0
    with pytest.raises(MonitorError):
        cli.main(["statusline", "--install"], standalone_mode=False)()
    assert not path.parent.exists()


def test_every_other_key_is_kept_in_its_order(path: Path) -> None:
    put(path, {**SETTINGS, "statusLine": {"type": "command", "command": "echo mine"}, "last": 0})
    change("--install")
    found = read(path)
    assert list(found) == [*SETTINGS, "statusLine", "last"]
    assert {key: found[key] for key in SETTINGS} == SETTINGS
    assert "ü 🙂" in path.read_text(encoding="utf-8")


def test_what_the_status_line_had_beside_its_command_is_kept(path: Path) -> None:
    put(path, {"statusLine": {"type": "command", "command": "echo mine", "padding": 2}})
    change("--install")
    assert read(path)["statusLine"]["padding"] == 2


@POSIX
def test_the_command_that_is_written_works_from_anywhere(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change("--install")
    monkeypatch.chdir(tmp_path)
    assert shell(command_of(path)).startswith(b"no official limits yet")


COMMANDS = [
    "echo mine",
    """printf '%s' "it's"' "quoted" \\ '""",
    "echo one\necho two",
    "echo 🙂 ü",
    'echo $((1 + 2)) `echo back` | tr a-z A-Z; echo "$HOME" >/dev/null # a comment',
    "printf '\\033[31mred\\033[0m'",
    'npx() { echo "$@"; }; npx -y ccusage statusline --visual-burn-rate emoji',
]


@POSIX
@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_that_was_there_is_run_too_however_it_is_quoted(
    path: Path, command: str
) -> None:
    put(path, {"statusLine": {"type": "command", "command": command}})
    change("--install")
    line, _, rest = shell(command_of(path)).partition(b"\n")
    assert line.startswith(b"no official limits yet")
    assert rest == shell(command) and rest


@POSIX
@pytest.mark.parametrize("command", COMMANDS)
def test_without_the_backup_the_command_that_was_there_comes_back_too(
    path: Path, command: str
) -> None:
    put(path, {"a": 1, "statusLine": {"type": "command", "command": command, "padding": 0}})
    before = read(path)
    change("--install")
    path.with_name(path.name + BACKUP).unlink()
    change("--uninstall")
    assert read(path) == before


def test_a_backup_that_is_no_longer_what_it_was_is_not_believed(path: Path) -> None:
    put(path, {"a": 1, "statusLine": {"type": "command", "command": "echo mine"}})
    before = read(path)
    change("--install")
    path.with_name(path.name + BACKUP).write_bytes(b"{")
    change("--uninstall")
    assert read(path) == before


def test_another_command_can_be_chained(path: Path) -> None:
    change("--install", "--chain", "echo other")
    assert command_of(path).endswith("--chain 'echo other'")


def test_ccusages_own_status_line_is_not_taken_for_ours(path: Path) -> None:
    for command in (
        "npx -y ccusage statusline",
        "/opt/ccusage-monitor/my-statusline.sh statusline",
    ):
        data = put(path, {"statusLine": {"type": "command", "command": command}})
        assert change("--uninstall") == 0
        assert path.read_bytes() == data
        change("--install")
        assert command_of(path).endswith(f"--chain '{command}'")


def test_installing_twice_changes_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = put(path, SETTINGS)
    change("--install")
    once, backup = path.read_bytes(), path.with_name(path.name + BACKUP).read_bytes()
    capsys.readouterr()
    assert change("--install") == 0
    assert capsys.readouterr().out == f"Already installed in {path}.\n"
    assert (path.read_bytes(), path.with_name(path.name + BACKUP).read_bytes()) == (once, backup)
    assert backup == data


def test_uninstalling_what_is_not_installed_changes_nothing(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = put(path, SETTINGS)
    assert change("--uninstall") == 0
    assert capsys.readouterr().out == f"Not installed in {path}.\n"
    assert path.read_bytes() == data


def test_what_was_edited_in_between_stays_and_only_our_key_goes(path: Path) -> None:
    put(path, {**SETTINGS, "statusLine": {"type": "command", "command": "echo mine"}})
    change("--install")
    edited = {**read(path), "model": "sonnet", "new": [1]}
    put(path, edited)
    change("--uninstall")
    wanted = {**edited, "statusLine": {"type": "command", "command": "echo mine"}}
    assert read(path) == wanted
    assert list(read(path)) == list(wanted)
    assert left_beside(path) == ["settings.json"]


@pytest.mark.parametrize(
    "data",
    [b'{"a": 1, // a comment\n}', b'{"a": 1,}', b"[1]", b'"text"', b"\xff\xfe{", b"[" * 100_000],
)
def test_what_is_not_understood_is_refused_with_what_to_add_by_hand(
    path: Path, data: bytes
) -> None:
    put(path, data)
    for option in ("--install", "--uninstall"):
        with pytest.raises(MonitorError) as failure:
            change(option)
        assert str(path) in failure.value.reason
    assert 'Nothing was changed. Set it by hand: "statusLine": {' in failure.value.advice
    by_hand = json.loads(f"{{{failure.value.advice.partition('by hand: ')[2]}}}")["statusLine"]
    assert by_hand["type"] == "command" and by_hand["command"].endswith(" statusline")
    assert path.read_bytes() == data
    assert left_beside(path) == ["settings.json"]


@POSIX
@pytest.mark.parametrize("place", ["file/settings", "directory"])
def test_what_cannot_be_read_is_refused_in_words(isolated: Path, place: str) -> None:
    # Modes do not stop the superuser, so: a path below a file, and a directory of that name.
    (isolated / "file").write_text("")
    (isolated / "directory" / "settings.json").mkdir(parents=True)
    environ = {**os.environ, "CLAUDE_CONFIG_DIR": str(isolated / place)}
    for option in ("--install", "--uninstall"):
        words = [*PROGRAM, "statusline", option, "--yes"]
        done = subprocess.run(
            words, env=environ, capture_output=True, encoding="utf-8", timeout=60, check=False
        )
        assert done.returncode == 1
        assert "could not be changed" in done.stderr and "Nothing was changed." in done.stderr
        assert len(done.stderr.splitlines()) == 2


@POSIX
@pytest.mark.skipif(
    not Path("/proc/self").is_dir(), reason="a directory that not even the superuser can write to"
)
def test_where_nothing_can_be_written_nothing_is_changed() -> None:
    with pytest.raises(MonitorError, match="could not be changed"):
        cli.main(
            ["--claude-dir", "/proc/self", "statusline", "--install", "--yes"],
            standalone_mode=False,
        )()


@POSIX
@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="modes do not stop the superuser")
def test_in_a_read_only_directory_nothing_is_changed(path: Path) -> None:
    data = put(path, SETTINGS)
    path.parent.chmod(0o500)
    try:
        with pytest.raises(MonitorError, match="could not be changed"):
            change("--install")
        assert path.read_bytes() == data
        assert left_beside(path) == ["settings.json"]
    finally:
        path.parent.chmod(0o700)


@POSIX
def test_a_link_into_somebodys_dotfiles_stays_one(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "claude.json"
    data = put(real, SETTINGS)
    path.parent.mkdir(parents=True)
    path.symlink_to(real)
    change("--install")
    assert path.is_symlink() and "statusLine" in read(real)
    change("--uninstall")
    assert path.is_symlink() and real.read_bytes() == data


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_the_files_mode_stays_and_the_backup_is_private(path: Path, mode: int) -> None:
    put(path, SETTINGS)
    path.chmod(mode)
    change("--install")
    assert path.stat().st_mode & 0o777 == mode
    assert path.with_name(path.name + BACKUP).stat().st_mode & 0o777 == 0o600
    change("--uninstall")
    assert path.stat().st_mode & 0o777 == mode


# Asking.


@POSIX
@pytest.mark.parametrize(("answer", "changes"), [("y", True), ("", True), ("n", False)])
def test_on_a_terminal_it_shows_the_change_and_asks(
    path: Path,
    answer: str,
    changes: bool,  # noqa: FBT001
) -> None:
    data = put(path, {"statusLine": {"type": "command", "command": "echo mine"}})
    with Terminal([*PROGRAM, "statusline", "--install"], columns=200) as terminal:
        terminal.wait_for(r"statusLine changes from\n +\{.*echo mine.*\}\nto\n +\{.*--chain")
        terminal.wait_for(r"Change it\? \[Y/n\]")
        assert path.read_bytes() == data
        terminal.send(f"{answer}\r")
        assert terminal.leave_code() == (0 if changes else 1)
    assert (path.read_bytes() != data) is changes
    assert len(left_beside(path)) == (2 if changes else 1)


@POSIX
def test_ctrl_c_at_the_question_changes_nothing(path: Path) -> None:
    data = put(path, SETTINGS)
    with Terminal([*PROGRAM, "statusline", "--install"]) as terminal:
        terminal.wait_for_question(r"Change it\?")
        terminal.send("\x03")
        assert terminal.leave_code() == 130
    assert path.read_bytes() == data
    assert left_beside(path) == ["settings.json"]


@POSIX
def test_what_changes_while_it_asks_is_not_overwritten(path: Path) -> None:
    put(path, SETTINGS)
    with Terminal([*PROGRAM, "statusline", "--install"], columns=200) as terminal:
        terminal.wait_for(r"Change it\?")
        newer = put(path, {**SETTINGS, "model": "sonnet"})
        terminal.send("y\r")
        terminal.wait_for("has changed meanwhile")
        assert terminal.leave_code() == 1
    assert path.read_bytes() == newer
    assert left_beside(path) == ["settings.json"]


@pytest.mark.parametrize("option", ["--install", "--uninstall"])
def test_without_a_terminal_it_refuses_unless_told_yes(path: Path, option: str) -> None:
    put(path, SETTINGS)
    if option == "--uninstall":
        change("--install")
    data = path.read_bytes()
    words = [*PROGRAM, "statusline", option]
    done = subprocess.run(
        words, input="y\n", capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        "Nothing was changed: there is nobody to ask.\nAdd --yes to change it.\n"
    )
    assert path.read_bytes() == data
    assert subprocess.run([*words, "--yes"], capture_output=True, timeout=60, check=True).stdout
    assert path.read_bytes() != data
