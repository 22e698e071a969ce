"""The recorded reports of each supported major version of ccusage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.ccusage.report import parse_report
from monitor.model.blocks import Block


@dataclass(frozen=True)
class Recording:
    """What a version printed about one history, and when."""

    version: str
    now: datetime
    raw: dict[str, Any]

    @property
    def blocks(self) -> tuple[Block, ...]:
        return parse_report(json.dumps(self.raw))


def load(path: Path) -> Recording:
    """Read a file that record_reports.py wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Recording(content["version"], datetime.fromisoformat(content["now"]), content["report"])


RECORDINGS = [load(p) for p in sorted((Path(__file__).parent / "recorded").glob("ccusage-*.json"))]
each_recording = pytest.mark.parametrize("recorded", RECORDINGS, ids=lambda r: r.version)
