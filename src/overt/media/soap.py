# SPDX-License-Identifier: Apache-2.0
"""SOAP 1.2 with one device of this network, which may be hostile. Knows no operation.

An answer is bounded in bytes, depth and elements, and all of a device's together in time. XML with a DOCTYPE is
refused, so it has no entities but the five built in. Redirections are not followed, and no other host is asked.

Source: SOAP 1.2 (W3C, 2007); Web Services Security UsernameToken Profile 1.0 (OASIS, 2004); RFC 7616 (HTTP Digest).
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import http.client
import re
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat
from xml.sax.saxutils import escape

MOST = 1 << 20
"""Bytes of an answer."""
_DEEPEST, _MOST_ELEMENTS = 64, 20_000
_MOST_SHOWN = 200
"""Characters of a device's text."""
_ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_DENIED = (401, 403)
_FAULTY = (400, 500)
_NOT_AUTHORIZED = {"NotAuthorized", "FailedAuthentication", "FailedCheck", "InvalidSecurityToken"}
_HASHES: dict[str, Callable[[bytes], Any]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
}
_FIELD = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
_PORTS = {"http": 80, "https": 443}


class DeviceError(Exception):
    """A device does not give what it was asked for; the message says why, for a person."""


class DeniedError(DeviceError):
    """It wants a name and a password, or others."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user of a device."""

    user: str
    password: str = field(repr=False)


class Peer:
    """A device at the address of a URL, http:// or https://. Certificates are not checked: devices sign their own.

    Args: login: goes as a digest, never in the clear. seconds: for all calls together.
    Raises: DeviceError for what is no such URL.
    """

    def __init__(self, url: str, login: Login | None = None, seconds: float = 10.0) -> None:
        self._scheme, self.host, self._port, _ = _split(url)
        self._login = login
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self.address = ""
        """IP address, once it was connected to: all other connections go there."""
        self.skew = dt.timedelta()
        """How far its clock is ahead of ours: a digest holds only for some seconds."""

    def is_own(self, host: str) -> bool:
        """Whether a host's name is the device's, as far as is known."""
        return host in (self.host, self.address)

    def call(self, url: str, namespace: str, operation: str, inside: str = "", *, signed: bool = True) -> Element:
        """Have an operation done.

        Args: url: of a service as the device told it; where that names another host, as behind a router, the device
        is asked for the same path. inside: XML of the request; the prefix `o` is its namespace.
        Returns: the answer's body. Raises: DeviceError; DeniedError.
        """
        place = self._place(url)
        login = self._login if signed else None
        body = f'<o:{operation} xmlns:o="{namespace}">{inside}</o:{operation}>'
        request = envelope(body, "" if login is None else _token(login, dt.datetime.now(dt.UTC) + self.skew))
        action = f"{namespace}/{operation}"
        status, data, challenges = self._post(place, request, action)
        if status in _DENIED and login is not None:
            found = (_answer(challenge, login, place[2]) for challenge in challenges)
            if answer := next((each for each in found if each), ""):
                status, data, _ = self._post(place, request, action, answer)
        if status in _DENIED:
            raise DeniedError(_refusal(login))
        if status != http.client.OK and status not in _FAULTY:
            raise DeviceError(f"it answered {status} to {operation}")
        return self._body(operation, status, data, login)

    def _body(self, operation: str, status: int, data: bytes, login: Login | None) -> Element:
        if status in _FAULTY and not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            raise DeviceError(f"it answered {status} to {operation}")
        body = read(data).find("{*}Body")
        if body is None:
            raise DeviceError(f"its answer to {operation} is no SOAP")
        fault = body.find("{*}Fault")
        if fault is not None:
            codes = {(code.text or "").strip().rpartition(":")[2] for code in fault.iterfind(".//{*}Value")}
            if codes & _NOT_AUTHORIZED:
                raise DeniedError(_refusal(login))
            reason = fault.findtext(".//{*}Reason/{*}Text") or fault.findtext(".//{*}faultstring") or "no reason given"
            raise DeviceError(f"it refused {operation}: {shown(reason)}")
        if status != http.client.OK:
            raise DeviceError(f"it answered {status} to {operation}")
        return body

    def _place(self, url: str) -> tuple[str, int, str]:
        scheme, host, port, path = _split(url)
        return (scheme, port, path) if self.is_own(host) else (self._scheme, self._port, path)

    def _post(
        self, place: tuple[str, int, str], request: bytes, action: str, authorization: str = ""
    ) -> tuple[int, bytes, list[str]]:
        """Returns: status, body, and the ways to log in that it offers."""
        scheme, port, path = place
        headers = {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"', "User-Agent": "overt"}
        if authorization:
            headers["Authorization"] = authorization
        try:
            with (
                self._line(scheme, port) as line,
                contextlib.closing(http.client.HTTPConnection(self.host, port)) as talk,
            ):
                talk.sock = line
                talk.request("POST", path, request, headers)
                with talk.getresponse() as answer:
                    data = answer.read(MOST + 1)
                    if len(data) > MOST:
                        raise DeviceError(f"its answer is larger than {MOST >> 20} MiB")
                    if time.monotonic() >= self._deadline:
                        raise TimeoutError  # it was broken off, which may look like a short answer
                    if answer.length:
                        raise ConnectionResetError
                    return answer.status, data, answer.headers.get_all("WWW-Authenticate") or []
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DeviceError(self._why(error)) from error

    @contextlib.contextmanager
    def _line(self, scheme: str, port: int) -> Iterator[socket.socket]:
        """A connection that is broken off when the time is over, however slowly something still comes."""
        left = max(self._deadline - time.monotonic(), 0.001)
        with contextlib.ExitStack() as stack:
            line = stack.enter_context(socket.create_connection((self.address or self.host, port), left))
            self.address = line.getpeername()[0]
            handle = stack.enter_context(line.dup())
            timer = threading.Timer(left, _break_off, (handle,))
            timer.daemon = True
            timer.start()
            stack.callback(timer.join)
            stack.callback(timer.cancel)
            if scheme == "https":
                line = stack.enter_context(_context().wrap_socket(line, server_hostname=self.host))
            yield line

    def _why(self, error: Exception) -> str:
        if isinstance(error, TimeoutError) or time.monotonic() >= self._deadline:
            return f"it did not answer within {self._seconds:g} s"
        if isinstance(error, ConnectionRefusedError):
            return "the connection was refused: nothing listens there"
        if isinstance(error, socket.gaierror):
            return f"the name {shown(self.host)} cannot be resolved"
        if isinstance(error, OSError):
            return (error.strerror or "the connection was broken off").lower()
        return f"it does not speak HTTP as it should ({type(error).__name__})"


def envelope(body: str, header: str = "") -> bytes:
    """A message. Args: XML of its two parts; the prefix `s` is the envelope's."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{_ENVELOPE}">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def read(data: bytes) -> Element:
    """The root of a document, its names as `{namespace}name`. Raises: DeviceError for one that is refused."""
    if len(data) > MOST:
        raise DeviceError(f"its answer is larger than {MOST >> 20} MiB")
    builder = TreeBuilder()
    depth = count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > _DEEPEST or count > _MOST_ELEMENTS:
            raise DeviceError("its answer is XML without measure")
        builder.start(_named(name), attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_named(name))

    def refuse(*_: object) -> None:
        raise DeviceError("its answer has a DOCTYPE, which is not read")

    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)  # noqa: FBT003 - it takes no keywords
    except (expat.ExpatError, ValueError) as error:
        raise DeviceError("its answer is no XML that can be read") from error
    return builder.close()


def shown(text: str) -> str:
    """What a device says, on one line, not too long, and with nothing in it that a terminal would obey."""
    line = " ".join(text[: 4 * _MOST_SHOWN].split())[:_MOST_SHOWN]
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)


def _named(name: str) -> str:
    return f"{{{name}" if "}" in name else name


def _split(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port, and path with query. Raises: DeviceError."""
    refused = DeviceError(f"{shown(url)} is no address of a service; one is http://host/path")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise refused from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise refused
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme], path


