"""Escape codes in the settings file, in its path and in other paths: none reaches any output."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Optional

import pytest

from monitor.cli import cli
from monitor.config.settings_file import ALERT_KEYS
from tests.live.fakes import MONITOR, Fake, active, assert_only_ours, live
from tests.waiting import PATIENCE

CODES = "\x1b[2J\x9b2J\x85\u202e\u2066\x7f\x07"
ODD = f"a{CODES}b"
ANY = (0, 1, 2, 20)
"""The exit codes of a run that ends as it should."""

STATUS = (
    b'{"model": {"display_name": "Opus"}, "rate_limits": {"five_hour": {"used_percentage": 24}}}'
)


class Planted:
    """A ccusage, a data directory and a settings file below a directory of an odd name."""

    def __init__(self, home: Path) -> None:
        self.home = home / ODD
        self.fake = Fake(self.home)
        self.fake.reports(active(models=[f"claude-{ODD}"]), version="20.0.24")
        self.config = self.home / f"{ODD}.toml"
        self.config.write_text("token-limit = 9000\n", encoding="utf-8")
        self.gone = self.home / f"gone {ODD}"

    @property
    def options(self) -> tuple[object, ...]:
        """The options that name all of it."""
        paths = ("--ccusage", self.fake.path, "--claude-dir", self.fake.data)
        return (*paths, "--config", self.config)

    @property
    def variables(self) -> dict[str, str]:
        """The environment that names all of it."""
        paths = {"CCUSAGE": self.fake.path, "CLAUDE_DIR": self.fake.data, "CONFIG": self.config}
        return {f"CCUSAGE_MONITOR_{name}": str(path) for name, path in paths.items()}


@pytest.fixture
def odd(tmp_path: Path) -> Planted:
    """All paths are odd."""
    return Planted(tmp_path)


def harmless(
    *words: object, codes: Sequence[int] = (0,), env: Optional[Mapping[str, str]] = None
) -> str:
    """Run the monitor; return what it printed, which holds no code but its own colours."""
    done = subprocess.run(
        [*MONITOR, *map(str, words)],
        env={**os.environ, "FORCE_COLOR": "1", **(env or {})},
        input=STATUS,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode in codes, done.stderr.decode()
    assert_only_ours(done.stdout)
    assert_only_ours(done.stderr)
    assert b"Traceback" not in done.stderr
    return (done.stdout + done.stderr).decode()


def file_is_harmless(path: Path) -> None:
    assert_only_ours(path.read_bytes())


# --- every string that a settings file can hold


def every_string() -> Iterator[str]:
    """Yield settings files with the codes in each place where a string or a name may be."""
    text = json.dumps(ODD)
    for param in cli.params:
        yield f"{param.name} = [{text}]\n" if param.multiple else f"{param.name} = {text}\n"
    yield from (f"[alerts]\n{key} = {text}\n" for key in ALERT_KEYS)
    yield f"plan = {text}\n[plans]\n{text} = 60000\n"
    yield f"[plans]\n{text} = 'much'\n"
    yield f"[plans]\nteam = {text}\n"
    yield f"[alerts]\n{text} = 1\n"
    yield f"{text} = 1\n"
    yield f"[{text}]\nat = 1\n"
    yield f"plan = {ODD}\n"  # no TOML
    yield f"plan = 'pro'\n[plans]\n{text} = 1\n{text} = 2\n"


@pytest.mark.parametrize("text", [*every_string()], ids=lambda text: re.sub(r"\W+", "-", text)[:40])
def test_a_settings_file_with_a_hidden_character_is_refused_in_one_harmless_line(
    odd: Planted, text: str
) -> None:
    odd.config.write_text(text, encoding="utf-8")
    shown = harmless("--config", odd.config, "--once", codes=(2,))
    assert shown.startswith("Error: ") and len(shown.splitlines()) == 2
    line = harmless("--config", odd.config, "statusline")
    assert line.startswith("ccusage-monitor: ") and len(line.splitlines()) == 1


def test_a_plans_name_with_codes_reaches_no_help_and_no_metrics(odd: Planted) -> None:
    name = json.dumps(ODD)
    odd.config.write_text(f"plan = {name}\n[plans]\n{name} = 60000\n", encoding="utf-8")
    said = harmless(*odd.options, "--help", codes=(2,))
    assert "holds a character that cannot be seen" in said
    prom = odd.home / "x.prom"
    harmless(*odd.options, "serve-metrics", "--textfile", prom, codes=(2,))
    assert not prom.exists()


def test_a_command_of_several_lines_is_a_setting(odd: Planted) -> None:
    odd.config.write_text('[alerts]\ncommand = """\n\ttrue\n\ttrue\n"""\n', encoding="utf-8")
    assert "␉true␊␉true␊" in harmless("--config", odd.config, "config", "--show")


# --- every output, with all paths odd

OUTPUTS = (
    "--once",
    "--json",
    "line",
    "line --format waybar",
    "check",
    "history",
    "history --daily",
    "history --heatmap",
    "history --json",
    "config --show",
    "statusline",
    "doctor",
    "--help",
    "--version",
)


@pytest.mark.parametrize("command", OUTPUTS)
@pytest.mark.parametrize("way", ["options", "environment"])
def test_no_output_holds_a_code_of_a_path(odd: Planted, command: str, way: str) -> None:
    options, env = (odd.options, {}) if way == "options" else ((), odd.variables)
    first, *rest = command.split()
    words = (first, *options, *rest) if first == "--version" else (*options, first, *rest)
    harmless(*words, codes=ANY, env=env)


@pytest.mark.parametrize("command", OUTPUTS)
def test_no_output_holds_a_code_of_a_path_that_is_not_there(odd: Planted, command: str) -> None:
    words = command.split()
    for option in ("--ccusage", "--claude-dir", "--config"):
        harmless(*odd.options, option, odd.gone, *words, codes=ANY)
    for name in ("CCUSAGE", "CLAUDE_DIR", "CONFIG"):
        env = {**odd.variables, f"CCUSAGE_MONITOR_{name}": str(odd.gone)}
        harmless(*words, codes=ANY, env=env)


@pytest.mark.parametrize("name", [str(param.name) for param in cli.params])
def test_no_answer_to_a_wrong_value_in_the_environment_holds_its_codes(
    odd: Planted, name: str
) -> None:
    env = {**odd.variables, f"CCUSAGE_MONITOR_{name.upper()}": ODD}
    for words in (("config", "--show"), ("--help",), ("statusline",)):
        harmless(*words, codes=(0, 2), env=env)


@pytest.mark.parametrize("words", [[f"--{ODD}"], [ODD], ["line", ODD], ["line", f"--{ODD}"]])
def test_no_answer_to_wrong_use_holds_its_codes(words: list[str]) -> None:
    harmless(*words, codes=(2,))


def test_no_written_file_holds_a_code_of_a_path(odd: Planted) -> None:
    page, prom = odd.home / f"{ODD}.html", odd.home / f"{ODD}.prom"
    harmless(*odd.options, "history", "--html", page)
    harmless(*odd.options, "serve-metrics", "--textfile", prom)
    file_is_harmless(page)
    file_is_harmless(prom)
    new = odd.home / "new" / "config.toml"
    harmless("--config", new, "config", "--init")
    harmless("--config", new, "config", "--init", codes=(1,))
    file_is_harmless(new)


def test_no_version_of_ccusage_brings_codes_into_metrics_or_version(odd: Planted) -> None:
    odd.fake.reports(active(), version="20.0.24\x1b[2J")
    prom = odd.home / "x.prom"
    harmless(*odd.options, "serve-metrics", "--textfile", prom)
    file_is_harmless(prom)
    package = odd.home / "package.json"
    package.write_text(
        json.dumps({"name": "ccusage", "version": f"20.0.{ODD}", "bin": "bin/ccusage"}),
        encoding="utf-8",
    )
    harmless("--version", env=odd.variables)


def test_the_metrics_over_http_hold_no_code(odd: Planted) -> None:
    odd.fake.reports(active(), version="20.0.24\x1b[2J")
    words = (*MONITOR, *map(str, odd.options), "serve-metrics", "--port", "0")
    with subprocess.Popen(words, stderr=subprocess.PIPE, encoding="utf-8") as served:
        assert served.stderr is not None
        try:
            address = re.search(r"http://\S+", served.stderr.readline())
            assert address is not None
            with urllib.request.urlopen(address[0], timeout=PATIENCE) as answer:  # noqa: S310
                assert_only_ours(answer.read())
        finally:
            served.send_signal(signal.SIGINT)


def test_no_alert_holds_a_code_of_a_path(odd: Planted, tmp_path: Path) -> None:
    told = tmp_path / "told"
    command = f"env | grep -a CCUSAGE_ALERT_ >{told}"
    harmless(*odd.options, "--alert-command", command, "--test-alert")
    file_is_harmless(told)


def test_installing_the_status_line_names_odd_paths_harmlessly(odd: Planted) -> None:
    for word in ("--install", "--install", "--uninstall", "--uninstall"):
        harmless(*odd.options, "--yes", "statusline", word)


def test_no_live_screen_holds_a_code_of_a_path(odd: Planted) -> None:
    with live(odd.fake, "--config", odd.config, columns=120) as terminal:
        terminal.wait_for("2,000 of")
        terminal.send("?")
        terminal.wait_for("look for new usage now")
        terminal.send("q")
        assert terminal.leave_code() == 0
        assert_only_ours(terminal.raw, live_screen=True)
