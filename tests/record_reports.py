"""Record what each real ccusage version prints about one made history, into tests/recorded/.

Run `python -m tests.record_reports` to renew the files. `isActive` depends on the clock, so the
history ends now, and the instant is kept beside each report.
"""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.histories import Row, limit_message, streamed, write_messages
from tests.real_ccusage import VERSIONS, report

RECORDED = Path(__file__).parent / "recorded"


def make_history(directory: Path, now: datetime) -> None:
    """Write ten sessions with gaps, streamed answers, a limit message and one from the future.

    The block under way began 95 minutes ago; a message seven hours ahead makes a second active one.
    """
    for number, hours in enumerate((90, 81, 75, 69, 52, 46, 40, 30, 22, 14)):
        start = now - timedelta(hours=hours)
        rows = [Row(start + timedelta(minutes=9 * i), 20 + i, 150 * i) for i in range(1, 8)]
        name = f"5f0c7a52-{number:04x}-4000-8000-000000000001"
        write_messages(directory, rows, project=f"-home-dev-{number % 3}", session=name)
    start = now - timedelta(minutes=95)
    active = [Row(start + timedelta(minutes=12 * i), 30, 400) for i in range(7)]
    lines = [line for row in active for line in streamed(row)]
    limit = limit_message(now - timedelta(minutes=5), now + timedelta(hours=2))
    write_messages(directory, [*lines, limit])
    future = [Row(now + timedelta(hours=7), 5, 50)]
    write_messages(directory, future, session="5f0c7a52-00ff-4000-8000-000000000001")


def main() -> None:
    """Record one file for each version."""
    with tempfile.TemporaryDirectory() as made:
        now = datetime.now(timezone.utc).replace(microsecond=0)
        make_history(Path(made), now)
        for version in VERSIONS:
            kept = {"version": version, "now": now.isoformat(), "report": {}}
            kept["report"] = json.loads(report(version, Path(made)))
            path = RECORDED / f"ccusage-{version}.json"
            path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            print(f"{path.name}: {len(json.dumps(kept)):,} characters")


if __name__ == "__main__":
    main()
