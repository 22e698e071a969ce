"""The documentation cannot drift: commands run, settings are accepted, links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import click
import pytest

from monitor.cli import COMMANDS as COMMAND_NAMES
from monitor.cli import cli
from monitor.config.settings_file import accounts_of
from tests.histories import busy_history
from tests.live.fakes import now
from tests.waiting import PATIENCE

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = ("sh", "console")

OURS = re.compile(
    r"\bccusage-monitor\b|ccusage_monitor\.py|benchmarks/|docs/make_|-m (?:monitor\b|tests\.)"
)
"""What makes a block one that a test has to run."""

INSTALLS = re.compile(
    r"\b(?:pip|pipx|uvx|npm|apt|uv pip)\b (?:install|compile|--from)|-m build\b|--install\b"
)
"""Blocks that install something: what they install is tested where it is made."""

RUNS_ON = re.compile(r"serve-metrics(?!.*--textfile)")
"""Blocks that run until they are told to leave: they are, by Ctrl+C."""

IN_A_CONFIGURATION = re.compile(
    r"""ccusage-monitor((?: (?:--?[a-z][\w-]*|\w[\w.-]*(?![\w.>-])|'[^'"\n]*'))*)"""
)
"""Our command within another program's configuration."""

if sys.platform == "win32":
    pytest.skip("the recipes are for POSIX shells", allow_module_level=True)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: str
    number: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}-{self.number}-{self.language}"


def blocks() -> list[Block]:
    return [
        Block(page.name, number, found[1], found[2])
        for page in PAGES
        for number, found in enumerate(FENCE.finditer(page.read_text(encoding="utf-8")), 1)
    ]


BLOCKS = blocks()
COMMANDS = [b for b in BLOCKS if b.language in SHELL and OURS.search(b.text)]
RUN = [b for b in COMMANDS if not INSTALLS.search(b.text)]
CONFIGURATIONS = [
    (block, found[1].strip())
    for block in BLOCKS
    if block.language not in (*SHELL, "powershell", "text", "")
    for found in IN_A_CONFIGURATION.finditer(block.text)
]


@pytest.fixture
def shell(
    tmp_path: Path, real_ccusage: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Lend a directory like a clone's, where what the pages name is found, and some usage."""
    busy_history(tmp_path / "claude", now())
    settings = {
        "CCUSAGE": real_ccusage("20.0.24"),
        "CLAUDE_DIR": tmp_path / "claude",
        "PLAN": "max20",
        "SERVE_METRICS_PORT": "0",  # the usual one may be taken, by another run of the tests
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"CCUSAGE_MONITOR_{name}", str(value))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))  # for ccusage itself
    clone = tmp_path / "clone"
    (clone / ".venv" / "bin").mkdir(parents=True)
    for name in ("ccusage_monitor.py", "monitor", "docs", "benchmarks", "contrib"):
        (clone / name).symlink_to(ROOT / name)
    program = f'"{sys.executable}" "{ROOT / "ccusage_monitor.py"}"'
    for name, words in (("python", f'"{sys.executable}"'), ("ccusage-monitor", program)):
        path = clone / ".venv" / "bin" / name
        path.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
    folders = (clone / ".venv" / "bin", real_ccusage("20.0.24").parent, os.environ["PATH"])
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    return clone


def script(block: Block) -> str:
    """Return what a user would type: in a console block that is what follows a prompt."""
    if block.language == "console":
        return "\n".join(re.findall(r"^\$ (.+)$", block.text, re.MULTILINE))
    return block.text


