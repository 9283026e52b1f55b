# SPDX-License-Identifier: Apache-2.0
"""A small RTSP camera for tests: H.264 or H.265 over one TCP connection, that can stall, lose, ask and be switched off.

Source: RFC 2326 (RTSP, interleaved), RFC 3550 (RTP), RFC 6184 (H.264), RFC 7798 (H.265), RFC 7616 (Digest).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import random
import re
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import av
from av.bitstream import BitStreamFilterContext

_MOST = 1400
"""Bytes of a packet's payload."""
_CLOCK = 90000


@dataclass(frozen=True)
class Clip:
    """A film as units of a codec. units: of each frame, without start codes. rate: frames a second."""

    codec: str
    units: list[list[bytes]]
    parameters: list[bytes]
    rate: float

    @classmethod
    def read(cls, film: bytes) -> Clip:
        """Of any container's H.264 or H.265."""
        with av.open(io.BytesIO(film)) as container:
            stream = container.streams.video[0]
            codec = stream.codec_context.codec.canonical_name
            head = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}[codec]
            bits = BitStreamFilterContext(head, stream)
            packets = [one for packet in container.demux(stream) if packet.size for one in bits.filter(packet)]
            units = [[unit for unit in re.split(b"\0\0\0?\1", bytes(packet)) if unit] for packet in packets]
            rate = float(stream.average_rate or 25)
        parameters = [unit for unit in units[0] if _kind(codec, unit) in {"h264": (7, 8), "hevc": (32, 33, 34)}[codec]]
        return cls(codec, units, parameters, rate)


def _kind(codec: str, unit: bytes) -> int:
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


class Camera:
    """A server on a port of loopback, from `start` to `stop`; a context manager.

    Args: film: what it plays, over and over; may be exchanged while it plays (`show`), after which clients that are
    connected get the new one. user: name and password it asks for, by Digest. port: 0 = any. context: for TLS.
    """

    def __init__(
        self,
        film: bytes,
        *,
        user: tuple[str, str] | None = None,
        port: int = 0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._clip = Clip.read(film)
        self.user = user
        self.port = port
        self.stalled = threading.Event()
        """While set, connections stay and nothing comes."""
        self.loss = 0.0
        """Share of packets that are left out."""
        self.clients = 0
        """Connections that began to play so far."""
        self.said: list[str] = []
        """Requests, first lines."""
        self._context = context
        self._server: socketserver.ThreadingTCPServer | None = None
        self._sockets: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """Where it is, without user and password."""
        return f"{'rtsps' if self._context else 'rtsp'}://127.0.0.1:{self.port}/cam"

    @property
    def clip(self) -> Clip:
        """What it plays."""
        return self._clip

    def show(self, film: bytes) -> None:
        """Play another film from now on."""
        self._clip = Clip.read(film)

    def start(self) -> Self:
        """Switch it on."""
        camera = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                connected = self.request
                camera._sockets.add(connected)
                try:
                    if camera._context is not None:
                        connected = camera._context.wrap_socket(connected, server_side=True)
                        camera._sockets.add(connected)
                    _Session(camera, connected).serve()
                except (OSError, ValueError):
                    pass  # the client has gone, or the camera was switched off
                finally:
                    camera._sockets.discard(connected)
                    connected.close()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = False

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def stop(self) -> None:
        """Switch it off in the middle of everything; `start` switches it on again, at the same port."""
        if self._server is None:
            return
        self._server.shutdown()
        for connected in tuple(self._sockets):
            with contextlib.suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()
        self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Session:
    """One connection."""

    def __init__(self, camera: Camera, connected: socket.socket) -> None:
        self._camera = camera
        self._socket = connected
        self._file = connected.makefile("rb")
        self._nonce = f"{random.getrandbits(64):016x}"
        self._sequence = random.getrandbits(16)
        self._random = random.Random(7)
        self._lock = threading.Lock()
        self._is_over = False

    def serve(self) -> None:
        """Answer requests until the other side goes."""
        player: threading.Thread | None = None
        try:
            while (request := self._request()) is not None:
                method, url, headers = request
                if method == "PLAY" and player is None:
                    self._answer(headers, Session="1", Range="npt=0.000-")
                    player = threading.Thread(target=self._play)
                    player.start()
                elif method == "TEARDOWN":
                    self._answer(headers)
                    return
                else:
                    self._reply(method, url, headers)
        finally:
            self._is_over = True
            if player is not None:
                player.join()
            self._file.close()

    def _request(self) -> tuple[str, str, dict[str, str]] | None:
        while (first := self._file.read(1)) == b"$":  # RTCP from the client
            _, length = struct.unpack(">BH", self._file.read(3))
            self._file.read(length)
        line = (first + self._file.readline()).decode().strip()
        if not line:
            return None
        self._camera.said.append(line)
        headers: dict[str, str] = {}
        while head := self._file.readline().decode().strip():
            name, _, value = head.partition(":")
            headers[name.lower()] = value.strip()
        self._file.read(int(headers.get("content-length", 0)))
        method, url, _ = line.split()
        return method, url, headers

    def _reply(self, method: str, url: str, headers: dict[str, str]) -> None:
        if method == "OPTIONS":
            self._answer(headers, Public="OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER")
        elif not self._may(method, headers):
            challenge = f'Digest realm="cam", nonce="{self._nonce}"'
            self._answer(headers, status="401 Unauthorized", WWW_Authenticate=challenge)
        elif method == "DESCRIBE":
            self._answer(
                headers, _description(self._camera.clip), Content_Type="application/sdp", Content_Base=url + "/"
            )
        elif method == "SETUP":
            if "TCP" not in headers.get("transport", ""):
                self._answer(headers, status="461 Unsupported Transport")
            else:
                self._answer(headers, Transport="RTP/AVP/TCP;unicast;interleaved=0-1", Session="1;timeout=60")
        else:
            self._answer(headers, Session="1")

    def _may(self, method: str, headers: dict[str, str]) -> bool:
        if self._camera.user is None:
            return True
        told = dict(re.findall(r'(\w+)="([^"]*)"', headers.get("authorization", "")))
        user, password = self._camera.user
        secret = _md5(f"{user}:cam:{password}")
        asked = _md5(f"{method}:{told.get('uri', '')}")
        wanted = _md5(f"{secret}:{self._nonce}:{asked}")
        return told.get("username") == user and told.get("response") == wanted

    def _answer(self, headers: dict[str, str], body: str = "", *, status: str = "200 OK", **more: str) -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', '0')}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
        lines += [f"Content-Length: {len(body)}"] * bool(body)
        with self._lock:
            self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def _play(self) -> None:
        self._camera.clients += 1
        clip, at, stamp = self._camera.clip, 0, 1000
        due = time.monotonic()
        try:
            while not self._is_over:
                if clip is not self._camera.clip:
                    clip, at = self._camera.clip, 0
                units = clip.units[at % len(clip.units)]
                if at % len(clip.units) == 0:
                    units = [*clip.parameters, *(unit for unit in units if unit not in clip.parameters)]
                for number, unit in enumerate(units):
                    self._unit(clip.codec, unit, stamp, is_last=number == len(units) - 1)
                at += 1
                stamp += round(_CLOCK / clip.rate)
                due += 1 / clip.rate
                while self._camera.stalled.is_set() and not self._is_over:
                    time.sleep(0.02)
                    due = time.monotonic()
                time.sleep(max(0.0, due - time.monotonic()))
        except OSError:
            pass  # the client has gone

    def _unit(self, codec: str, unit: bytes, stamp: int, *, is_last: bool) -> None:
        pack: Callable[[bytes], list[bytes]] = _pieces_264 if codec == "h264" else _pieces_265
        pieces = [unit] if len(unit) <= _MOST else pack(unit)
        for number, piece in enumerate(pieces):
            self._sequence = self._sequence + 1 & 0xFFFF
            if self._random.random() < self._camera.loss:
                continue
            marker = 0x80 if is_last and number == len(pieces) - 1 else 0
            packet = struct.pack(">BBHII", 0x80, marker | 96, self._sequence, stamp & 0xFFFFFFFF, 0x1234) + piece
            with self._lock:
                self._socket.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)


