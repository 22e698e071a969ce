"""The HTTP server by itself: what a client must do to be answered, and what it cannot do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Optional

import pytest

from monitor.commands import metrics_server
from tests.waiting import PATIENCE, until

ASK = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = ASK[:-2] + b"X-Slow: "


def answers(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"answer"]


def answers_at_length(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """More than any system buffers for a client that does not read."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * 8_000_000]


@contextmanager
def client(port: int, said: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(said)
        yield connection


def read(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    found = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            found += part
    return found


def answer(port: int, said: bytes) -> bytes:
    with client(port, said) as connection:
        return read(connection)


def persistent_answer(port: int) -> bytes:
    """Return nothing if a busy machine let this client be slower than others would wait."""
    try:
        return answer(port, ASK)
    except OSError:
        return b""


def status(text: bytes) -> int:
    return int(text.split()[1])


def asked_for(host: str) -> bytes:
    return f"GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


@pytest.fixture
def port() -> Iterator[int]:
    with metrics_server.serving(answers, "127.0.0.1", 0) as number:
        yield number


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost:9817", "127.0.0.1", "127.0.0.1:1", "127.255.0.3:80"),
        *("[::1]", "[::1]:9817"),
    ],
)
def test_a_request_for_this_machine_is_answered(host: str, port: int) -> None:
    assert answer(port, asked_for(host)).endswith(b"\r\n\r\nanswer")


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:9817", "localhost.evil.example", "127.0.0.1.evil.example"),
        *(
            "192.0.2.1",
            "10.0.0.5:9817",
            "[::2]",
            "[::1",
            "::1",
            "evil@localhost",
            "localhost, evil",
            "",
        ),
    ],
)
def test_a_request_for_another_name_is_refused_in_one_line(host: str, port: int) -> None:
    found = answer(port, asked_for(host))
    assert status(found) == 403
    assert found.endswith(b"\r\n\r\n" + metrics_server.REFUSED)
    assert len(metrics_server.REFUSED.splitlines()) == 1


def test_two_names_are_refused(port: int) -> None:
    both = b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
    assert status(answer(port, both)) == 403


def test_a_request_without_a_name_is_from_no_browser_and_is_answered(port: int) -> None:
    assert status(answer(port, b"GET /metrics HTTP/1.0\r\n\r\n")) == 200


def test_whoever_listens_to_the_network_is_asked_by_any_name() -> None:
    with metrics_server.serving(answers, "0.0.0.0", 0) as port:  # noqa: S104 - what is tested
        assert status(answer(port, asked_for("team.example"))) == 200


def test_the_name_that_the_user_gave_is_answered_too(monkeypatch: pytest.MonkeyPatch) -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [info])
    with metrics_server.serving(answers, "Laptop", 0) as port:
        monkeypatch.undo()
        assert status(answer(port, asked_for(f"laptop:{port}"))) == 200
        assert status(answer(port, asked_for("desktop"))) == 403


def test_a_server_at_an_ipv6_address_checks_the_name_too() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with (
        metrics_server.serving(answers, "::1", 0) as port,
        socket.create_connection(("::1", port), PATIENCE) as connection,
    ):
        connection.sendall(asked_for("evil.example"))
        assert status(read(connection)) == 403


def test_silent_clients_give_way_to_those_that_ask(port: int) -> None:
    many = metrics_server.CONNECTIONS + 1
    silent = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(many)]
    until(lambda: persistent_answer(port), "an answer")
    assert read(silent[0]) == b""
    for each in silent:
        each.close()


def test_clients_that_ask_wait_for_their_turn_and_none_is_turned_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics_server, "CONNECTIONS", 4)
    monkeypatch.setattr(metrics_server, "CROWDED_SECONDS", PATIENCE)
    with metrics_server.serving(answers, "127.0.0.1", 0) as port:
        clients = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(40)]
        for each in clients:
            each.sendall(ASK)
        assert {status(read(each)) for each in clients} == {200}
        for each in clients:
            each.close()


def test_a_request_that_is_sent_byte_by_byte_is_given_up(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_server, "REQUEST_SECONDS", 0.2)
    with client(port, HALF) as slow:
        until(lambda: not takes_a_byte(slow), "the end of the connection")


def takes_a_byte(connection: socket.socket) -> bool:
    try:
        connection.sendall(b"a")
    except OSError:
        return False
    return True


def test_a_client_that_never_reads_a_long_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics_server, "CONNECTIONS", 2)
    with metrics_server.serving(answers_at_length, "127.0.0.1", 0) as port:
        deaf = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(4)]
        for each in deaf:
            each.sendall(ASK)
        until(lambda: len(persistent_answer(port)) > 8_000_000, "a whole answer")
        for each in deaf:
            each.close()


def test_of_many_requests_in_one_connection_the_first_is_answered(port: int) -> None:
    with client(port, ASK * 2) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
        assert b"HTTP/1.1" not in read(connection)


def test_an_urgent_byte_ends_its_connection(port: int) -> None:
    with client(port) as connection:
        connection.send(b"!", socket.MSG_OOB)
        assert read(connection) == b""


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (HALF + b"a" * metrics_server.REQUEST_BYTES, 431),
        (b"GET /" + b"a" * metrics_server.REQUEST_BYTES, 431),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n", 413),
        (b"\x16\x03\x01\x00\xc8\x01\x00\x00\r\n\r\n", 400),
    ],
)
def test_what_is_too_long_or_broken_is_refused_before_it_is_read(
    said: bytes, code: int, port: int
) -> None:
    with client(port, said) as connection:
        assert status(connection.recv(65536)) == code


def test_a_server_that_ends_leaves_no_thread_and_no_connection() -> None:
    before = threading.active_count()
    held: Optional[socket.socket] = None
    with metrics_server.serving(answers, "127.0.0.1", 0) as port:
        held = socket.create_connection(("127.0.0.1", port), PATIENCE)
        assert status(answer(port, ASK)) == 200
    assert read(held) == b""
    held.close()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        answer(port, ASK)
