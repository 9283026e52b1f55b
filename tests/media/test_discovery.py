# SPDX-License-Identifier: Apache-2.0
"""Devices on loopback are found, whatever else answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from unittest.mock import ANY

import pytest
from onvif_device import GROUP, OnvifDevice, announcement

from overt.media.discovery import Found, probe
from overt.media.soap import DeviceError


@pytest.fixture
def device() -> Iterator[OnvifDevice]:
    with OnvifDevice() as made:
        yield made


def found(
    device: OnvifDevice,
    *,
    port: int = 0,
    group: str = "127.0.0.1",
    tries: int = 20,
    interfaces: Sequence[int] | None = None,
) -> list[Found]:
    """Asks until somebody answers, as a busy machine may be late."""
    for _ in range(tries):
        if answers := probe(0.4, group, port or device.port, interfaces):
            return answers
    return []


def test_a_device_is_found_once_though_it_is_asked_twice(device: OnvifDevice) -> None:
    assert found(device) == [Found("127.0.0.1", (device.url,), "Front Door", "M1")]
    assert set(device.asked) == {"Probe"}


def test_a_group_is_asked_on_the_interfaces_named(device: OnvifDevice) -> None:
    port = device.join_group()
    answers = found(device, group=GROUP, port=port, interfaces=[socket.if_nametoindex("lo")])
    assert [each.urls for each in answers] == [(device.url,)]
    with pytest.raises(DeviceError, match="no network interface"):
        probe(0.5, GROUP, port, [1 << 20])


def test_texts_are_made_harmless(device: OnvifDevice) -> None:
    device.name = "Gate \x1b]0;pwned\x07 \u202e1"
    assert [each.name for each in found(device)] == ["Gate \\x1b]0;pwned\\x07 \\u202e1"]


@pytest.mark.parametrize(
    "urls",
    [
        "http://192.0.2.9/onvif",
        "ftp://127.0.0.1/",
        "http://[::1",
        "http://127.0.0.1@192.0.2.9/",
        "http://127.0.0.1/\u00e4",
        "",
    ],
)
def test_services_elsewhere_are_not_those_of_the_device(device: OnvifDevice, urls: str) -> None:
    device.announced = lambda question: announcement(question, urls, "gate")
    assert found(device) == [Found("127.0.0.1", (), "gate", "M1")]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff" * 1000,
        b'<!DOCTYPE l [<!ENTITY a "ha">]><l>&a;</l>',
        announcement("urn:uuid:of-another-question", "http://127.0.0.1/", "gate"),
    ],
)
def test_what_answers_nothing_of_ours_is_passed_over(device: OnvifDevice, answer: bytes) -> None:
    device.announced = lambda question: answer
    assert found(device, tries=1) == []
    assert set(device.asked) == {"Probe"}


def test_what_is_no_camera_is_passed_over(device: OnvifDevice) -> None:
    device.announced = lambda question: (
        announcement(question, device.url, "x")
        .replace(b"NetworkVideoTransmitter", b"Printer")
        .replace(b"onvif:", b"x:")
    )
    assert found(device, tries=1) == []


def test_many_who_claim_to_be_there_are_not_all_told_of(device: OnvifDevice) -> None:
    def crowd(question: str) -> bytes:
        one = announcement(question, "http://127.0.0.1/NUMBER", "x")
        head, match, tail = one.partition(b"<d:ProbeMatch>")[0], one[one.index(b"<d:ProbeMatch>") :], b""
        match, _, tail = match.partition(b"</d:ProbeMatches>")
        slim = b"<d:ProbeMatch><d:Types>NetworkVideoTransmitter</d:Types><d:XAddrs>http://127.0.0.1/%d</d:XAddrs></d:ProbeMatch>"
        return head + b"".join(slim % number for number in range(400)) + b"</d:ProbeMatches>" + tail

    device.announced = crowd
    assert found(device) == [ANY] * 256
