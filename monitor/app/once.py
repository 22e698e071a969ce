"""Print one frame, one JSON snapshot, or a snapshot at every refresh."""

from __future__ import annotations

import json
import sys
import time
from typing import Optional

from monitor.app import exits
from monitor.app.poller import Poller
from monitor.app.session import measure_with_history, output_style, read_usage
from monitor.config.settings import Settings
from monitor.model.usage import Usage
from monitor.terminal import terminal_size
from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.snapshot import snapshot


def print_frame(settings: Settings, poller: Poller) -> int:
    """Print one frame without cursor codes. Raises MonitorError."""
    usage = read_usage(settings, poller)
    style = output_style(settings)
    columns, rows = terminal_size(sys.stdout)
    display = DisplayOptions(style, settings.show_cost, live=False, demo=settings.demo)
    print("\n".join(style.paint(line).rstrip() for line in frame(usage, columns, rows, display)))
    return exits.OK


def print_snapshot(settings: Settings, poller: Poller) -> int:
    """Print one JSON snapshot. Raises MonitorError."""
    _print_json(read_usage(settings, poller), settings, indent=2)
    return exits.OK


def follow(settings: Settings, poller: Poller) -> int:
    """Print a snapshot per line at every refresh, until Ctrl+C or a closed pipe.

    Raises MonitorError if there is no reading at all.
    """
    try:
        usage = read_usage(settings, poller)
        while True:
            _print_json(usage, settings, indent=None)
            _wait_for_reader(settings.refresh)
            poller.poll()
            usage = measure_with_history(poller.ask_official(), settings, poller)
    except KeyboardInterrupt:
        return exits.OK


def _wait_for_reader(seconds: float) -> None:
    """Sleep; raise BrokenPipeError as soon as the program that reads our output has gone."""
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
    data = snapshot(usage, show_cost=settings.show_cost)
    text = json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False)
    # JSON is UTF-8 whatever the locale; file names may hold bytes that are not.
    whole = text.encode("utf-8", "replace").decode("utf-8")
    sys.stdout.flush()
    sys.stdout.buffer.write("".join(map(_json_character, whole)).encode("utf-8") + b"\n")
    sys.stdout.buffer.flush()


def _json_character(character: str) -> str:
    """Escape characters that JSON allows but a terminal may obey: DEL, C1, bidi marks."""
    if character.isprintable() or character == "\n":
        return character
    return json.dumps(character)[1:-1]
