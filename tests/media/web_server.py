# SPDX-License-Identifier: Apache-2.0
"""A web server on loopback that streams films, for tests: paths are functions that get the request and write to it."""

from __future__ import annotations

import functools
import http.server
import io
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import av
from films import RATE, drawn, film

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


class Web:
    """A server for as long as its context. Args: paths: what answers each; anything else is 404."""

    def __init__(self, paths: dict[str, Answer], context: ssl.SSLContext | None = None) -> None:
        self.paths = paths
        self.asked: list[str] = []
        self.ending = threading.Event()
        """Set when answers without end are to end."""
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                web.asked.append(path)
                self.close_connection = True
                try:
                    if path in web.paths:
                        web.paths[path](self)
                    else:
                        self.send_error(404)
                except OSError:
                    pass  # the client has gone

            do_POST = do_GET  # noqa: N815 - as the base class calls it

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def stream(self, kind: str, parts: Callable[[], Iterator[bytes]]) -> Answer:
        """An answer of parts that goes on until they, or the server, end."""

        def answer(request: http.server.BaseHTTPRequestHandler) -> None:
            request.send_response(200)
            request.send_header("Content-Type", kind)
            request.send_header("Connection", "close")
            request.end_headers()
            for part in parts():
                if self.ending.is_set():
                    return
                request.wfile.write(part)
                request.wfile.flush()

        return answer

    def paced(self, parts: Iterator[bytes], rate: float = RATE) -> Iterator[bytes]:
        """So many parts a second."""
        due = time.monotonic()
        for part in parts:
            yield part
            due += 1 / rate
            self.ending.wait(max(0.0, due - time.monotonic()))


def given(kind: str, body: bytes | Callable[[], bytes], status: int = 200, **headers: str) -> Answer:
    """An answer of fixed length."""

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        made = body if isinstance(body, bytes) else body()
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(made)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(made)

    return answer


def pictures() -> Iterator[bytes]:
    """Parts of an MJPEG stream without end, each a number."""
    number = 0
    while True:
        raw = jpeg(number)
        yield b"--part\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(raw) + raw + b"\r\n"
        number = (number + 1) % 1000


def jpeg(number: int) -> bytes:
    """A picture that shows a number."""
    file = io.BytesIO()
    with av.open(file, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", RATE)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(drawn(number), "rgb24").reformat(format="yuvj420p")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def transport(count: int = 1500) -> Iterator[bytes]:
    """An MPEG transport stream in pieces, of a frame's bytes on average."""
    raw = film("mpegts", count=count)
    step = len(raw) // count // 188 * 188 or 188
    for at in range(0, len(raw), step):
        yield raw[at : at + step]


@functools.cache
def segments(count: int = 40, length: int = 25) -> list[bytes]:
    """Pieces of a playlist, a second each."""
    pieces = []
    for at in range(count):
        times = [(at * length + frame) / RATE for frame in range(length)]
        pieces.append(film("mpegts", times=times, first=at * length, gop=length))
    return pieces
