# SPDX-License-Identifier: Apache-2.0
"""Cameras of this network that answer when all are asked at once (WS-Discovery). Asks none of them anything else.

Source: WS-Discovery 2005/04 over UDP; ONVIF Core Specification, chapter 7 (device types and scopes).
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from overt.media.soap import DeviceError, envelope, read, shown

GROUP, PORT = "239.255.255.250", 3702
_MOST = 256
"""Devices that are told of."""
_DATAGRAM = 1 << 16
_REPEAT = 0.3
"""Seconds after which the question is asked a second time, as datagrams get lost."""
_LONGEST_PAUSE = 0.1
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_EVERYBODY = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
_NETWORK = "http://www.onvif.org/ver10/network/wsdl"
_KIND = "NetworkVideoTransmitter"
_SCOPE = "onvif://www.onvif.org/"


@dataclass(frozen=True, slots=True)
class Found:
    """A device that answered. address: from where. urls: of its device service there. name, hardware: "" = unsaid."""

    address: str
    urls: tuple[str, ...]
    name: str
    hardware: str


def probe(
    seconds: float = 3.0, group: str = GROUP, port: int = PORT, interfaces: Sequence[int] | None = None
) -> list[Found]:
    """Ask who is there, and wait.

    Args: group: where to ask; an address that is no multicast group asks that alone. interfaces: indices of the
    network interfaces to ask on; None = all.
    Returns: those who answered, by address, each address with each set of services once.
    Raises: DeviceError when nothing can be asked at all.
    """
    question = uuid.uuid4().urn
    found: dict[tuple[str, tuple[str, ...]], Found] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("", 0))
        _ask(line, question, (group, port), interfaces)
        again = time.monotonic() + _REPEAT
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end and len(found) < _MOST:
            if again <= now:
                _ask(line, question, (group, port), interfaces)
                again = end
            line.settimeout(min(_LONGEST_PAUSE, end - now))
            try:
                data, (address, *_) = line.recvfrom(_DATAGRAM)
                told = _told(data, question, address)
            except (OSError, DeviceError):  # nothing came, a host that was asked refused, or it is no answer
                continue
            found |= {(each.address, each.urls): each for each in told}
    return sorted(found.values(), key=lambda each: (ipaddress.ip_address(each.address), each.urls))[:_MOST]


def _ask(line: socket.socket, question: str, place: tuple[str, int], interfaces: Sequence[int] | None) -> None:
    header = (
        f'<a:Action xmlns:a="{_ADDRESSING}">{_DISCOVERY}/Probe</a:Action>'
        f'<a:MessageID xmlns:a="{_ADDRESSING}">{question}</a:MessageID>'
        f'<a:To xmlns:a="{_ADDRESSING}">{_EVERYBODY}</a:To>'
    )
    kinds = f'<d:Types xmlns:n="{_NETWORK}">n:{_KIND}</d:Types>'
    message = envelope(f'<d:Probe xmlns:d="{_DISCOVERY}">{kinds}</d:Probe>', header)
    if not ipaddress.ip_address(place[0]).is_multicast:
        line.sendto(message, place)
        return
    indices = [index for index, _ in socket.if_nameindex()] if interfaces is None else interfaces
    asked = 0
    for index in indices:
        with contextlib.suppress(OSError):  # it is down, or takes no multicast
            line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", bytes(4), bytes(4), index))
            line.sendto(message, place)
            asked += 1
    if not asked:
        raise DeviceError("no network interface of this machine sends multicast: ask one device by its address")


def _told(data: bytes, question: str, address: str) -> list[Found]:
    """The cameras in an answer to our question. Raises: DeviceError."""
    root = read(data)
    answers = (root.findtext("{*}Header/{*}RelatesTo") or "").strip()
    if answers.removeprefix("urn:") != question.removeprefix("urn:"):
        return []
    return [
        _found(match, address) for match in root.iterfind("{*}Body/{*}ProbeMatches/{*}ProbeMatch") if _is_camera(match)
    ]


def _is_camera(match: Element) -> bool:
    return _KIND in (match.findtext("{*}Types") or "") or _SCOPE in (match.findtext("{*}Scopes") or "")


def _found(match: Element, address: str) -> Found:
    urls = (match.findtext("{*}XAddrs") or "").split()
    scopes = (match.findtext("{*}Scopes") or "").split()
    said: dict[str, str] = {}
    for scope in scopes:
        kind, _, value = scope.removeprefix(_SCOPE).partition("/")
        if scope.startswith(_SCOPE) and value:
            said.setdefault(kind, shown(unquote(value)))
    return Found(
        address,
        tuple(url for url in dict.fromkeys(urls) if _leads_to(url, address)),
        said.get("name", ""),
        said.get("hardware", ""),
    )


def _leads_to(url: str, address: str) -> bool:
    """Whether it is a web address of the host that answered: no device gets to send us to another one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.hostname == address and url.isascii() and url.isprintable()
