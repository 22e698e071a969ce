"""Link transcripts so that ccusage reports each session by itself: as a project of its own.

`ccusage session` cannot: versions before 20 join all sessions of a project, and count those that
began earlier as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from monitor.errors import MonitorError
from monitor.transcripts.files import TranscriptFile
from monitor.transcripts.linked_files import LinkedFiles

PROJECTS = "projects"
"""The directory below which ccusage takes the first name for that of a project."""


class Session(NamedTuple):
    """A session and its subagents: which data directory, and the names of its directories."""

    root: int
    project: str
    name: str


class SessionLinks:
    """A private data directory for each real one, in which every session is a project."""

    def __init__(self, home: Path, roots: int) -> None:
        if PROJECTS in home.parts:
            # ccusage takes the first directory of that name for the one with the projects.
            reason = f"ccusage cannot tell projects apart below a directory named “{PROJECTS}”."
            raise MonitorError(reason, f"Set XDG_CACHE_HOME to another place than {home}.")
        self._links = LinkedFiles(home, roots)
        self._keys: dict[Session, str] = {}

    @property
    def dirs(self) -> tuple[Path, ...]:
        """The private data directories."""
        return self._links.dirs

    def sync(self, files: Sequence[TranscriptFile]) -> Mapping[str, list[TranscriptFile]]:
        """Link exactly these files; return those of each project in the private directories.

        Raises OSError.
        """
        groups: dict[str, list[TranscriptFile]] = {}
        placed = []
        for file in files:
            session = session_of(file)
            key = self._keys.setdefault(session, f"session-{len(self._keys)}")
            groups.setdefault(key, []).append(file)
            inner = PurePath(file.relative).parts[1:] or (file.relative,)
            placed.append(file._replace(relative=str(PurePath(key, *inner))))
        self._links.sync(placed)
        return groups


def session_of(file: TranscriptFile) -> Session:
    """Return the session of a transcript; that of a subagent lies in its session's directory."""
    project, *inner = PurePath(file.relative).parts
    if not inner:  # it lies beside the projects
        return Session(file.root, "", PurePath(project).stem)
    return Session(file.root, project, PurePath(inner[0]).stem if len(inner) == 1 else inner[0])
