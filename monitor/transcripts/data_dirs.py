"""Find Claude's data directories and look at the files in them, without reading any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.errors import MonitorError
from monitor.store.paths import expand_user

ADVICE = "Start Claude Code once, name its directory with --claude-dir, or try --demo."


def data_dirs(explicit: Sequence[Path], environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the existing data directories that ccusage itself would use.

    `--claude-dir`, else CLAUDE_CONFIG_DIR (a comma-separated list), else both default places.
    Raises MonitorError when none of them is there.
    """
    wanted = list(explicit) or _from_environment(environ) or _defaults(environ)
    found = tuple(dict.fromkeys(expand_user(path).absolute() for path in wanted))
    there = tuple(path for path in found if path.is_dir())
    if not explicit and not _from_environment(environ):
        # As ccusage does: of the default places only those that Claude Code has written to.
        there = tuple(path for path in there if projects_of(path).is_dir()) or there[:1]
    if not there:
        raise MonitorError(f"No Claude data directory: {_list(found)} not found.", ADVICE)
    return there


def missing_dirs(explicit: Sequence[Path]) -> tuple[Path, ...]:
    """Return which of the directories that the user named are not there."""
    named = dict.fromkeys(expand_user(path).absolute() for path in explicit)
    return tuple(path for path in named if not path.is_dir())


def projects_of(root: Path) -> Path:
    """Return where the transcripts of a data directory are.

    ccusage 20 also takes the `projects` directory itself for a data directory.
    """
    inner = root / "projects"
    return root if root.name == "projects" and not inner.is_dir() else inner


def _from_environment(environ: Mapping[str, str]) -> list[Path]:
    named = environ.get("CLAUDE_CONFIG_DIR", "").split(",")
    return [Path(name.strip()) for name in named if name.strip()]


def _defaults(environ: Mapping[str, str]) -> list[Path]:
    config = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return [Path(config) / "claude", Path("~/.claude")]


def _list(paths: Sequence[Path]) -> str:
    return " and ".join(str(path) for path in paths)
