"""`statusline --install` and `--uninstall`: change Claude Code's settings.json, and back."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional

from monitor.claude.session import session_dir
from monitor.errors import MonitorError
from monitor.model.formatting import visible
from monitor.store.json_file import replace_file

BACKUP = ".before-ccusage-monitor"
MARK = "statusline"
KEY = "statusLine"

NAMES = {"ccusage-monitor", "ccusage-monitor.exe", "ccusage_monitor.py"}
"""What starts us: `ccusage statusline` is another program's."""

NO_FILE = b""
"""The backup of a settings.json that was not there: no JSON file is empty."""


class ClaudeSettings(NamedTuple):
    """Claude Code's settings.json as it was read: where it is, its bytes and what they say."""

    path: Path
    data: bytes
    content: dict[str, Any]

    @property
    def backup(self) -> Path:
        """Where the file as it was before is kept."""
        return self.path.with_name(self.path.name + BACKUP)


def change_settings(params: Mapping[str, Any], *, install: bool, chain: Optional[str]) -> int:
    """Install or uninstall the hook; asks first. Raises MonitorError with nothing changed."""
    # A settings.json that is a link into somebody's dotfiles stays one.
    home = session_dir(None, params["claude_dir"], os.environ)
    if params["claude_dir"] and not home.is_dir():
        advice = "Name the directory that holds Claude Code's settings.json; nothing was changed."
        raise MonitorError(f"{visible(str(home))} is no directory.", advice)
    path = (home / "settings.json").resolve()
    try:
        found = _read(path)
        return _install(found, params, chain) if install else _uninstall(found, params)
    except OSError as error:
        reason = f"{path} could not be changed: {error.strerror or error}."
        raise MonitorError(reason, "Nothing was changed.") from error


def _install(found: ClaudeSettings, params: Mapping[str, Any], chain: Optional[str]) -> int:
    old = found.content.get(KEY)
    again = _is_ours(old)
    command = shlex.join([*_own_words(), *params["given"]])
    wanted = hook(command, _unhooked(old) if again else old, chain)
    if again and (wanted == old or not (params["given"] or chain)):
        print(f"Already installed in {found.path}.")
        return 0
    new = changed(found.data, wanted)
    print(f"In {found.path}, {KEY} changes from\n  {_shown(old)}\nto")
    print(f"  {_shown(json.loads(new)[KEY])}")
    if found.data != NO_FILE and not again:
        print(f"A backup is kept beside it: {found.backup.name}")
    _ask(params, "Change it?", found)
    found.path.parent.mkdir(parents=True, exist_ok=True)
    if not again:  # else the backup is that of what was there before us
        replace_file(found.backup, found.data)
    replace_file(found.path, new, _mode(found.path))
    print("Done. Claude Code shows the line after its next answer.")
    return 0


def _uninstall(found: ClaudeSettings, params: Mapping[str, Any]) -> int:
    ours = found.content.get(KEY)
    if not _is_ours(ours):
        print(f"Not installed in {found.path}.")
        return 0
    kept = _kept(found)
    old = _before(ours) if kept is None else _content(kept).get(KEY)
    print(f"In {found.path}, {KEY} changes back to\n  {_shown(old)}")
    _ask(params, "Change it back?", found)
    if kept is None or changed(kept, ours) != found.data:
        # Edited since: only our key goes, the rest stays as it is now.
        replace_file(found.path, changed(found.data, old), _mode(found.path))
    elif kept == NO_FILE:
        found.path.unlink()
    else:
        replace_file(found.path, kept, _mode(found.path))
    found.backup.unlink(missing_ok=True)
    print("Done.")
    return 0


def hook(command: str, old: Any, chain: Optional[str]) -> dict[str, Any]:
    """Return our `statusLine`, which also runs the command that was there (or `chain`)."""
    before = old.get("command") if isinstance(old, dict) else None
    chained = chain or (before if isinstance(before, str) and before.strip() else None)
    words = f"{command} {MARK}" + (f" --chain {shlex.quote(chained)}" if chained else "")
    kept = old if isinstance(old, dict) else {}
    return {**kept, "type": "command", "command": words}


def changed(data: bytes, value: Any) -> bytes:
    """Return a settings.json with `statusLine` set (None: left out), its other keys kept.

    >>> print(changed(b'{"model":"opus"}', None).decode(), end="")
    {
      "model": "opus"
    }
    """
    content = _content(data)
    if value is None:
        content.pop(KEY, None)
    else:
        content[KEY] = value
    # Half of a surrogate pair has no UTF-8; its backslash form is JSON's own.
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _read(path: Path) -> ClaudeSettings:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = NO_FILE
    try:
        content = _content(data)
        if isinstance(content, dict):
            return ClaudeSettings(path, data, content)
        why = "it is no JSON object"
    except (ValueError, RecursionError) as error:
        why = f"it is no JSON ({error})"
    by_hand = {KEY: hook(shlex.join(_own_words()), None, None)}
    advice = f"Nothing was changed. Set it by hand: {_shown(by_hand)[1:-1]}"
    raise MonitorError(f"{path} was not understood: {visible(why)}.", advice)


def _content(data: bytes) -> Any:
    return json.loads(data) if data.strip() else {}


def _kept(found: ClaudeSettings) -> Optional[bytes]:
    """Return the backup; None when it is gone, or no longer what it was."""
    try:
        kept = found.backup.read_bytes()
        return kept if isinstance(_content(kept), dict) else None
    except (OSError, ValueError):
        return None


def _before(ours: Any) -> Optional[dict[str, Any]]:
    """Return the `statusLine` that ours chains; None when there was none."""
    words = _own_options(ours) or []
    return {**ours, "command": words[1]} if words[:1] == ["--chain"] else None


def _unhooked(ours: Any) -> dict[str, Any]:
    """Return the `statusLine` that ours chains, or what else ours kept."""
    rest = {key: value for key, value in ours.items() if key not in ("type", "command")}
    return _before(ours) or rest


def _own_words() -> list[str]:
    """Return the words that start this program from anywhere."""
    script = shutil.which("ccusage-monitor", path=str(Path(sys.executable).parent))
    if script:
        return [script]
    starter = Path(__file__).resolve().parents[2] / "ccusage_monitor.py"
    return [sys.executable, str(starter)]


def _is_ours(value: Any) -> bool:
    return _own_options(value) is not None


def _own_options(value: Any) -> Optional[list[str]]:
    """Return what follows our own `statusline` in a `statusLine`; None when it is not ours."""
    command = value.get("command") if isinstance(value, dict) else None
    try:
        words = shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return None
    if MARK not in words:
        return None
    at = words.index(MARK)
    return words[at + 1 :] if NAMES & {Path(word).name for word in words[:at]} else None


def _shown(value: Any) -> str:
    return "nothing" if value is None else visible(json.dumps(value, ensure_ascii=False))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600


def _ask(params: Mapping[str, Any], question: str, found: ClaudeSettings) -> None:
    """Go on only when the user agrees, and nobody changed the file meanwhile."""
    if not params["yes"]:
        _confirm(question)
    if _read(found.path).data != found.data:
        raise MonitorError(f"{found.path} has changed meanwhile.", "Nothing was done; try again.")


def _confirm(question: str) -> None:
    if not (sys.stdin and sys.stdin.isatty()):
        raise MonitorError(
            "Nothing was changed: there is nobody to ask.", "Add --yes to change it."
        )
    import click

    if not click.confirm(question, default=True, err=True):
        raise MonitorError("Nothing was changed.")
