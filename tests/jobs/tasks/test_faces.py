# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import filming

from overt.jobs.task import Tools
from overt.jobs.tasks.faces import Faces
from overt.stores import plain
from overt.types import Face, Footage, Frame, Image

FOOTAGE = Footage("h264", "MP4", 1.0, 25.0, 640, 360, is_full_range=False)


def test_faces_have_the_attributes_asked_for_and_no_others(gallery: Tools, photos: Path) -> None:
    frame = Frame(Image(next(filming.passing(photos / "biden.jpg", 1, still=True)), ""), 0.25)
    for wanted in (frozenset[str](), frozenset({"ALL"})):
        (found,) = filming.seen(Faces(wanted).begin(gallery, FOOTAGE, None), frame)
        face = plain.read(Face, found.body)
        assert found.time == 250
        assert face.pose is not None
        assert (face.attributes is not None and face.attributes.gender is not None) == bool(wanted)