def _refusal(login: Login | None) -> str:
    return "it wants a name and a password" if login is None else "it refused the name or the password"


def _token(login: Login, now: dt.datetime) -> str:
    """The header that says who asks. now: by the device's clock."""
    nonce, created = secrets.token_bytes(16), now.strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.sha1(nonce + created.encode() + login.password.encode(), usedforsecurity=False).digest()
    names = f'xmlns:w="{_SECURITY}wssecurity-secext-1.0.xsd" xmlns:u="{_SECURITY}wssecurity-utility-1.0.xsd"'
    profile, message = "username-token-profile-1.0#PasswordDigest", "soap-message-security-1.0#Base64Binary"
    return (
        f'<w:Security s:mustUnderstand="1" {names}><w:UsernameToken><w:Username>{escape(login.user)}</w:Username>'
        f'<w:Password Type="{_SECURITY}{profile}">{base64.b64encode(digest).decode()}</w:Password>'
        f'<w:Nonce EncodingType="{_SECURITY}{message}">{base64.b64encode(nonce).decode()}</w:Nonce>'
        f"<u:Created>{created}</u:Created></w:UsernameToken></w:Security>"
    )


def _answer(challenge: str, login: Login, path: str) -> str:
    """The header Authorization for a challenge; "" for one of a kind that is not answered."""
    if not challenge.lower().startswith("digest "):
        return ""
    told = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(challenge[7:])}
    algorithm, choices = told.get("algorithm", "MD5"), told.get("qop", "")
    made = _HASHES.get(algorithm.upper())
    if made is None or "nonce" not in told or (choices and "auth" not in re.split(r"[,\s]+", choices)):
        return ""

    def digest(*parts: str) -> str:
        return str(made(":".join(parts).encode()).hexdigest())

    realm, nonce = told.get("realm", ""), told["nonce"]
    who, what = digest(login.user, realm, login.password), digest("POST", path)
    fields = {"username": re.sub(r'(["\\])', r"\\\1", login.user), "realm": realm, "nonce": nonce, "uri": path}
    if choices:
        own = secrets.token_hex(8)
        fields |= {"cnonce": own, "response": digest(who, nonce, "00000001", own, "auth", what)}
    else:
        fields["response"] = digest(who, nonce, what)
    if "opaque" in told:
        fields["opaque"] = told["opaque"]
    quoted = ", ".join(f'{name}="{value}"' for name, value in fields.items())
    return f"Digest {quoted}, algorithm={algorithm}" + (", qop=auth, nc=00000001" if choices else "")


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _break_off(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
