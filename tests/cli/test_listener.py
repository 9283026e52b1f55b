# SPDX-License-Identifier: Apache-2.0
"""The listener around a tiny application."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from overt.cli import listener
from overt.cli.output import CommandError


async def application(scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """Answers every request with `ok`."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
    else:
        for _ in range(2):
            message = await receive()
            await send({"type": f"{message['type']}.complete"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server that has little patience."""
    monkeypatch.setattr(listener, "SILENCE", 0.3)
    ready = threading.Event()
    bound = listener.listen("127.0.0.1", 0)
    server = listener.Server(listener.configuration(application), ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    assert ready.wait(10)
    yield bound.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    bound.close()


def is_closed(connection: socket.socket) -> bool:
    connection.settimeout(10)
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"", b"POST / HTTP/1.1\r\nHost: x\r\n"])
def test_a_client_that_never_sends_a_request_is_let_go(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(sent)
        assert is_closed(connection)


def test_a_client_that_has_sent_one_may_wait_with_the_next(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(2):
        connection.request("POST", "/", b"x" * 100_000)
        assert connection.getresponse().read() == b"ok"
        threading.Event().wait(0.5)
    connection.close()


def test_headers_without_end_are_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(10)
        try:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (1 << 20))
            answer = connection.recv(100)
        except OSError:
            answer = b""
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")


def test_a_port_in_use_is_told() -> None:
    with listener.listen("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(CommandError, match="cannot listen on 127"):
            listener.listen("127.0.0.1", taken.getsockname()[1])
