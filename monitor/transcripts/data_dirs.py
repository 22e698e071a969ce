"""Find Claude's data directories."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.errors import MonitorError, NoDataError
from monitor.store.paths import expand_user

ADVICE = "Start Claude Code once, name its directory with --claude-dir, or try --demo."
NAMED_ADVICE = (
    "Correct --claude-dir or [accounts] of the settings file, or start Claude Code there."
)
UNREADABLE = "Start the monitor as the user that Claude Code runs as, or name another --claude-dir."


def data_dirs(explicit: Sequence[Path], environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the existing data directories that ccusage itself would use.

    They come from `--claude-dir`, else CLAUDE_CONFIG_DIR (a comma-separated list), else the two
    default places. One that is named twice, also by a link or by its `projects`, is returned once:
    ccusage would count messages without an id twice. Raises NoDataError if none exists, and
    MonitorError if one cannot be read.
    """
    wanted = list(explicit) or _from_environment(environ) or _defaults(environ)
    named = tuple(dict.fromkeys(map(_absolute, wanted)))
    there = tuple(path for path in named if _is_dir(path))
    if not explicit and not _from_environment(environ):
        # Like ccusage: of the default places, only those that Claude Code has written to.
        there = tuple(path for path in there if _is_dir(projects_of(path))) or there[:1]
    if not there:
        names = " and ".join(map(str, named))
        advice = NAMED_ADVICE if explicit else ADVICE
        raise NoDataError(f"No Claude data directory: {names} not found.", advice)
    return _distinct(there)


def missing_dirs(explicit: Sequence[Path]) -> tuple[Path, ...]:
    """Return the directories that the user named and that do not exist."""
    return tuple(path for path in dict.fromkeys(map(_absolute, explicit)) if not _is_dir(path))


def projects_of(root: Path) -> Path:
    """Return the directory of a data directory's transcripts.

    ccusage 20 also accepts this `projects` directory itself as the data directory.
    """
    inner = root / "projects"
    return root if root.name == "projects" and not _is_dir(inner) else inner


def _distinct(roots: Sequence[Path]) -> tuple[Path, ...]:
    """Return one path for each real `projects`; if that itself is named too, the one above it.

    Only ccusage 20 also accepts `projects`.
    """
    chosen: dict[object, Path] = {}
    for root in roots:
        known = chosen.setdefault(_identity(root), root)
        if projects_of(known) == known and projects_of(root) != root:
            chosen[_identity(root)] = root
    return tuple(chosen.values())


def _identity(root: Path) -> object:
    """Return what tells the real `projects` of a data directory from others."""
    try:
        info = projects_of(root).stat()
    except OSError:
        return root
    return info.st_dev, info.st_ino


def _absolute(path: Path) -> Path:
    expanded = expand_user(path)
    return expanded if expanded.parts[:1] == ("~",) else expanded.absolute()  # there is no home


def _is_dir(path: Path) -> bool:
    """Return whether a directory exists. Raises MonitorError if permissions hide that."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except PermissionError as error:
        raise MonitorError(f"{path} cannot be read: {error.strerror}.", UNREADABLE) from error
    except (OSError, ValueError):
        return False


def _from_environment(environ: Mapping[str, str]) -> list[Path]:
    named = environ.get("CLAUDE_CONFIG_DIR", "").split(",")
    return [Path(name.strip()) for name in named if name.strip()]


def _defaults(environ: Mapping[str, str]) -> list[Path]:
    config = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return [Path(config) / "claude", Path("~/.claude")]
