"""Claude Code's settings.json: put our status line into it, and take it out again."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from monitor.errors import MonitorError
from monitor.store.json_file import MAX_BYTES, mode_of, replace_file
from monitor.store.paths import open_at_once

BACKUP = ".before-ccusage-monitor"
COMMAND = "statusline"
KEY = "statusLine"

NAMES = {"ccusage-monitor", "ccusage-monitor.exe", "ccusage_monitor.py"}
"""What starts us: `ccusage statusline` is another program's."""

NO_FILE = b""
"""The data of a settings.json that is not there: no JSON file is empty."""


class ClaudeSettings(NamedTuple):
    """Claude Code's settings.json as it was read: its path, its bytes and their content."""

    path: Path
    data: bytes
    content: dict[str, Any]

    @property
    def exists(self) -> bool:
        """Whether the file is there."""
        return self.data != NO_FILE

    @property
    def backup(self) -> Path:
        """Where the file as it was before us is stored."""
        return self.path.with_name(self.path.name + BACKUP)

    @property
    def status_line(self) -> Any:
        """The value of `statusLine`, mostly an object with a command; None if there is none."""
        return self.content.get(KEY)

    @property
    def is_installed(self) -> bool:
        """Whether the status line is ours."""
        return _our_options(self.status_line) is not None


def read_settings(path: Path) -> ClaudeSettings:
    """Read settings.json. Raises OSError, and MonitorError if it is not understood."""
    try:
        with open(path, "rb", opener=open_at_once) as file:
            data = file.read(MAX_BYTES)
    except FileNotFoundError:
        data = NO_FILE
    try:
        content = _content(data)
        if isinstance(content, dict):
            return ClaudeSettings(path, data, content)
        reason = "it is not a JSON object"
    except (ValueError, RecursionError) as error:
        reason = f"it is not JSON ({error})"
    by_hand = json.dumps({KEY: hook_for(None, (), None)}, ensure_ascii=False)
    advice = f"Nothing was changed. Set it by hand: {by_hand[1:-1]}"
    raise MonitorError(f"{path} was not understood: {reason}.", advice)


def hook_for(old: Any, options: Sequence[str], chain: Optional[str]) -> dict[str, Any]:
    """Return the `statusLine` that runs us with `options`, in place of `old`.

    It also runs `chain`, or else the command that `old` ran.
    """
    if _our_options(old) is not None:
        old = _chained_by(old) or {k: v for k, v in old.items() if k not in ("type", "command")}
    rest = old if isinstance(old, dict) else {}
    before = rest.get("command")
    chained = chain or (before if isinstance(before, str) and before.strip() else None)
    words = [*_our_command(), *options, COMMAND, *(["--chain", chained] if chained else [])]
    return {**rest, "type": "command", "command": shlex.join(words)}


def add_hook(current: ClaudeSettings, status_line: dict[str, Any]) -> None:
    """Write our `statusLine` into settings.json, with a backup beside it. Raises OSError."""
    current.path.parent.mkdir(parents=True, exist_ok=True)
    if not current.is_installed:  # else the backup is that of what was there before us
        replace_file(current.backup, current.data, durable=True)
    _write(current, changed(current.data, status_line))


def remove_hook(current: ClaudeSettings) -> None:
    """Restore settings.json; if it was edited since, take only our key out. Raises OSError."""
    backup = _read_backup(current)
    if backup is None or changed(backup, current.status_line) != current.data:
        _write(current, changed(current.data, status_line_before(current)))
    elif backup == NO_FILE:
        current.path.unlink()
    else:
        _write(current, backup)
    current.backup.unlink(missing_ok=True)


def status_line_before(current: ClaudeSettings) -> Any:
    """Return the `statusLine` that was there before us; None if there was none."""
    backup = _read_backup(current)
    return _chained_by(current.status_line) if backup is None else _content(backup).get(KEY)


def changed(data: bytes, status_line: Any) -> bytes:
    """Return a settings.json with `statusLine` set (None: removed) and its other keys as they are.

    >>> print(changed(b'{"model":"opus"}', None).decode(), end="")
    {
      "model": "opus"
    }
    """
    content = _content(data)
    if status_line is None:
        content.pop(KEY, None)
    else:
        content[KEY] = status_line
    # Half of a surrogate pair has no UTF-8; its backslash form is JSON's own.
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _write(current: ClaudeSettings, data: bytes) -> None:
    replace_file(current.path, data, mode_of(current.path) or 0o600, durable=True)


def _content(data: bytes) -> Any:
    return json.loads(data) if data.strip() else {}


def _read_backup(current: ClaudeSettings) -> Optional[bytes]:
    """Return the backup; None when it is gone, or no longer what it was."""
    try:
        data = current.backup.read_bytes()
        return data if isinstance(_content(data), dict) else None
    except (OSError, ValueError):
        return None


def _chained_by(ours: Any) -> Optional[dict[str, Any]]:
    """Return the `statusLine` that ours chains; None if it chains none."""
    options = _our_options(ours) or []
    return {**ours, "command": options[1]} if options[:1] == ["--chain"] else None


def _our_command() -> list[str]:
    """Return the words that start this program from anywhere."""
    script = shutil.which("ccusage-monitor", path=str(Path(sys.executable).parent))
    if script:
        return [script]
    return [sys.executable, str(Path(__file__).resolve().parents[2] / "ccusage_monitor.py")]


def _our_options(status_line: Any) -> Optional[list[str]]:
    """Return what follows our own `statusline` in a `statusLine`; None when it is not ours."""
    command = status_line.get("command") if isinstance(status_line, dict) else None
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return None
    if COMMAND not in words:
        return None
    at = words.index(COMMAND)
    return words[at + 1 :] if NAMES & {Path(word).name for word in words[:at]} else None
