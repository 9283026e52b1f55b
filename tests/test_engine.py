# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from pathlib import Path

import pytest

from overt import settings
from overt.engine import Engine
from overt.errors import InvalidImageFormatException, InvalidParameterException, ProvisionedThroughputExceededException


def test_a_home_folder_is_made_and_can_be_opened_again(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    for _ in range(2):
        opened = Engine.open(settings.load(home=home))
        digest = opened.digest("call", b"x")
        opened.close()
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "master.key").stat().st_mode & 0o777 == 0o600
    assert {"overt.db", "master.key", "buckets"} <= {path.name for path in home.iterdir()}
    again = Engine.open(settings.load(home=home))
    assert again.digest("call", b"x") == digest
    assert again.digest("page", b"x") != digest
    again.close()


def test_two_homes_have_different_digests(engine: Engine, tmp_path: Path) -> None:
    other = Engine.open(settings.load(home=tmp_path))
    assert other.digest("call", b"x") != engine.digest("call", b"x")
    other.close()


def test_pictures_beyond_the_queue_are_turned_away_and_the_queue_recovers(tmp_path: Path, photos: Path) -> None:
    opened = Engine.open(settings.load(home=tmp_path, workers=1, image_queue=1))
    picture = {"Bytes": (photos / "obama2.jpg").read_bytes()}
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with opened.looking_at(picture):
            inside.set()
            leave.wait(30)

    holders = [threading.Thread(target=hold) for _ in range(2)]
    for holder in holders:
        holder.start()
    assert inside.wait(30)
    while opened._queue._value:  # the second holder is in the queue
        threading.Event().wait(0.01)
    with pytest.raises(ProvisionedThroughputExceededException), opened.looking_at(picture):
        pass
    leave.set()
    for holder in holders:
        holder.join()
    with opened.looking_at(picture) as (image,):
        assert image.width > 0
    opened.close()


def test_a_place_is_given_back_after_every_failure(tmp_path: Path, photos: Path) -> None:
    opened = Engine.open(settings.load(home=tmp_path, workers=1, image_queue=0))
    for _ in range(3):
        with pytest.raises(InvalidImageFormatException), opened.looking_at({"Bytes": b"no picture"}):
            pass
        with pytest.raises(InvalidParameterException), opened.looking_at({}):
            pass
    with opened.looking_at({"Bytes": (photos / "obama2.jpg").read_bytes()}) as pictures:
        assert len(pictures) == 1
    opened.close()
