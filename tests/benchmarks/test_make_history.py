from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from monitor.ccusage.report import parse_report
from monitor.model.blocks import active_block, real_blocks
from tests.real_ccusage import report
from tests.scripts import benchmark


def test_a_history_of_the_size_asked_for_ends_in_a_block_that_ccusage_calls_active(
    tmp_path: Path, real_ccusage: Callable[[str], Path]
) -> None:
    real_ccusage("20.0.24")
    assert benchmark("make_history.py", tmp_path / "out", "--mib", 0.5, "--days", 3) == ""
    files = list((tmp_path / "out").rglob("*.jsonl"))
    lines = [line for path in files for line in path.read_text("utf-8").splitlines()]
    assert 0.25 * 2**20 < sum(path.stat().st_size for path in files) < 2**20
    blocks = parse_report(report("20.0.24", tmp_path / "out"))
    assert active_block(blocks, datetime.now(timezone.utc)) is not None
    assert sum(block.entries for block in real_blocks(blocks)) == len(lines)


def test_a_files_time_is_that_of_its_last_message(tmp_path: Path) -> None:
    benchmark("make_history.py", tmp_path, "--mib", 0.1, "--days", 2)
    for path in tmp_path.rglob("*.jsonl"):
        last = json.loads(path.read_text("utf-8").splitlines()[-1])["timestamp"]
        modified = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
        stamp = datetime.fromisoformat(last.replace("Z", "+00:00"))
        assert abs(modified - stamp) < timedelta(milliseconds=2)


def test_files_of_earlier_days_get_several_names(tmp_path: Path) -> None:
    benchmark("make_history.py", tmp_path, "--mib", 0.1, "--days", 2, "--links", 3)
    names = {path.stat().st_nlink for path in tmp_path.rglob("*.jsonl")}
    assert names == {1, 3}
