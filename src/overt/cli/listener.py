# SPDX-License-Identifier: Apache-2.0
"""The listening socket and the HTTP server on it, with bounds on what a client may make it wait for or keep.

Knows sockets and Uvicorn, nothing of what is served.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from overt.cli.output import CommandError

LONGEST_HEADERS = 64 * 1024  # bytes of a request before its body; a signed one has about 1,000
SILENCE = 30.0  # seconds a new connection may take to send its first headers
KEEP_ALIVE = 75  # seconds an SDK's pool may keep a connection for its next call


class Protocol(H11Protocol):
    """HTTP/1.1 that closes a connection on which no request comes. h11 bounds the headers, which httptools does not."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the first request."""
        super().connection_made(transport)
        self.loop.call_later(SILENCE, self._close_if_silent)

    def _close_if_silent(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


class Server(uvicorn.Server):
    """Uvicorn that says when it is ready, and when it is about to end."""

    def __init__(
        self, config: uvicorn.Config, announce: Callable[[], None], farewell: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._farewell = farewell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept, then tell."""
        await super().startup(sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Have those go who would stay for ever, then end in good order."""
        self._farewell()
        await super().shutdown(sockets)


def configuration(app: Any) -> uvicorn.Config:
    """How Uvicorn serves the application."""
    return uvicorn.Config(
        app,
        http=Protocol,
        h11_max_incomplete_event_size=LONGEST_HEADERS,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=10,
    )


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes any free one. Raises: CommandError when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"cannot listen on {host}:{port}: {error.strerror}. Is a server running there? Choose another --port."
        ) from None
    return listener


def serve(
    app: Any, listener: socket.socket, announce: Callable[[], None], farewell: Callable[[], None] = lambda: None
) -> None:
    """Serve until told to end. Args: announce: called once it serves. farewell: called when it is told to end."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # idle connections cost a file each, and little else
    Server(configuration(app), announce, farewell).run(sockets=[listener])
