"""Hand ccusage only the files that can matter: a private directory of hard links to them.

A block starts after any silence of five hours, whatever came before it, and every message after a
time T is in a file modified after T. So when the blocks of the files modified since T show a
silence of five hours that begins after T, everything after that silence is exact.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Optional

from monitor.model.blocks import SESSION, Block, real_blocks
from monitor.transcripts.files import TranscriptFile

FIRST_SPAN = timedelta(hours=24)
CLOCK_SLACK = timedelta(minutes=10)
"""How far a file system's clock may be behind the one that stamped the messages."""


class LinkedFiles:
    """The private directory of links; `sync` makes it hold just the given files."""

    def __init__(self, home: Path, roots: int) -> None:
        self._home = home
        self._links: dict[Path, TranscriptFile] = {}
        self.dirs = tuple(home / f"data{index}" for index in range(roots))
        # What an earlier window has left would be counted.
        shutil.rmtree(home, ignore_errors=True)
        for path in self.dirs:
            (path / "projects").mkdir(parents=True, exist_ok=True)

    def sync(self, files: Sequence[TranscriptFile]) -> None:
        """Add what is new or replaced, remove what is no longer wanted. Raises OSError."""
        wanted = {self._place(file): file for file in files}
        for place in self._links.keys() - wanted.keys():
            place.unlink(missing_ok=True)
            del self._links[place]
        for place, file in wanted.items():
            if not self._is_current(place, file):
                self._links.pop(place, None)
                if _bring(file, place):
                    self._links[place] = file

    def _place(self, file: TranscriptFile) -> Path:
        return self.dirs[file.root] / "projects" / file.relative

    def _is_current(self, place: Path, file: TranscriptFile) -> bool:
        """Whether the link still leads to the file: not when it was replaced; a copy also ages."""
        known = self._links.get(place)
        if known is None or (known.inode, known.device) != (file.inode, file.device):
            return False
        try:
            linked = file.is_link or place.stat().st_ino == file.inode
        except FileNotFoundError:
            return False  # a cleaner of temporary files was here
        return linked or (known.size, known.mtime) == (file.size, file.mtime)


def select(files: Sequence[TranscriptFile], since: Optional[datetime]) -> list[TranscriptFile]:
    """Return the files that can hold a message after `since` (None: all of them)."""
    if since is None:
        return list(files)
    oldest = (since - CLOCK_SLACK).timestamp()
    return [file for file in files if file.mtime >= oldest]


def exact_part(
    blocks: Sequence[Block], since: Optional[datetime], now: datetime
) -> Optional[tuple[Block, ...]]:
    """Return the blocks that depend on nothing before `since`; None when no silence proves any.

    A silence is read off the window's own blocks: a block that starts more than five hours after
    the latest message before it, or after `since`. One that starts in the future proves nothing
    about the present.
    """
    if since is None:
        return tuple(blocks)
    latest = since
    for block in real_blocks(blocks):
        if block.start - latest > SESSION:
            return _from(blocks, block.start) if block.start <= now else None
        latest = max(latest, block.last_activity or block.end)
    return None


def widened(span: timedelta) -> timedelta:
    """Return the next span to try when the last showed no silence."""
    return span * 2


def _from(blocks: Sequence[Block], start: datetime) -> tuple[Block, ...]:
    return tuple(block for block in blocks if block.start >= start)


def _bring(file: TranscriptFile, place: Path) -> bool:
    """Make the file stand at `place`; False when it has vanished meanwhile."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    try:
        if file.is_link:
            place.symlink_to(os.path.realpath(file.path))
            return True
        os.link(file.path, place)
    except FileNotFoundError:
        return False
    except OSError:
        # Another file system, or one without links, or a file of somebody else's.
        return _copy(file, place)
    return True


def _copy(file: TranscriptFile, place: Path) -> bool:
    try:
        shutil.copyfile(file.path, place)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True  # ccusage could not read it either
    return True
