"""A Claude history that changes as Claude Code and its user change it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from monitor.clock import utc_now
from monitor.transcripts.linked_files import CLOCK_SLACK
from tests.histories import Row, streamed, write_messages

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Stretch:
    """Work after a silence: `count` messages, `step` minutes apart, in one transcript."""

    silence: int
    count: int
    step: int
    root: int
    place: str


@dataclass(frozen=True)
class Pattern:
    """What the stretches of a history are chosen from: minutes of silence, their number, steps."""

    silences: tuple[int, ...]
    least: int
    most: int
    steps: tuple[int, ...] = (1, 20, 90, 200, 290)


PATTERNS = (
    Pattern((5, 60, 299, 300, 301, 361), 1, 4),
    Pattern((5, 60, 180, 240, 270, 299, 300, 301, 330, 359, 361, 720, 2000), 4, 12),
    Pattern((5, 20, 50, 299), 8, 14, (20, 50, 50)),  # for days without a silence
    Pattern((60, 361, 720, 720, 2000), 4, 8),  # days and nights
    Pattern((60, 300, 300), 8, 14, (60, 60, 120)),  # silences of just five hours, on the hour
)
PLACES = ("new", "new", "new", "new", "subagent", "last", "oldest")


@dataclass(frozen=True)
class Change:
    """What happens between two polls, to the transcript that `which` picks (0: the newest)."""

    kind: str
    which: int
    minutes: int


KINDS = (
    *("work", "subagent", "resume", "copy", "second_copy", "again", "replace"),
    *("truncate", "delete", "rename", "link", "future", "nothing"),
)

LOSES = frozenset({"replace", "truncate", "delete", "again"})
"""Changes after which messages may be gone that were there before."""


class World:
    """Two Claude data directories that change as Claude Code and its user change them."""

    def __init__(self, home: Path) -> None:
        self.roots = (home / "one", home / "two")
        for root in self.roots:
            (root / "projects").mkdir(parents=True)
        self.written: dict[Path, list[Row]] = {}
        self._outside = home / "outside"
        self._number = 0
        self._is_recopied = False

    def build(self, plan: list[Stretch], tail: int, now: datetime) -> None:
        length = sum(part.silence + (part.count - 1) * part.step for part in plan)
        when = now - (tail + length) * MINUTE
        for part in plan:
            when += part.silence * MINUTE
            rows = [self.row(when + index * part.step * MINUTE) for index in range(part.count)]
            self.write(rows, part.root, part.place)
            when = rows[-1].when

    def row(self, when: datetime) -> Row:
        self._number += 1
        name = f"{self._number:06d}"
        tokens = 20 + self._number * 7 % 400
        return Row(when, output=tokens, message=f"msg_{name}", request=f"req_{name}")

    def write(self, rows: list[Row], root: int, place: str) -> None:
        known = list(self.written)
        if known and place in {"last", "oldest"}:
            self.append(known[-1 if place == "last" else 0], rows)
            return
        self._number += 1
        session = f"5f0c7a52-{self._number:04d}-4000-8000-000000000000"
        if place == "subagent":
            session += f"/subagents/agent-{self._number}"
        project = f"-home-dev-project-{self._number % 3}"
        path = write_messages(self.roots[root], rows, project=project, session=session)
        self._put_time(path, list(rows))

    @property
    def misleads(self) -> bool:
        """Whether a window may miss something: only the daily read of everything finds that."""
        files = ((path.stat().st_mtime, rows) for path, rows in self.written.items())
        slack, now = CLOCK_SLACK.total_seconds(), utc_now()
        return self._is_recopied or any(
            min(row.when, now).timestamp() > mtime + slack for mtime, rows in files for row in rows
        )

    def append(self, path: Path, rows: list[Row]) -> None:
        self._write(path, rows, append=True)
        self._put_time(path, self.written[path] + rows)

    def rewrite(self, path: Path, rows: list[Row]) -> None:
        """Write the file in place: same inode, its time that of its newest message."""
        self._write(path, rows, append=False)
        self._put_time(path, rows)

    def _write(self, path: Path, rows: list[Row], *, append: bool) -> None:
        root = next(root for root in self.roots if root in path.parents)
        project, *rest = path.relative_to(root / "projects").with_suffix("").parts
        write_messages(root, rows, project=project, session="/".join(rest), append=append)

    def _put_time(self, path: Path, rows: list[Row]) -> None:
        newest = max((row.when for row in rows), default=utc_now())
        os.utime(path, (newest.timestamp(), newest.timestamp()))
        self.written[path] = rows

    def change(self, change: Change, now: datetime) -> None:
        known = list(self.written)
        path = known[-1 - change.which % len(known)] if known else None
        when = now - change.minutes * MINUTE
        if path is None or change.kind in {"work", "subagent"}:
            place = "subagent" if change.kind == "subagent" else "new"
            self.write([self.row(when)], change.which % 2, place)
        elif change.kind == "future":
            self.write([self.row(now), self.row(now + (change.minutes + 10) * MINUTE)], 0, "new")
        else:
            getattr(self, f"_{change.kind}")(path, when)

    def _resume(self, path: Path, when: datetime) -> None:
        self.append(path, [self.row(when)])

    def _copy(self, path: Path, when: datetime) -> None:
        self.write([*self.written[path], self.row(when)], 0, "new")

    def _replace(self, path: Path, _when: datetime) -> None:
        rows = self.written[path][::2]
        path.unlink()
        self.rewrite(path, rows)

    def _truncate(self, path: Path, _when: datetime) -> None:
        self.rewrite(path, self.written[path][: len(self.written[path]) // 2])

    def _delete(self, path: Path, _when: datetime) -> None:
        path.unlink()
        del self.written[path]

    def _rename(self, path: Path, _when: datetime) -> None:
        target = path.with_name(f"renamed-{path.name}")
        path.rename(target)
        self.written[target] = self.written.pop(path)

    def _again(self, path: Path, when: datetime) -> None:
        """Delete a transcript and make another of the same name, and maybe size, at its time."""
        path.unlink()
        self.rewrite(path, [self.row(when + timedelta(milliseconds=self._number))])

    def _second_copy(self, path: Path, _when: datetime) -> None:
        """The same file, name and all, in the other data directory."""
        here, there = self.roots if self.roots[0] in path.parents else self.roots[::-1]
        target = there / path.relative_to(here)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
        self.written[target] = list(self.written[path])

    def _link(self, _path: Path, when: datetime) -> None:
        """A linked directory and a linked file: ccusage 20 follows neither, the older ones both."""
        self._number += 1
        place = self._outside / str(self._number)
        made = write_messages(place, [self.row(when)])
        folder = self.roots[0] / "projects" / f"linked-{self._number}"
        folder.symlink_to(made.parent, target_is_directory=True)
        made = write_messages(place / "more", [self.row(when)])
        real = self.roots[1] / "projects" / f"real-{self._number}"
        real.mkdir()
        (real / "linked.jsonl").symlink_to(made)

    def _stream(self, path: Path, when: datetime) -> None:
        """An answer that is written while it comes, and a part of it in a second file."""
        lines = streamed(self.row(when))
        self.append(path, lines)
        self.write([self.row(when - MINUTE), *lines[1:3]], 1, "new")

    def _break(self, path: Path, _when: datetime) -> None:
        """Lines that are none, and half of one without its end."""
        with path.open("ab") as file:
            file.write(b'null\n{"timestamp":7}\n\xff\xfe\n[]\n\n{"type":"assistant","timest')

    def _touch(self, path: Path, _when: datetime) -> None:
        """A file whose time is later than that of its newest message."""
        path.touch()

    def _antedate(self, path: Path, _when: datetime) -> None:
        """A file whose time is earlier than that of its newest message."""
        os.utime(path, (0, 0))

    def _lie(self, _path: Path, when: datetime) -> None:
        """A file with a new message whose time says that it was not touched for days."""
        self.write([self.row(when)], 0, "new")
        self._antedate(list(self.written)[-1], when)

    def _copy_as_in_2025(self, path: Path, when: datetime) -> None:
        """A resumed session whose copies of old messages have a new time each."""
        self.write([replace(row, when=when) for row in self.written[path]], 0, "new")
        self._is_recopied = True

    def _nothing(self, _path: Path, _when: datetime) -> None:
        """Nothing happens."""
