"""Read the history in slices, newest first: what is new since the last read, or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Optional

from monitor.app.history_cache import HistoryCache
from monitor.app.reader import Reader
from monitor.model.blocks import Block
from monitor.model.official import OfficialLimits
from monitor.model.slice_parts import PartsRead
from monitor.model.slices import (
    Interval,
    Piece,
    Round,
    Size,
    contradicts,
    left_of,
    slice_start,
    with_copies,
    with_new,
)
from monitor.store.counted_files import CountedFile, CountedFiles, load_counted, save_counted
from monitor.transcripts.files import TranscriptFile, scan
from monitor.transcripts.spans import counted_file, file_name, first_new
from monitor.transcripts.watcher import Transcripts

SLICE_BYTES = 64 * 2**20
"""How large a slice should be: so large that it is read in less than half a second."""

PART_BYTES = 4 * SLICE_BYTES
"""What is given to ccusage at once at most, if there is a choice.

Version 20 takes up to 110 MB of memory for it.
"""

FRESH = timedelta(hours=24)
"""A read that was interrupted longer ago begins with what is new since."""


class Scan(NamedTuple):
    """The blocks that one run of ccusage has shown exactly; the newest have the active one."""

    blocks: Sequence[Block]
    is_newest: bool


class Listed(NamedTuple):
    """A transcript, and what is known of it."""

    file: TranscriptFile
    counted: CountedFile


class SliceRead(NamedTuple):
    """A slice under way: the newest of `interval`; `size` is that of the next try."""

    interval: Interval
    size: Size
    parts: PartsRead


class HistoryReader:
    """Reads a slice of the history, or a part of one, at each call.

    How far it has come is in the history after each slice.
    """

    def __init__(self, reader: Reader, cache: HistoryCache) -> None:
        self._reader = reader
        self._cache = cache
        self._planned: Optional[datetime] = None
        self._files: Sequence[TranscriptFile] = ()
        self._pieces: Sequence[Piece] = ()
        self._under_way: Optional[SliceRead] = None

    def read_next(self, transcripts: Transcripts, official: OfficialLimits, now: datetime) -> Scan:
        """Read the next part, or a small history as a whole. Raises MonitorError or OSError."""
        if transcripts.size.bytes <= SLICE_BYTES:
            return self._read_all(transcripts, official)
        running = self._round(transcripts, now)
        interval, begun = running.todo[0], self._under_way
        if begun is None or begun.interval != interval:
            begun = self._begin_slice(interval, Size(SLICE_BYTES), now)
        found = self._read_part(begun.parts)
        if found is None:
            return self._read_all(transcripts, official)
        if not (found.is_done and found.is_cut):
            again = self._begin_slice(interval, begun.size, now) if found.is_done else None
            self._under_way = again or begun._replace(parts=found)
            self._cache.go_on()
            return Scan((), is_newest=False)
        self._under_way = None
        self._cache.add_slice(found.blocks, found.cut, running, official)
        self._pieces = left_of(self._pieces, found.cut)
        if self._cache.round is None:
            self._forget()
        is_newest = interval.until is None or interval.until > now
        return Scan(found.blocks, is_newest and (found.cut is None or found.cut <= now))

    def _read_all(self, transcripts: Transcripts, official: OfficialLimits) -> Scan:
        blocks = self._reader.read_all(transcripts)
        self._cache.add_scan(blocks, official)
        self._forget()
        return Scan(blocks, is_newest=True)

    def _forget(self) -> None:
        self._planned, self._files, self._pieces, self._under_way = None, (), (), None
        self._reader.unlink_files()

    def _round(self, transcripts: Transcripts, now: datetime) -> Round:
        """Return the read that is under way, of this process or another one; else begin one."""
        self._cache.reload()
        running = self._cache.round
        if running is None or not timedelta() <= now - running.began_at <= FRESH:
            running = self._begin(transcripts, now)
        if running.began_at != self._planned:
            # Listed after the round is known, so that all that it has taken in is there.
            files = scan(transcripts.roots)
            self._plan(_listed(files, load_counted(self._cache.path)), running)
        return running

    def _begin(self, transcripts: Transcripts, now: datetime) -> Round:
        """Begin a read of what is not counted yet, or of all if ccusage is another one."""
        program = f"{self._reader.command().version} {self._reader.options.online}"
        before, running = self._cache.counted_until, self._cache.round
        counted = load_counted(self._cache.path)
        listed = _listed(transcripts.files, counted)
        is_known = before is not None and counted.program == program
        since = _new_since(listed, counted, before) if before and is_known else None
        todo = with_new(since, running.todo if running else ())
        first = min((item.counted.span.first for item in listed if item.counted.span), default=now)
        ours = Round(now, todo, max(first, todo[-1].since or first))
        begun = self._cache.begin_round(ours, is_whole=since is None)
        if begun is ours:
            if self._cache.is_stored:  # else another process would take them for counted
                files = tuple(item.counted for item in listed)
                save_counted(self._cache.path, CountedFiles(program, files))
            self._plan(listed, begun)
        return begun

    def _plan(self, listed: Sequence[Listed], running: Round) -> None:
        self._planned = running.began_at
        self._files = [item.file for item in listed]
        spans = ((number, item.counted) for number, item in enumerate(listed))
        pieces = (Piece(number, item.size, item.span) for number, item in spans if item.span)
        self._pieces, self._under_way = with_copies(pieces), None

    def _begin_slice(self, interval: Interval, size: Size, now: datetime) -> SliceRead:
        """Begin with the newest slice of an interval.

        If it shows no silence, it is begun again with more.
        """
        while True:
            since = slice_start(self._pieces, interval, size, now)
            size = size.next
            if since is None or interval.until is None or since < interval.until:
                parts = PartsRead(since, interval.until, is_cut=since is None)
                return SliceRead(interval, size, parts)

    def _read_part(self, known: PartsRead) -> Optional[PartsRead]:
        """Read the next part of a slice; None where it cannot be read by itself."""
        part = known.next_part(self._pieces, PART_BYTES)
        files = [self._files[piece.number] for piece in part.pieces]
        blocks = self._reader.read_files(files, known.markers)
        if blocks is None or known.is_misled(blocks):
            return None
        unmarked = known.unmarked(blocks)
        return None if contradicts(unmarked, part.pieces) else known.with_part(blocks, part.end)


def _listed(files: Sequence[TranscriptFile], counted: CountedFiles) -> list[Listed]:
    """Look of which time the transcripts are that are not as they were counted."""
    known = {item.name: item for item in counted.files}
    named = ((file, file_name(file)) for file in files)
    return [Listed(file, counted_file(file, name, known.get(name))) for file, name in named]


def _new_since(listed: Sequence[Listed], counted: CountedFiles, latest: datetime) -> datetime:
    """Return when the earliest message was written that is not counted yet, at most `latest`.

    A new copy of a session may be counted in the place of the original.
    """
    known = {item.name: item for item in counted.files}
    spans = [item.counted.span for item in listed if item.counted.span]
    newest_first = sorted(spans, key=lambda span: span.first, reverse=True)
    begun = {span.origin: span.first for span in newest_first if span.origin}
    since = latest
    for file, now in listed:
        when = first_new(file, now, known.get(now.name))
        if when is not None and now.span:
            is_whole = when <= now.span.first
            when = begun.get(now.span.origin, when) if is_whole else when
            since = min(since, when)
    return since
