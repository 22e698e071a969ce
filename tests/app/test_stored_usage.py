"""The usage of the stored reading, for who must be quick."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from monitor.app.opening import open_account, read_usage
from monitor.app.stored_usage import stored_usage
from monitor.clock import utc_now
from monitor.model.plans import Rules
from monitor.store.paths import state_dir
from tests.app.reports import Fake, raw_block
from tests.app.test_opening import settings

SLOW = ("monitor.process", "monitor.ccusage", "monitor.app.poller", "monitor.terminal")


def test_it_is_the_usage_that_was_read_last(fake: Fake, root: Path) -> None:
    now = utc_now()
    assert stored_usage(state_dir(), [str(root)], Rules(), now) is None
    fake.says(raw_block(now - timedelta(hours=1), now, 300))
    chosen = settings(fake, root)
    with open_account(chosen) as (_, poller):
        read = read_usage(chosen, poller)
    stored = stored_usage(state_dir(), [str(root)], chosen.rules, now)
    assert stored is not None and stored.tokens == read.tokens
    other = stored_usage(state_dir(), [str(root)], chosen.rules, now, "other options")
    assert other is None


def test_nothing_that_takes_a_reading_is_loaded_for_it() -> None:
    source = f"import sys, monitor.app.stored_usage; print(set({SLOW}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"
