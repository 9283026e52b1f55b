# SPDX-License-Identifier: Apache-2.0
"""Cameras are registered, shown without their passwords, moved, and removed when no stream uses them."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from overt.cli.cameras import add, move, remove, source
from overt.cli.home import engine
from overt.cli.output import CommandError
from overt.types import FaceSearch, Session, Stream, Wanted

URL = "rtsp://guard:a-password@127.0.0.1:8554/main?token=abc"
SHOWN = "rtsp://***@127.0.0.1:8554/main?token=***"


def typed(home: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command that reads a line."""
    command = [sys.executable, "-m", "overt", *arguments, "--home", str(home)]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)


def test_a_camera_is_added_and_shown_without_its_secrets(
    told: Callable[..., Any], overt: Callable[..., Any], home: Path
) -> None:
    assert told("cameras", "list") == {"cameras": []}
    added = told("cameras", "add", "gate", URL, "--keyframes")
    with engine(home) as opened:
        account, region = opened.settings.account, opened.settings.region
        assert source(opened, "gate") == (URL, True)
    assert re.fullmatch(rf"arn:aws:kinesisvideo:{region}:{account}:stream/gate/\d{{13}}", added["arn"])
    assert (added["name"], added["url"], added["keyframes"]) == ("gate", SHOWN, True)
    assert told("cameras", "list") == {"cameras": [added]}
    listed = overt("cameras", "list", "--home", home).stdout
    assert "gate" in listed
    assert added["arn"] in listed
    files = [path for path in home.rglob("*") if path.is_file()]
    assert not any(b"a-password" in path.read_bytes() for path in files)


def test_an_address_is_read_from_standard_input(told: Callable[..., Any], home: Path) -> None:
    done = typed(home, f"{URL}\n", "cameras", "add", "gate", "-")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("arn:aws:kinesisvideo:")
    assert typed(home, "", "cameras", "add", "door", "-").returncode == 1
    assert [one["url"] for one in told("cameras", "list")["cameras"]] == [SHOWN]


def test_a_password_comes_from_a_file(told: Callable[..., Any], home: Path, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("a/b@c\n")
    told("cameras", "add", "gate", "rtsp://127.0.0.1/1", "--user", "ann", "--password-file", file)
    with engine(home) as opened:
        assert source(opened, "gate")[0] == "rtsp://ann:a%2Fb%40c@127.0.0.1/1"


def test_a_camera_may_stand_for_a_stream_of_kinesis(
    told: Callable[..., Any], overt: Callable[..., Any], home: Path
) -> None:
    arn = "arn:aws:kinesisvideo:eu-west-1:111122223333:stream/lobby/1600000000000"
    assert told("cameras", "add", "gate", URL, "--arn", arn)["arn"] == arn
    refused = overt("cameras", "add", "door", URL, "--arn", arn, "--home", home)
    assert refused.returncode == 1
    assert "one with its ARN" in refused.stderr


@pytest.mark.parametrize(
    ("name", "url", "arn", "words"),
    [
        ("a camera", URL, None, "is no name of a camera"),
        ("x" * 129, URL, None, "is no name of a camera"),
        ("gate", "gopher://guard:a-password@x", None, "no source reads 'gopher' addresses"),
        ("gate", "rtsp://guard:a-password@x:y/", None, "is no address of a camera"),
        ("gate", "rtsp://guard:a-password@x/a b", None, "no blanks"),
        ("gate", URL, "arn:aws:kinesis:x", "is no ARN"),
    ],
)
def test_what_is_no_camera_is_refused(home: Path, name: str, url: str, arn: str | None, words: str) -> None:
    with pytest.raises(CommandError, match=words) as refusal:
        add(name, url, arn=arn, home=home)
    assert "a-password" not in str(refusal.value)


def test_a_camera_that_is_not_there_is_told(overt: Callable[..., Any], home: Path) -> None:
    for change in (lambda: move("gate", URL, home=home), lambda: remove("gate", home=home)):
        with pytest.raises(CommandError, match="there is no camera gate"):
            change()
    done = overt("cameras", "remove", "gate", "--home", home)
    assert done.returncode == 1
    assert "there is no camera gate; see `overt cameras list`" in done.stderr


def test_a_camera_is_moved_under_the_same_arn(told: Callable[..., Any], home: Path) -> None:
    added = told("cameras", "add", "gate", URL)
    moved = told("cameras", "move", "gate", "rtsp://127.0.0.1/2")
    assert moved == added | {"url": "rtsp://127.0.0.1/2"}


def test_a_camera_in_use_stays(told: Callable[..., Any], overt: Callable[..., Any], home: Path) -> None:
    arn = told("cameras", "add", "gate", URL)["arn"]
    now = dt.datetime.now(dt.UTC)
    with engine(home) as opened, opened.stores.write() as unit:
        account = opened.settings.account
        for number, camera in enumerate((arn, arn, "arn:another")):
            wanted = Wanted(camera, search=FaceSearch("people", 0.8))
            unit.streams.add(Stream(f"{number:032x}", account, f"watch-{number}", wanted, now, now))
        unit.streams.start(account, "watch-1", Session("0" * 32, now))
    refused = overt("cameras", "remove", "gate", "--home", home)
    assert refused.returncode == 1
    assert "gate is used by watch-1; stop that first" in refused.stderr
    with engine(home) as opened, opened.stores.write() as unit:
        unit.streams.stop(opened.settings.account, "watch-1")
    assert told("cameras", "remove", "gate") == {"removed": "gate"}
    assert told("cameras", "list") == {"cameras": []}


def test_changes_leave_records(told: Callable[..., Any], overt: Callable[..., Any], home: Path) -> None:
    told("cameras", "add", "gate", URL)
    overt("cameras", "add", "gate", URL, "--home", home)
    told("cameras", "move", "gate", URL)
    told("cameras", "remove", "gate")
    with sqlite3.connect(home / "overt.db") as database:
        rows = database.execute("select operation, outcome from records").fetchall()
    database.close()
    assert rows == [("AddCamera", "ok"), ("AddCamera", "CommandError"), ("MoveCamera", "ok"), ("RemoveCamera", "ok")]


def test_a_name_or_a_url_names_a_source(home: Path) -> None:
    with engine(home) as opened:
        assert source(opened, "rtsp://127.0.0.1/1") == ("rtsp://127.0.0.1/1", False)
        with pytest.raises(CommandError, match="there is no camera gate"):
            source(opened, "gate")
