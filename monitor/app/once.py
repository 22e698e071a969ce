"""Join source, model and views for one run: live, one frame, or JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Optional

from monitor.app import exits
from monitor.app.poller import Poller, PollResult, measured, needs_history
from monitor.app.reader import Kept, Reader
from monitor.ccusage.find import NotFound, install, install_command
from monitor.ccusage.runner import CcusageError
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.model.sentence import left_out
from monitor.model.usage import Usage
from monitor.store.json_file import cache_dir, state_dir
from monitor.store.reading import load_last
from monitor.terminal import terminal_size
from monitor.transcripts.data_dirs import data_dirs, missing_dirs
from monitor.transcripts.workspace import workspace
from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.snapshot import snapshot
from monitor.views.style import Style, choose_style


def run(settings: Settings, mode: str) -> int:
    """Run the monitor in a mode (`live`, `once`, `json`, `follow`); return the exit code."""
    with open_usage(settings) as (settings, poller):  # noqa: PLR1704 - the demo changes them
        if mode == "live" and _has_a_screen():
            return _live(settings, poller)
        if mode == "follow":
            return _follow(settings, poller)
        usage = poll_once(settings, poller)
        _print_json(usage, settings, indent=2) if mode == "json" else _print_frame(usage, settings)
        return exits.OK


def _has_a_screen() -> bool:
    """Whether a live screen can be drawn; a dumb terminal would print the cursor codes."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def open_usage(settings: Settings) -> Iterator[tuple[Settings, Poller]]:
    """Lend what poller at the usage, and the settings to look with: the user's, or the demo's."""
    with exits.signals_unwind(), ExitStack() as stack:
        settings, state = _demo(settings, stack) if settings.demo else (settings, state_dir())
        kept = partial(load_last, state, options_key=settings.source.options_key)
        yield settings, stack.enter_context(open_poller(settings, state, kept))


@contextmanager
def open_poller(settings: Settings, state: Path, kept: Optional[Kept] = None) -> Iterator[Poller]:
    """Lend what poller at the usage; its ccusage and private directory are gone afterwards.

    `kept` finds what another monitor has read; without it the first look always runs ccusage.
    """
    try:
        roots = data_dirs(settings.source.claude_dirs, os.environ)
    except CcusageError:
        roots = ()  # said by the first display, which may find them by then
    with ExitStack() as stack:
        try:
            workdir = stack.enter_context(workspace(roots))
        except OSError as error:
            advice = "Make room in the temporary directory (TMPDIR), or let it be written to."
            raise exits.Failure(f"No private directory could be made: {error}.", advice) from error
        reader = Reader(settings.source, workdir, cache_dir(), kept)
        try:
            yield Poller(reader, state, utc_now)
        finally:
            reader.stop()


def poll_once(settings: Settings, poller: Poller) -> Usage:
    """Poll, and read the history too where the limit depends on it. Raises exits.Failure."""
    seen = poller.poll()
    if isinstance(seen.error, NotFound):
        _install(settings, poller, seen.error)
        seen = poller.poll()
    if seen.reading is None or seen.error is not None:
        raise _failure(seen)
    return _with_history(seen, settings, poller)


def _with_history(seen: PollResult, settings: Settings, poller: Poller) -> Usage:
    """Measure what was seen; reads the whole history first where the limit depends on it."""
    usage = measured(seen, settings.rules, utc_now())
    if needs_history(settings.rules, usage) and poller.wants_history():
        usage = measured(poller.read_history(), settings.rules, utc_now())
    return usage


def name_missing(settings: Settings) -> None:
    """Say on standard error which of the named data directories are not there."""
    for path in missing_dirs(settings.source.claude_dirs):
        print(left_out(str(path)), file=sys.stderr)


def style_for(settings: Settings) -> Style:
    """Decide on glyphs and colours for standard output."""
    return choose_style(
        encoding=sys.stdout.encoding or "ascii",
        is_terminal=sys.stdout.isatty(),
        environ=os.environ,
        ascii_only=settings.ascii,
        no_color=settings.no_color,
    )


