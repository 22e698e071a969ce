"""The settings file: every option, a team's plans, alerts; every fault named by file and line."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Optional

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.cli import cli
from monitor.commands.config import NOT_SETTINGS
from monitor.config.settings_file import NEVER_IN_FILE
from tests.conftest import RunMonitor
from tests.live.fakes import Fake

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A healthy ccusage with a block under way."""
    return Fake(tmp_path / "fake")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the tests write their settings."""
    return tmp_path / "config.toml"


def parsed(text: str, path: Path) -> dict[str, Any]:
    """Return the parameters that the program has with this settings file. Raises click's errors."""
    path.write_text(text, encoding="utf-8")
    with cli.make_context("ccusage-monitor", ["--config", str(path)]) as ctx:
        return dict(ctx.params)


def fault(text: str, path: Path) -> str:
    """Return what is said of this settings file."""
    with pytest.raises(click.UsageError) as caught:
        parsed(text, path)
    assert caught.value.exit_code == 2
    said = caught.value.format_message()
    assert "\n" not in said and said.startswith(str(path))
    return said


# Every option that a file can set: the line, and what the program then has.
EVERY: dict[str, tuple[str, object]] = {
    "plan": ('plan = "max5"', "max5"),
    "token_limit": ('token-limit = "44k"', 44_000),
    "reset_hour": ("reset-hour = 9", 9),
    "timezone": ('timezone = "US/Eastern"', "US/Eastern"),
    "refresh": ("refresh = 2.5", 2.5),
    "once": ("once = true", True),
    "json": ("json = true", True),
    "follow": ("follow = true", True),
    "ccusage": ('ccusage = "npx --yes ccusage@20"', "npx --yes ccusage@20"),
    "claude_dir": ('claude-dir = ["/a", "/b"]', ("/a", "/b")),
    "online": ("online = true", True),
    "full_scan": ("full_scan = true", True),
    "no_cost": ("no-cost = true", True),
    "ascii": ("ascii = true", True),
    "no_color": ("no-color = true", True),
    "time_format": ("time-format = 24", "24"),
    "yes": ("yes = true", True),
    "demo": ("demo = true", True),
    "alert_at": ("alert-at = [50, 80.5]", (50.0, 80.5)),
    "bell": ("bell = true", True),
    "notify": ("notify = true", True),
    "alert_command": (
        "alert-command = 'true \"$CCUSAGE_ALERT_TITLE\"'",
        'true "$CCUSAGE_ALERT_TITLE"',
    ),
    "test_alert": ("test-alert = true", True),
}
NAMES = {param.name for param in cli.params if param.name not in NEVER_IN_FILE}


def test_every_option_there_is_is_tried_below() -> None:
    assert set(EVERY) == NAMES


@pytest.mark.parametrize("name", EVERY)
def test_every_option_can_be_set_in_the_file(name: str, file: Path) -> None:
    line, value = EVERY[name]
    assert parsed(line, file)[name] == value


@pytest.mark.parametrize("line", ["no-cost = true", "no_cost = true", '"no-cost" = true'])
def test_a_key_may_be_spelt_with_dashes_or_underscores(line: str, file: Path) -> None:
    assert parsed(line, file)["no_cost"] is True


def test_one_value_may_stand_where_several_may(file: Path) -> None:
    found = parsed('claude-dir = "/a"\nalert-at = 90', file)
    assert (found["claude_dir"], found["alert_at"]) == (("/a",), (90.0,))


def test_the_alerts_have_a_table_of_their_own(file: Path) -> None:
    found = parsed("[alerts]\nat = [70]\nbell = true\nnotify = true\ncommand = 'x'", file)
    alerts = [found[name] for name in ("alert_at", "bell", "notify", "alert_command")]
    assert alerts == [(70.0,), True, True, "x"]


def test_a_byte_order_mark_is_no_fault(file: Path) -> None:
    assert parsed("\ufeffplan = 'max5'", file)["plan"] == "max5"


