# SPDX-License-Identifier: Apache-2.0
"""Cameras that answer are listed with the commands that add them; nothing is added, and nobody's password shown."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from onvif_device import PASSWORD, USER, OnvifDevice

from overt.cli import discovering
from overt.media.onvif import Device, Offer


@pytest.fixture
def device() -> Iterator[OnvifDevice]:
    with OnvifDevice() as made:
        yield made


@pytest.fixture
def login(tmp_path: Path) -> tuple[str, ...]:
    file = tmp_path / "a password"
    file.write_text(PASSWORD)
    return ("--user", USER, "--password-file", str(file))


def test_the_command_shown_adds_the_camera(
    overt: Callable[..., Any], told: Callable[..., Any], device: OnvifDevice, login: tuple[str, ...]
) -> None:
    done = overt("cameras", "discover", "--address", device.place, *login, "--json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["devices"]
    assert (found["address"], found["hardware"], found["problem"]) == ("127.0.0.1", "Model 1", None)
    main, sub = found["streams"]
    assert (main["codec"], main["width"], main["height"]) == ("H264", 1920, 1080)
    assert sub["add"].startswith("overt cameras add Overt-u202e-Test-2 rtsp://127.0.0.1:8554/sub")
    program, *words = shlex.split(main["add"])
    assert program == "overt"
    assert told("cameras", "list") == {"cameras": []}
    assert told(*words)["url"] == "rtsp://***@127.0.0.1:8554/main?profile=***"
    assert PASSWORD not in done.stdout


def test_each_device_tells_its_own_problem(
    overt: Callable[..., Any], device: OnvifDevice, login: tuple[str, ...]
) -> None:
    device.streams = {"main": "rtsp://192.0.2.1/main"}
    with OnvifDevice(services=()) as other:
        done = overt("cameras", "discover", "--address", device.url, "--address", other.url, *login)
    assert done.returncode == 0, done.stderr
    assert "it is at another address" in done.stdout
    assert "it offers no media service" in done.stdout
    assert "overt cameras add" not in done.stdout


def test_without_a_login_that_is_what_is_missing(overt: Callable[..., Any], device: OnvifDevice) -> None:
    done = overt("cameras", "discover", "--address", device.place, "--address", "::/x")
    assert "it wants a name and a password" in done.stdout
    assert "is no address of a service" in done.stdout


def test_whoever_answers_the_group_is_asked(
    device: OnvifDevice, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The group is one host here: a test asks no network."""
    asked = discovering.discovery.probe
    monkeypatch.setattr(discovering.discovery, "probe", lambda seconds: asked(seconds, "127.0.0.1", device.port))
    discovering.discover(seconds=2)
    assert "127.0.0.1  Front Door  M1\n  it wants a name and a password" in capsys.readouterr().out
    device.announced = lambda question: b""
    discovering.discover(seconds=0.2)
    assert "no camera answered" in capsys.readouterr().out


def test_names_are_told_apart_and_urls_are_quoted() -> None:
    offer = Offer("Main", "rtsp://10.0.0.2/$(reboot);x")
    devices = [Device("", f"10.0.0.{number}", "IPC / --home", offers=(offer,)) for number in (2, 3)]
    shown = [device["streams"][0]["add"] for device in discovering._told([*devices, Device("", "10.0.0.4")], "")[:2]]
    assert shown == [f"overt cameras add IPC-home-10.0.0.{number} 'rtsp://10.0.0.2/$(reboot);x'" for number in (2, 3)]
    assert discovering._name(Device("", "10.0.0.4")) == "camera-10.0.0.4"
