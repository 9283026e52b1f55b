# SPDX-License-Identifier: Apache-2.0
"""What a camera that speaks ONVIF says of itself, and where its pictures are. Connects to no stream.

Source: ONVIF Core, Media and Media2 Service Specifications.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from overt.media.soap import DeniedError, DeviceError, Login, Peer, shown

_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_SCHEMES = ("rtsp", "rtsps", "http", "https")
_MOST_STREAMS, _LONGEST = 16, 1024
_LARGEST_SIDE = 1 << 16
_WORST_CLOCK = dt.timedelta(days=36500)
_SETUP = (
    f'<o:StreamSetup xmlns:t="{_SCHEMA}"><t:Stream>RTP-Unicast</t:Stream>'
    "<t:Transport><t:Protocol>RTSP</t:Protocol></t:Transport></o:StreamSetup>"
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A stream of a device. url: without user and password. is_elsewhere: whether it names another host.

    width, height: in pixels, 0 = unsaid.
    """

    profile: str
    url: str
    codec: str = ""
    width: int = 0
    height: int = 0
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """What is known of a device. url: of its device service. problem: why there is no more, "" = there is all."""

    url: str
    address: str = ""
    name: str = ""
    hardware: str = ""
    offers: tuple[Offer, ...] = ()
    problem: str = ""


def service(place: str) -> str:
    """The URL of the device service at a host, a host and port, or a URL; devices have it at this path."""
    url = place if "://" in place else f"http://{place}"
    root = url.rstrip("/")
    return url if "/" in root.partition("://")[2] else f"{root}/onvif/device_service"


def ask(device: Device, login: Login | None = None, seconds: float = 10.0) -> Device:
    """The device with all that it tells; what it does not is its `problem`. Args: seconds: for all of it."""
    try:
        peer = Peer(device.url, login, seconds)
        peer.skew = _skew(peer, device.url)
        device = replace(device, address=peer.address)
        if login is not None and not (device.name and device.hardware):
            device = _introduced(peer, device)
        return replace(device, offers=_offers(peer, device.url))
    except DeviceError as error:
        return replace(device, problem=str(error))


def _skew(peer: Peer, url: str) -> dt.timedelta:
    """How far its clock is ahead; none where it does not say. Raises: DeviceError when it does not answer at all."""
    try:
        answer = peer.call(url, _DEVICE, "GetSystemDateAndTime", signed=False)
    except DeviceError:
        if peer.address:
            return dt.timedelta()
        raise
    moment = answer.find(".//{*}UTCDateTime")
    try:
        fields = [
            int(_text(moment, f"{{*}}{name}"))
            for name in (
                "Date/{*}Year",
                "Date/{*}Month",
                "Date/{*}Day",
                "Time/{*}Hour",
                "Time/{*}Minute",
                "Time/{*}Second",
            )
        ]
        year, month, day, hour, minute, second = fields
        skew = dt.datetime(year, month, day, hour, minute, min(second, 59), tzinfo=dt.UTC) - dt.datetime.now(dt.UTC)
    except (ValueError, OverflowError):
        return dt.timedelta()
    return skew if abs(skew) < _WORST_CLOCK else dt.timedelta()


def _introduced(peer: Peer, device: Device) -> Device:
    """With the names that it did not give before."""
    try:
        answer = peer.call(device.url, _DEVICE, "GetDeviceInformation")
    except DeniedError:
        raise
    except DeviceError:
        return device
    maker, model = (shown(_text(answer, f".//{{*}}{name}")) for name in ("Manufacturer", "Model"))
    return replace(device, name=device.name or maker, hardware=device.hardware or model)


def _offers(peer: Peer, url: str) -> tuple[Offer, ...]:
    """Raises: DeviceError when it tells of none."""
    services = _services(peer, url)
    failure = DeviceError("it offers no media service")
    for namespace, setup in ((_MEDIA2, "<o:Protocol>RTSP</o:Protocol>"), (_MEDIA, _SETUP)):
        if namespace in services:
            try:
                return _of_media(peer, services[namespace], namespace, setup)
            except DeniedError:
                raise
            except DeviceError as error:  # the other media service may do better
                failure = error
    raise failure


def _services(peer: Peer, url: str) -> dict[str, str]:
    """URLs of services by their namespaces."""
    try:
        answer = peer.call(url, _DEVICE, "GetServices", "<o:IncludeCapability>false</o:IncludeCapability>")
        told = {_text(each, "{*}Namespace"): _text(each, "{*}XAddr") for each in answer.iterfind(".//{*}Service")}
    except DeniedError:
        raise
    except DeviceError:  # older devices do not know it
        told = {}
    if not {_MEDIA, _MEDIA2} & set(told):
        answer = peer.call(url, _DEVICE, "GetCapabilities", "<o:Category>Media</o:Category>")
        told[_MEDIA] = _text(answer, ".//{*}Media/{*}XAddr")
    return {namespace: each for namespace, each in told.items() if each}


def _of_media(peer: Peer, url: str, namespace: str, setup: str) -> tuple[Offer, ...]:
    wanted = "<o:Type>VideoEncoder</o:Type>" if namespace == _MEDIA2 else ""
    answer = peer.call(url, namespace, "GetProfiles", wanted)
    offers = []
    for profile in list(answer.iterfind(".//{*}Profiles"))[:_MOST_STREAMS]:
        token = f"<o:ProfileToken>{escape(profile.get('token', ''))}</o:ProfileToken>"
        uri = _text(peer.call(url, namespace, "GetStreamUri", setup + token), ".//{*}Uri")
        offers.append(_offer(peer, profile, uri))
    if not offers:
        raise DeviceError("it has no profile with a stream")
    return tuple(offers)


def _offer(peer: Peer, profile: Element, uri: str) -> Offer:
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    fits = len(uri) <= _LONGEST and uri.isascii() and uri.isprintable() and " " not in uri
    if not (fits and host and parts.scheme in _SCHEMES):
        raise DeviceError(f"it gives an address that is none of a stream: {shown(uri)}")
    encoder = next((each for each in profile.iter() if each.tag.rpartition("}")[2].startswith("VideoEncoder")), None)
    return Offer(
        profile=shown(_text(profile, "{*}Name") or profile.get("token", "")),
        url=urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], *parts[2:])),
        codec=shown(_text(encoder, ".//{*}Encoding")),
        width=_side(encoder, "Width"),
        height=_side(encoder, "Height"),
        is_elsewhere=not peer.is_own(host),
    )


def _side(encoder: Element | None, name: str) -> int:
    told = _text(encoder, f".//{{*}}{name}")
    return int(told) if told.isascii() and told.isdigit() and len(told) < len(str(_LARGEST_SIDE)) + 1 else 0


def _text(element: Element | None, path: str) -> str:
    return "" if element is None else (element.findtext(path) or "").strip()
