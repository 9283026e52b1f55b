# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
from pathlib import Path

import filming
import numpy as np

from overt.jobs.task import Tools
from overt.jobs.tasks.people import People, _owners
from overt.jobs.tasks.sights import Sight
from overt.stores import plain
from overt.types import Box, Face, Footage, Frame, Image

FOOTAGE = Footage("h264", "MP4", 4.0, 25.0, 640, 360, is_full_range=False)


def test_somebody_who_moves_stays_the_same_and_has_a_face(gallery: Tools, photos: Path) -> None:
    watch = People().begin(gallery, FOOTAGE, None)
    sights: list[Sight] = []
    for number, pixels in enumerate(filming.passing(photos / "obama2.jpg", 2)):
        if number % 5 == 0:
            sights += [
                plain.read(Sight, each.body) for each in filming.seen(watch, Frame(Image(pixels, ""), number / 25))
            ]
    # A portrait that ends in its middle is not all that a detector expects: it may see a part of it beside the whole.
    assert sum(sight.index == 0 for sight in sights) > 7
    assert all(sight.body is not None for sight in sights)
    assert any(sight.face is not None for sight in sights)


def test_what_is_seen_once_is_nobody(gallery: Tools, photos: Path) -> None:
    watch = People().begin(gallery, FOOTAGE, None)
    (person,) = itertools.islice(filming.passing(photos / "obama2.jpg", 1, still=True), 1)
    (nothing,) = itertools.islice(filming.empty(1), 1)
    assert filming.seen(watch, Frame(Image(person, ""), 0.0)) == []
    again = People().begin(gallery, FOOTAGE, json.loads(json.dumps(watch.state())))
    assert [each.time for each in filming.seen(again, Frame(Image(person, ""), 0.2))] == [0, 200]
    for time in (0.2, 2.0, 4.0):
        assert filming.seen(watch, Frame(Image(nothing, ""), time)) == []
    assert watch.state()["first"] == []


def test_a_face_is_of_the_smallest_body_around_it() -> None:
    def face(x: float, y: float) -> Face:
        return Face(Box(x - 0.01, y - 0.01, 0.02, 0.02), 0.9, np.zeros((5, 2), np.float32))

    large, small, other = Box(0, 0, 0.6, 1), Box(0.3, 0.2, 0.2, 0.6), Box(0.8, 0, 0.2, 1)
    faces = [face(0.4, 0.3), face(0.1, 0.1), face(0.7, 0.5), face(0.45, 0.4)]
    assert _owners([large, small, other], faces) == {1: faces[0], 0: faces[1]}
