# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
from pathlib import Path

import filming
import pytest

from overt.models.hub import Hub
from overt.models.tasks.faces import FaceTasks
from overt.models.tracking.following import FaceFollower, Followed
from overt.types import Image


@pytest.fixture(scope="module")
def models() -> FaceTasks:
    return Hub.discover().faces


def see(follower: FaceFollower, pixels: filming.Rows, time: float) -> tuple[Followed, ...]:
    image = Image(pixels, "")
    return follower.see(image, time, follower.glance(image))


def test_a_face_keeps_its_number_and_is_embedded_when_seen_better(models: FaceTasks, photos: Path) -> None:
    follower = FaceFollower(models, 640, 360)
    embedded = 0
    for number, pixels in enumerate(itertools.islice(filming.passing(photos / "biden.jpg", 2), 0, None, 5)):
        (followed,) = see(follower, pixels, number / 5)
        assert followed.index == 0
        assert followed.face.pose is not None
        embedded += followed.embedding is not None
        if number == 0:
            assert followed.embedding is not None
            assert not follower.is_confirmed(0)
        if number == 4:
            follower = FaceFollower(models, 640, 360, json.loads(json.dumps(follower.state())))
    assert follower.is_confirmed(0)
    assert embedded < 5
    (nothing,) = itertools.islice(filming.empty(1), 1)
    assert see(follower, nothing, 2.0) == ()
    assert see(follower, nothing, 9.0) == ()
    assert follower.ended() == (0,)
