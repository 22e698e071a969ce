"""Write a Claude data directory of a chosen size, with an active block.

    python benchmarks/make_history.py OUT --mib 1024 [--days 120] [--links 10] [--seed 1]

Files have realistic sizes (median 100 kB, a long tail), lines have a few kB, work comes in sessions
with breaks, and each file's modification time is that of its last message.

--links N gives every file of earlier days N names. A monitor that reads everything then reads and
parses each name: 1 GiB with 10 names costs what 10 GiB cost, without the disk space. The counts
stay those of one name, since ccusage drops repeated messages.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

MODELS = ("claude-opus-4-20250514", "claude-sonnet-4-20250514", "claude-3-5-haiku-20241022")
TEXT = "lorem ipsum dolor sit amet " * 400
LINE_BYTES = 2_800
BREAKS = (1.5, 2, 6, 9, 13, 30)


class Session(NamedTuple):
    """A stretch of work."""

    start: datetime
    end: datetime


def make(out: Path, mib: float, days: int = 120, links: int = 1, seed: int = 1) -> None:
    """Write the history; exits when it would not leave half of the free space."""
    wanted = int(mib * 2**20)
    out.mkdir(parents=True, exist_ok=True)
    if wanted > shutil.disk_usage(out).free / 2:
        sys.exit(f"{out}: {mib:g} MiB would take more than half of the free space.")
    rng, now = random.Random(seed), datetime.now(timezone.utc)
    sessions = list(_sessions(rng, now, days))
    hours = sum((each.end - each.start).total_seconds() for each in sessions)
    for session in sessions:
        share = (session.end - session.start).total_seconds() / hours
        for path in _write_session(rng, out, session, int(wanted * share)):
            if session is not sessions[-1]:
                _add_names(path, links)


def line(
    when: datetime, name: str, tokens: tuple[int, int, int, int], model: str, text: str
) -> str:
    """Return one message as Claude Code writes it: compact JSON, a line."""
    kinds = ("input", "output", "cache_creation_input", "cache_read_input")
    usage = {f"{kind}_tokens": number for kind, number in zip(kinds, tokens)}
    content = [{"type": "text", "text": text}]
    record: dict[str, Any] = {
        "timestamp": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "sessionId": "benchmark",
        "version": "2.1.30",
        "type": "assistant",
        "requestId": f"req_{name}",
        "message": {
            "id": f"msg_{name}",
            "role": "assistant",
            "model": model,
            "content": content,
            "usage": usage,
        },
    }
    return json.dumps(record, separators=(",", ":")) + "\n"


def _sessions(rng: random.Random, now: datetime, days: int) -> Iterator[Session]:
    start, last = now - timedelta(days=days), now - timedelta(hours=13)
    while start < last:
        end = min(start + timedelta(hours=rng.lognormvariate(0.6, 0.7)), last)
        yield Session(start, end)
        start = end + timedelta(hours=rng.choice(BREAKS))
    yield Session(now - timedelta(minutes=40), now - timedelta(seconds=5))


def _write_session(rng: random.Random, out: Path, session: Session, size: int) -> Iterator[Path]:
    folder = out / "projects" / f"-home-dev-project-{rng.randrange(12):02d}"
    folder.mkdir(parents=True, exist_ok=True)
    while size > 0:
        path = folder / f"{rng.getrandbits(128):032x}.jsonl"
        _write_file(rng, path, session, min(size, int(rng.lognormvariate(11.6, 1.3))))
        size -= max(path.stat().st_size, LINE_BYTES)
        yield path


def _write_file(rng: random.Random, path: Path, session: Session, size: int) -> None:
    length = (session.end - session.start).total_seconds()
    count = max(1, size // LINE_BYTES)
    times = [session.start + timedelta(seconds=rng.uniform(0, length)) for _ in range(count)]
    with path.open("w", encoding="utf-8") as file:
        for number, when in enumerate(sorted(times)):
            file.write(_random_line(rng, when, f"{path.stem}{number}"))
    os.utime(path, (max(times).timestamp(),) * 2)


def _random_line(rng: random.Random, when: datetime, name: str) -> str:
    cache = (rng.randrange(6_000), rng.randrange(5_000, 90_000))
    tokens = (rng.randrange(1, 40), rng.randrange(20, 900), *cache)
    text = TEXT[: rng.choice([200, 1_200, 2_200, 4_200, 9_000])]
    return line(when, name, tokens, rng.choices(MODELS, [3, 6, 1])[0], text)


def _add_names(path: Path, links: int) -> None:
    for number in range(1, links):
        os.link(path, path.with_name(f"{path.stem}-{number}.jsonl"))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--mib", type=float, default=64, help="default: 64")
    parser.add_argument("--days", type=int, default=120, help="default: 120")
    parser.add_argument("--links", type=int, default=1, help="default: 1")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    make(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