def ran(text: str, where: Path, *, runs_on: bool = False) -> tuple[int, str]:
    """Run a script to its end, or to its first line on stderr and then Ctrl+C; code and stderr."""
    with subprocess.Popen(
        [shutil.which("bash") or "bash", "-e", "-o", "pipefail", "-c", text],
        cwd=where,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as child:
        if runs_on and child.stderr is not None:
            line = child.stderr.readline()
            os.killpg(child.pid, signal.SIGINT)
            return child.wait(PATIENCE), line + child.stderr.read()
        err = child.communicate(timeout=PATIENCE)[1]
    return child.returncode, err


def needs(text: str, *programs: str) -> None:
    missing = [
        name for name in programs if re.search(rf"\b{name}\b", text) and not shutil.which(name)
    ]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, which the project does not install")


def test_there_are_commands_to_run() -> None:
    assert len(RUN) >= 8 and len(CONFIGURATIONS) >= 8
    assert {block.page for block in COMMANDS} >= {"README.md", "recipes.md", "teams.md"}


@pytest.mark.parametrize("block", RUN, ids=str)
def test_a_command_of_the_documentation_runs(block: Block, shell: Path) -> None:
    needs(block.text, "jq")
    code, err = ran(script(block), shell, runs_on=bool(RUNS_ON.search(block.text)))
    assert "Error" not in err and "Traceback" not in err
    # `check` answers with its exit code, and the last line is the script's.
    assert code in ((0, 10, 11, 20) if re.search(r"\bcheck\b", block.text) else (0,)), err


@pytest.mark.parametrize(("block", "words"), CONFIGURATIONS, ids=str)
def test_a_command_within_a_configuration_runs(block: Block, words: str, shell: Path) -> None:
    code, err = ran(shlex.join(["ccusage-monitor", *shlex.split(words)]), shell)
    assert err == ""
    assert code in ((0, 10, 11, 20) if words.startswith("check") else (0,))


OUR_TOML = [b for b in BLOCKS if b.language == "toml" and "starship" not in b.text]


@pytest.mark.parametrize("block", OUR_TOML, ids=str)
def test_the_settings_shown_are_accepted(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(block.text, encoding="utf-8")
    with cli.make_context("ccusage-monitor", ["--config", str(path)]) as ctx:
        assert ctx.params["plan"] in ("max5", "team-max") or accounts_of(ctx)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "json"], ids=str)
def test_json_shown_is_json(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language in ("sh", "zsh")], ids=str)
def test_a_script_shown_has_no_syntax_error(block: Block) -> None:
    program = "zsh" if block.language == "zsh" else "bash"
    needs(program, program)
    done = subprocess.run([program, "-n", "-c", block.text], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_web_hook_gets_the_alert_as_json(shell: Path, tmp_path: Path) -> None:
    (recipe,) = [b.text for b in BLOCKS if b.language == "sh" and "HOOK_URL" in b.text]
    needs(recipe, "curl", "jq")
    path = tmp_path / "alert-webhook"
    path.write_text(recipe, encoding="utf-8")
    path.chmod(0o755)
    got = posted_while(lambda url: run_hook(path, url, shell))
    assert json.loads(got) == {
        "text": "A test of ccusage-monitor: This is what an alert looks like."
    }


def run_hook(path: Path, url: str, where: Path) -> None:
    words = f"ccusage-monitor --alert-command {shlex.quote(str(path))} --test-alert"
    assert ran(f"HOOK_URL={url} {words}", where) == (0, "")


def posted_while(action: Callable[[str], None]) -> bytes:
    """Return what was posted to a server of our own while the action ran."""
    got: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        action(f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
    (body,) = got
    return body


def test_the_cron_recipe_tells_once_until_things_were_fine(
    shell: Path, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (recipe,) = [b.text for b in BLOCKS if ".claude-warned" in b.text]
    hook = isolated / "bin" / "alert-webhook"
    hook.parent.mkdir()
    hook.write_text('#!/bin/sh\necho "$CCUSAGE_ALERT_SENTENCE" >>"$HOME/told"\n', encoding="utf-8")
    hook.chmod(0o755)
    for limit in ("10", "10", "100M", "10"):
        monkeypatch.setenv("CCUSAGE_MONITOR_TOKEN_LIMIT", limit)
        assert ran(recipe, shell) == (0, "")
    assert len((isolated / "told").read_text(encoding="utf-8").splitlines()) == 2


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_every_command_is_named_in_the_readmes_table(name: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(rf"^\| `{name}` \|", readme, re.MULTILINE)) == 1


LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for name, anchor in LINK.findall(text):
        target = (page.parent / name) if name else page
        assert target.exists(), f"{page.name} leads to {name}"
        assert not anchor or anchor[1:] in anchors(target), f"{page.name} leads to {name}{anchor}"


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


ENVIRONMENT = re.compile(r"(?<!_)CCUSAGE_MONITOR_([A-Z_]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_environment_variable_of_a_page_is_an_option(page: Path) -> None:
    options: Mapping[str, click.Parameter] = {str(p.name).upper(): p for p in cli.params}
    assert set(ENVIRONMENT.findall(page.read_text(encoding="utf-8"))) <= set(options)


MODULES = [
    *ROOT.glob("*.py"),
    *(
        p
        for name in ("benchmarks", "docs", "monitor", "tests")
        for p in (ROOT / name).rglob("*.py")
    ),
]
PATH = re.compile(r"`([\w./-]*\w\.py)`")


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("C*.md")], ids=lambda page: page.name)
def test_every_module_that_a_page_names_exists(page: Path) -> None:
    named = PATH.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    exist = [f"/{path.relative_to(ROOT).as_posix()}" for path in MODULES]
    assert [name for name in named if not any(p.endswith(f"/{name}") for p in exist)] == []
