# SPDX-License-Identifier: Apache-2.0
"""Claims fit photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import botocore.session
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overt.models.tasks import attributes
from overt.models.tasks.attributes import AttributeReader
from overt.models.tasks.faces import FaceTasks
from overt.models.tasks.mesh import Mesh
from overt.types import Emotion, Face, Image, Pose

Load = Callable[[str | Path], Image]
Describe = Callable[..., Face]
ALL = frozenset({"ALL"})


def test_attributes_of_photos(faces: FaceTasks, load: Load, described: Describe) -> None:
    smiling = described(faces, load("obama.jpg"), ALL).attributes
    serious = described(faces, load("biden.jpg"), ALL).attributes
    assert smiling is not None
    assert serious is not None
    for read in (smiling, serious):
        assert read.gender is not None
        assert read.gender[0] == "Male"
        assert read.eyes_open is not None
        assert read.eyes_open.value
        assert read.emotions is not None
        assert {emotion.name for emotion in read.emotions} == {
            "ANGRY", "DISGUSTED", "FEAR", "HAPPY", "SAD", "SURPRISED", "CALM",
        }  # fmt: skip
        assert read.gaze is not None
        assert read.gaze.confidence > 0.5
    assert smiling.smile is not None
    assert smiling.smile.value
    assert smiling.mouth_open is not None
    assert smiling.mouth_open.value
    assert serious.smile is not None
    assert not serious.smile.value
    assert serious.mouth_open is not None
    assert not serious.mouth_open.value
    assert serious.age_range is not None
    assert smiling.age_range is not None
    assert sum(smiling.age_range) < sum(serious.age_range)


def test_only_what_is_wanted(faces: FaceTasks, load: Load, described: Describe) -> None:
    image = load("obama.jpg")
    read = described(faces, image, frozenset({"GENDER", "BEARD"})).attributes
    assert read is not None
    assert read.gender is not None
    assert read.age_range is read.emotions is read.smile is read.gaze is None
    assert "BEARD" not in faces.supported
    assert described(faces, image, frozenset({"BEARD"})).attributes is None


def test_emotions_are_rekognitions_surest_first(faces: FaceTasks, load: Load, described: Describe) -> None:
    model = botocore.session.get_session().get_service_model("rekognition")
    for name in ("obama.jpg", "biden.jpg"):
        read = described(faces, load(name), frozenset({"EMOTIONS"})).attributes
        assert read is not None
        assert read.emotions is not None
        assert {emotion.name for emotion in read.emotions} < set(model.shape_for("EmotionName").enum)
        confidences = [emotion.confidence for emotion in read.emotions]
        assert confidences == sorted(confidences, reverse=True)
        assert sum(confidences) == pytest.approx(1, abs=1e-3)


@given(st.floats(0, 1))
def test_a_smile_is_claimed_from_an_even_chance_on(happy: float) -> None:
    """And the confidence is that of the claim made, so never below one half."""
    claim = attributes.smile((Emotion("CALM", 1 - happy), Emotion("HAPPY", happy)))
    assert claim.value == (happy >= 0.5)
    assert claim.confidence == pytest.approx(happy if claim.value else 1 - happy)


def test_the_mirror_turns_the_gaze(
    faces: FaceTasks, load: Load, described: Describe, mirrored: Callable[[Image], Image]
) -> None:
    image = load("obama2.jpg")  # he looks to the left side of the picture
    here, there = (described(faces, i, ALL).attributes for i in (image, mirrored(image)))
    assert here is not None
    assert there is not None
    assert here.gaze is not None
    assert there.gaze is not None
    assert here.gaze.yaw < -5
    assert there.gaze.yaw == pytest.approx(-here.gaze.yaw, abs=8)
    assert there.gaze.pitch == pytest.approx(here.gaze.pitch, abs=8)


def test_a_face_in_profile_says_nothing_of_where_it_looks() -> None:
    mesh = Mesh(np.random.default_rng(0).uniform(0, 100, (468, 3)).astype(np.float32), 0.0)
    assert attributes.gaze(mesh, np.float32([[40, 50], [60, 50]]), Pose(0, 90, 0)).confidence == pytest.approx(0)


def test_points_that_fall_together_are_no_open_eye_and_no_error() -> None:
    mesh = Mesh(np.zeros((468, 3), np.float32), 0.0)
    assert not attributes.eyes_open(mesh).value
    assert not attributes.mouth_open(mesh).value


def test_without_a_model_nothing_is_said(load: Load) -> None:
    reader = AttributeReader(None, None, None)
    pixels = load("obama.jpg").pixels
    mesh = Mesh(np.zeros((468, 3), np.float32), 0.0)
    assert reader.age_range(pixels, mesh) is None
    assert reader.gender(pixels, mesh) is None
    assert reader.emotions(pixels, np.float32([0, 0, 100, 100])) is None
