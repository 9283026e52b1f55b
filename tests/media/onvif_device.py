# SPDX-License-Identifier: Apache-2.0
"""A camera on loopback that answers WS-Discovery and ONVIF's questions, for tests; it has no pictures.

It checks who asks, by its own clock. What it says can be replaced, for devices that are odd or hostile.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import http.server
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Self
from urllib.parse import quote
from xml.etree.ElementTree import Element, fromstring

USER, PASSWORD = "admin", "pass&word<1>"
ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
REALM, NONCE = "camera", "dcd98b7102dd2f0e8b11d0f600bfb0c093"
GROUP = "239.255.255.250"
_METHODS = {
    "GetSystemDateAndTime": "clock",
    "GetDeviceInformation": "information",
    "GetServices": "list_services",
    "GetCapabilities": "capabilities",
    "GetProfiles": "profiles",
    "GetStreamUri": "stream_uri",
}
_OPEN = {"GetSystemDateAndTime", "GetServices", "GetCapabilities"}
_NAMESPACES = {
    "device": "http://www.onvif.org/ver10/device/wsdl",
    "media": "http://www.onvif.org/ver10/media/wsdl",
    "media2": "http://www.onvif.org/ver20/media/wsdl",
}

Answer = tuple[int, bytes, dict[str, str]]


def message(body: str, header: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?><e:Envelope xmlns:e="{ENVELOPE}" xmlns:tt="http://www.onvif.org/ver10/schema">'
        f"<e:Header>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    ).encode()


def fault(code: str, reason: str) -> bytes:
    return message(
        "<e:Fault><e:Code><e:Value>e:Sender</e:Value>"
        f'<e:Subcode><e:Value xmlns:ter="x">ter:{code}</e:Value></e:Subcode>'
        f'</e:Code><e:Reason><e:Text xml:lang="en">{reason}</e:Text></e:Reason></e:Fault>'
    )


class OnvifDevice:
    """A device for as long as its context.

    Args: login: token, http or none. services: those that it has, of media and media2; "old" = it does not know
    GetServices. ahead: of our clock. context: it speaks HTTPS.
    """

    def __init__(
        self,
        *,
        login: str = "token",
        services: tuple[str, ...] = ("media", "media2"),
        ahead: dt.timedelta = dt.timedelta(),
        name: str = "Front Door",
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.login, self.services, self.ahead, self.name = login, services, ahead, name
        self.replaced: dict[str, Callable[[], Answer]] = {}
        """Answers of operations instead of its own."""
        self.asked: list[str] = []
        self.refused = 0
        self.streams = {"main": "rtsp://127.0.0.1:8554/main?profile=1", "sub": "rtsp://someone:else@127.0.0.1:8554/sub"}
        self.announced: Callable[[str], bytes] = self._match
        """What it answers to a probe of that id."""
        self.media_host = ""
        self.ending = threading.Event()
        device = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.close_connection = True
                request = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    status, body, headers = device._answer(self.path, request, self.headers.get("Authorization", ""))
                    self.send_response(status)
                    for header, value in ({"Content-Length": str(len(body))} | headers).items():
                        self.send_header(header, value)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # the client has gone

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self.root = f"{'https' if context else 'http'}://{self.place}"
        self.url = f"{self.root}/onvif/device_service"
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.bind(("127.0.0.1", 0))
        self.port = int(self._line.getsockname()[1])
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.05,)),
            threading.Thread(target=self._listen, args=(self._line,)),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join()
        self._line.close()

    def join_group(self) -> int:
        """Listen to the group on loopback too. Returns: the port."""
        line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        line.bind((GROUP, 0))
        index = socket.if_nametoindex("lo")
        request = struct.pack("=4s4si", socket.inet_aton(GROUP), bytes(4), index)
        line.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)

        def listen() -> None:
            with line:
                self._listen(line)

        self._threads.append(threading.Thread(target=listen))
        self._threads[-1].start()
        return int(line.getsockname()[1])

    def _listen(self, line: socket.socket) -> None:
        line.settimeout(0.05)
        while not self.ending.is_set():
            try:
                data, sender = line.recvfrom(1 << 16)
            except TimeoutError:
                continue
            root = fromstring(data)
            wanted = root.findtext("{*}Body/{*}Probe/{*}Types") or ""
            assert wanted.endswith(":NetworkVideoTransmitter")
            self.asked.append("Probe")
            self._line.sendto(self.announced(root.findtext("{*}Header/{*}MessageID") or ""), sender)

    def _match(self, question: str) -> bytes:
        return announcement(question, f"http://[fe80::1]/onvif/device_service {self.url}", self.name)

    def _answer(self, path: str, request: bytes, authorization: str) -> Answer:
        root = fromstring(request)
        (called,) = root.find("{*}Body") or ()
        operation = called.tag.rpartition("}")[2]
        self.asked.append(operation)
        if operation in self.replaced:
            return self.replaced[operation]()
        service = path.strip("/").rpartition("/")[2].removesuffix("_service")
        assert called.tag == f"{{{_NAMESPACES[service]}}}{operation}"
        if operation not in _OPEN and not self._is_known(root, path, authorization):
            self.refused += 1
            if self.login == "http":
                challenge = (
                    f'Digest realm="{REALM}", qop="auth,auth-int", algorithm=SHA-256, nonce="{NONCE}", opaque="o"'
                )
                return 401, b"", {"WWW-Authenticate": challenge}
            return 400, fault("NotAuthorized", "Sender not Authorized"), {}
        return getattr(self, _METHODS[operation])(called, service)

    def _is_known(self, root: Element, path: str, authorization: str) -> bool:
        if self.login == "none":
            return True
        if self.login == "http":
            return _fits(dict(re.findall(r'(\w+)="?([^",]*)"?', authorization)), path)
        nonce = base64.b64decode(root.findtext(".//{*}Nonce") or "")
        created = root.findtext(".//{*}Created") or ""
        digest = base64.b64encode(hashlib.sha1(nonce + created.encode() + PASSWORD.encode()).digest()).decode()
        if root.findtext(".//{*}Username") != USER or root.findtext(".//{*}Password") != digest:
            return False
        return abs(dt.datetime.fromisoformat(created) - self._now()) < dt.timedelta(seconds=10)

    def _now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def clock(self, _: Element, service: str) -> Answer:
        now = self._now()
        clock = f"<tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second>"
        date = f"<tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
        told = f"<tt:UTCDateTime><tt:Time>{clock}</tt:Time><tt:Date>{date}</tt:Date></tt:UTCDateTime>"
        return self._given(service, "GetSystemDateAndTime", f"<o:SystemDateAndTime>{told}</o:SystemDateAndTime>")

    def information(self, _: Element, service: str) -> Answer:
        told = "<o:Manufacturer>Overt\u202e Test</o:Manufacturer><o:Model>Model 1</o:Model>"
        return self._given(service, "GetDeviceInformation", told)

    def list_services(self, _: Element, service: str) -> Answer:
        if "old" in self.services:
            return 400, fault("ActionNotSupported", "no such action"), {}
        told = "".join(
            f"<o:Service><o:Namespace>{_NAMESPACES[each]}</o:Namespace><o:XAddr>{self._at(each)}</o:XAddr></o:Service>"
            for each in ("device", *self.services)
        )
        return self._given(service, "GetServices", told)

    def capabilities(self, _: Element, service: str) -> Answer:
        told = f"<tt:Media><tt:XAddr>{self._at('media')}</tt:XAddr></tt:Media>" if "media" in self.services else ""
        return self._given(service, "GetCapabilities", f"<o:Capabilities>{told}</o:Capabilities>")

    def profiles(self, called: Element, service: str) -> Answer:
        size = "<tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution>"
        encoder = f"<tt:Encoding>H264</tt:Encoding>{size}"
        if service == "media2":
            assert called.findtext("{*}Type") == "VideoEncoder"
            inside = f"<o:Configurations><o:VideoEncoder>{encoder}</o:VideoEncoder></o:Configurations>"
        else:
            inside = f"<tt:VideoEncoderConfiguration>{encoder}</tt:VideoEncoderConfiguration>"
        told = "".join(
            f'<o:Profiles token="{token}"><tt:Name>{token.title()}</tt:Name>{inside}</o:Profiles>'
            for token in self.streams
        )
        return self._given(service, "GetProfiles", told)

    def stream_uri(self, called: Element, service: str) -> Answer:
        uri = self.streams[called.findtext("{*}ProfileToken") or ""].replace("&", "&amp;")
        assert called.findtext(".//{*}Protocol") == "RTSP"
        told = f"<o:Uri>{uri}</o:Uri>" if service == "media2" else f"<o:MediaUri><tt:Uri>{uri}</tt:Uri></o:MediaUri>"
        return self._given(service, "GetStreamUri", told)

    def _at(self, service: str) -> str:
        root = f"http://{self.media_host}" if self.media_host else self.root
        return f"{root}/onvif/{service}_service"

    def _given(self, service: str, operation: str, inside: str) -> Answer:
        body = f'<o:{operation}Response xmlns:o="{_NAMESPACES[service]}">{inside}</o:{operation}Response>'
        return 200, message(body), {"Content-Type": "application/soap+xml"}

    def never(self) -> Answer:
        """For `replaced`: an answer that does not come while anybody waits for it."""
        self.ending.wait()
        return 200, b"", {}


def announcement(question: str, urls: str, name: str) -> bytes:
    """An answer to a probe."""
    discovery, addressing = (
        "http://schemas.xmlsoap.org/ws/2005/04/discovery",
        "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    )
    scopes = f"onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/{quote(name)} onvif://www.onvif.org/hardware/M1"
    match = (
        '<d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter tds:Device</d:Types>'
        f"<d:Scopes>{scopes}</d:Scopes><d:XAddrs>{urls}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>"
    )
    return message(
        f'<d:ProbeMatches xmlns:d="{discovery}"><d:ProbeMatch>{match}</d:ProbeMatch></d:ProbeMatches>',
        f'<a:RelatesTo xmlns:a="{addressing}">{question}</a:RelatesTo>',
    )


def _fits(told: dict[str, str], path: str) -> bool:
    def digest(*parts: str) -> str:
        return hashlib.sha256(":".join(parts).encode()).hexdigest()

    if told.get("username") != USER or told.get("uri") != path or told.get("nonce") != NONCE:
        return False
    who, what = digest(USER, REALM, PASSWORD), digest("POST", path)
    return told["response"] == digest(who, NONCE, told["nc"], told["cnonce"], "auth", what)
