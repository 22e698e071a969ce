"""`--test-alert`: one alert in every way that was chosen."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import RunMonitor
from tests.live.fakes import Fake


def words(fake: Fake, *options: object) -> tuple[object, ...]:
    return ("--ccusage", fake.path, "--claude-dir", fake.data, "--test-alert", *options)


def test_a_test_alert_prints_the_result_of_each_way(
    fake: Fake, tmp_path: Path, run_monitor: RunMonitor
) -> None:
    command = f"env | grep ^CCUSAGE_ALERT_ >{tmp_path}/variables"
    done = run_monitor(*words(fake, "--bell", "--notify", "--alert-command", command))
    assert done.returncode == 1  # not every way worked: the terminal is not known to notify
    assert "bell: rung" in done.stdout
    assert "notify: this terminal is not known to show notifications" in done.stdout
    assert "command: exit code 0" in done.stdout
    assert "CCUSAGE_ALERT_KIND=test\n" in (tmp_path / "variables").read_text()


def test_a_test_alert_whose_command_fails_is_exit_1(fake: Fake, run_monitor: RunMonitor) -> None:
    done = run_monitor(*words(fake, "--alert-command", "exit 3"))
    assert (done.returncode, done.stdout, done.stderr) == (1, "command: exit code 3\n", "")


def test_a_test_alert_with_no_way_chosen_says_which_there_are(
    fake: Fake, run_monitor: RunMonitor
) -> None:
    done = run_monitor(*words(fake))
    assert done.returncode == 1
    assert "--bell, --notify or --alert-command" in done.stderr
