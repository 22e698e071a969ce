"""The HTTP server of `serve-metrics`: clients that send nothing keep nobody else out.

It is waitress, which needs no other library and starts no thread for a client. The server of
prometheus_client starts one for each and waits for ever, so silent clients take every descriptor.
Ten slow clients occupy every thread of cheroot. waitress by itself accepts nobody while silent
clients use all its connections; here those give way.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask
from waitress.wasyncore import close_all, loop

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

CONNECTIONS = 64
"""Few enough to leave a poll its descriptors, even with the 256 that macOS allows a process."""
REQUEST_SECONDS = 10
"""So long may a client take to send its request, and to read the answer."""
CROWDED_SECONDS = 0.1
"""The same while all connections are in use and others wait."""
REQUEST_BYTES = 8 * 2**10
"""The longest header, and the longest body; a scrape has no body."""
REFUSED = b"Use localhost or a loopback address: this server is for its own machine only.\n"


@contextmanager
def serving(app: App, address: str, port: int) -> Iterator[int]:
    """Answer requests on threads of its own; lend the port.

    Raises OSError or UnicodeError if the port cannot be opened.
    """
    if not sys.flags.dev_mode:
        # Any client can cause what the library reports.
        logging.getLogger("waitress").setLevel(logging.CRITICAL)
    server = _Server(app, address, port)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        server.trigger.pull_trigger(server.close_all)
        thread.join()
        server.task_dispatcher.shutdown()


class _Task(WSGITask):  # type: ignore[misc] # waitress ships no types
    """Answers one request, and says that the connection ends with it."""

    def start(self) -> None:
        super().start()
        self.set_close_on_finish()


class _Channel(HTTPChannel):  # type: ignore[misc] # likewise
    """One client's connection."""

    task_class = _Task
    # Nobody reads urgent data, so it would wake the server again and again.
    handle_expt = HTTPChannel.handle_close

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.opened = time.monotonic()


class _Server(TcpWSGIServer):  # type: ignore[misc] # likewise
    """Listens at the first address that a name has, as the server of prometheus_client does."""

    channel_class = _Channel

    def __init__(self, app: App, address: str, port: int) -> None:
        kind, flags = socket.SOCK_STREAM, socket.AI_PASSIVE
        family, _, proto, _, place = socket.getaddrinfo(address, port, type=kind, flags=flags)[0]
        settings = Adjustments(
            threads=1,  # it computes answers and never waits for a client
            connection_limit=CONNECTIONS + 2,  # it counts the listener and its own pipe too
            max_request_header_size=REQUEST_BYTES,
            max_request_body_size=REQUEST_BYTES,
            log_socket_errors=False,
        )
        super().__init__(app, map={}, adj=settings, sockinfo=(family, kind, proto, place))
        if ipaddress.ip_address(self.effective_host.partition("%")[0]).is_loopback:
            self.application = _for_this_machine(app, address)

    def run(self) -> None:
        """Serve until `close_all`."""
        while self._map:
            crowded = len(self.active_channels) >= CONNECTIONS
            self._close_late(CROWDED_SECONDS if crowded else REQUEST_SECONDS)
            loop(timeout=CROWDED_SECONDS if crowded else 1, map=self._map, count=1)

    def _close_late(self, patience: float) -> None:
        """Close each connection that has not asked in time, or whose answer is not read in time.

        The library's own time starts again at each byte, and follows changes of the wall clock.
        """
        before = time.monotonic() - patience
        for channel in list(self.active_channels.values()):
            if not channel.requests and channel.opened < before:
                channel.will_close = True
                with suppress(OSError):  # the client may have left
                    # The library closes a connection only once it can be written to.
                    channel.socket.shutdown(socket.SHUT_RDWR)

    def close_all(self) -> None:
        """Close the listener and every connection, which ends `run`."""
        close_all(self._map, ignore_all=True)


def _for_this_machine(app: App, address: str) -> App:
    """Refuse requests for other names: a page in a browser can give its own name our address.

    This attack is called DNS rebinding. A request without a Host comes from no browser.
    """

    def checked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = environ.get("HTTP_HOST")
        if host is None or _is_local(host, address):
            return app(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [REFUSED]

    return checked


def _is_local(host: str, address: str) -> bool:
    """Return whether a Host header, with or without a port, names this machine.

    >>> [_is_local(host, "::1") for host in ("localhost:80", "127.0.0.2", "[::1]:9817")]
    [True, True, True]
    >>> [_is_local(host, "::1") for host in ("evil.example", "127.0.0.1.evil.example", "")]
    [False, False, False]
    """
    found = re.fullmatch(r"\[(.+)\](?::\d*)?|([^:]*)(?::\d*)?", host)
    name = (found[1] or found[2]).lower() if found else ""
    try:
        return name in ("localhost", address.lower()) or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
