# SPDX-License-Identifier: Apache-2.0
"""Talks with devices that answer well, wrongly, too much, too slowly, or with XML that is meant to hurt."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificate import certificate
from onvif_device import PASSWORD, USER, OnvifDevice, fault, message

from overt.media.soap import MOST, DeniedError, DeviceError, Login, Peer, envelope, read, shown

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>'


@pytest.fixture
def device() -> Iterator[OnvifDevice]:
    with OnvifDevice() as made:
        yield made


def ask(device: OnvifDevice, operation: str = "GetDeviceInformation", password: str = PASSWORD) -> str:
    answer = Peer(device.url, Login(USER, password)).call(device.url, DEVICE, operation)
    return answer.findtext(".//{*}Model") or ""


@pytest.mark.parametrize("login", ["token", "http", "none"])
def test_a_device_knows_who_asks(login: str) -> None:
    with OnvifDevice(login=login) as device:
        assert ask(device) == "Model 1"


@pytest.mark.parametrize("login", ["token", "http"])
def test_a_wrong_password_and_none_are_told_apart(login: str) -> None:
    with OnvifDevice(login=login) as device:
        with pytest.raises(DeniedError, match="it refused the name or the password"):
            ask(device, password="wrong")
        with pytest.raises(DeniedError, match="it wants a name and a password"):
            Peer(device.url).call(device.url, DEVICE, "GetDeviceInformation")


def test_a_device_may_sign_its_own_certificate(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    with OnvifDevice(context=context) as device:
        assert ask(device) == "Model 1"


def test_a_password_is_never_sent_in_the_clear_and_not_shown(device: OnvifDevice) -> None:
    device.replaced["GetDeviceInformation"] = lambda: (401, b"", {"WWW-Authenticate": 'Basic realm="x"'})
    with pytest.raises(DeniedError):
        ask(device)
    assert device.asked == ["GetDeviceInformation"]
    assert PASSWORD not in repr(Login(USER, PASSWORD))


@pytest.mark.parametrize(
    "challenge",
    ["Digest", "Digest realm", 'Digest nonce="x", algorithm=MD4', 'Digest nonce="x", qop="auth-int"', "Digest ,,="],
)
def test_odd_challenges_are_no_harm(device: OnvifDevice, challenge: str) -> None:
    device.replaced["GetDeviceInformation"] = lambda: (401, b"", {"WWW-Authenticate": challenge})
    with pytest.raises(DeniedError):
        ask(device)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, LAUGHS, "DOCTYPE"),
        (200, b'<!DOCTYPE l SYSTEM "http://127.0.0.1:9/x"><l/>', "DOCTYPE"),
        (200, b'<!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/passwd">]><l>&f;</l>', "DOCTYPE"),
        (200, b"<l>&f;</l>", "no XML"),
        (200, b"<l>", "no XML"),
        (200, b"", "no XML"),
        (200, LAUGHS.decode().encode("utf-16"), "DOCTYPE"),
        (200, b"<a>" * 100_000, "without measure"),
        (200, b"<l>" + b"<a/>" * 100_000 + b"</l>", "without measure"),
        (200, b"<l>" + b"x" * MOST + b"</l>", "larger than 1 MiB"),
        (200, b"<l/>", "no SOAP"),
        (500, b"oh dear", "it answered 500"),
        (500, message("<x/>"), "it answered 500"),
        (302, b"", "it answered 302"),
        (500, fault("Action", "out\x7f of \u202e order"), r"refused GetDeviceInformation: out\\x7f of \\u202e order"),
    ],
)
def test_what_is_no_answer_is_told(device: OnvifDevice, status: int, body: bytes, words: str) -> None:
    device.replaced["GetDeviceInformation"] = lambda: (status, body, {"Location": "http://127.0.0.1:9/"})
    with pytest.raises(DeviceError, match=words):
        ask(device)


def test_a_length_that_is_a_lie_is_no_harm(device: OnvifDevice) -> None:
    device.replaced["GetDeviceInformation"] = lambda: (200, b"<l/>", {"Content-Length": str(1 << 60)})
    with pytest.raises(DeviceError, match="broken off"):
        ask(device)


def test_a_silent_device_is_given_up(device: OnvifDevice) -> None:
    device.replaced["GetDeviceInformation"] = device.never
    with pytest.raises(DeviceError, match=r"did not answer within 0\.2 s"):
        Peer(device.url, seconds=0.2).call(device.url, DEVICE, "GetDeviceInformation")


def test_a_device_that_drips_is_given_up() -> None:
    """Each byte comes in time, the answer does not."""
    ending = threading.Event()

    def drip(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line, contextlib.suppress(OSError):
            line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not ending.wait(0.02):
                line.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        try:
            with pytest.raises(DeviceError, match=r"did not answer within 0\.3 s"):
                Peer(url, seconds=0.3).call(url, DEVICE, "GetServices")
        finally:
            ending.set()
            thread.join()


def test_where_nothing_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with pytest.raises(DeviceError, match="nothing listens there"):
        Peer(url).call(url, DEVICE, "GetServices")


@pytest.mark.parametrize(
    "url", ["", "ftp://127.0.0.1/", "http://", "http://[::1", "http://127.0.0.1:x/", "file:///etc"]
)
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(DeviceError, match="is no address of a service"):
        Peer(url)


def test_another_host_is_not_asked_but_the_device_for_the_same_path(device: OnvifDevice) -> None:
    peer = Peer(device.url, Login(USER, PASSWORD))
    answer = peer.call("http://192.0.2.1:9/onvif/device_service", DEVICE, "GetDeviceInformation")
    assert answer.findtext(".//{*}Model") == "Model 1"
    assert peer.address == "127.0.0.1"
    assert peer.is_own("127.0.0.1")
    assert not peer.is_own("192.0.2.1")


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/\u00e4"])
def test_odd_paths_are_no_harm(device: OnvifDevice, path: str) -> None:
    with pytest.raises(DeviceError):
        Peer(device.url).call(device.root + path, DEVICE, "GetServices")


def test_messages_are_read_as_they_are_written() -> None:
    root = read(envelope("<a>&lt;b&gt; &amp; c</a>", "<h/>"))
    assert root.tag == "{http://www.w3.org/2003/05/soap-envelope}Envelope"
    assert root.findtext("{*}Body/a") == "<b> & c"


def test_texts_of_devices_cannot_lead_a_terminal_astray() -> None:
    assert shown("a\n\tb \x1b[31mred\u202e \u00e9") == "a b \\x1b[31mred\\u202e \u00e9"
    assert len(shown("x" * 10_000)) == 200
