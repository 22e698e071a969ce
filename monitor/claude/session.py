"""Tell which Claude data directory a session of Claude Code belongs to."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

from monitor.store.paths import expand_user


def session_dir(transcript: object, explicit: Sequence[str], environ: Mapping[str, str]) -> Path:
    """Return the data directory of one session.

    `--claude-dir` (of several the one with its transcript, else the first), else what the path of
    its transcript says, else CLAUDE_CONFIG_DIR's first, else the default.
    """
    told = _of_transcript(transcript)
    chosen = [expand_user(name) for name in explicit]
    if chosen:
        return next((path for path in chosen if told and _is_same(path, told)), chosen[0])
    named = environ.get("CLAUDE_CONFIG_DIR", "").split(",")[0].strip()
    return told or expand_user(named or "~/.claude")


def _of_transcript(transcript: object) -> Optional[Path]:
    if not isinstance(transcript, str):
        return None
    return next((p.parent for p in Path(transcript).parents if p.name == "projects"), None)


def _is_same(path: Path, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)
