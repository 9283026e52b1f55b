# SPDX-License-Identifier: Apache-2.0
"""Cameras that speak RTSP, over one TCP connection. Resolves their names; FFmpeg in the worker speaks the protocol."""

from __future__ import annotations

import itertools
import socket
from urllib.parse import urlsplit, urlunsplit

from overt.media.confine import Reach
from overt.media.plan import Plan
from overt.media.sources.base import Feed, Services, SourceError, redacted, secrets_of

_PORTS = {"rtsp": 554, "rtsps": 322}
_OPTIONS = {
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",
    "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls",
    "fflags": "nobuffer",
    "flags": "low_delay",
    "max_delay": "200000",
    "analyzeduration": "1000000",
    "fpsprobesize": "2",  # frames to learn their rate from: the first is shown half a second sooner
}


class RtspSource:
    """A camera.

    The worker connects to an address and asks for it by that, as most cameras are asked. With rtsps the certificate is
    not checked, since cameras sign their own: the password is safe from those who listen, not from who answers instead.

    Args: url: rtsp:// or rtsps://, with user and password where the camera wants them. Raises: SourceError.
    """

    def __init__(self, url: str, services: Services) -> None:
        self.label = redacted(url)
        self.secrets = secrets_of(url)
        self._silence = services.silence
        try:
            self._parts = urlsplit(url)
            self._port = self._parts.port or _PORTS[self._parts.scheme]
        except ValueError as error:
            msg = f"{self.label} is no address of a camera; write one as rtsp://user:password@host:554/path"
            raise SourceError(msg) from error
        if not self._parts.hostname:
            msg = f"{self.label} names no host"
            raise SourceError(msg)
        self._turn = itertools.count()

    def connect(self) -> Feed:
        """As `Source` says: one address of the name after the other, each time it is called."""
        host = self._parts.hostname or ""
        try:
            found = socket.getaddrinfo(host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            msg = f"the name {host} cannot be resolved"
            raise SourceError(msg) from error
        address = str(found[next(self._turn) % len(found)][4][0])
        place = f"[{address}]:{self._port}" if ":" in address else f"{address}:{self._port}"
        user, at, _ = self._parts.netloc.rpartition("@")
        name = urlunsplit((self._parts.scheme, user + at + place, *self._parts[2:]))
        options = {**_OPTIONS, "timeout": str(round(self._silence * 1e6))}
        return Feed(Plan(Reach.NETWORK, name, "rtsp", options, silence=self._silence))
