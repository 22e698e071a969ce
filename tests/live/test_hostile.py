"""Hostile input: no control character of it reaches the terminal; kept files of any bytes."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.conftest import RunMonitor, examples
from tests.live.fakes import (
    CONTROLS,
    HOUR,
    MONITOR,
    Fake,
    a_block,
    active,
    active_start,
    assert_only_ours,
    live,
    now,
    wait_for_words,
)
from tests.waiting import PATIENCE, until

# Made of what does harm: the parts of escape sequences, other controls, and some letters.
PARTS = (
    *("\x1b[2J", "\x1b]0;title\x07", "\x1b[31m", "\x1bc", "\x1bP", "\x9b2J", "\x90", "\x1b[6n"),
    *("\r", "\n", "\t", "\b", "\x07", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\u200e"),
    *("\ud800", "\U000e0041", "é", "日本", "🎉", "a", "claude-", "%s", "{0}", "\\", '"', "'"),
)
TEXTS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=8).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30
)
fuzzed = settings(
    max_examples=examples(6),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    print_blob=False,
)


def run(*words: object, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run the monitor as if on a terminal of many colours; bytes as they come."""
    return subprocess.run(
        [*MONITOR, *map(str, words)],
        env={**os.environ, "FORCE_COLOR": "1", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


def assert_harmless(done: subprocess.CompletedProcess[bytes], codes: Sequence[int] = (0,)) -> None:
    assert done.returncode in codes, done.stderr.decode()
    assert_only_ours(done.stdout)
    assert_only_ours(done.stderr)
    assert b"Traceback" not in done.stderr


@fuzzed
@given(st.lists(TEXTS, max_size=6))
@example(["\x1b[2J\x1b]0;x\x07", "\ud800"])
def test_model_names_of_any_text_are_shown_without_their_codes(
    fake: Fake, names: list[str]
) -> None:
    fake.reports(active(models=names, id="".join(names)))
    for mode in (("--once",), ("--json",)):
        assert_harmless(run(*mode, "--ccusage", fake.path, "--claude-dir", fake.data))


@fuzzed
@given(said=TEXTS, code=st.sampled_from([0, 1, 2]), on_stdout=st.booleans())
def test_whatever_a_failing_ccusage_says_is_shown_without_its_codes(
    fake: Fake, said: str, code: int, *, on_stdout: bool
) -> None:
    text = said.encode("utf-8", "replace").decode()
    fake.prints(text if on_stdout else "", err="" if on_stdout else f"Error: {text}", code=code)
    done = run("--once", "--ccusage", fake.path, "--claude-dir", fake.data)
    assert_harmless(done, (1,))
    assert len(done.stderr.splitlines()) == 2


@fuzzed
@given(TEXTS)
def test_a_version_of_any_text_is_shown_without_its_codes(fake: Fake, version: str) -> None:
    fake.reports(active(), version="20.0.1" + version.encode("utf-8", "replace").decode())
    for mode in ("--once", "doctor"):
        words = ("--ccusage", fake.path, "--claude-dir", fake.data, mode)
        assert_harmless(run(*words), (0, 1))


@fuzzed
@given(TEXTS)
def test_a_path_of_any_text_is_shown_without_its_codes(fake: Fake, name: str) -> None:
    safe = re.sub("[/\0]", "", name.encode("utf-8", "replace").decode())[:40] or "x"
    odd = fake.home / f"d {safe}"
    (odd / "projects").mkdir(parents=True, exist_ok=True)
    fake.reports([])
    for mode in ("--json", "doctor"):
        words = ("--ccusage", fake.path, "--claude-dir", odd, mode)
        assert_harmless(run(*words), (0, 1))
    gone = run("--once", "--ccusage", fake.path, "--claude-dir", fake.home / f"gone {safe}")
    assert_harmless(gone, (1,))
    assert_harmless(run("--once", "--ccusage", f"/gone/{safe}", "--claude-dir", odd), (1,))


@fuzzed
@given(st.sampled_from(["--plan", "--timezone", "--token-limit", "--refresh", "--"]), TEXTS)
def test_wrong_options_of_any_text_are_answered_without_their_codes(
    option: str, value: str
) -> None:
    text = value.encode("utf-8", "replace").decode().replace("\0", "")
    assert_harmless(run(option, text, "--json"), (1, 2))


def test_no_code_of_the_data_reaches_a_live_screen(fake: Fake) -> None:
    nasty = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\u202e"
    fake.reports(active(models=[nasty, "b" + nasty]), version="20.0.1" + nasty[:4])
    with live(fake, columns=120) as terminal:
        terminal.wait_for("2,000 of")
        fake.prints("", err=f"Error: {nasty}", code=1)
        fake.changed()
        terminal.send("r")
        wait_for_words(terminal, "failed: .*owned")
        terminal.send("q")
        assert terminal.leave_code() == 0
        assert_only_ours(terminal.raw, live_screen=True)
        terminal.assert_given_back()


# --- the files we keep


def state_files(home: Path) -> list[Path]:
    kept = home / "state" / "ccusage-monitor"
    return [path for path in kept.rglob("*.json") if path.is_file()]


def are_kept(home: Path) -> bool:
    """Return whether both the history and the last reading are kept."""
    kinds = ("history-*.json", "last-*.json")
    return all(any(not p.is_symlink() for p in home.rglob(kind)) for kind in kinds)


def with_state(fake: Fake, run_monitor: RunMonitor, home: Path) -> list[Path]:
    """Run once so that the history and the reading are kept; return the files."""
    fake.reports([a_block(now() - 50 * HOUR, 12_345), a_block(active_start(), 7_300)])
    with live(fake) as terminal:
        terminal.wait_for("7,300 of 12,345")
        until(lambda: are_kept(home), "the history and the reading are kept")
        terminal.send("q")
        assert terminal.leave_code() == 0
    return state_files(home)


def test_what_is_kept_is_private(fake: Fake, run_monitor: RunMonitor, isolated: Path) -> None:
    mask = os.umask(0)
    try:
        files = with_state(fake, run_monitor, isolated)
    finally:
        os.umask(mask)
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700, path
    run_dir = isolated / "cache" / "ccusage-monitor" / "run"
    assert stat.S_IMODE(run_dir.stat().st_mode) == 0o700


def test_the_private_directory_of_a_run_is_private(fake: Fake, isolated: Path) -> None:
    mask = os.umask(0)
    try:
        with live(fake) as terminal:
            terminal.wait_for("2,000 of")
            (private,) = isolated.rglob("run-*")
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
    finally:
        os.umask(mask)


def test_a_planted_symbolic_link_is_replaced_and_not_followed(
    fake: Fake, run_monitor: RunMonitor, isolated: Path
) -> None:
    victim = isolated / "victim"
    victim.write_text("mine", encoding="utf-8")
    for path in with_state(fake, run_monitor, isolated):
        path.unlink()
        path.symlink_to(victim)
    assert with_state(fake, run_monitor, isolated)
    assert victim.read_text(encoding="utf-8") == "mine"
    assert [path for path in state_files(isolated) if path.is_symlink()] == []


BYTES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"null",
            b"[]",
            b'{"version": 1}',
            b'{"version": 2, "blocks": []}',
            b'{"version": 1, "read_at": null, "blocks": [{}]}',
            b'{"version": 1, "read_at": 5, "blocks": 7}',
            b'{"version": 1, "read_at": "2026-01-05T12:00:00Z", "blocks": [[1e999]]}',
            b'{"version": NaN}',
            b"[" * 100_000,
            b'{"version": 1' + b"0" * 5_000 + b"}",
            b'\xff\xfe{"version": 1}',
        ]
    ),
)


