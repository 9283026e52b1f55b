# SPDX-License-Identifier: Apache-2.0
"""`overt cameras discover`: cameras of this network that speak ONVIF, and how to add them. Adds none."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer

from overt.cli import login, output
from overt.cli.output import CommandError
from overt.media import discovery, onvif
from overt.media.onvif import Device, Offer
from overt.media.soap import DeviceError

_AT_ONCE = 16
_LONGEST_NAME = 100


def discover(
    seconds: Annotated[float, typer.Option(min=0.2, max=60, help="How long to wait for answers.")] = 3,
    address: Annotated[
        list[str] | None, typer.Option(help="Ask this host (HOST, HOST:PORT or URL) instead of the whole network.")
    ] = None,
    user: login.UserOption = None,
    password_file: login.PasswordOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """List cameras that answer, their streams, and the commands that would add them.

    Asks by multicast on every network interface (IPv4). With --user, a digest made with the password, never the
    password, goes to every device that answers, whoever that is: with --address only to that one.
    """
    who = login.login(user, password_file)
    found = [Device(onvif.service(each)) for each in address or ()] or _answering(seconds)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        devices = list(pool.map(lambda device: device if device.problem else onvif.ask(device, who), found))
    options = "" if user is None else f" --user {shlex.quote(user)}"
    options += "" if password_file is None else f" --password-file {shlex.quote(str(password_file))}"
    told = _told(devices, options)
    output.show({"devices": told}, lambda: _print(told), as_json=as_json)


def _answering(seconds: float) -> list[Device]:
    try:
        found = discovery.probe(seconds)
    except DeviceError as error:
        raise CommandError(str(error)) from None
    nowhere = "it names no service at the address that it answers from"
    return [
        Device(
            one.urls[0] if one.urls else "", one.address, one.name, one.hardware, problem="" if one.urls else nowhere
        )
        for one in found
    ]


def _told(devices: Sequence[Device], options: str) -> list[dict[str, Any]]:
    names = [_name(device) for device in devices]
    twice = {name for name, count in Counter(names).items() if count > 1}
    return [
        {
            "address": device.address,
            "service": device.url,
            "name": device.name,
            "hardware": device.hardware,
            "problem": device.problem or None,
            "streams": [
                _stream(offer, f"{name}-{_plain(device.address)}" if name in twice else name, number, options)
                for number, offer in enumerate(device.offers, 1)
            ],
        }
        for name, device in zip(names, devices, strict=True)
    ]


def _stream(offer: Offer, name: str, number: int, options: str) -> dict[str, Any]:
    own = name if number == 1 else f"{name}-{number}"
    return {
        "profile": offer.profile,
        "codec": offer.codec,
        "width": offer.width or None,
        "height": offer.height or None,
        "url": offer.url,
        "elsewhere": offer.is_elsewhere,
        "add": None if offer.is_elsewhere else f"overt cameras add {own} {shlex.quote(offer.url)}{options}",
    }


def _name(device: Device) -> str:
    """What a camera may be called, after what it calls itself."""
    return _plain(device.name) or _plain(device.hardware) or f"camera-{_plain(device.address)}"


def _plain(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_.]+", "-", text).strip("-.")[:_LONGEST_NAME]


def _print(told: Sequence[dict[str, Any]]) -> None:
    if not told:
        output.line("no camera answered; many have ONVIF switched off, and routers keep multicast to one network.")
        output.line("Ask one by its address: `overt cameras discover --address HOST`")
    for device in told:
        output.line(
            "  ".join(filter(None, (device["address"] or device["service"], device["name"], device["hardware"])))
        )
        if device["problem"]:
            output.line(f"  {device['problem']}")
        for stream in device["streams"]:
            size = f"{stream['width']}x{stream['height']}" if stream["width"] and stream["height"] else ""
            output.line("  " + "  ".join(filter(None, (stream["profile"], stream["codec"], size, stream["url"]))))
            output.line(f"    {stream['add'] or 'it is at another address; add it yourself if you know that host'}")
