# SPDX-License-Identifier: Apache-2.0
"""Streams from the command line: made, set, shown without secrets, started, stopped, deleted, and each act recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from overt.cli.home import engine

Overt = Callable[..., CompletedProcess[str]]
ARN = "arn:aws:kinesisvideo:us-east-1:000000000001:stream/yard/1"


@pytest.fixture(scope="module")
def place(overt: Overt, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    for command in (
        ("collections", "create", "wanted"),
        ("collections", "create", "seen"),
        ("cameras", "add", "yard", "rtsp://u:geheim@127.0.0.1:9/x", "--arn", ARN),
    ):
        done = overt(*command, "--home", home)
        assert done.returncode == 0, done.stderr
    return home


@pytest.fixture(scope="module")
def run(overt: Overt, place: Path) -> Callable[..., Any]:
    def act(*arguments: str, fails: str = "") -> Any:
        done = overt(*arguments, "--json", "--home", place)
        assert (done.returncode != 0) == bool(fails), done.stderr
        if fails:
            assert fails in done.stderr
            return None
        return json.loads(done.stdout)

    return act


def test_a_stream_from_its_creation_to_its_end(run: Callable[..., Any], overt: Overt, place: Path) -> None:
    target = "mqtt://user:geheim@127.0.0.1/alerts"
    run("streams", "create", "yard", "--camera", "yard", "--collection", "wanted", "--target", target, "--start")
    told = run("streams", "show", "yard")
    assert (told["status"], told["source"], told["threshold"]) == ("STARTING", ARN, 80)
    assert told["targets"] == ["mqtt://127.0.0.1/alerts", "events:"]
    set_to = ("--quiet", "3", "--unknown", "--review", "--sightings", "seen", "--sighting-days", "2", "--rate", "2")
    told = run("streams", "set", "yard", *set_to, "--finest", "1280")
    assert (told["quiet"], told["tells_unknown"], told["reviews"], told["sightings"]) == (3, True, True, "seen")
    assert (told["sighting_days"], told["rate"], told["finest"]) == (2, 2, 1280)
    assert told["targets"] == ["mqtt://127.0.0.1/alerts", "events:"]
    told = run("streams", "set", "yard", "--no-sightings", "--no-targets", "--no-unknown")
    assert (told["sightings"], told["targets"], told["tells_unknown"], told["quiet"]) == (None, ["events:"], False, 3)
    assert [each["name"] for each in run("streams", "list")["streams"]] == ["yard"]
    shown = overt("streams", "list", "--home", place).stdout
    assert "people of wanted" in shown
    assert "geheim" not in shown + overt("streams", "show", "yard", "--home", place).stdout
    run("streams", "delete", "yard", fails="must be stopped")
    run("streams", "stop", "yard")
    run("streams", "start", "yard")
    run("streams", "stop", "yard")
    run("streams", "delete", "yard")
    assert "no streams" in overt("streams", "list", "--home", place).stdout
    with engine(place) as opened, opened.stores.read() as unit:
        events = [event.operation for event in unit.records.tail(30)]
    assert {"CreateStreamProcessor", "SetStreamOptions", "StartStreamProcessor", "DeleteStreamProcessor"} <= set(events)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "a", "--camera", "nowhere", "--collection", "wanted"), "there is no camera nowhere"),
        (("create", "a", "--camera", "yard", "--collection", "nobody"), "nobody does not exist"),
        (("create", "a", "--camera", "yard", "--collection", "wanted", "--target", "gopher://x"), "begins with one of"),
        (("create", "a", "--camera", "yard", "--collection", "wanted", "--target", "https://x/y"), "webhook_secret"),
        (("show", "nothing"), "there is no stream nothing"),
        (("set", "nothing", "--quiet", "2"), "there is no stream nothing"),
    ],
)
def test_what_cannot_be_is_told_in_words(run: Callable[..., Any], arguments: tuple[str, ...], words: str) -> None:
    run("streams", *arguments, fails=words)
