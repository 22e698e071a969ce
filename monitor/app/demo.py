"""Sample usage for `--demo`: written as Claude Code writes it, growing, removed at exit."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from monitor.clock import utc_now
from monitor.model.plans import PLAN_TOKENS, Rules

MODELS = ("claude-opus-4-20250514", "claude-sonnet-4-20250514", "claude-3-5-haiku-20241022")
DAYS = 9
UNDER_WAY = timedelta(hours=2, minutes=25)
SHARE_USED = 0.62
"""The active block is this old, and has used this much of the limit."""

NEXT_MESSAGE_SECONDS = (4.0, 14.0)


@contextmanager
def sample_usage(rules: Rules) -> Iterator[Path]:
    """Lend a temporary directory with a `claude` data directory that keeps growing.

    Scaled to the limit that `rules` name, so that every plan shows a lively screen.
    """
    home = Path(tempfile.mkdtemp(prefix="ccusage-monitor-demo-"))
    stop = threading.Event()
    try:
        sample = Sample(home / "claude", _limit(rules), utc_now())
        thread = threading.Thread(target=sample.grow, args=(stop,), daemon=True)
        thread.start()
        yield home
    finally:
        stop.set()
        shutil.rmtree(home, ignore_errors=True)


class Sample:
    """A made history: some days of work, then a block under way."""

    def __init__(self, root: Path, limit: int, now: datetime) -> None:
        self._random = random.Random(5)  # noqa: S311 - sample data, the same at every start
        self._project = root / "projects" / "-home-you-project"
        self._project.mkdir(parents=True)
        self._limit = limit
        self._messages = 0
        for begin, length, share in _sessions(now, self._random):
            self._work(begin, length, share)

    def grow(self, stop: threading.Event) -> None:
        """Append a message every few seconds, at the pace of the block so far."""
        pace = self._limit * SHARE_USED / UNDER_WAY.total_seconds()
        while not stop.is_set():
            pause = self._random.uniform(*NEXT_MESSAGE_SECONDS)
            if stop.wait(pause):
                return
            self._append("live", utc_now(), pace * pause * self._random.uniform(0.5, 1.6))

    def _work(self, begin: datetime, length: timedelta, share: float) -> None:
        """Write one session: bursts of messages that add up to `share` of the limit."""
        count = max(8, int(length / timedelta(seconds=95)))
        moments = sorted(self._moment(length) for _ in range(count))
        weights = [self._random.lognormvariate(0, 0.9) for _ in moments]
        scale = share * self._limit / sum(weights)
        name = f"{begin:%Y%m%d-%H%M}"
        for moment, weight in zip(moments, weights):
            self._append(name, begin + moment, weight * scale)

    def _moment(self, length: timedelta) -> timedelta:
        """Pick a moment of a session: people work in bursts, with pauses between."""
        burst = self._random.choice((0.08, 0.22, 0.3, 0.47, 0.62, 0.8, 0.93))
        return length * min(1.0, max(0.0, self._random.gauss(burst, 0.05)))

    def _append(self, session: str, when: datetime, tokens: float) -> None:
        with (self._project / f"{session}.jsonl").open("a", encoding="utf-8") as file:
            # ccusage 20 reads only compact JSON, as Claude Code writes it.
            file.write(json.dumps(self._record(session, when, tokens), separators=(",", ":")))
            file.write("\n")

    def _record(self, session: str, when: datetime, tokens: float) -> dict[str, object]:
        self._messages += 1
        prompt = max(1, int(tokens * 0.06))
        usage = {
            "input_tokens": prompt,
            "output_tokens": max(1, int(tokens) - prompt),
            "cache_creation_input_tokens": self._random.randrange(200, 4000),
            "cache_read_input_tokens": self._random.randrange(9000, 60000),
        }
        message = {
            "id": f"msg_demo_{self._messages:06d}",
            "type": "message",
            "role": "assistant",
            "model": self._random.choices(MODELS, (5, 4, 1))[0],
            "usage": usage,
        }
        return {
            "type": "assistant",
            "timestamp": when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "sessionId": session,
            "version": "2.1.30",
            "requestId": f"req_demo_{self._messages:06d}",
            "message": message,
        }


def _limit(rules: Rules) -> int:
    return rules.token_limit or rules.plan_tokens.get(rules.plan, PLAN_TOKENS["max5"])


def _sessions(now: datetime, chance: random.Random) -> Iterator[tuple[datetime, timedelta, float]]:
    """Yield begin, length and share of the limit of each session; the last is under way.

    At least six hours are quiet before the one under way, so that it opens a block of its own.
    """
    begun = now - UNDER_WAY
    for day in range(DAYS, 0, -1):
        for hour in (0, 7):
            if chance.random() < 0.8:
                begin = begun - timedelta(days=day) + timedelta(hours=hour + chance.random())
                length = timedelta(hours=chance.uniform(1.2, 4.2))
                yield begin, length, chance.uniform(0.3, 0.98)
    yield begun, now - begun, SHARE_USED