def _pieces_264(unit: bytes) -> list[bytes]:
    """FU-A."""
    indicator, kind = unit[0] & 0xE0 | 28, unit[0] & 31
    parts = [unit[at : at + _MOST] for at in range(1, len(unit), _MOST)]
    return [bytes([indicator, _edge(number, len(parts)) | kind]) + part for number, part in enumerate(parts)]


def _pieces_265(unit: bytes) -> list[bytes]:
    """FU."""
    head, kind = bytes([unit[0] & 0x81 | 49 << 1, unit[1]]), unit[0] >> 1 & 63
    parts = [unit[at : at + _MOST] for at in range(2, len(unit), _MOST)]
    return [head + bytes([_edge(number, len(parts)) | kind]) + part for number, part in enumerate(parts)]


def _edge(number: int, count: int) -> int:
    return 0x80 if number == 0 else 0x40 if number == count - 1 else 0


def _description(clip: Clip) -> str:
    told = [base64.b64encode(unit).decode() for unit in clip.parameters]
    if clip.codec == "h264":
        name, format_ = "H264", f"packetization-mode=1;sprop-parameter-sets={','.join(told)}"
    else:
        vps, sps, pps = told[:3]
        name, format_ = "H265", f"sprop-vps={vps};sprop-sps={sps};sprop-pps={pps}"
    return "\r\n".join(
        [
            "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=cam", "c=IN IP4 0.0.0.0", "t=0 0", "m=video 0 RTP/AVP 96",
            f"a=rtpmap:96 {name}/{_CLOCK}", f"a=fmtp:96 {format_}", "a=control:track", "",
        ]
    )  # fmt: skip


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
