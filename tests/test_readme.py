"""The README cannot drift: commands, frame, options and links are those of today."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from monitor.cli import cli
from monitor.model.forecast import RUNS_OUT, TIGHT
from monitor.views.screen.help_screen import KEYS
from monitor.views.states import STATES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUN_LINE = (
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[node]'"
    " && .venv/bin/python ccusage_monitor.py --yes"
)
OPTIONS = [name for option in cli.params for name in option.opts] + ["-h", "--help"]
LINKS = re.findall(r"""(?:\]\(|src="|srcset=")([^)"]+)""", README)
FILES = [link.partition("#")[0] for link in LINKS if not link.startswith(("https://", "#"))]
ANCHORS = [link[1:] for link in LINKS if link.startswith("#")]
OPTION_ROWS = re.findall(r"^\| `-.*", README, re.MULTILINE)
SOURCES = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "monitor").rglob("*.py"))


def test_the_line_that_sets_up_and_runs_stands_on_its_own_to_be_copied() -> None:
    assert f"\n```sh\n{RUN_LINE}\n```\n" in README


def test_the_line_that_sets_up_and_tests_is_that_of_ci() -> None:
    ci_line = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]
    assert f"\n```sh\n{ci_line}\n```\n" in README


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_named_in_the_table_of_options(option: str) -> None:
    assert any(re.search(rf"`{option}\b", row) for row in OPTION_ROWS)


def test_the_table_of_options_names_none_that_does_not_exist() -> None:
    assert OPTION_ROWS
    assert set(re.findall(r"`(--?[a-z][a-z-]*)", "".join(OPTION_ROWS))) <= set(OPTIONS)


def test_the_options_are_in_the_groups_and_the_order_of_the_help() -> None:
    table = README.partition("\n## Options\n")[2]
    shown = re.findall(r"^\| (?:\*\*(.+?)\*\*|`(?:-\w`, `)?(--[a-z-]+))", table, re.MULTILINE)
    help_text = CliRunner().invoke(cli, ["--help"]).stdout.partition("Commands:")[0]
    helped = re.findall(r"^(?:(\w.*):|  (?:-\w, )?(--[a-z-]+))", help_text, re.MULTILINE)
    assert shown == [(title, name) for title, name in helped if not title.startswith("Usage")]


def test_the_plans_in_the_readme_are_those_that_can_be_chosen() -> None:
    (plan,) = [option for option in cli.params if option.name == "plan"]
    assert isinstance(plan.type, click.Choice)
    named = re.findall(r"^\| `([a-z0-9_]+)`.* \| (?:about|your)", README, re.MULTILINE)
    assert named == list(plan.type.choices)


def test_the_words_explained_are_those_on_the_screen() -> None:
    explained = re.findall(r"^\| ([A-Z ]+) \| ", README, re.MULTILINE)
    assert sorted(explained) == sorted(state.word for state in STATES.values())


def test_the_probabilities_named_are_those_of_the_verdict() -> None:
    tight, runs_out = (f"{100 * share:.0f}" for share in (TIGHT, RUNS_OUT))
    assert f"below {tight} %" in README
    assert f"{tight} to {runs_out} %" in README
    assert f"{runs_out} % or more" in README


def test_the_keys_named_are_those_of_the_help_page() -> None:
    (paragraph,) = re.findall(r"^Keys: .*?\n$", README, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(.)`", paragraph)) == {key for key, _ in KEYS} | {"9"}


MESSAGES = re.findall(r"^\| (?:… )?(No [^|]+|is [^|]+|Install [^|]+) \|", README, re.MULTILINE)


@pytest.mark.parametrize("text", MESSAGES)
def test_a_message_explained_is_one_of_the_program(text: str) -> None:
    assert text in SOURCES


def test_there_are_messages_explained() -> None:
    assert len(MESSAGES) >= 5


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_the_readme_leads_to_exists(name: str) -> None:
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("anchor", ANCHORS)
def test_a_section_that_the_readme_leads_to_exists(anchor: str) -> None:
    titles = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    assert anchor in {title.lower().replace(",", "").replace(" ", "-") for title in titles}


def test_the_changelog_begins_with_the_version_of_the_program() -> None:
    from monitor import __version__

    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+) - (?:Unreleased|\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)
    assert newest is not None and newest[1] == __version__
