"""Link the files that can matter into a private data directory for ccusage.

A pause of five hours starts a new block, whatever came before it. Every message after a time T is
in a file that was modified after T. So if the blocks of the files modified since T show a pause of
five hours that begins after T, all blocks after that pause are exact.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Optional

from monitor.model.blocks import SESSION, Block, real_blocks
from monitor.transcripts.files import TranscriptFile, stat_path

FIRST_SPAN = timedelta(hours=24)
MARGIN = timedelta(minutes=1)
"""A window begins so much more than five hours before the blocks that it is to prove exact."""

CLOCK_SLACK = timedelta(minutes=10)
"""The file system's clock may be this far behind the clock that stamped the messages."""


class LinkedFiles:
    """A private directory for each data directory, with links to some of its files."""

    def __init__(self, home: Path, roots: int) -> None:
        self._links: dict[str, TranscriptFile] = {}
        self.dirs = tuple(home / f"data{index}" for index in range(roots))
        self._tops = tuple(str(path / "projects") for path in self.dirs)
        # Links that an earlier window has left would be counted.
        shutil.rmtree(home, ignore_errors=True)
        for top in self._tops:
            os.makedirs(top, exist_ok=True)

    def sync(self, files: Sequence[TranscriptFile]) -> None:
        """Make the directories hold exactly these files. Raises OSError."""
        wanted = {self._place(file): file for file in files}
        emptied: set[tuple[str, int]] = set()
        for place in self._links.keys() - wanted.keys():
            _remove(place)
            emptied.add((os.path.dirname(place), self._links.pop(place).root))
        for place, file in wanted.items():
            if not self._is_current(place, file):
                self._links.pop(place, None)
                if _link(file, place):
                    self._links[place] = file
                else:
                    emptied.add((os.path.dirname(place), file.root))
        for folder, root in emptied:
            self._remove_empty(folder, root)

    def mark(self, times: Sequence[datetime]) -> None:
        """Add a transcript of messages without tokens at these times only. Raises OSError."""
        folder = self.dirs[0] / "projects" / "ccusage-monitor-markers"
        if times:
            folder.mkdir(exist_ok=True)
            text = "".join(map(_marker, times))
            (folder / "markers.jsonl").write_text(text, encoding="utf-8")
        elif folder.exists():
            shutil.rmtree(folder)

    def _place(self, file: TranscriptFile) -> str:
        return os.path.join(self._tops[file.root], file.relative)

    def _remove_empty(self, folder: str, root: int) -> None:
        """Remove a directory without links and those above, up to the first that holds another."""
        with suppress(OSError):
            while folder != self._tops[root]:
                os.rmdir(folder)
                folder = os.path.dirname(folder)

    def _is_current(self, place: str, file: TranscriptFile) -> bool:
        """Return whether the link leads to the file as it is; a copy must also be up to date."""
        known = self._links.get(place)
        if known is None or (known.inode, known.device) != (file.inode, file.device):
            return False
        try:
            linked = stat_path(place).st_ino == file.inode
        except FileNotFoundError:
            return False  # a cleaner of temporary files has removed it
        return linked or (known.size, known.mtime) == (file.size, file.mtime)


def select(files: Sequence[TranscriptFile], since: Optional[datetime]) -> list[TranscriptFile]:
    """Return the files that can hold a message after `since`; all of them if it is None."""
    if since is None:
        return list(files)
    oldest = (since - CLOCK_SLACK).timestamp()
    return [file for file in files if file.mtime >= oldest]


def exact_part(
    blocks: Sequence[Block], since: Optional[datetime], now: datetime
) -> Optional[tuple[Block, ...]]:
    """Return the blocks that depend on nothing before `since`; None if no pause proves any.

    A pause precedes a block that starts more than five hours after the latest message before it,
    and after `since`. A block that starts in the future proves nothing about the present.
    """
    if since is None:
        return tuple(blocks)
    latest = since
    for block in real_blocks(blocks):
        if block.start - latest > SESSION:
            return _from(blocks, block.start) if block.start <= now else None
        latest = max(latest, block.last_activity or block.end)
    return None


def after_last_pause(exact: Sequence[Block], now: datetime) -> datetime:
    """Return when the blocks after the newest pause of five hours begin.

    `exact` are blocks that `exact_part` has returned: one of them at least begins after a pause.
    """
    past = [block for block in real_blocks(exact) if block.start <= now]
    start, latest = past[0].start, past[0].last_activity or past[0].end
    for block in past[1:]:
        start = block.start if block.start - latest > SESSION else start
        latest = max(latest, block.last_activity or block.end)
    return start


def widened(span: timedelta) -> timedelta:
    """Return the next span to try if the last one showed no pause."""
    return span * 2


def _from(blocks: Sequence[Block], start: datetime) -> tuple[Block, ...]:
    return tuple(block for block in blocks if block.start >= start)


def _marker(time: datetime) -> str:
    """Return a line without tokens, as Claude Code writes it."""
    name = f"marker-{time.isoformat()}"
    usage = {"input_tokens": 0, "output_tokens": 0}
    message = {"id": name, "model": "claude-sonnet-4-20250514", "usage": usage}
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.999Z")
    line = {"type": "assistant", "timestamp": stamp, "requestId": name, "message": message}
    return json.dumps(line, separators=(",", ":")) + "\n"


def _link(file: TranscriptFile, place: str) -> bool:
    """Link or copy the file to `place`; return False if it no longer exists."""
    os.makedirs(os.path.dirname(place), exist_ok=True)
    _remove(place)
    try:
        if file.is_link:
            os.symlink(os.path.realpath(file.path), place)
            return True
        os.link(file.path, place)
    except FileNotFoundError:
        return False
    except OSError:
        # Another file system, one without links, or another user's file.
        return _copy(file, place)
    return True


def _copy(file: TranscriptFile, place: str) -> bool:
    try:
        shutil.copyfile(file.path, place)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True  # ccusage could not read it either
    return True


def _remove(place: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(place)
