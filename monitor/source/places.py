"""Say where a session of Claude Code keeps its data, without looking at any file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def session_dir(transcript: object, explicit: Sequence[str], environ: Mapping[str, str]) -> Path:
    """Return the data directory of one session.

    `--claude-dir`, else what the path of its transcript says, else CLAUDE_CONFIG_DIR's first, else
    the default.
    """
    if explicit:
        return Path(explicit[0]).expanduser()
    if isinstance(transcript, str):
        for parent in Path(transcript).parents:
            if parent.name == "projects":
                return parent.parent
    named = environ.get("CLAUDE_CONFIG_DIR", "").split(",")[0].strip()
    return Path(named or "~/.claude").expanduser()
