"""Opening a run: its private files are gone afterwards; nothing is installed without a yes."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.app.opening import offer_install, open_account, open_poller, read_usage
from monitor.ccusage.diagnosis import GET_CCUSAGE
from monitor.ccusage.pinned import PINNED
from monitor.clock import utc_now
from monitor.config.settings import AlertOptions, DataOptions, LimitOptions, Settings
from monitor.errors import CcusageNotFoundError, MonitorError
from monitor.store.history import load_history
from monitor.store.paths import cache_dir, state_dir
from tests.app.reports import Fake, lengths, raw_block

MISSING = CcusageNotFoundError("ccusage was not found on PATH.", GET_CCUSAGE)


def settings(fake: Fake, root: Path, **changes: Any) -> Settings:
    data = DataOptions(str(fake.path), (root,))
    made = Settings(LimitOptions(timezone="UTC"), data, AlertOptions(), no_color=True)
    return replace(made, **changes)


def test_the_private_files_of_a_run_are_gone_afterwards(fake: Fake, root: Path) -> None:
    chosen = settings(fake, root)
    with open_account(chosen) as (_, poller):
        read_usage(chosen, poller)
        assert list((cache_dir() / "run").glob("run-*"))
    assert not list((cache_dir() / "run").glob("run-*"))


def test_an_error_of_the_poll_is_raised(fake: Fake, root: Path) -> None:
    fake.breaks()
    chosen = settings(fake, root)
    with open_account(chosen) as (_, poller), pytest.raises(MonitorError, match="no report"):
        read_usage(chosen, poller)


def test_with_custom_max_the_history_is_read_before_the_usage_is_shown(
    fake: Fake, root: Path
) -> None:
    now = utc_now()
    fake.says(raw_block(now - timedelta(hours=1), now, 300))
    chosen = settings(fake, root, limit=LimitOptions("custom_max"))
    with open_account(chosen) as (_, poller):
        assert read_usage(chosen, poller).limit.is_settled
        assert poller.result.history is not None


def test_without_a_terminal_and_a_yes_nothing_is_installed_and_the_command_is_named(
    fake: Fake, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings(fake, root)
    with open_poller(chosen, state_dir()) as poller:
        monkeypatch.setattr(
            poller.reader.runner, "run", lambda *_, **__: pytest.fail("npm was run")
        )
        with pytest.raises(MonitorError) as refused:
            offer_install(chosen, poller, MISSING)
    assert refused.value is MISSING
    assert "--yes" in GET_CCUSAGE and f"npm install -g ccusage@{PINNED}" in GET_CCUSAGE


def histories() -> list[Path]:
    return list(state_dir().glob("history-*.json"))


def test_a_small_history_is_checked_at_once_when_the_last_check_is_a_day_old(
    fake: Fake, root: Path
) -> None:
    now = utc_now()
    fake.says(raw_block(now - timedelta(hours=1), now, 300))
    chosen = settings(fake, root)
    for expected in (["5", "0.02", "5"], ["5", "0.02"]):
        with open_account(chosen) as (_, poller):
            read_usage(chosen, poller)
        assert lengths(fake.calls())[:3] == expected
    assert histories()


def test_a_large_history_is_checked_in_the_background_once_an_hour(
    fake: Fake, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    fake.says(raw_block(now - timedelta(hours=1), now, 300))
    started: list[Sequence[str]] = []
    monkeypatch.setattr("monitor.app.opening.QUICK_BYTES", 0)
    monkeypatch.setattr("monitor.app.opening.start_detached", started.append)
    chosen = settings(fake, root, limit=LimitOptions(plan="max5", timezone="UTC"))
    for _ in range(2):
        with open_account(chosen) as (_, poller):
            read_usage(chosen, poller)
    assert len(started) == 1
    known = [load_history(path) for path in histories()]
    assert all(history.read_at is None for history in known if history)
    subprocess.run(started[0], check=True, stdout=subprocess.DEVNULL)
    assert histories()
