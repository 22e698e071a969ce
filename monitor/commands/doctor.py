"""`doctor`: check what the monitor needs, a line each, and say what to do about what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Optional

import click

from monitor import __title__, __version__
from monitor.app import exits
from monitor.app.poller import Poller
from monitor.app.session import open_poller, output_style
from monitor.app.signals import signals_unwind
from monitor.ccusage.diagnosis import GET_NODE
from monitor.ccusage.find import candidates
from monitor.ccusage.runner import search_path
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.errors import MonitorError
from monitor.model.bridge import bridge_errors
from monitor.model.formatting import age, count, percent, plural, size, visible
from monitor.model.headline import start_of
from monitor.model.official import FIVE_HOUR, window_kind
from monitor.model.sentence import left_out
from monitor.store.history import forget_history
from monitor.store.paths import cache_dir, state_dir
from monitor.transcripts.data_dirs import data_dirs, missing_dirs
from monitor.transcripts.files import scan


class Check(NamedTuple):
    """One finding: fine, not, or worth knowing (None); what was found, and what to do about it."""

    fine: Optional[bool]
    found: str
    advice: str = ""


@click.command()
@click.option("--forget-history", is_flag=True, help="Delete what is kept of past blocks.")
@click.pass_obj
def command(settings: Settings, /, *, forget_history: bool) -> Callable[[], int]:
    """Check ccusage, Node.js, the usage data and the terminal; exit 1 when something is missing."""
    if settings.demo:
        raise click.UsageError("doctor is about your own usage: leave out --demo.")
    return _forget if forget_history else lambda: _doctor(settings)


def _doctor(settings: Settings) -> int:
    glyphs = output_style(settings).glyphs
    yes, no = ("✓", "✗") if glyphs.charset == "unicode" else ("ok", "NO")
    marks = {True: yes, False: no, None: glyphs.warning}
    said: set[str] = set()
    with signals_unwind(), open_poller(settings, state_dir()) as poller:
        for check in _checks(settings, poller):
            if check.found in said:
                continue
            print(f"{marks[check.fine]} {visible(check.found)}", flush=True)
            if check.fine is not True and check.advice:
                print(f"  {visible(check.advice)}")
            if check.fine is False:
                said.add(check.found)
    return exits.NO_READING if said else exits.OK


def _forget() -> int:
    try:
        gone = forget_history(state_dir())
    except OSError as error:
        raise MonitorError(f"The history could not be deleted: {error}.") from error
    print(f"Forgot the past blocks ({plural(len(gone), 'file')} deleted).")
    return exits.OK


def _checks(settings: Settings, poller: Poller) -> Iterator[Check]:
    yield Check(True, f"ccusage-monitor {__version__} on Python {platform.python_version()}")
    yield from _same_name()
    yield _node()
    yield from _ccusages(settings, poller)
    yield from _data(settings)
    yield _terminal(settings)
    yield _look(poller)
    yield from _official(settings, poller)


def _same_name() -> Iterator[Check]:
    """Name the other packages that install a `monitor`: pip puts one over the other, silently."""
    from importlib.metadata import distributions

    for found in distributions():
        name = found.metadata["Name"]
        files = {file.as_posix() for file in found.files or ()}
        if name != __title__ and files & {"monitor/__init__.py", "monitor.py"}:
            clash = f"the Python package {name} {found.version} also installs a module `monitor`"
            yield Check(False, clash, "Install ccusage-monitor into an environment of its own.")


def _node() -> Check:
    node, npm = (shutil.which(name, path=search_path()) for name in ("node", "npm"))
    if node and npm:
        return Check(True, f"Node.js {node}, npm {npm}")
    # ccusage 20 is started without Node.js, so this alone is no fault.
    missing = " and ".join(name for name, at in (("Node.js", node), ("npm", npm)) if not at)
    return Check(
        None, f"{missing} not found: needed to install ccusage, and by versions below 20", GET_NODE
    )


def _ccusages(settings: Settings, poller: Poller) -> Iterator[Check]:
    chosen = False
    all_found = list(candidates(settings.data.ccusage, cache_dir(), poller.reader.runner))
    works = any(found.command is not None for found in all_found)
    for found in all_found:
        if found.command is None or found.verdict:
            named = "" if found.path in found.verdict else f"{found.path}: "
            yield Check(None if works else False, f"{named}{found.verdict}", found.advice)
            continue
        how = "its native program, started directly" if found.command.native else "as it is"
        use = f"in use, {how}" if not chosen else "fine, but not the first"
        yield Check(
            True, f"ccusage {found.command.version or '(no version)'} at {found.path}: {use}"
        )
        chosen = True


def _data(settings: Settings) -> Iterator[Check]:
    try:
        roots = data_dirs(settings.data.claude_dirs, os.environ)
    except MonitorError as error:
        yield Check(False, error.reason, error.advice)
        return
    for missing in missing_dirs(settings.data.claude_dirs):
        yield Check(False, left_out(str(missing)), "Correct --claude-dir.")
    for root in roots:
        files = scan([root])
        amount = f"{plural(len(files), 'file')}, {size(sum(file.size for file in files))}"
        yield Check(True, f"Claude data in {root}: {amount}")


def _terminal(settings: Settings) -> Check:
    style = output_style(settings)
    colors = "colours" if style.colors else "no colours"
    glyphs = {"ascii": "ASCII", "console": "console", "unicode": "Unicode"}[style.glyphs.charset]
    zone = settings.rules.time_format.name
    return Check(True, f"zone {zone}, encoding {sys.stdout.encoding}, {colors}, {glyphs} bars")


def _look(poller: Poller) -> Check:
    began = time.monotonic()
    result = poller.poll()
    took = time.monotonic() - began
    if result.reading is None or result.error:
        error = result.error
        return Check(False, error.reason if error else "no reading", error.advice if error else "")
    blocks = len([b for b in result.reading.blocks if not b.is_gap])
    active = [b for b in result.reading.blocks if b.is_active and b.start <= utc_now() < b.end]
    state = f"{count(active[-1].tokens.counted)} tokens counted" if active else "no active block"
    scanned = f"{plural(blocks, 'block')} read, scan: {result.reading.scan}"
    return Check(True, f"one look took {took:.2f} s ({scanned}): {state}")


def _official(settings: Settings, poller: Poller) -> Iterator[Check]:
    usage = poller.result.measured(settings.rules, utc_now())
    if usage is None:
        return
    windows = usage.official.windows
    known = [
        f"{window_kind(key).label} {percent(window.used_percent)}, "
        f"captured {age(usage.now - window.captured_at)} ago"
        for key, window in windows.items()
    ]
    if not known:
        # Whoever pays by use has none, so this alone is no fault.
        yield Check(None, "no official limits: `ccusage-monitor statusline --install` brings them")
        return
    yield Check(True, f"official limits: {'; '.join(known)}")
    window = windows.get(FIVE_HOUR)
    if window is None:
        return
    start = start_of(window, usage.limit.tokens)
    errors = [abs(e) for e in bridge_errors(window.rising, usage.events or (), start)]
    if errors:
        median, most = statistics.median(errors), max(errors)
        off = f"off by {median:.1f} points at the median, {most:.1f} at most"
        yield Check(True, f"carried on from capture to capture: {off} ({len(errors)} times)")
