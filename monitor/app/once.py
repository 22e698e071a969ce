"""Print one frame, one JSON snapshot, or a snapshot at every refresh."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Optional

from monitor.app import exits
from monitor.app.accounts import NamedRead, read_each
from monitor.app.opening import PolledAccount, measure_with_history, output_style, read_usage
from monitor.app.poller import Poller
from monitor.config.settings import Settings
from monitor.model.accounts import AccountUsage, binds_first
from monitor.model.official import no_answer
from monitor.model.usage import Usage
from monitor.terminal import terminal_size
from monitor.views.screen.dashboard import DisplayOptions, frame
from monitor.views.snapshot import snapshot


def print_frame(polled: Sequence[PolledAccount]) -> int:
    """Print one frame without cursor codes. Raises MonitorError."""
    accounts = read_each(_reads(polled, read_usage))
    place, usage = _leading(accounts)
    settings = polled[place].settings
    style = output_style(settings)
    columns, rows = terminal_size(sys.stdout)
    display = DisplayOptions(
        style,
        settings.show_cost,
        live=False,
        demo=settings.demo,
        hint=no_answer(usage.official) if settings.official.mode == "ask" else "",
        account=settings.account,
        accounts=accounts,
    )
    print("\n".join(style.paint(line).rstrip() for line in frame(usage, columns, rows, display)))
    return exits.OK


def print_snapshot(polled: Sequence[PolledAccount]) -> int:
    """Print one JSON snapshot. Raises MonitorError."""
    _print_json(read_each(_reads(polled, read_usage)), polled, indent=2)
    return exits.OK


def follow(polled: Sequence[PolledAccount]) -> int:
    """Print a snapshot per line at every refresh, until Ctrl+C or a closed pipe.

    Raises MonitorError if there is no reading at all.
    """
    try:
        accounts = read_each(_reads(polled, read_usage))
        while True:
            _print_json(accounts, polled, indent=None)
            _wait_for_reader(polled[0].settings.refresh)
            accounts = read_each(_reads(polled, _read_again))
    except KeyboardInterrupt:
        return exits.OK


def _reads(
    polled: Sequence[PolledAccount], read: Callable[[Settings, Poller], Usage]
) -> Iterator[NamedRead]:
    for account in polled:
        yield account.settings.account, partial(read, *account)


def _read_again(settings: Settings, poller: Poller) -> Usage:
    poller.poll()
    return measure_with_history(poller.ask_official(), settings, poller)


def _leading(accounts: Sequence[AccountUsage]) -> tuple[int, Usage]:
    """Return the place and the usage of the account that binds first; `read_each` found one."""
    place = binds_first(accounts)
    usage = accounts[place].usage
    assert usage is not None  # noqa: S101
    return place, usage


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


def _print_json(
    accounts: Sequence[AccountUsage], polled: Sequence[PolledAccount], indent: Optional[int]
) -> None:
    place, usage = _leading(accounts)
    settings = polled[place].settings
    data = snapshot(
        usage,
        show_cost=settings.show_cost,
        account=settings.account,
        accounts=accounts if settings.account else (),
    )
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