def _live(settings: Settings, poller: Poller) -> int:
    from monitor.app.live import watch
    from monitor.terminal import Screen

    display = DisplayOptions(style_for(settings), settings.show_cost, live=True, demo=settings.demo)
    while True:
        try:
            with Screen(sys.stdout, sys.stdin) as screen:
                code = watch(settings, poller, screen, display)
            exits.leave_in_peace()
            return code
        except NotFound as error:
            poller.reader.runner.resume()  # leaving the screen has stopped it
            _install(settings, poller, error)


def _follow(settings: Settings, poller: Poller) -> int:
    try:
        usage = poll_once(settings, poller)
        while True:
            _print_json(usage, settings, indent=None)
            _wait_for_reader(settings.refresh)
            seen = poller.poll()
            if seen.reading is None:
                raise _failure(seen)
            usage = _with_history(seen, settings, poller)
    except KeyboardInterrupt:
        return exits.OK


def _wait_for_reader(seconds: float) -> None:
    """Sleep, but notice at once when whoever reads our output has gone away."""
    try:
        import select

        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
    except (ImportError, AttributeError, OSError, ValueError):
        time.sleep(seconds)
        return
    if poll.poll(seconds * 1000):
        raise BrokenPipeError


def _print_json(usage: Usage, settings: Settings, indent: Optional[int]) -> None:
    data: dict[str, Any] = snapshot(usage, show_cost=settings.show_cost)
    text = json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False)
    # JSON is UTF-8 whatever the locale; file names may hold bytes that are not.
    whole = text.encode("utf-8", "replace").decode("utf-8")
    sys.stdout.flush()
    sys.stdout.buffer.write("".join(map(_json_character, whole)).encode("utf-8") + b"\n")
    sys.stdout.buffer.flush()


def _json_character(character: str) -> str:
    """Escape what a terminal may obey and JSON lets pass: DEL, C1, marks that reorder text."""
    if character.isprintable() or character == "\n":
        return character
    return json.dumps(character)[1:-1]


def _print_frame(usage: Usage, settings: Settings) -> None:
    style = style_for(settings)
    columns, rows = terminal_size(sys.stdout)
    display = DisplayOptions(style, settings.show_cost, live=False, demo=settings.demo)
    lines = [style.paint(line).rstrip() for line in frame(usage, columns, rows, display)]
    print("\n".join(lines))


def _failure(seen: PollResult) -> exits.Failure:
    error = seen.error
    if error is None:
        return exits.Failure("No reading could be had.", "See `ccusage-monitor doctor`.")
    return exits.Failure(error.reason, error.advice)


def _install(settings: Settings, poller: Poller, missing: NotFound) -> None:
    """Offer to install the pinned ccusage; raises exits.Failure when that is not to be."""
    try:
        command = " ".join(install_command(cache_dir()))
    except CcusageError as no_npm:
        raise exits.Failure(missing.reason, no_npm.advice) from no_npm
    if not settings.yes and not _confirmed(missing, command):
        advice = f"Run again with --yes to install it, or type: {command}"
        raise exits.Failure(missing.reason, advice)
    try:
        install(cache_dir(), poller.reader.runner, lambda text: print(text, file=sys.stderr))
    except CcusageError as error:
        raise exits.Failure(error.reason, error.advice) from error


def _confirmed(missing: NotFound, command: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    import click

    print(
        f"{missing.reason}\nThis would install it for the monitor only:\n  {command}",
        file=sys.stderr,
    )
    return bool(click.confirm("Install it now?", default=True, err=True))


def _demo(settings: Settings, stack: ExitStack) -> tuple[Settings, Path]:
    from monitor.app.demo import sample_usage

    home = stack.enter_context(sample_usage(settings.rules))
    source = replace(settings.source, claude_dirs=(home / "claude",))
    return replace(settings, source=source), home / "state"
