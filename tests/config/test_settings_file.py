"""The settings file: every option, a team's plans, alerts; errors name the file and the key."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, Optional

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.cli import _print_error, cli
from monitor.config.settings_file import NOT_IN_FILE
from monitor.store.paths import settings_path
from tests.conftest import RunMonitor
from tests.live.fakes import Fake


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A healthy ccusage with a block under way."""
    if sys.platform == "win32":
        pytest.skip("the fake is a shell script")
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
    """Return the error message for this settings file."""
    with pytest.raises(click.UsageError) as caught:
        parsed(text, path)
    assert caught.value.exit_code == 2
    message = printed(caught.value)
    assert message.startswith(str(path))
    return message


def printed(error: click.UsageError) -> str:
    """Return the one line in which the program says what is wrong."""
    with redirect_stderr(io.StringIO()) as output:
        _print_error(error)
    reason, _advice = output.getvalue().splitlines()
    return reason[len("Error: ") :]


# Every option that a file can set: the line, and what the program then has.
EVERY: dict[str, tuple[str, object]] = {
    "plan": ('plan = "max5"', "max5"),
    "account": ('account = "work"\n[accounts]\nwork = "~/.claude-work"', "work"),
    "official": ('official = "ask"', "ask"),
    "claude": ('claude = "claude --x"', "claude --x"),
    "once": ("once = true", True),
    "json": ("json = true", True),
    "follow": ("follow = true", True),
    "token_limit": ('token-limit = "44k"', 44_000),
    "reset_hour": ("reset-hour = 9", 9),
    "timezone": ('timezone = "US/Eastern"', "US/Eastern"),
    "refresh": ("refresh = 2.5", 2.5),
    "ccusage": ('ccusage = "npx --yes ccusage@20"', "npx --yes ccusage@20"),
    "claude_dir": ('claude-dir = ["/a", "/b"]', (Path("/a"), Path("/b"))),
    "online": ("online = true", True),
    "full_scan": ("full_scan = true", True),
    "no_cost": ("no-cost = true", True),
    "ascii": ("ascii = true", True),
    "no_color": ("no-color = true", True),
    "time_format": ("time-format = 24", "24"),
    "alert_at": ("alert-at = [50, 80.5]", (50.0, 80.5)),
    "bell": ("bell = true", True),
    "notify": ("notify = true", True),
    "alert_command": (
        "alert-command = 'true \"$CCUSAGE_ALERT_TITLE\"'",
        'true "$CCUSAGE_ALERT_TITLE"',
    ),
}
NAMES = {param.name for param in cli.params if param.name not in NOT_IN_FILE}


def test_every_option_there_is_is_tried_below() -> None:
    assert set(EVERY) == NAMES


@pytest.mark.parametrize("name", EVERY)
def test_every_option_can_be_set_in_the_file(name: str, file: Path) -> None:
    line, value = EVERY[name]
    assert parsed(line, file)[name] == value


@pytest.mark.parametrize("name", sorted(NOT_IN_FILE))
def test_what_is_about_one_run_is_no_setting_in_a_file_and_is_named_so(
    name: str, file: Path
) -> None:
    assert f"{name}: is not a setting in a file; use --" in fault(f"{name} = true", file)


@pytest.mark.parametrize("line", ["no-cost = true", "no_cost = true", '"no-cost" = true'])
def test_a_key_may_be_spelt_with_dashes_or_underscores(line: str, file: Path) -> None:
    assert parsed(line, file)["no_cost"] is True


def test_one_value_may_stand_where_several_may(file: Path) -> None:
    found = parsed('claude-dir = "/a"\nalert-at = 90', file)
    assert (found["claude_dir"], found["alert_at"]) == ((Path("/a"),), (90.0,))


def test_the_alerts_have_a_table_of_their_own(file: Path) -> None:
    found = parsed("[alerts]\nat = [70]\nbell = true\nnotify = true\ncommand = 'x'", file)
    alerts = [found[name] for name in ("alert_at", "bell", "notify", "alert_command")]
    assert alerts == [(70.0,), True, True, "x"]


def test_a_byte_order_mark_is_no_fault(file: Path) -> None:
    assert parsed("\ufeffplan = 'max5'", file)["plan"] == "max5"


