"""Open what one run needs: a private directory, a reader and a poller; offer to install ccusage."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Optional

from monitor.app.poller import Poller, PollResult
from monitor.app.reader import Reader
from monitor.app.signals import signals_unwind
from monitor.ccusage.install import install, install_command
from monitor.ccusage.pinned import PINNED
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.errors import CcusageNotFoundError, MonitorError
from monitor.model.accounts import AccountUsage, named
from monitor.model.formatting import visible
from monitor.model.sentence import left_out
from monitor.model.usage import Usage
from monitor.process import start_detached
from monitor.store.paths import cache_dir, state_dir
from monitor.terminal import color_count
from monitor.transcripts.data_dirs import data_dirs, missing_dirs
from monitor.transcripts.workspace import workspace
from monitor.views.style import Style, choose_style

QUICK_BYTES = 32 * 2**20
"""This much is read in a fraction of a second, so that nobody waits for long."""


class PolledAccount(NamedTuple):
    """The settings to measure an account with, and its poller."""

    settings: Settings
    poller: Poller


@contextmanager
def open_accounts(settings: Settings) -> Iterator[tuple[PolledAccount, ...]]:
    """Yield every account; a single one for the demo, or where no accounts are named."""
    with signals_unwind(), ExitStack() as stack:
        directory, turn = state_dir(), threading.Lock()
        if settings.demo:
            settings, directory = _demo(settings, stack)
        every = settings.each_account()
        yield tuple(
            PolledAccount(own, stack.enter_context(open_poller(own, directory, turn, len(every))))
            for own in every
        )


@contextmanager
def open_account(settings: Settings) -> Iterator[PolledAccount]:
    """Yield the account of settings that are about one account, or none by name."""
    with open_accounts(settings) as (account, *_):
        yield account


@contextmanager
def open_poller(
    settings: Settings,
    directory: Path,
    turn: Optional[threading.Lock] = None,
    pollers: int = 1,
) -> Iterator[Poller]:
    """Yield a poller that stores in `directory`; then stop its ccusage, delete its private files.

    Pollers that share a `turn` run one ccusage at a time; all `pollers` look no more often together
    than one would alone. Raises MonitorError if there is no place for private files.
    """
    try:
        roots = data_dirs(settings.data.claude_dirs, os.environ)
    except MonitorError:
        roots = ()  # the first poll reports it, unless the directory exists by then
    with ExitStack() as stack:
        try:
            workdir = stack.enter_context(workspace(roots))
        except OSError as error:
            advice = "Make room in the temporary directory (TMPDIR), or let it be written to."
            raise MonitorError(f"No private directory could be made: {error}.", advice) from error
        reader = Reader(settings.data, workdir, cache_dir(), turn)
        poller = Poller(reader, directory, official=settings.official, pollers=pollers)
        try:
            yield poller
        finally:
            poller.stop()


def read_usage(
    settings: Settings, poller: Poller, *, check: bool = True, ask: bool = True
) -> Usage:
    """Poll once, and read the history too if the limit depends on it. Raises MonitorError.

    Without `check` the caller reads the history that is due by itself. Without `ask` Claude Code is
    not asked for its limits, whatever the settings.
    """
    result = first_poll(settings, poller)
    result = poller.ask_official() if ask else result
    return measure_with_history(result, settings, poller, check=check)


def first_poll(settings: Settings, poller: Poller, *, series: bool = True) -> PollResult:
    """Poll once; offer to install ccusage if there is none. Raises MonitorError."""
    result = poller.poll(series=series)
    if isinstance(result.error, CcusageNotFoundError):
        offer_install(settings, poller, result.error)
        result = poller.poll(series=series)
    if result.error is not None:
        raise result.error
    return result


def measure_with_history(
    result: PollResult, settings: Settings, poller: Poller, *, check: bool = True
) -> Usage:
    """Return the usage of a result; read the whole history first if the limit depends on it.

    The window is checked against the whole history once a day: at once where that is quick, else
    by a process in the background.
    """
    usage = result.measured(settings.rules, utc_now())
    if usage is not None and poller.is_history_due():
        if usage.needs_history or (check and usage.reading.source.size.bytes <= QUICK_BYTES):
            usage = poller.read_history().measured(settings.rules, utc_now())
        elif check and poller.claim_history():
            _read_history_in_background(settings)
    if usage is None:
        reason, advice = "No reading could be had.", "See `ccusage-monitor doctor`."
        error = result.error or MonitorError(reason, advice)
        raise MonitorError(error.reason, error.advice)
    return usage


def offer_install(settings: Settings, poller: Poller, missing: CcusageNotFoundError) -> None:
    """Install the pinned ccusage if the user agrees. Raises MonitorError if it is not installed."""
    try:
        command = " ".join(install_command(cache_dir()))
    except MonitorError as no_npm:
        raise MonitorError(missing.reason, no_npm.advice) from no_npm
    if not settings.yes and not _confirmed(missing, command):
        raise missing
    place = cache_dir() / "ccusage"
    print(f"Installing ccusage {PINNED} with npm into {visible(str(place))} …", file=sys.stderr)
    with _seconds_shown() as on_wait:
        installed = install(cache_dir(), poller.reader.runner, on_wait)
    print(f"Installed ccusage {installed.version}.", file=sys.stderr)


def print_missing_dirs(settings: Settings) -> None:
    """Print on standard error which of the named data directories do not exist."""
    for path in missing_dirs(settings.data.claude_dirs):
        print(left_out(str(path)), file=sys.stderr)


def print_errors(accounts: Iterable[AccountUsage]) -> None:
    """Print on standard error which accounts could not be read, and why."""
    for account in accounts:
        if account.error:
            print(visible(named(account.name, account.error)), file=sys.stderr)


def output_style(settings: Settings) -> Style:
    """Choose glyphs and colours for standard output."""
    return choose_style(
        encoding=sys.stdout.encoding or "ascii",
        is_terminal=sys.stdout.isatty(),
        environ=os.environ,
        ascii_only=settings.ascii,
        no_color=settings.no_color,
        color_count=color_count(sys.stdout, os.environ.get("TERM", "")),
    )


def _read_history_in_background(settings: Settings) -> None:
    data = settings.data
    options = [word for path in data.claude_dirs for word in ("--claude-dir", str(path.absolute()))]
    options += ["--ccusage", data.ccusage] if data.ccusage else []
    options += ["--online"] if data.online else []
    starter = Path(__file__).parents[2] / "ccusage_monitor.py"
    with suppress(OSError):  # it is tried again an hour later
        start_detached([sys.executable, str(starter), *options, "history"])


def _confirmed(missing: MonitorError, command: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    import click

    text = f"{missing.reason}\nThis would install it for the monitor only:\n  {visible(command)}"
    print(text, file=sys.stderr)
    return bool(click.confirm("Install it now?", default=True, err=True))


@contextmanager
def _seconds_shown() -> Iterator[Callable[[], None]]:
    """Lend a function that shows the seconds passed: in one line, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    began = time.monotonic()

    def show() -> None:
        print(f"\r… {time.monotonic() - began:.0f} s", end="", file=sys.stderr, flush=True)

    show()
    try:
        yield show
    finally:
        print(file=sys.stderr)


def _demo(settings: Settings, stack: ExitStack) -> tuple[Settings, Path]:
    from monitor.app.demo import sample_usage

    home = stack.enter_context(sample_usage(settings.rules))
    data = settings.data._replace(claude_dirs=(home / "claude",))
    official = settings.official._replace(mode="off")
    limit = settings.limit._replace(is_plan_chosen=True)
    return replace(settings, data=data, official=official, limit=limit), home / "state"
