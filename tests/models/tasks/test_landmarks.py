# SPDX-License-Identifier: Apache-2.0
"""Landmarks lie where their names say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import botocore.session
import pytest

from overt.models.tasks.faces import FaceTasks
from overt.models.tasks.landmarks import FIVE
from overt.types import Face, Image

Load = Callable[[str | Path], Image]
Describe = Callable[..., Face]
Change = Callable[[Image], Image]
ALL = frozenset({"ALL"})


def test_default_has_five_landmarks(faces: FaceTasks, load: Load, described: Describe) -> None:
    face = described(faces, load("obama.jpg"))
    assert face.landmarks is not None
    assert tuple(mark.name for mark in face.landmarks) == FIVE
    assert face.attributes is None
    assert face.quality is not None


def test_all_has_thirty_landmarks_where_they_belong(faces: FaceTasks, load: Load, described: Describe) -> None:
    face = described(faces, load("obama.jpg"), ALL)
    assert face.landmarks is not None
    at = {mark.name: mark for mark in face.landmarks}
    assert len(at) == 30
    for left, right in (
        ("eyeLeft", "eyeRight"), ("mouthLeft", "mouthRight"), ("leftPupil", "rightPupil"), ("noseLeft", "noseRight"),
        ("leftEyeLeft", "leftEyeRight"), ("rightEyeLeft", "rightEyeRight"), ("leftEyeBrowLeft", "leftEyeBrowRight"),
        ("rightEyeBrowLeft", "rightEyeBrowRight"), ("upperJawlineLeft", "upperJawlineRight"),
        ("midJawlineLeft", "midJawlineRight"), ("upperJawlineLeft", "midJawlineLeft"),
    ):  # fmt: skip
        assert at[left].x < at[right].x
    for upper, lower in (
        ("leftEyeBrowUp", "leftEyeUp"), ("leftEyeUp", "leftEyeDown"), ("rightEyeUp", "rightEyeDown"),
        ("eyeLeft", "nose"), ("nose", "mouthUp"), ("mouthUp", "mouthDown"), ("mouthDown", "chinBottom"),
        ("upperJawlineLeft", "midJawlineLeft"), ("midJawlineRight", "chinBottom"),
    ):  # fmt: skip
        assert at[upper].y < at[lower].y
    five = dict(zip(FIVE, face.points, strict=True))
    gap = abs(at["eyeRight"].x - at["eyeLeft"].x)
    for name, (x, y) in five.items():
        assert abs(at[name].x - x) < 0.25 * gap, name
        assert abs(at[name].y - y) < 0.25 * gap, name
    assert at["leftEyeLeft"].x < at["leftPupil"].x < at["leftEyeRight"].x
    assert at["rightEyeLeft"].x < at["rightPupil"].x < at["rightEyeRight"].x


def test_every_name_is_one_of_rekognitions(faces: FaceTasks, load: Load, described: Describe) -> None:
    """The names that AWS's own service model lists, and all of them."""
    model = botocore.session.get_session().get_service_model("rekognition")
    known = set(model.shape_for("LandmarkType").enum)
    face = described(faces, load("biden.jpg"), ALL)
    assert face.landmarks is not None
    assert {mark.name for mark in face.landmarks} == known


def test_landmarks_follow_the_mirror(faces: FaceTasks, load: Load, described: Describe, mirrored: Change) -> None:
    """Left and right are the picture's: in the mirror eyeLeft is where eyeRight was."""
    image = load("biden.jpg")
    before, after = (described(faces, i, ALL).landmarks for i in (image, mirrored(image)))
    assert before is not None
    assert after is not None
    was, now = ({mark.name: mark for mark in marks} for marks in (before, after))
    width = was["eyeRight"].x - was["eyeLeft"].x
    for left, right in (("eyeLeft", "eyeRight"), ("mouthLeft", "mouthRight"), ("leftPupil", "rightPupil")):
        assert now[left].x == pytest.approx(1 - was[right].x, abs=0.15 * width)
        assert now[left].y == pytest.approx(was[right].y, abs=0.15 * width)
