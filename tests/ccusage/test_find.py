"""Which ccusage counts, how it is recognised, and how one is installed."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Callable, Optional

import pytest

from monitor.ccusage import find as locate
from monitor.ccusage import install as install_module
from monitor.ccusage import package as package_module
from monitor.ccusage.find import candidates, find
from monitor.ccusage.install import install, install_command
from monitor.ccusage.pinned import INTEGRITY, PINNED
from monitor.ccusage.runner import CcusageRunner
from monitor.errors import CcusageNotFoundError, MonitorError
from monitor.process import ProcessOutput
from tests.npm_registry import changed_packages
from tests.real_ccusage import VERSIONS

EMPTY = '{"blocks": []}'
OTHER = "echo \"ccusage: error: argument command: invalid choice: 'blocks'\" >&2; exit 2"


class NeverRuns(CcusageRunner):
    """A runner for what must be known without running anything."""

    def run(self, argv: object, **_: object) -> ProcessOutput:
        raise AssertionError(f"{argv} was run")


@pytest.fixture
def runner(tmp_path: Path) -> CcusageRunner:
    (tmp_path / "work").mkdir()
    return CcusageRunner(tmp_path / "work")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one directory, with node, the system's commands, and no ccusage."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("node", "npm"):
        found = shutil.which(name)
        assert found, f"the tests need {name}"
        (folder / name).symlink_to(found)
    for name in ("sh", "cat", "sleep", "env", "mkdir", "cp"):
        (folder / name).symlink_to(shutil.which(name) or "/bin/false")
    monkeypatch.setenv("PATH", str(folder))
    # The Python of the tests may stand beside a Node.js of its own.
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))
    return folder


def executable(file: Path, script: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def package(folder: Path, version: str, *, native: str = "") -> Path:
    """Make an npm installation of ccusage as version 20 has it; return its command."""
    home = folder / "node_modules" / "ccusage"
    said = {"name": "ccusage", "version": version, "bin": {"ccusage": "./src/cli.js"}}
    wanted = {"@ccusage/ccusage-linux-x64": version}
    script = executable(home / "src" / "cli.js", "exit 7")
    (home / "package.json").write_text(json.dumps({**said, "optionalDependencies": wanted}))
    if native:
        for machine in package_module._machines():
            binary = folder / "node_modules" / "@ccusage" / f"ccusage-{machine}"
            executable(binary / "bin" / "ccusage", f"echo '{EMPTY}'")
            (binary / "package.json").write_text(json.dumps({"version": native}))
    lock_file(folder / "node_modules", INTEGRITY)
    command = folder / "node_modules" / ".bin" / "ccusage"
    command.parent.mkdir()
    command.symlink_to(script)
    return command


def lock_file(modules: Path, integrity: Mapping[str, Optional[str]]) -> None:
    """Say as npm does which packages are installed, and their hashes."""
    packages = {f"node_modules/{name}": {"integrity": text} for name, text in integrity.items()}
    (modules / ".package-lock.json").write_text(json.dumps({"packages": packages}))


def refusal(explicit: str, cache: Path, runner: CcusageRunner) -> MonitorError:
    with pytest.raises(MonitorError) as caught:
        find(explicit, cache, runner)
    assert not isinstance(caught.value, CcusageNotFoundError), (
        "what was named must not lead to an install"
    )
    return caught.value


@pytest.mark.parametrize("version", VERSIONS)
def test_a_real_version_is_known_without_running_it_and_answers(
    path: Path,
    cache: Path,
    runner: CcusageRunner,
    real_ccusage: Callable[[str], Path],
    tmp_path: Path,
    version: str,
) -> None:
    (path / "ccusage").symlink_to(real_ccusage(version))
    command = find(None, cache, NeverRuns(tmp_path))
    assert (command.version, command.shown) == (version, str(path / "ccusage"))
    assert command.native == (version == "20.0.24")
    (tmp_path / "claude" / "projects").mkdir(parents=True)
    assert json.loads(runner.blocks(command, [tmp_path / "claude"])) == {"blocks": []}


def test_the_first_on_path_that_counts_is_taken(
    path: Path, cache: Path, runner: CcusageRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = executable(tmp_path / "a" / "ccusage", OTHER)
    good = executable(tmp_path / "b" / "ccusage", "echo 17.2.1")
    executable(tmp_path / "c" / "ccusage", "echo 18.0.0")
    folders = [str(tmp_path / name) for name in "abc"]
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", *folders, str(path)]))
    command = find(None, cache, runner)
    assert (command.argv, command.version) == ((str(good),), "17.2.1")
    first, second, third = candidates(None, cache, runner)
    assert first.path == str(other)
    assert "another program of the same name" in first.fault
    assert str(other) in first.fault
    assert (second.fault, third.fault) == ("", "")


def test_candidates_are_looked_at_one_by_one(
    path: Path, cache: Path, runner: CcusageRunner, tmp_path: Path
) -> None:
    executable(path / "ccusage", f"echo x >> {tmp_path}/asked; echo 17.2.1")
    assert next(candidates(None, cache, runner)).command
    assert (tmp_path / "asked").read_text() == "x\n"


def test_our_own_copy_comes_last(path: Path, cache: Path, tmp_path: Path) -> None:
    package(cache / "ccusage", "20.0.24", native="20.0.24")
    runner = NeverRuns(tmp_path)
    assert find(None, cache, runner).native
    (path / "ccusage").symlink_to(package(tmp_path / "global", "20.0.23", native="20.0.23"))
    assert find(None, cache, runner).version == "20.0.23"


def test_nothing_found_says_how_to_get_it(path: Path, cache: Path, runner: CcusageRunner) -> None:
    with pytest.raises(CcusageNotFoundError) as caught:
        find(None, cache, runner)
    assert "not found on PATH" in caught.value.reason
    assert f"npm install -g ccusage@{PINNED}" in caught.value.advice


def test_nothing_found_and_no_npm_says_how_to_get_that(
    path: Path, cache: Path, runner: CcusageRunner
) -> None:
    (path / "npm").unlink()
    with pytest.raises(CcusageNotFoundError) as caught:
        find(None, cache, runner)
    assert "pip install -e '.[node]'" in caught.value.advice


def test_only_a_stranger_found_can_be_mended_by_an_install_too(
    path: Path, cache: Path, runner: CcusageRunner
) -> None:
    executable(path / "ccusage", OTHER)
    with pytest.raises(CcusageNotFoundError, match="another program of the same name"):
        find(None, cache, runner)


@pytest.mark.parametrize(
    ("answer", "version"),
    [("17.2.1", "17.2.1"), ("ccusage 20.0.24", "20.0.24"), ("v18.0.11", "18.0.11")],
)
def test_a_wrapper_is_asked_its_version(
    path: Path, cache: Path, runner: CcusageRunner, answer: str, version: str
) -> None:
    executable(path / "ccusage", f"echo '{answer}'")
    assert find(None, cache, runner).version == version


def test_one_that_only_reports_counts_without_a_version(
    path: Path, cache: Path, runner: CcusageRunner
) -> None:
    executable(path / "ccusage", f"echo '{EMPTY}'")
    assert find(None, cache, runner).version is None


def test_one_that_crashes_at_version_but_reports_counts(
    path: Path, cache: Path, runner: CcusageRunner
) -> None:
    executable(path / "ccusage", f"[ \"$1\" = blocks ] || exit 1; echo '{EMPTY}'")
    assert find(None, cache, runner).version is None


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'Error: no luck' >&2; exit 1", "failed: no luck"),
        ("echo hello", "printed no report, but “hello”"),
        ("echo 0.4.4", "printed no report, but “0.4.4”"),
        ("exit 0", "printed nothing"),
    ],
)
def test_one_that_answers_nothing_sensible_does_not_count(
    path: Path, cache: Path, runner: CcusageRunner, script: str, reason: str
) -> None:
    file = executable(path / "ccusage", script)
    (candidate,) = candidates(None, cache, runner)
    assert candidate.command is None
    assert reason in candidate.fault
    assert candidate.fault.startswith(str(file))


def test_one_that_hangs_does_not_count(
    path: Path, cache: Path, runner: CcusageRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locate, "ASK_SECONDS", 0.3)
    executable(path / "ccusage", "sleep 300")
    (candidate,) = candidates(None, cache, runner)
    assert "did not answer within 0.3 s" in candidate.fault


def test_version_20_without_its_native_binary_is_a_broken_install(
    path: Path, cache: Path, runner: CcusageRunner, tmp_path: Path
) -> None:
    (path / "ccusage").symlink_to(package(tmp_path / "global", "20.0.26"))
    (candidate,) = candidates(None, cache, runner)
    assert "(20.0.26) is a broken install: no native binary" in candidate.fault
    assert f"npm install -g ccusage@{PINNED}" in candidate.advice
    assert "--yes" in candidate.advice


def test_a_native_binary_of_another_version_is_not_taken(
    path: Path, cache: Path, runner: CcusageRunner, tmp_path: Path
) -> None:
    (path / "ccusage").symlink_to(package(tmp_path / "global", "20.0.26", native="20.0.24"))
    (candidate,) = candidates(None, cache, runner)
    assert "broken install" in candidate.fault


def unpacked_by_npm(folder: Path) -> Path:
    """Make an installation whose native binary cannot be executed yet; return that binary."""
    package(folder, "20.0.24", native="20.0.24")
    binary = next(folder.glob("node_modules/@ccusage/*/bin/ccusage"))
    binary.chmod(0o644)
    return binary


def test_a_native_binary_is_made_executable_as_the_launcher_would(
    cache: Path, tmp_path: Path
) -> None:
    binary = unpacked_by_npm(cache / "ccusage")
    command = find(None, cache, NeverRuns(tmp_path))
    assert (command.argv, command.native) == ((str(binary),), True)
    assert os.access(binary, os.X_OK)


def test_a_native_binary_that_cannot_be_made_executable_is_left_to_the_launcher(
    path: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked_by_npm(cache / "ccusage")

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    command = find(None, cache, NeverRuns(tmp_path))
    assert not command.native
    assert command.argv[0] == str(path / "node")
    assert command.argv[1].endswith("cli.js")


def test_a_version_from_before_15_is_too_old(
    path: Path, cache: Path, runner: CcusageRunner, tmp_path: Path
) -> None:
    (path / "ccusage").symlink_to(package(tmp_path / "global", "14.1.2"))
    (candidate,) = candidates(None, cache, runner)
    assert "is version 14.1.2; 15 or newer is needed" in candidate.fault


def test_a_broken_package_json_is_a_broken_install(
    path: Path, cache: Path, runner: CcusageRunner, tmp_path: Path
) -> None:
    command = package(tmp_path / "global", "20.0.24")
    (command.parent.parent / "ccusage" / "package.json").write_text('{"name": "ccusage"}')
    (path / "ccusage").symlink_to(command)
    (candidate,) = candidates(None, cache, runner)
    assert "its package.json is no good" in candidate.fault


def test_without_node_an_npm_ccusage_says_so(
    path: Path, cache: Path, runner: CcusageRunner, real_ccusage: Callable[[str], Path]
) -> None:
    (path / "node").unlink()
    error = refusal(str(real_ccusage("17.2.1")), cache, runner)
    assert "needs Node.js, and there is none" in error.reason
    assert "pip install -e '.[node]'" in error.advice


def test_node_beside_this_python_is_found_though_the_environment_is_not_activated(
    path: Path, cache: Path, tmp_path: Path, real_ccusage: Callable[[str], Path]
) -> None:
    node = tmp_path / "venv" / "bin" / "node"
    node.parent.mkdir(parents=True)
    (path / "node").rename(node)
    command = find(str(real_ccusage("17.2.1")), cache, NeverRuns(tmp_path))
    assert command.argv[0] == str(node)


def test_a_named_path_may_have_blanks_and_a_tilde_and_is_all_that_counts(
    path: Path, cache: Path, runner: CcusageRunner, isolated: Path
) -> None:
    executable(path / "ccusage", "echo 18.0.0")
    file = executable(isolated / "my tools" / "cc usage", "echo 17.2.1")
    for named in (str(file), "~/my tools/cc usage"):
        assert find(named, cache, runner).argv == (str(file),)


def test_a_relative_path_is_meant_from_here(
    path: Path, cache: Path, runner: CcusageRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = executable(tmp_path / "here" / "cc", "echo 17.2.1")
    monkeypatch.chdir(file.parent)
    assert find("./cc", cache, runner).argv == (str(file),)
    assert find("sh ./cc", cache, runner).argv == (str(path / "sh"), str(file))


def test_a_command_line_is_run_as_its_words(path: Path, cache: Path, runner: CcusageRunner) -> None:
    executable(path / "npx", '[ "$1 $2" = "--yes ccusage@20" ] && echo "ccusage 20.0.24"')
    command = find("npx --yes 'ccusage@20'", cache, runner)
    assert command.argv == (str(path / "npx"), "--yes", "ccusage@20")
    assert (command.shown, command.version) == ("npx --yes 'ccusage@20'", "20.0.24")


def test_a_named_command_that_is_on_path_is_recognised_as_a_package(
    path: Path, cache: Path, tmp_path: Path
) -> None:
    (path / "cc20").symlink_to(package(tmp_path / "global", "20.0.24", native="20.0.24"))
    assert find("cc20", cache, NeverRuns(tmp_path)).native


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("/no/such/ccusage", "there is no such file or program"),
        ("nosuchprogram --yes", "there is no such file or program"),
        ("nosuchprogram " * 30, "there is no such file or program"),
        ("", "names no command"),
        ("sh 'open", "No closing quotation"),
    ],
)
def test_a_name_that_leads_nowhere_is_said(
    path: Path, cache: Path, runner: CcusageRunner, named: str, reason: str
) -> None:
    executable(path / "ccusage", "echo 18.0.0")
    assert reason in refusal(named, cache, runner).reason


def test_a_named_directory_is_no_program(path: Path, cache: Path, runner: CcusageRunner) -> None:
    assert "no such file or program" in refusal(str(path), cache, runner).reason


NPM_INSTALLS = """\
mkdir -p "$3/node_modules"
cp -r "{made}/node_modules/." "$3/node_modules/"
"""


@pytest.fixture
def fake_npm(path: Path) -> Callable[[str], None]:
    def make(script: str) -> None:
        (path / "npm").unlink()
        executable(path / "npm", script)

    return make


def test_the_install_command_goes_into_the_cache_and_nowhere_else(path: Path, cache: Path) -> None:
    words = install_command(cache)
    assert words[:4] == (str(path / "npm"), "install", "--prefix", str(cache / "ccusage"))
    assert words[-1] == f"ccusage@{PINNED}"
    assert "-g" not in words


def test_an_install_is_found_from_then_on(
    path: Path, cache: Path, runner: CcusageRunner, tmp_path: Path, fake_npm: Callable[[str], None]
) -> None:
    package(tmp_path / "made", PINNED, native=PINNED)
    fake_npm(NPM_INSTALLS.format(made=tmp_path / "made"))
    command = install(cache, runner)
    assert (command.version, command.native) == (PINNED, True)
    assert find(None, cache, NeverRuns(tmp_path)) == command
    assert install(cache, runner) == command, "a second install replaces the first"
    assert [file.name for file in cache.iterdir()] == ["ccusage"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ccusage": "sha512-AAAA"}, "npm's ccusage is not the package that was published"),
        ({"ccusage": None}, "npm's ccusage is not the package"),
        ({"@ccusage/ccusage-linux-x64": "sha512-AAAA"}, "npm's @ccusage/ccusage-linux-x64 is not"),
        ({"@ccusage/ccusage-linux-arm64": None}, "npm's @ccusage/ccusage-linux-arm64 is not"),
        ({"ccusage/node_modules/ccusage": "sha512-AAAA"}, "npm's ccusage is not the package"),
        ({"left-pad": "sha512-AAAA"}, "npm's left-pad is not"),
        ({"@ccusage/ccusage-linux-arm64": "sha512-AAAA"}, None),
        (None, "npm does not say which packages it has installed"),
    ],
)
def test_a_package_that_is_not_the_published_one_is_not_kept(
    path: Path,
    cache: Path,
    runner: CcusageRunner,
    tmp_path: Path,
    fake_npm: Callable[[str], None],
    changes: Optional[dict[str, Optional[str]]],
    reason: Optional[str],
) -> None:
    package(tmp_path / "made", PINNED, native=PINNED)
    lock_file(tmp_path / "made" / "node_modules", {} if changes is None else INTEGRITY | changes)
    fake_npm(NPM_INSTALLS.format(made=tmp_path / "made"))
    if reason is None:
        assert install(cache, runner).version == PINNED
        return
    with pytest.raises(MonitorError) as caught:
        install(cache, runner)
    assert reason in caught.value.reason and "npm" in caught.value.advice
    assert list(cache.iterdir()) == []


def test_the_hashes_are_those_of_the_packages_that_are_tested(
    real_ccusage: Callable[[str], Path],
) -> None:
    modules = real_ccusage(PINNED).parent.parent
    install_module._check_integrity(modules)
    installed = install_module._installed(modules / ".package-lock.json")
    assert installed["node_modules/ccusage"] == INTEGRITY["ccusage"]


@pytest.mark.usefixtures("path")
def test_what_a_registry_has_changed_together_with_its_hash_is_not_kept(
    cache: Path, runner: CcusageRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with changed_packages(PINNED) as address:
        monkeypatch.setenv("npm_config_registry", address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with pytest.raises(MonitorError, match="is not the package that was published"):
            install(cache, runner)
    assert list(cache.iterdir()) == []


def test_an_install_that_lacks_the_native_binary_is_not_kept(
    path: Path, cache: Path, runner: CcusageRunner, tmp_path: Path, fake_npm: Callable[[str], None]
) -> None:
    package(tmp_path / "made", PINNED)
    fake_npm(NPM_INSTALLS.format(made=tmp_path / "made"))
    with pytest.raises(MonitorError, match="no native binary"):
        install(cache, runner)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo 'npm error code EAI_AGAIN' >&2; exit 1",
            "npm cannot reach its registry (EAI_AGAIN)",
        ),
        ("echo 'npm error code E1\nnpm error disk full' >&2; exit 1", "ccusage: disk full"),
        ("exit 1", "ccusage: exit code 1"),
        ("exit 0", "broken install"),
    ],
)
def test_a_failed_install_is_one_clear_line(
    path: Path,
    cache: Path,
    runner: CcusageRunner,
    fake_npm: Callable[[str], None],
    script: str,
    reason: str,
) -> None:
    fake_npm(script)
    with pytest.raises(MonitorError) as caught:
        install(cache, runner)
    assert reason in caught.value.reason
    assert list(cache.iterdir()) == []


def test_a_cache_directory_that_cannot_be_made_is_said(
    path: Path, runner: CcusageRunner, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MonitorError, match="could not be put into"):
        install(tmp_path / "file" / "cache", runner)


def test_what_a_killed_install_left_is_swept(
    path: Path, cache: Path, runner: CcusageRunner, fake_npm: Callable[[str], None]
) -> None:
    old, young = cache / ".installing-old", cache / ".installing-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    fake_npm("exit 1")
    with pytest.raises(MonitorError):
        install(cache, runner)
    assert not old.exists()
    assert young.exists()
