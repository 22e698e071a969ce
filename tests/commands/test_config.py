"""`config`: each setting with its origin, and the commented file that --init writes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.cli import cli
from monitor.commands.config import NOT_LISTED
from tests.conftest import RunMonitor

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAMES = {param.name or "" for param in cli.params} - NOT_LISTED


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the tests write their settings."""
    return tmp_path / "config.toml"


def shown(run_monitor: RunMonitor, *words: object, **options: Any) -> dict[str, tuple[str, str]]:
    done = run_monitor(*words, "config", "--show", **options)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [re.split(r"  +", row, maxsplit=2) for row in done.stdout.splitlines()]
    return {name: (value, origin) for name, value, origin in rows}


def test_show_says_each_value_and_where_it_came_from(file: Path, run_monitor: RunMonitor) -> None:
    file.write_text("refresh = 5\n[plans]\nteam = '60k'\n[alerts]\nbell = true\n", encoding="utf-8")
    env = {"CCUSAGE_MONITOR_TIMEZONE": "Asia/Tokyo"}
    found = shown(run_monitor, "--config", file, "--plan", "team", env=env)
    assert found["plan"] == ("team", "command line")
    assert found["timezone"] == ("Asia/Tokyo", "environment, CCUSAGE_MONITOR_TIMEZONE")
    assert found["refresh"] == ("5", str(file))
    assert found["bell"] == ("true", str(file))
    assert found["plans.team"] == ("60000", str(file))
    assert found["ascii"] == ("false", "default")


def test_show_has_a_row_for_every_setting(run_monitor: RunMonitor) -> None:
    names = {name.replace("_", "-") for name in NAMES}
    found = shown(run_monitor)
    assert set(found) == names | {"config"}
    where, fault = found["config"]
    assert where == "-" and re.search(r"config\.toml is not there$", fault)


def test_show_says_what_an_option_means_that_nobody_set(run_monitor: RunMonitor) -> None:
    found = shown(run_monitor)
    assert found["alert-at"] == ("80 and 95", "default")
    assert found["timezone"] == ("this machine's", "default")
    assert found["token-limit"] == ("-", "default")


@pytest.mark.parametrize("words", [(), ("--show", "--init")])
def test_config_takes_one_of_its_options(words: tuple[str, ...], run_monitor: RunMonitor) -> None:
    done = run_monitor("config", *words)
    assert (done.returncode, done.stdout) == (2, "")


def test_init_writes_a_file_that_changes_nothing(file: Path, run_monitor: RunMonitor) -> None:
    before = shown(run_monitor)
    del before["config"]  # there is one now
    done = run_monitor("--config", file, "config", "--init")
    assert (done.returncode, done.stdout) == (0, f"Wrote {file}.\n")
    assert shown(run_monitor, "--config", file) == before


def test_every_line_that_init_wrote_is_accepted_without_its_comment(
    file: Path, run_monitor: RunMonitor
) -> None:
    run_monitor("--config", file, "config", "--init")
    text = file.read_text(encoding="utf-8")
    bare = re.sub(r"^# ([a-z-]+ = )", r"\1", text, flags=re.MULTILINE)
    file.write_text(bare, encoding="utf-8")
    found = cli.make_context("ccusage-monitor", ["--config", str(file)]).params
    assert tomllib.loads(bare)["alerts"]["at"] == [80, 95]
    assert found["alert_at"] == (80.0, 95.0) and found["claude_dir"] == (Path("~/.claude"),)
    tables = ("plans", "alerts", "accounts")
    written = {key.replace("-", "_") for key in tomllib.loads(bare) if key not in tables}
    assert written == NAMES - {"alert_at", "bell", "notify", "alert_command"}


def test_init_overwrites_nothing(file: Path, run_monitor: RunMonitor) -> None:
    file.write_text("plan = 'max5'\n", encoding="utf-8")
    done = run_monitor("--config", file, "config", "--init")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{file} exists already.\n")
    assert file.read_text(encoding="utf-8") == "plan = 'max5'\n"


def test_init_goes_to_the_platforms_place_and_makes_its_directory(
    isolated: Path, run_monitor: RunMonitor
) -> None:
    path = Path(run_monitor("config", "--init").stdout[len("Wrote ") : -2])
    assert path.name == "config.toml" and isolated in path.parents
    assert path.read_text(encoding="utf-8").startswith("# Settings of ccusage-monitor.")


def test_init_says_why_it_cannot_write(tmp_path: Path, run_monitor: RunMonitor) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run_monitor("--config", tmp_path / "file" / "config.toml", "config", "--init")
    assert done.returncode == 1
    assert "could not be written: " in done.stderr and "Traceback" not in done.stderr