# Wrong settings: the line that is named, and what is said.
WRONG = {
    "plan = 'max5'\nrefesh = 3": ("2", "refesh: is no setting; the nearest is refresh."),
    "colour-of-the-sky = 1": ("1", "is no setting; there are alert-at, "),
    "[alerts]\nbel = true": ("2", "alerts.bel: is no setting; there are at, bell, notify, command"),
    "[alarms]\nat = 80": ("1", "alarms: is no setting"),
    "\nplan = 'platinum'": ("2", "plan: 'platinum' is not one of 'pro', 'max5', 'max20'"),
    "plan = 5": ("1", "is not one of"),
    "plan = ['max5']": ("1", "plan: takes one value."),
    "plan = {a = 1}": ("1", "plan: takes a text or a number."),
    "token-limit = 'lots'": ("1", "try 44000, 44k or 1.5M"),
    "token-limit = 0": ("1", "44k"),
    "token-limit = true": ("1", "takes a text or a number"),
    "reset-hour = 24": ("1", "0<=x<=23"),
    "reset-hour = 9.5": ("1", "is not a valid integer"),
    "reset-hour = 2026-01-01": ("1", "takes a text or a number"),
    "timezone = 'Europe/Berlim'": ("1", "the nearest are Europe/Berlin"),
    "refresh = 0.1": ("1", "1<=x<=3600"),
    "refresh = nan": ("1", "is no number"),
    "alert-at = [80, nan]": ("1", "is no number"),
    "alert-at = [[80]]": ("1", "takes a text or a number"),
    "no-cost = 'yes'": ("1", "no-cost: takes true or false."),
    "no-cost = 1": ("1", "takes true or false"),
    "claude-dir = [1]": ("1", "claude-dir: takes a text."),
    "claude-dir = ['']": ("1", "takes a text"),
    'ccusage = "a\\u0000b"': ("1", "takes a text"),
    "ccusage = 20": ("1", "takes a text"),
    "token-limit = 0x" + "f" * 5000: ("1", "takes a text or a number"),
    "plan = 'pro'\n[alerts]\n# at = 5\nat = 0": ("4", "alerts.at: 0"),
    "alerts.at = 0": ("1", "alerts.at"),
    "alerts = {at = 0}": ("1", "alerts.at"),
    "alerts = 5": ("1", "takes a table"),
    "plans = 5": ("1", "plans: takes a table"),
    "[plans]\nteam = 'much'": ("2", "plans.team: 'much' is no number of tokens"),
    "[plans]\nteam = 1.5": ("2", "60k"),
    "[plans]\nteam = true": ("2", "60k"),
    "[plans]\npro = 9000": ("2", "is one of the plans that there are"),
    "bell = true\n[plans]\nbell = 'x'": ("3", "plans.bell"),
    "config = 'x'": ("1", "is no setting"),
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:30])
def test_a_wrong_setting_is_named_by_file_line_and_key_with_what_is_allowed(
    text: str, file: Path
) -> None:
    line, words = WRONG[text]
    said = fault(text, file)
    assert said.startswith(f"{file}, line {line}: ")
    assert words in said


@pytest.mark.parametrize(
    "text", ["plan =", "plan = 'a'\nplan = 'b'", "[" * 5000, "x = " + "9" * 5000, "a = \x1b[2J"]
)
def test_what_is_no_toml_is_said_to_be_none(text: str, file: Path) -> None:
    said = fault(text, file)
    assert ": is no TOML: " in said and "\x1b" not in said


def test_a_file_that_is_no_text_is_said_to_be_none(
    file: Path, fake: Fake, run_monitor: RunMonitor
) -> None:
    file.write_bytes(b"plan = '\xff'")
    done = run_monitor("--once", "--config", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is no UTF-8 text (byte 8)" in done.stderr


def test_a_directory_is_no_settings_file(tmp_path: Path, run_monitor: RunMonitor) -> None:
    done = run_monitor("--once", "--config", tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path}: cannot be read: " in done.stderr


def test_a_file_that_was_named_must_be_there(tmp_path: Path, run_monitor: RunMonitor) -> None:
    done = run_monitor("--once", "--config", tmp_path / "none.toml")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].endswith("none.toml: there is no such settings file.")


