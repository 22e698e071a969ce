"""Take the system's notices of what changes in the directories of transcripts."""

from __future__ import annotations

import errno
import os
import select
import sys
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Optional

from monitor.transcripts import inotify
from monitor.transcripts.files import stat_path
from monitor.transcripts.inotify import Event, Inotify
from monitor.transcripts.mounts import foreign_file_system

NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP}
"""A directory that is gone, or cannot be read: the one above it tells when that changes."""

FULL = {
    errno.EMFILE: "the limit of inotify instances (fs.inotify.max_user_instances) or of open files"
    " is reached",
    errno.ENOSPC: "the limit of watched directories (fs.inotify.max_user_watches) is reached",
}

ENTRIES = inotify.MOVED_FROM | inotify.MOVED_TO | inotify.CREATE | inotify.DELETE
"""Events that make or remove an entry of a directory."""


class Notices:
    """Watches directories, and calls `on_notice` in a thread of its own when something changes.

    `fault` says why there are no notices, or none any more. Then nobody may wait for one.
    """

    def __init__(self, on_notice: Callable[[], None]) -> None:
        self.fault: Optional[str] = None
        self._on_notice = on_notice
        self._paths: dict[int, set[str]] = {}
        self._watches: dict[str, int] = {}
        self._devices: dict[int, Optional[str]] = {}
        self._guard = threading.RLock()
        self._taken = threading.Event()
        self._inotify: Optional[Inotify] = None
        try:
            self._end, self._ender = os.pipe()
            self._inotify = self._open()
        except OSError as error:
            self.fault = _why_none(error)
            return
        sources = (self._inotify.fileno(), self._end)
        self._thread = threading.Thread(target=self._run, args=sources, name="notices", daemon=True)
        self._thread.start()

    def _open(self) -> Inotify:
        try:
            return Inotify()
        except OSError:
            os.close(self._end)
            os.close(self._ender)
            raise

    def watch(self, path: str) -> None:
        """Watch a directory, from now on; call this before it is read, so that nothing is missed.

        If that fails, all watching ends, with a `fault`.
        """
        with self._guard:
            if self._inotify is None:
                return
            try:
                foreign = self._foreign(path)
                watch = -1 if foreign else self._inotify.add(path)
            except OSError as error:
                if error.errno not in NOT_THERE:
                    self._fail(FULL.get(error.errno or 0) or f"inotify fails ({error.strerror})")
                return
            if foreign:
                self._fail(f"{path} is on {foreign}, where others may write unseen")
                return
            if self._watches.get(path, watch) != watch:
                self.unwatch(path)
            self._watches[path] = watch
            self._paths.setdefault(watch, set()).add(path)

    def unwatch(self, path: str) -> None:
        """Watch a directory no longer."""
        with self._guard:
            watch = self._watches.pop(path, None)
            paths = self._paths.get(watch, set()) if watch is not None else set()
            paths.discard(path)
            if watch is not None and not paths:
                self._paths.pop(watch, None)
                if self._inotify is not None:
                    self._inotify.remove(watch)

    def keep(self, paths: Collection[str]) -> None:
        """Stop watching all other directories."""
        with self._guard:
            for path in self._watches.keys() - paths:
                self.unwatch(path)

    def take(self) -> Optional[set[str]]:
        """Return the files and directories that have changed; None if any may have.

        Only the names are known: look at each. They come from all directories watched.
        """
        with self._guard:
            if self._inotify is None:
                return None
            self._taken.set()
            events = self._inotify.read()
            if any(event.mask & inotify.OVERFLOW for event in events):
                return None
            return {path for event in events for path in self._touched(event)}

    def close(self) -> None:
        """Stop watching; no notice comes afterwards."""
        if self.fault is None:
            self._fail("it has ended")

    def _fail(self, fault: str) -> None:
        with self._guard:
            self.fault = fault
            self._paths, self._watches = {}, {}
            if self._inotify is None:
                return
            ended, self._inotify = self._inotify, None
            self._taken.set()
            os.write(self._ender, b"\0")
        self._thread.join()
        ended.close()
        os.close(self._end)
        os.close(self._ender)

    def _run(self, *sources: int) -> None:
        """Wait for events; after a notice, until it was taken: what follows belongs to it."""
        ready = select.poll()
        for source in sources:
            ready.register(source, select.POLLIN)
        while True:
            ready.poll()
            self._taken.clear()
            if self._inotify is None:
                return
            self._on_notice()
            self._taken.wait()

    def _touched(self, event: Event) -> set[str]:
        """Return the paths that an event is about."""
        above = self._paths.get(event.watch, set())
        if event.mask & inotify.IGNORED:
            for path in self._paths.pop(event.watch, set()):
                self._watches.pop(path, None)
            return set(above)
        if not event.name:
            # Of the directory itself: its own attributes, or that it is gone.
            return set(above) if event.mask & ~(inotify.IS_DIR | inotify.MODIFY) else set()
        is_ours = event.name.endswith(".jsonl") or event.mask & (inotify.IS_DIR | ENTRIES)
        return {f"{path}{os.sep}{event.name}" for path in above} if is_ours else set()

    def _foreign(self, path: str) -> Optional[str]:
        """Return the kind of a directory's file system if it gives no notices. Raises OSError."""
        device = stat_path(path).st_dev
        if device not in self._devices:
            self._devices[device] = foreign_file_system(path)
        return self._devices[device]


def _why_none(error: OSError) -> str:
    if sys.platform != "linux":
        return "this monitor takes notices on Linux only"
    with suppress(KeyError):
        return FULL[error.errno or 0]
    return f"there is no inotify ({error.strerror})"
