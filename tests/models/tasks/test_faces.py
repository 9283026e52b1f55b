# SPDX-License-Identifier: Apache-2.0
"""The front of all face tasks: what no model supports, or the mesh does not see, stays away and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from overt.models.hub import Hub
from overt.models.pack import Pack
from overt.models.session import Session
from overt.models.tasks.faces import FaceTasks
from overt.types import Box, Face, Image

Load = Callable[[str | Path], Image]
Describe = Callable[..., Face]
ALL = frozenset({"ALL"})


def test_a_face_that_the_mesh_refuses(faces: FaceTasks) -> None:
    """Something with five points and no face: pose and landmarks stay, mesh-based attributes do not."""
    noise = Image(np.random.default_rng(1).integers(0, 255, (300, 300, 3), np.uint8), "")
    points = np.float32([[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.6], [0.58, 0.6]])
    face = faces.describe(noise, Face(Box(0.3, 0.3, 0.4, 0.4), 0.8, points), ALL)
    assert face.landmarks is not None
    assert len(face.landmarks) == 5
    assert face.pose is not None
    assert abs(face.pose.yaw) < 5
    assert face.attributes is not None
    assert face.attributes.age_range is face.attributes.gaze is face.attributes.eyes_open is None
    assert face.attributes.emotions is not None


def test_without_a_mesh_model(pack: Pack, load: Load, described: Describe) -> None:
    sessions = {model.task: Session(model) for model in pack.models if model.task in ("detect", "embed", "emotion")}
    assert pack.calibration is not None
    bare = FaceTasks(sessions, pack.calibration)
    assert bare.supported == {"EMOTIONS", "SMILE"}
    face = described(bare, load("obama.jpg"), ALL)
    assert face.landmarks is not None
    assert len(face.landmarks) == 5
    assert Hub([pack]).faces.supported > bare.supported


def test_faces_may_be_embedded_any_number_at_a_time(faces: FaceTasks, load: Load) -> None:
    """More than fit one run, of different pictures: each vector is the one its face has alone."""
    pairs = [(image, faces.detect(image, 1)[0]) for image in map(load, ("obama.jpg", "biden.jpg", "obama2.jpg"))] * 3
    together = faces.embed_all(pairs)
    assert len(together) == 9
    for embedding, (image, face) in zip(together, pairs, strict=True):
        assert np.allclose(embedding.vector, faces.embed(image, face).vector, atol=1e-5)


def test_describing_changes_nothing_else_of_a_face(faces: FaceTasks, load: Load) -> None:
    image = load("obama3.jpg")
    (face,) = faces.detect(image)
    told = faces.describe(image, face, ALL)
    assert (told.box, told.confidence) == (face.box, face.confidence)
    assert np.array_equal(told.points, face.points)


def test_faces_are_ratios_of_the_picture_they_are_in(faces: FaceTasks, load: Load) -> None:
    """With black added to the right of the picture, the face is where it was, in the wider picture's measure."""
    image = load("obama.jpg")
    wide = Image(np.pad(image.pixels, ((0, 0), (0, image.width), (0, 0))), "")
    (face,), (moved,) = faces.detect(image), faces.detect(wide)
    assert moved.box.left == pytest.approx(face.box.left / 2, abs=0.02)
    assert moved.box.width == pytest.approx(face.box.width / 2, abs=0.02)
    assert moved.box.top == pytest.approx(face.box.top, abs=0.02)


def test_what_is_said_to_be_supported_is_answered(faces: FaceTasks, load: Load, described: Describe) -> None:
    """One by one: each name fills its own field and no other."""
    fields = {
        "AGE_RANGE": "age_range", "GENDER": "gender", "EMOTIONS": "emotions", "SMILE": "smile",
        "EYES_OPEN": "eyes_open", "MOUTH_OPEN": "mouth_open", "EYE_DIRECTION": "gaze",
    }  # fmt: skip
    assert faces.supported == fields.keys()
    for name, field in fields.items():
        read = described(faces, load("biden.jpg"), frozenset({name})).attributes
        assert [own for own in fields.values() if getattr(read, own) is not None] == [field]