TOML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from([*sorted(n.replace("_", "-") for n in NAMES if n), "plans", "alerts", "x"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes_are_settings_or_a_clear_fault(data: bytes, file: Path) -> None:
    file.write_bytes(data)
    said = perhaps_a_fault(file)
    assert said is None or said.startswith(str(file))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(KEYS, TOML, max_size=3))
def test_any_values_are_settings_or_a_clear_fault(data: dict[str, Any], file: Path) -> None:
    # JSON is near enough to TOML's inline values to make all kinds of them.
    lines = (f"{key} = {_inline(value)}\n" for key, value in data.items())
    file.write_text("".join(lines), encoding="utf-8")
    said = perhaps_a_fault(file)
    if said is not None:
        assert said.startswith(str(file)) or "--follow goes with --json" in said
        assert "\n" not in said


def perhaps_a_fault(path: Path) -> Optional[str]:
    """Return what is said of a settings file, None when it is accepted; else nothing is raised."""
    try:
        cli.make_context("ccusage-monitor", ["--config", str(path)])
    except click.UsageError as error:
        return error.format_message()
    return None


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(
                f"{json.dumps(k, ensure_ascii=False)} = {_inline(v)}" for k, v in value.items()
            )
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps("" if value is None else value, ensure_ascii=False)


def snapshot(fake: Fake, run_monitor: RunMonitor, *words: object, **options: Any) -> Any:
    done = run_monitor(
        *words, "--json", "--ccusage", fake.path, "--claude-dir", fake.data, **options
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_command_line_beats_environment_beats_file_beats_default(
    fake: Fake, file: Path, run_monitor: RunMonitor
) -> None:
    file.write_text("token-limit = 30000\n", encoding="utf-8")
    config, env = ("--config", file), {"CCUSAGE_MONITOR_TOKEN_LIMIT": "20000"}
    found = [
        snapshot(fake, run_monitor),
        snapshot(fake, run_monitor, *config),
        snapshot(fake, run_monitor, *config, env=env),
        snapshot(fake, run_monitor, *config, "--token-limit", "10000", env=env),
    ]
    assert [said["limit"]["tokens"] for said in found] == [7_000, 30_000, 20_000, 10_000]


def test_the_platforms_own_place_is_looked_at_and_a_teams_file_can_be_named_in_the_environment(
    fake: Fake, file: Path, isolated: Path, run_monitor: RunMonitor
) -> None:
    if sys.platform != "linux":
        pytest.skip("the place is that of Linux")
    own = isolated / "config" / "ccusage-monitor" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text("plan = 'max5'\n", encoding="utf-8")
    assert snapshot(fake, run_monitor)["limit"]["tokens"] == 35_000
    file.write_text("plan = 'max20'\n", encoding="utf-8")
    env = {"CCUSAGE_MONITOR_CONFIG": str(file)}
    assert snapshot(fake, run_monitor, env=env)["limit"]["tokens"] == 140_000


def test_a_teams_own_plan_works_by_name_everywhere_and_says_where_it_is_from(
    fake: Fake, file: Path, run_monitor: RunMonitor
) -> None:
    file.write_text("[plans]\nteam-max = '60k'\n", encoding="utf-8")
    config = ("--config", file)
    limit = snapshot(fake, run_monitor, *config, "--plan", "team-max")["limit"]
    assert (limit["tokens"], limit["plan"], limit["source"]) == (60_000, "team-max", "plan")
    env = {"CCUSAGE_MONITOR_PLAN": "team-max"}
    assert snapshot(fake, run_monitor, *config, env=env)["limit"]["tokens"] == 60_000
    words = (*config, "--plan", "team-max", "--once", "--ccusage", fake.path, "--claude-dir")
    assert "plan of your settings file" in run_monitor(*words, fake.data).stdout
    wrong = run_monitor(*config, "--plan", "team-mox")
    assert wrong.returncode == 2 and "'team-max'" in wrong.stderr


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
    names = {name.replace("_", "-") for name in NAMES - NOT_SETTINGS if name}
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
    found = parsed(bare, file)
    assert tomllib.loads(bare)["alerts"]["at"] == [80, 95]
    assert found["alert_at"] == (80.0, 95.0) and found["claude_dir"] == ("~/.claude",)
    written = {
        key.replace("-", "_") for key in tomllib.loads(bare) if key not in ("plans", "alerts")
    }
    assert written == NAMES - NOT_SETTINGS - {"alert_at", "bell", "notify", "alert_command"}


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
