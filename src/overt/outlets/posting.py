# SPDX-License-Identifier: Apache-2.0
"""Posts to a URL: over http and https only, within a time, following no redirect. Knows no body and no signature."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from overt.outlets.base import SECONDS, SendError, shown

# Answers about this very message; others tell of the receiver's state, or of settings, and can change.
_PERMANENT = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.GONE,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_MOVED = ", a redirect, and redirects are not followed: set the address that it leads to"


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    permanent: frozenset[HTTPStatus] = _PERMANENT,
    seconds: float = SECONDS,
) -> None:
    """Post, and hear that it was taken: an answer of 2xx.

    Args: permanent: answers after which it is never worth trying again.
    Raises: SendError, which names the receiver's host and nothing else of the URL.
    """
    where = shown(url)
    if urlsplit(url).scheme not in ("http", "https"):
        msg = f"{where} is no address to post to: it has to begin with https:// or http://"
        raise SendError(msg, is_permanent=True)
    request = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310 - just checked
    line = _Line(seconds)
    try:
        with line, line.opener.open(request, timeout=seconds):
            return
    except urllib.error.HTTPError as error:
        with error:
            words = f"{where} answered {error.code}" + (_MOVED if 300 <= error.code < 400 else "")  # noqa: PLR2004
        raise SendError(words, is_permanent=error.code in permanent) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        # The error itself may quote the URL.
        reason = getattr(error, "reason", error)
        words = getattr(reason, "strerror", None) or type(reason).__name__
        told = f"within {seconds:g} s" if line.is_cut or isinstance(reason, TimeoutError) else f"({words})"
        msg = f"{where} gave no answer {told}"
        raise SendError(msg) from None


class _Line:
    """What opens a connection, and cuts it when the time is up: a receiver may send its answer letter by letter."""

    def __init__(self, seconds: float) -> None:
        self.is_cut = False
        self.opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            _Plain(self),
            _Secure(self),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),
        ):
            self.opener.add_handler(handler)
        self._connections: list[http.client.HTTPConnection] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def note(self, connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
        self._connections.append(connection)
        return connection

    def _cut(self) -> None:
        self.is_cut = True
        for connection in self._connections:
            held: socket.socket | None = connection.sock
            if held is not None:
                with suppress(OSError):
                    held.shutdown(socket.SHUT_RDWR)


class _Plain(urllib.request.HTTPHandler):
    """Opens http."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def http_open(self, req: urllib.request.Request) -> Any:
        def connect(host: str, **options: Any) -> http.client.HTTPConnection:
            return self._line.note(http.client.HTTPConnection(host, **options))

        return self.do_open(connect, req)


class _Secure(urllib.request.HTTPSHandler):
    """Opens https."""

    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def https_open(self, req: urllib.request.Request) -> Any:
        def connect(host: str, **options: Any) -> http.client.HTTPConnection:
            return self._line.note(http.client.HTTPSConnection(host, **options))

        return self.do_open(connect, req)