@fuzzed
@given(BYTES)
@example(b"[" * 100_000)
@example(b'{"version": 1' + b"0" * 5_000 + b"}")
@example(b'{"version": 1, "read_at": null, "blocks": [{}]}')
def test_a_kept_file_of_any_bytes_is_no_crash(
    fake: Fake, run_monitor: RunMonitor, isolated: Path, data: bytes
) -> None:
    if not state_files(isolated):
        with_state(fake, run_monitor, isolated)
    fake.reports([a_block(now() - 50 * HOUR, 12_345), a_block(active_start(), 7_300)])
    for path in state_files(isolated):
        path.write_bytes(data)
    done = run("--json", "--ccusage", fake.path, "--claude-dir", fake.data)
    assert_harmless(done)
    assert b'"counted": 7300' in done.stdout


def test_a_kept_file_that_cannot_be_understood_is_set_aside_whole(
    fake: Fake, run_monitor: RunMonitor, isolated: Path
) -> None:
    with_state(fake, run_monitor, isolated)
    (path,) = isolated.rglob("history-*.json")
    path.write_bytes(b"\xff not ours")
    assert with_state(fake, run_monitor, isolated)
    (aside,) = path.parent.glob(f"{path.name}.unreadable*")
    assert aside.read_bytes() == b"\xff not ours"


def test_a_directory_of_somebody_elses_in_a_shared_tmp_is_not_used(
    fake: Fake, temporary: Path
) -> None:
    """A link planted where the private directory would be made, as another user could."""
    elsewhere = fake.home / "elsewhere"
    elsewhere.mkdir(mode=0o777)
    (temporary / f"ccusage-monitor-{os.getuid()}").symlink_to(elsewhere)
    home = str(fake.transcript / "home")  # nothing can be made there
    xdg = {f"XDG_{name}_HOME": f"{home}/{name}" for name in ("CACHE", "CONFIG", "DATA", "STATE")}
    words = ("--json", "--ccusage", fake.path, "--claude-dir", fake.data)
    done = run(*words, HOME=home, **xdg)
    assert_harmless(done, (1,))
    assert list(elsewhere.iterdir()) == []
    assert b"private directory" in done.stderr


def test_a_control_character_would_be_seen() -> None:
    for text in ("\x1b[2J", "\x1b]0;x\x07", "a\tb", "\x9b", "\u202e", "\x1b[6n", "\x1b[5A"):
        try:
            assert_only_ours(text.encode())
        except AssertionError:
            continue
        raise AssertionError(f"{text!r} passed")
    assert_only_ours("\x1b[1;31mfine\x1b[0m – 日本\n".encode())
    assert CONTROLS.search("fine\n") is None
