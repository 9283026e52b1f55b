# SPDX-License-Identifier: Apache-2.0
"""Cameras tell where their pictures are, new ones and old ones; what they do not tell is told, with the reason."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from onvif_device import PASSWORD, USER, OnvifDevice, message

from overt.media.onvif import Device, Offer, ask, service
from overt.media.soap import Login

MAIN = Offer("Main", "rtsp://127.0.0.1:8554/main?profile=1", "H264", 1920, 1080)
SUB = Offer("Sub", "rtsp://127.0.0.1:8554/sub", "H264", 1920, 1080)


OWNER = Login(USER, PASSWORD)


def told(device: OnvifDevice, login: Login | None = OWNER, seconds: float = 10.0) -> Device:
    return ask(Device(device.url), login, seconds)


@pytest.mark.parametrize("login", ["token", "http"])
@pytest.mark.parametrize("services", [("media", "media2"), ("media",), ("media2",), ("media", "old")])
def test_streams_are_told_without_who_may_see_them(services: tuple[str, ...], login: str) -> None:
    with OnvifDevice(services=services, login=login) as device:
        known = told(device)
    assert known == Device(device.url, "127.0.0.1", "Overt\\u202e Test", "Model 1", (MAIN, SUB))


@pytest.mark.parametrize("days", [-20_000, -0.01, 400])
def test_a_clock_that_is_wrong_does_not_keep_us_out(days: float) -> None:
    with OnvifDevice(ahead=dt.timedelta(days=days)) as device:
        assert told(device).offers == (MAIN, SUB)


@pytest.mark.parametrize(
    "moment", ["", "<tt:UTCDateTime/>", "<tt:UTCDateTime><tt:Date><tt:Year>%s</tt:Year></tt:Date></tt:UTCDateTime>"]
)
def test_a_clock_that_is_none_is_passed_over(moment: str) -> None:
    with OnvifDevice() as device:
        device.replaced["GetSystemDateAndTime"] = lambda: (200, message(moment.replace("%s", "9" * 5000)), {})
        assert told(device).offers == (MAIN, SUB)


@pytest.mark.parametrize(
    ("login", "words"),
    [(None, "it wants a name and a password"), (Login(USER, "wrong"), "it refused the name or the password")],
)
def test_who_may_not_ask_is_told_so(login: Login | None, words: str) -> None:
    with OnvifDevice() as device:
        known = told(device, login)
        refused = device.refused
    assert (known.problem, known.offers) == (words, ())
    assert refused == 1  # some devices lock the user out who is wrong too often


def test_a_device_that_asks_for_no_password_tells_anybody() -> None:
    with OnvifDevice(login="none") as device:
        assert told(device, None).offers == (MAIN, SUB)


def test_a_media_service_at_another_address_is_asked_for_at_the_device() -> None:
    with OnvifDevice() as device:
        device.media_host = "192.0.2.1:9"
        assert told(device).offers == (MAIN, SUB)


def test_a_stream_at_another_address_is_marked() -> None:
    with OnvifDevice() as device:
        device.streams = {"main": "rtsp://192.0.2.1/main"}
        (offer,) = told(device).offers
    assert offer.is_elsewhere


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "main",
        "ftp://127.0.0.1/a",
        "file:///etc/passwd",
        "rtsp://127.0.0.1/a b",
        "rtsp://127.0.0.1/\u202e",
        "rtsp://[::1",
    ],
)
def test_what_is_no_stream_is_not_offered(uri: str) -> None:
    with OnvifDevice() as device:
        device.streams = {"main": uri}
        known = told(device)
    assert known.offers == ()
    assert "none of a stream" in known.problem


def test_profiles_that_are_none_are_told() -> None:
    with OnvifDevice(services=("media",)) as device:
        device.replaced["GetProfiles"] = lambda: (200, message(""), {})
        assert told(device).problem == "it has no profile with a stream"


def test_a_token_is_given_back_as_text_and_not_as_xml() -> None:
    token = "</o:ProfileToken><o:SystemReboot/>"
    with OnvifDevice() as device:
        own = device.profiles
        device.streams = {"TOKEN": "x", token: MAIN.url}
        device.profiles = lambda called, service: _tokened(own(called, service))
        assert [offer.url for offer in told(device).offers] == [MAIN.url]


def _tokened(answer: Any) -> Any:
    """The first profile alone, with a token that is XML when it is not escaped."""
    status, body, headers = answer
    head, _, rest = body.partition(b'token="TOKEN"')
    first = rest[: rest.index(b"</o:Profiles>")] + b"</o:Profiles>"
    tail = body[body.rindex(b"</o:Profiles>") + len(b"</o:Profiles>") :]
    return status, head + b'token="&lt;/o:ProfileToken&gt;&lt;o:SystemReboot/&gt;"' + first + tail, headers


def test_an_absurd_size_is_none() -> None:
    with OnvifDevice() as device:
        own = device.profiles

        def absurd(called: Any, service: str) -> Any:
            status, body, headers = own(called, service)
            return status, body.replace(b"1920", b"9" * 5000).replace(b"1080", b"-1"), headers

        device.profiles = absurd  # type: ignore[method-assign]
        assert {(offer.width, offer.height) for offer in told(device).offers} == {(0, 0)}


def test_a_device_without_media_and_one_that_is_silent_say_why() -> None:
    with OnvifDevice(services=()) as device:
        assert told(device).problem == "it offers no media service"
    with OnvifDevice() as device:
        device.replaced["GetServices"] = device.never
        assert told(device, seconds=0.5).problem == "it did not answer within 0.5 s"


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("10.0.0.2", "http://10.0.0.2/onvif/device_service"),
        ("10.0.0.2:8000", "http://10.0.0.2:8000/onvif/device_service"),
        ("https://gate.example/", "https://gate.example/onvif/device_service"),
        ("http://gate.example/else", "http://gate.example/else"),
    ],
)
def test_a_host_has_its_service_at_the_usual_path(place: str, url: str) -> None:
    assert service(place) == url