# Wrong settings, and what the message says of them.
WRONG = {
    "plan = 'max5'\nrefesh = 3": "refesh: is not a setting; did you mean refresh?",
    "colour-of-the-sky = 1": "is not a setting; the settings are account, alert-at, ",
    "[alerts]\nbel = true": "alerts.bel: is not a setting; did you mean bell?",
    "[alarms]\nat = 80": "alarms: is no table here; did you mean [alerts]?",
    "[Accounts]\nwork = '/x'": "Accounts: is no table here; did you mean [accounts]?",
    "[account]\nwork = '/x'": "account: is no table here; did you mean [accounts]?",
    "[zoo]\nok = 1": "is no table here; the settings are [accounts], [alerts], [plans].",
    "\nplan = 'platinum'": "plan: 'platinum' is not one of 'pro', 'max5', 'max20'",
    "plan = 5": "is not one of",
    "plan = ['max5']": "plan: takes one value.",
    "plan = {a = 1}": "plan: is no table here; did you mean [plans]?",
    "token-limit = 'lots'": "try 44000, 44k or 1.5M",
    "token-limit = 0": "44k",
    "token-limit = true": "takes a string or a number",
    "reset-hour = 24": "reset-hour: '24' is not an hour from 0 to 23",
    "reset-hour = 9.5": "reset-hour: '9.5' is not an hour from 0 to 23",
    "reset-hour = 2026-01-01": "takes a string or a number",
    "timezone = 'Europe/Berlim'": "try Europe/Berlin",
    "refresh = 0.1": "not a number from 1 to 3600",
    "refresh = nan": "refresh: 'nan' is not a number",
    "alert-at = [80, nan]": "is not a number from 1 to 1000",
    "alert-at = [[80]]": "takes a string or a number",
    "no-cost = 'yes'": "no-cost: takes true or false.",
    "no-cost = 1": "takes true or false",
    "claude-dir = [1]": "claude-dir: takes a string.",
    "claude-dir = ['']": "takes a string",
    'ccusage = "a\\u0000b"': "ccusage: holds a control character",
    'timezone = "a\\u202eb"': "or one that reorders text; leave it out.",
    '[plans]\n"a\\nb" = 5': "is no name: it holds a character that cannot be seen.",
    "ccusage = 20": "takes a string",
    "token-limit = 0x" + "f" * 5000: "takes a string or a number",
    "plan = 'pro'\n[alerts]\n# at = 5\nat = 0": "alerts.at: '0' is not a number",
    "alerts.at = 0": "alerts.at",
    "alerts = {at = 0}": "alerts.at",
    "alerts = 5": "takes a table",
    "plans = 5": "plans: takes a table",
    "[plans]\nteam = 'much'": "plans.team: 'much' is not a number of tokens",
    "[plans]\nteam = 1.5": "60k",
    "[plans]\nteam = true": "60k",
    "[plans]\npro = 9000": "plans.pro: is the name of a plan already",
    "bell = true\n[plans]\nbell = 'x'": "plans.bell",
    "help = true": "help: is not a setting; the settings are account, alert-at",
    "yes = false": "yes: is not a setting in a file; use --yes or CCUSAGE_MONITOR_YES in the",
    "test-alert = true": "use --test-alert or CCUSAGE_MONITOR_TEST_ALERT in the environment.",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:30])
def test_a_wrong_setting_is_named_by_file_and_key_with_what_is_allowed(
    text: str, file: Path
) -> None:
    message = fault(text, file)
    assert message.startswith(f"{file}: ")
    assert WRONG[text] in message


@pytest.mark.parametrize(
    "text", ["plan =", "plan = 'a'\nplan = 'b'", "[" * 5000, "x = " + "9" * 5000, "a = \x1b[2J"]
)
def test_what_is_not_toml_is_called_so(text: str, file: Path) -> None:
    message = fault(text, file)
    assert message.startswith(f"{file}: is not valid TOML: ") and "\x1b" not in message


def test_an_error_of_syntax_is_named_with_its_line(file: Path) -> None:
    assert "line 2" in fault("plan = 'pro'\nrefresh =\n", file)


def test_a_file_that_is_not_text_is_called_so(
    file: Path, fake: Fake, run_monitor: RunMonitor
) -> None:
    file.write_bytes(b"plan = '\xff'")
    done = run_monitor("--once", "--config", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not UTF-8 text (byte 8)" in done.stderr


def test_a_directory_is_no_settings_file(tmp_path: Path, run_monitor: RunMonitor) -> None:
    done = run_monitor("--once", "--config", tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path}: cannot be read: " in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_pipe_in_its_own_place_is_not_waited_for(run_monitor: RunMonitor) -> None:
    settings_path().parent.mkdir(parents=True)
    os.mkfifo(settings_path())
    assert run_monitor("config", "--show").returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_pipe_that_was_named_is_read(run_monitor: RunMonitor) -> None:
    reading, writing = os.pipe()
    os.write(writing, b'plan = "max5"')
    os.close(writing)
    os.set_inheritable(reading, True)
    done = run_monitor("--config", f"/dev/fd/{reading}", "config", "--show", pass_fds=(reading,))
    assert "max5" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_file_without_an_end_is_no_settings_file(run_monitor: RunMonitor) -> None:
    done = run_monitor("--once", "--config", "/dev/zero")
    assert done.returncode == 2
    assert "/dev/zero: is not valid TOML" in done.stderr


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
    message = perhaps_a_fault(file)
    assert message is None or message.startswith(str(file))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(KEYS, TOML, max_size=3))
def test_any_values_are_settings_or_a_clear_fault(data: dict[str, Any], file: Path) -> None:
    # JSON is near enough to TOML's inline values to make all kinds of them.
    lines = (f"{key} = {_inline(value)}\n" for key, value in data.items())
    file.write_text("".join(lines), encoding="utf-8")
    message = perhaps_a_fault(file)
    if message is not None:
        assert message.startswith(str(file)) or "--follow goes with --json" in message


def perhaps_a_fault(path: Path) -> Optional[str]:
    """Return the error message for a settings file, None when it is accepted."""
    try:
        cli.make_context("ccusage-monitor", ["--config", str(path)])
    except click.UsageError as error:
        return printed(error)
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
    snapshots = [
        snapshot(fake, run_monitor),
        snapshot(fake, run_monitor, *config),
        snapshot(fake, run_monitor, *config, env=env),
        snapshot(fake, run_monitor, *config, "--token-limit", "10000", env=env),
    ]
    assert [found["limit"]["tokens"] for found in snapshots] == [7_000, 30_000, 20_000, 10_000]


@pytest.mark.skipif(sys.platform != "linux", reason="the place is that of Linux")
def test_the_platforms_own_place_is_looked_at_and_a_teams_file_can_be_named_in_the_environment(
    fake: Fake, file: Path, isolated: Path, run_monitor: RunMonitor
) -> None:
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
