"""`doctor`: check what the monitor needs; each line says what is wrong and what to do."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Optional

import click

from monitor import __title__, __version__
from monitor.app import exits
from monitor.app.exits import as_monitor_error
from monitor.app.opening import open_poller, output_style
from monitor.app.poller import Poller
from monitor.app.signals import signals_unwind
from monitor.ccusage.diagnosis import GET_NODE
from monitor.ccusage.find import candidates
from monitor.ccusage.runner import search_path
from monitor.claude.find_claude import find_claude
from monitor.clock import utc_now
from monitor.config.settings import Settings
from monitor.errors import MonitorError
from monitor.model.accounts import named
from monitor.model.bridge import bridge_errors
from monitor.model.five_hour import window_start
from monitor.model.formatting import age, count, percent, plural, size, visible
from monitor.model.official import FIVE_HOUR, window_kind
from monitor.model.sentence import left_out, unreadable_advice, unreadable_text
from monitor.store.history import forget_history
from monitor.store.json_file import NewerFileError, check_changeable, replace_file
from monitor.store.paths import (
    DirectoryFault,
    cache_dir,
    directory_fault,
    has_home,
    state_dir,
    temporary_dir,
)
from monitor.transcripts.data_dirs import data_dirs, missing_dirs
from monitor.transcripts.files import walk
from monitor.transcripts.unreadable import find_unreadable
from monitor.transcripts.watcher import Watcher


class Check(NamedTuple):
    """One result: fine, not fine, or worth knowing (None); its text, and what to do about it."""

    fine: Optional[bool]
    text: str
    advice: str = ""


@click.command()
@click.option("--forget-history", is_flag=True, help="Delete the stored past blocks.")
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
    faults: set[str] = set()
    with signals_unwind():
        for check in _checks(settings):
            if check.text in faults:
                continue
            print(f"{marks[check.fine]} {visible(check.text)}", flush=True)
            if check.fine is not True and check.advice:
                print(f"  {visible(check.advice)}")
            if check.fine is False:
                faults.add(check.text)
    return exits.NO_READING if faults else exits.OK


def _forget() -> int:
    try:
        deleted = forget_history(state_dir())
    except OSError as error:
        raise MonitorError(f"The history could not be deleted: {error}.") from error
    print(f"Forgot the past blocks ({plural(len(deleted), 'file')} deleted).")
    return exits.OK


def _checks(settings: Settings) -> Iterator[Check]:
    yield Check(True, f"ccusage-monitor {__version__} on Python {platform.python_version()}")
    yield from _survivor(_same_name())
    yield from _survivor(_own_files())
    yield from _survivor(_node())
    yield from _survivor(_terminal(settings))
    for place, own in enumerate(settings.each_account()):
        yield from _account_checks(own, is_first=place == 0)


def _account_checks(settings: Settings, *, is_first: bool) -> Iterator[Check]:
    """Check the data of one account, and what it takes to read them."""
    with ExitStack() as stack:
        poller = None
        try:
            poller = stack.enter_context(open_poller(settings, state_dir()))
        except (MonitorError, OSError) as error:
            yield _failed(error)
        if poller and is_first:
            yield from _survivor(_ccusages(settings, poller))
        checks = [_survivor(_data(settings)), _survivor(_watching(settings))]
        if poller:
            checks.append(_survivor(_poll(poller)))
            checks.append(_survivor(_claude(settings, poller)))
            checks.append(_survivor(_official(settings, poller)))
        for check in chain.from_iterable(checks):
            yield check._replace(text=named(settings.account, check.text))


def _survivor(checks: Iterator[Check]) -> Iterator[Check]:
    """Yield the checks; if one fails, yield its error, so that the next can follow."""
    try:
        yield from checks
    except Exception as error:  # noqa: BLE001 - whatever is wrong here, the list goes on
        yield _failed(error)


def _failed(error: Exception) -> Check:
    known = as_monitor_error(error)
    return Check(False, known.reason, known.advice)


def _own_files() -> Iterator[Check]:
    """Check where the monitor stores what it has learned; say nothing if all is as usual."""
    if not has_home():
        text = f"no home directory is known: state and cache are in {temporary_dir()}"
        yield Check(None, text, "Set HOME to a directory of yours to keep them.")
    fault = directory_fault(state_dir()) or _disk_fault(state_dir() / "doctor")
    if fault is not None:
        yield Check(False, *fault)
        return
    for path in sorted(state_dir().glob("*.json")):
        try:
            check_changeable(path)
        except NewerFileError:
            text = f"a newer version has written {path}: nothing is stored there."
            yield Check(False, text, "Update this monitor, or rename that file.")
        except BlockingIOError:
            text = f"{path} is locked by another process, which may be stopped: nothing is stored."
            yield Check(False, text, "Continue or end that process.")
        except OSError as error:
            text = f"{path} cannot be changed ({error.strerror}): nothing is stored."
            yield Check(False, text, f"Remove {error.filename or path}")


def _disk_fault(probe: Path) -> Optional[DirectoryFault]:
    """Return why a file cannot be written; the disk may be full."""
    try:
        replace_file(probe, bytes(4096))
        probe.unlink()
    except OSError as error:
        advice = "Make room on its disk, or set HOME or XDG_STATE_HOME to a directory of yours."
        reason = f"{probe.parent} cannot be written to ({error.strerror}): nothing is stored."
        return DirectoryFault(reason, advice)
    return None


def _same_name() -> Iterator[Check]:
    """Name the other packages that install a `monitor`: pip puts one over the other, silently."""
    from importlib.metadata import distributions

    for package in distributions():
        name = package.metadata["Name"]
        files = {file.as_posix() for file in package.files or ()}
        if name != __title__ and files & {"monitor/__init__.py", "monitor.py"}:
            clash = f"the Python package {name} {package.version} also installs a module `monitor`"
            yield Check(False, clash, "Install ccusage-monitor into an environment of its own.")


def _node() -> Iterator[Check]:
    node, npm = (shutil.which(name, path=search_path()) for name in ("node", "npm"))
    if node and npm:
        yield Check(True, f"Node.js {node}, npm {npm}")
        return
    # ccusage 20 is started without Node.js, so this alone is no fault.
    missing = " and ".join(name for name, path in (("Node.js", node), ("npm", npm)) if not path)
    text = f"{missing} not found: needed to install ccusage, and by versions below 20"
    yield Check(None, text, GET_NODE)


def _ccusages(settings: Settings, poller: Poller) -> Iterator[Check]:
    chosen = False
    programs = list(candidates(settings.data.ccusage, cache_dir(), poller.reader.runner))
    works = any(program.command is not None for program in programs)
    for program in programs:
        command, path = program.command, program.path
        if command is None or program.fault:
            name = "" if path in program.fault else f"{path}: "
            yield Check(None if works else False, f"{name}{program.fault}", program.advice)
            continue
        how = "its native program, started directly" if command.native else "as it is"
        use = f"in use, {how}" if not chosen else "fine, but not the first"
        yield Check(True, f"ccusage {command.version or '(no version)'} at {path}: {use}")
        chosen = True


def _data(settings: Settings) -> Iterator[Check]:
    roots = data_dirs(settings.data.claude_dirs, os.environ)
    for missing in missing_dirs(settings.data.claude_dirs):
        yield Check(False, left_out(str(missing)), "Correct --claude-dir.")
    for root in roots:
        folders = list(walk([root]))
        sizes = [file.size for folder in folders for file in folder.files.values()]
        amount = f"{plural(len(sizes), 'file')}, {size(sum(sizes))}"
        yield Check(True, f"Claude data in {root}: {amount}")
        unreadable = tuple(find_unreadable([root], folders))
        if unreadable:
            yield Check(False, unreadable_text(unreadable), unreadable_advice(unreadable))


def _watching(settings: Settings) -> Iterator[Check]:
    """Say how the live monitor notices new usage."""
    watcher = Watcher(settings.data.claude_dirs)
    try:
        watcher.listen(lambda: None)
        watcher.poll()
        fault, files, folders = watcher.fault, watcher.size.files, watcher.folders
    finally:
        watcher.close()
    if fault is None:
        places = f"{folders:,} director{'y' if folders == 1 else 'ies'}"
        how = f"the system tells of changes (inotify), {plural(files, 'file')} in {places}"
    else:
        how = f"a look every {settings.refresh:g} s, since {fault}"
    yield Check(True, f"watching: {how}")


def _terminal(settings: Settings) -> Iterator[Check]:
    style = output_style(settings)
    colors = "colours" if style.colors else "no colours"
    glyphs = {"ascii": "ASCII", "console": "console", "unicode": "Unicode"}[style.glyphs.charset]
    zone = settings.rules.time_format.name
    yield Check(True, f"zone {zone}, encoding {sys.stdout.encoding}, {colors}, {glyphs} bars")


def _poll(poller: Poller) -> Iterator[Check]:
    began = time.monotonic()
    result = poller.poll()
    took = time.monotonic() - began
    if result.reading is None or result.error:
        yield _failed(result.error or MonitorError("no reading"))
        return
    blocks = len([b for b in result.reading.blocks if not b.is_gap])
    active = [b for b in result.reading.blocks if b.is_active and b.start <= utc_now() < b.end]
    state = f"{count(active[-1].tokens.counted)} tokens counted" if active else "no active block"
    scanned = f"{plural(blocks, 'block')} read, scan: {result.reading.source.scan}"
    yield Check(True, f"one look took {took:.2f} s ({scanned}): {state}")


def _claude(settings: Settings, poller: Poller) -> Iterator[Check]:
    """Check the Claude Code to ask for limits; it is asked only if that is chosen."""
    asked = settings.official.mode == "ask"
    try:
        program = find_claude(settings.official.claude)
    except MonitorError as error:
        if asked or settings.official.claude:
            yield Check(None, error.reason, error.advice)
        return
    name = f"Claude Code {program.version or '(of unknown version)'} at {program.path}"
    if not asked:
        yield Check(True, f"{name}: not asked for its limits (--official ask does that)")
        return
    began = time.monotonic()
    answer = poller.ask_official(force=True).official.asked
    took = f"{time.monotonic() - began:.1f} s"
    if answer is not None and answer.fault:
        yield Check(None, f"{name}, asked for its limits: {answer.fault}")
    elif answer is not None:
        yield Check(True, f"{name} answered within {took}")


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
    if not known and directory_fault(state_dir()):
        return  # they may have been reported, and could not be stored
    if not known:
        # Whoever pays by use has none, so this alone is no fault.
        yield Check(None, "no official limits: `ccusage-monitor statusline --install` brings them")
        return
    yield Check(True, f"official limits: {'; '.join(known)}")
    window = windows.get(FIVE_HOUR)
    if window is None:
        return
    start = window_start(window, usage.limit.tokens)
    errors = [abs(e) for e in bridge_errors(window.rising, usage.events or (), start)]
    if errors:
        median, most = statistics.median(errors), max(errors)
        off = f"off by {median:.1f} points at the median, {most:.1f} at most"
        yield Check(True, f"carried on from capture to capture: {off} ({len(errors)} times)")
