# SPDX-License-Identifier: Apache-2.0
"""Streams over HTTP: MJPEG, MPEG-TS and other containers, and HLS playlists. The server fetches, the worker decodes.

So the worker needs no network, and what a playlist may name is decided here: http and https, and nothing of a private
network for a playlist that came from a public one. Certificates are checked.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections import OrderedDict
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from overt.media.confine import Reach
from overt.media.plan import Plan
from overt.media.sources.base import Feed, Services, SourceError, redacted, secrets_of

_SCHEMES = ("http", "https")
_OPTIONS = {
    "format_whitelist": "hls,mpegts,mpjpeg,mjpeg,jpeg_pipe,mov,mp4,matroska,webm,aac",
    "protocol_whitelist": "http,https,tcp,tls,crypto",
    "fflags": "nobuffer",
    "analyzeduration": "1000000",
    "fpsprobesize": "2",
}
_PLAYLIST_OPTIONS = {"http_persistent": "0", "http_multiple": "0", "live_start_index": "-1", "max_reload": "1000"}
_PLAYLIST_SILENCE = 30.0
"""Seconds: a playlist's pieces take up to ten, and come a piece at a time."""
_MOST_OPEN = 16
"""Pieces of a playlist open at once."""
_FORMATS = {
    "multipart/x-mixed-replace": "mpjpeg",
    "application/vnd.apple.mpegurl": "hls",
    "application/x-mpegurl": "hls",
    "audio/mpegurl": "hls",
    "audio/x-mpegurl": "hls",
    "video/mp2t": "mpegts",
}
_REFUSED = (401, 403)


class WebSource:
    """A stream with a URL. Args: url: http:// or https://, with user and password where wanted. Raises: SourceError."""

    def __init__(self, url: str, services: Services) -> None:
        self.label = redacted(url)
        self.secrets = secrets_of(url)
        self._silence = services.silence
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            msg = f"{self.label} is no URL"
            raise SourceError(msg) from error
        if not parts.hostname:
            msg = f"{self.label} names no host"
            raise SourceError(msg)
        self._url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", parts.query, ""))
        self._user = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))

    def connect(self) -> Feed:
        """As `Source` says."""
        return _WebFeed(self._url, self._user, self._silence)


class _WebFeed(Feed):
    """Responses that are being read."""

    def __init__(self, url: str, user: tuple[str, str] | None, silence: float) -> None:
        self._silence = silence
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._is_closed = False
        self._open: OrderedDict[int, Any] = OrderedDict()
        self._count = 0
        self._is_public = False
        self._opener = self._director(url, user)
        answer = self._get(url)
        kind = answer.headers.get_content_type()
        name = urlsplit(answer.url).path
        format_ = _FORMATS.get(kind) or ("hls" if name.endswith(".m3u8") else "")
        is_playlist = format_ == "hls"
        super().__init__(
            Plan(
                Reach.NOTHING,
                answer.url,
                format_,
                {**_OPTIONS, **(_PLAYLIST_OPTIONS if is_playlist else {})},
                is_paced=is_playlist,
                silence=max(silence, _PLAYLIST_SILENCE) if is_playlist else silence,
            )
        )
        with self._lock:
            self._is_public = bool(self._sockets) and _is_public(self._sockets[-1])

    def read(self, number: int, offset: int, length: int) -> bytes:  # noqa: ARG002 - there is no seeking here
        answer = self._open.get(number)
        if answer is None:
            return b""  # read to its end before
        try:
            data: bytes = answer.read1(min(length, 1 << 20))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceError(_why(error, self._silence)) from error
        if not data:
            self._open.pop(number).close()
        return data

    def follow(self, url: str) -> int:
        if urlsplit(url).scheme not in _SCHEMES:
            return super().follow(url)
        self._get(url)
        while len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)[1].close()
        return self._count - 1

    def interrupt(self) -> None:
        with self._lock:
            self._is_closed = True
            for connected in self._sockets:
                with contextlib.suppress(OSError):
                    connected.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.interrupt()
        for answer in self._open.values():
            answer.close()
        self._open.clear()

    def _get(self, url: str) -> Any:
        try:
            answer = self._opener.open(urllib.request.Request(url), timeout=self._silence)  # noqa: S310 - schemes known
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in _REFUSED:
                msg = f"the camera refused the name or the password ({error.code})"
                raise SourceError(msg) from None
            msg = f"it answered {error.code} to {redacted(url)}"
            raise SourceError(msg) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceError(_why(error, self._silence)) from error
        self._open[self._count] = answer
        self._count += 1
        return answer

    def _keep(self, connected: socket.socket) -> None:
        """Remember a connection, to break it off when asked. Raises: OSError when it may not be used."""
        with self._lock:
            self._sockets = [one for one in self._sockets if one.fileno() >= 0]
            if self._is_closed or (self._is_public and not _is_public(connected)):
                connected.close()
                msg = "it names an address of a private network, though it came from a public one"
                raise OSError(msg)
            self._sockets.append(connected)

    def _director(self, url: str, user: tuple[str, str] | None) -> urllib.request.OpenerDirector:
        """An opener that speaks HTTP only, through no proxy."""
        keep = self._keep
        context = ssl.create_default_context()

        class Plain(http.client.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                keep(self.sock)

        class Secure(http.client.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                keep(self.sock)

        class PlainHandler(urllib.request.HTTPHandler):
            def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
                return self.do_open(Plain, req)

        class SecureHandler(urllib.request.HTTPSHandler):
            def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
                return self.do_open(Secure, req, context=context)

        made = urllib.request.OpenerDirector()
        made.addheaders = [("User-Agent", "overt")]
        handlers: list[urllib.request.BaseHandler] = [
            PlainHandler(),
            SecureHandler(),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
        ]
        if user is not None:
            known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            known.add_password(None, urlunsplit((*urlsplit(url)[:2], "/", "", "")), *user)
            handlers += [urllib.request.HTTPDigestAuthHandler(known), urllib.request.HTTPBasicAuthHandler(known)]
        for handler in handlers:
            made.add_handler(handler)
        return made


def _is_public(connected: socket.socket) -> bool:
    return ipaddress.ip_address(connected.getpeername()[0]).is_global


def _why(error: Exception, silence: float) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(error, TimeoutError) or isinstance(reason, TimeoutError):
        return f"it has stalled: nothing came for {silence:g} s"
    if isinstance(reason, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(reason, ConnectionRefusedError):
        return "the connection was refused: nothing listens there"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate does not hold: {reason.verify_message}"
    if isinstance(reason, http.client.IncompleteRead):
        return "the connection was broken off"
    return str(reason) or type(reason).__name__
