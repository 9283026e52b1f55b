# SPDX-License-Identifier: Apache-2.0
"""A camera is tried: what comes is measured, and what does not come has its reason."""

from __future__ import annotations

import json
import socket
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filming
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    file.write_bytes(filming.film(filming.empty(2)))
    return file


def test_a_camera_that_gives_pictures_is_measured(
    told: Callable[..., Any], film: Path, home: Path, tmp_path: Path
) -> None:
    told("cameras", "add", "gate", f"{film.as_uri()}?loop=1")
    picture = tmp_path / "seen.jpg"
    seen = told("cameras", "test", "gate", "--picture", picture)
    assert (seen["state"], seen["width"], seen["height"], seen["reason"]) == ("live", 640, 360, None)
    assert seen["frames_a_second"] > 0
    assert seen["seconds_to_first_picture"] > 0
    assert seen["worker_megabytes"] > 1
    with Image.open(picture) as shown:
        assert (shown.format, shown.size) == ("JPEG", (640, 360))
    assert stat.S_IMODE(picture.stat().st_mode) == 0o600
    with sqlite3.connect(home / "overt.db") as database:
        rows = database.execute("select operation, outcome from records").fetchall()
    database.close()
    assert rows == [("AddCamera", "ok"), ("TestCamera", "ok")]


def test_a_film_may_end_before_the_test_does(overt: Callable[..., Any], film: Path, home: Path) -> None:
    done = overt("cameras", "test", film.as_uri(), "--home", home)
    assert done.returncode == 0, done.stderr
    assert "640" in done.stdout


def test_a_camera_that_gives_none_fails_with_the_reason(overt: Callable[..., Any], home: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    picture = tmp_path / "seen.jpg"
    url = f"rtsp://guard:a-password@127.0.0.1:{port}/main"
    done = overt("cameras", "test", url, "--seconds", 2, "--picture", picture, "--json", "--home", home)
    assert done.returncode == 1
    seen = json.loads(done.stdout)
    assert seen["reason"]
    assert (seen["width"], seen["picture"], seen["frames_decoded"]) == (None, None, 0)
    assert not picture.exists()
    assert "a-password" not in done.stdout + done.stderr


def test_a_picture_needs_a_folder(overt: Callable[..., Any], film: Path, home: Path, tmp_path: Path) -> None:
    done = overt("cameras", "test", film.as_uri(), "--picture", tmp_path / "none" / "seen.jpg", "--home", home)
    assert done.returncode == 1
    assert "is no folder" in done.stderr
