"""Explain the failure of a program from its output."""

from __future__ import annotations

import re
import signal
from typing import Optional

from monitor.ccusage.pinned import INSTALL
from monitor.errors import MonitorError, NotCcusageError
from monitor.model.formatting import cut
from monitor.process import SEE_DOCTOR, ProcessOutput

MOST_READ = 20_000
"""Characters of an error text that are searched."""

GET_NODE = "Install Node.js 22 or newer: `pip install -e '.[node]'` brings it to this Python."
GET_CCUSAGE = (
    f"Install the npm tool ({INSTALL}), "
    "or start with --yes and without --ccusage for a copy of the monitor's own."
)
NO_DATA = "Start Claude Code once, name its directory with --claude-dir, or try --demo."

OTHER_PROGRAM = (
    "{shown} is another program of the same name: it does not know `blocks`.",
    GET_CCUSAGE,
)
BROKEN_INSTALL = ("{shown} is a broken install: no native binary.", GET_CCUSAGE)
NOT_CCUSAGE = {OTHER_PROGRAM[0], BROKEN_INSTALL[0]}
NO_NODE = ("{shown} needs Node.js, and there is none.", GET_NODE)

UNREACHABLE = r"ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|ENOTCACHED"

# Pattern of an error text → reason and advice. Groups of the pattern fill {0} and {1}.
FAULTS = tuple(
    (re.compile(pattern, re.IGNORECASE), reason, advice)
    for pattern, (reason, advice) in {
        r"native binary is not": BROKEN_INSTALL,
        r"requires .*Node\.js >= ?([\d.]*\d).*Current.*?(v[\d.]+)": (
            "{shown} needs Node.js {0} or newer, and this is {1}.",
            "Update Node.js, or name another ccusage: --ccusage 'npx --yes ccusage@20'.",
        ),
        r"No valid Claude data directories": (
            "{shown} finds no `projects` in the Claude data directory: no usage yet.",
            NO_DATA,
        ),
        r"invalid choice: '?blocks|no such command '?blocks": OTHER_PROGRAM,
        r"unrecognized arguments: ": OTHER_PROGRAM,
        r"env: .?node.?: |node: (command )?not found": NO_NODE,
        r"'node' is not recognized": NO_NODE,
        rf"npm (?:error|ERR!) code ({UNREACHABLE})": (
            "npm cannot reach its registry ({0}).",
            "Check the network and npm's proxy settings, then try again.",
        ),
    }.items()
)

ERROR_TEXT = re.compile(
    r"(?:Uncaught )?(?:\[ccusage\]\s+)?(?:ERROR\s+|npm (?:error|ERR!)\s+(?!code|errno|syscall)|"
    r"Error: |(?P<kind>[A-Za-z]\w*(?:Error|Exception))(?: \[\w+\])?: )(?P<text>.+)"
)
CLI_ERROR = re.compile(r'CliError\("(.*)"\)')
NOISE = re.compile(r"at |Node\.js v\d|[\^~]+$|npm (notice|warn)|[{}\[\]()]+$")


def known_fault(output: ProcessOutput, shown: str) -> Optional[MonitorError]:
    """Return the error that FAULTS has for this output; None if none fits."""
    text = f"{output.stderr[:MOST_READ]}\n{output.stdout[:MOST_READ]}"
    for pattern, reason, advice in FAULTS:
        match = pattern.search(text)
        if match:
            kind = NotCcusageError if reason in NOT_CCUSAGE else MonitorError
            return kind(reason.format(*match.groups(), shown=shown), advice)
    return None


def failure(output: ProcessOutput, shown: str) -> MonitorError:
    """Return the error for a program that failed, or printed nothing."""
    line = meaningful_line(output.stderr) or meaningful_line(output.stdout)
    if output.code < 0:
        return MonitorError(f"{shown} was ended by {_signal_name(-output.code)}.", SEE_DOCTOR)
    if line and output.code:
        return MonitorError(f"{shown} failed: {line}", SEE_DOCTOR)
    if output.code:
        return MonitorError(f"{shown} failed with exit code {output.code}.", SEE_DOCTOR)
    return MonitorError(f"{shown} printed nothing{f', but: {line}' if line else '.'}", SEE_DOCTOR)


def meaningful_line(text: str) -> str:
    r"""Return the line of an error text that says what went wrong, out of a stack trace too.

    >>> meaningful_line('Error: CliError("No such file")')
    'No such file'
    >>> meaningful_line('x.js:7\n  throw new TypeError(\n\nTypeError: bad\n    at f (x.js:7:9)')
    'TypeError: bad'
    """
    lines = [line.strip() for line in text[:MOST_READ].splitlines() if line.strip()]
    named = [match for match in map(ERROR_TEXT.match, lines) if match]
    if named:
        # Node prints the error after its source; Python prints the last of a chain at the end.
        match = named[-1] if lines[0].startswith("Traceback") else named[0]
        line = f"{match['kind']}: {match['text']}" if match["kind"] else match["text"]
    else:
        line = next((line for line in reversed(lines) if not NOISE.match(line)), "")
    wrapped = CLI_ERROR.search(line)
    return cut(wrapped[1].replace('\\"', '"') if wrapped else line)


def _signal_name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
