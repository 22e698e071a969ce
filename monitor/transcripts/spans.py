"""Find out of which time a transcript is: from its first lines, and from its last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from itertools import islice
from typing import BinaryIO, Optional

from monitor.model.slices import EARLIEST, LATEST, Span
from monitor.store.counted_files import CountedFile
from monitor.store.json_file import digest
from monitor.transcripts.files import TranscriptFile

TIME = re.compile(
    rb'"timestamp"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)"'
)
ANSWER = re.compile(rb'"message"\s*:\s*\{[^{}]*?"id"\s*:\s*"([^"]{1,200})"')
USAGE = b'"usage"'

ENDING_BYTES = 2**10
"""Tell a transcript that was added to from another one in its place."""

LAST_BYTES = 16 * 2**10
"""Read at the end of a transcript; twice as much again and again while no time is in it."""


def counted_file(file: TranscriptFile, name: str, known: Optional[CountedFile]) -> CountedFile:
    """Describe a transcript of that name; it is opened only if it is not as `known`."""
    found = CountedFile(name, file.size, file.inode, file.mtime)
    if known is not None and known[:4] == found[:4]:
        return known
    try:
        with open(file.path, "rb") as data:  # noqa: PTH123 - as all paths of transcripts, a text
            span, ending = _span(data, 0, file.size), _ending(data, file.size)
            return found._replace(ending=ending, span=span)
    except OSError:
        return found


def file_name(file: TranscriptFile) -> str:
    """Return a hash that stands for the path of a transcript."""
    return digest(f"{file.root} {file.relative}")


def first_new(
    file: TranscriptFile, now: CountedFile, before: Optional[CountedFile]
) -> Optional[datetime]:
    """Return when the earliest message was written that was not counted before; None without any.

    Claude Code only adds to a transcript.
    """
    if now == before:
        return None
    span = now.span
    if before is not None and before.inode == now.inode and before.size < now.size:
        with suppress(OSError), open(file.path, "rb") as data:  # noqa: PTH123 - as above
            if _ending(data, before.size) == before.ending:
                # The last line may not have been complete then.
                span = _span(data, _line_start(data, before.size), now.size)
    return span.first if span else None


def _span(data: BinaryIO, start: int, end: int) -> Optional[Span]:
    """Return the time of the messages in a part of a transcript; None if it holds no answer.

    It reads the lines up to the first answer: a few lines of now may precede copies of old ones.
    And it reads the end.
    """
    times: list[datetime] = []
    answer = None
    data.seek(start)
    for text in data:
        times += _times(text)
        if USAGE in text:
            named = ANSWER.search(text)
            answer = digest(named[1].decode("latin-1")) if named else ""
            if named is not None:
                break
    times += _last_times(data, start, end)
    return Span(min(times), max(times), answer) if times and answer is not None else None


def _last_times(data: BinaryIO, start: int, end: int) -> list[datetime]:
    """Return the times near the end of a part of a transcript; they are read if there are any."""
    length = LAST_BYTES
    while True:
        begin = max(start, end - length)
        data.seek(begin)
        times = list(_times(data.read(end - begin)))
        if times or begin == start:
            return times
        length *= 2


def _line_start(data: BinaryIO, end: int) -> int:
    """Return where the line begins that holds the byte before `end`."""
    length = LAST_BYTES
    while True:
        begin = max(0, end - length)
        data.seek(begin)
        at = data.read(end - begin).rfind(b"\n")
        if at >= 0 or begin == 0:
            return begin + at + 1
        length *= 2


def _ending(data: BinaryIO, size: int) -> str:
    """Return a hash of the last bytes of a transcript when it had that size."""
    data.seek(max(0, size - ENDING_BYTES))
    return digest(data.read(min(size, ENDING_BYTES)).decode("latin-1"))


def _times(text: bytes) -> Iterator[datetime]:
    """Yield the earliest and the latest time in transcript lines, maybe others too.

    A time inside a text has other quotation marks.
    """
    found = sorted(TIME.findall(text))
    if all(zone == b"Z" for _, zone in found):
        yield from islice(_valid(found), 1)
        yield from islice(_valid(reversed(found)), 1)
    else:
        yield from _valid(found)


def _valid(found: Iterable[tuple[bytes, bytes]]) -> Iterator[datetime]:
    for time, zone in found:
        with suppress(OverflowError, ValueError):
            text = time.decode() + ("+00:00" if zone == b"Z" else zone.decode())
            when = datetime.fromisoformat(text).astimezone(timezone.utc)
            if EARLIEST <= when <= LATEST:
                yield when
