# SPDX-License-Identifier: Apache-2.0
"""Pose follows the picture when it is turned or mirrored; landmarks lie where their names say; claims fit photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from overt.models.hub import Hub
from overt.models.pack import Pack
from overt.models.session import Session
from overt.models.tasks import pose, quality
from overt.models.tasks.faces import FaceTasks
from overt.models.tasks.landmarks import FIVE
from overt.types import Box, Face, Image

Load = Callable[[str | Path], Image]

ALL = frozenset({"ALL"})


def described(faces: FaceTasks, image: Image, wanted: frozenset[str] = frozenset()) -> Face:
    return faces.describe(image, faces.detect(image, 1)[0], wanted)


def mirrored(image: Image) -> Image:
    return Image(np.ascontiguousarray(image.pixels[:, ::-1]), "")


def turned(image: Image, degrees: float) -> Image:
    """Turned clockwise about its middle."""
    size = image.width, image.height
    matrix = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), -degrees, 1)
    return Image(np.asarray(cv2.warpAffine(image.pixels, matrix, size), np.uint8), "")


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_turning_the_picture_turns_the_roll(faces: FaceTasks, load: Load, degrees: float) -> None:
    image = load("obama.jpg")
    before, after = (described(faces, i).pose for i in (image, turned(image, degrees)))
    assert before is not None
    assert after is not None
    assert after.roll - before.roll == pytest.approx(degrees, abs=4)
    assert after.yaw == pytest.approx(before.yaw, abs=6)
    assert after.pitch == pytest.approx(before.pitch, abs=6)


@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"])
def test_the_mirror_negates_yaw_and_roll(faces: FaceTasks, load: Load, name: str) -> None:
    image = load(name)
    before, after = (described(faces, i).pose for i in (image, mirrored(image)))
    assert before is not None
    assert after is not None
    assert after.roll == pytest.approx(-before.roll, abs=4)
    assert after.yaw == pytest.approx(-before.yaw, abs=6)
    assert after.pitch == pytest.approx(before.pitch, abs=5)


def test_signs_by_eye(faces: FaceTasks, load: Load) -> None:
    """In obama2.jpg he looks to the left side of the picture, in obama3.jpg he lifts his chin."""
    aside, lifted = (described(faces, load(name)).pose for name in ("obama2.jpg", "obama3.jpg"))
    assert aside is not None
    assert lifted is not None
    assert aside.yaw < -5
    assert lifted.pitch > 8


def test_five_points_give_a_like_pose(faces: FaceTasks, load: Load) -> None:
    for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"):
        image = load(name)
        face = described(faces, image)
        rough = pose.from_points(face.points * np.float32([image.width, image.height]))
        assert face.pose is not None
        assert rough.roll == pytest.approx(face.pose.roll, abs=10)
        assert rough.yaw == pytest.approx(face.pose.yaw, abs=15)


def test_default_has_five_landmarks(faces: FaceTasks, load: Load) -> None:
    face = described(faces, load("obama.jpg"))
    assert face.landmarks is not None
    assert tuple(mark.name for mark in face.landmarks) == FIVE
    assert face.attributes is None
    assert face.quality is not None


def test_all_has_thirty_landmarks_where_they_belong(faces: FaceTasks, load: Load) -> None:
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


def test_attributes_of_photos(faces: FaceTasks, load: Load) -> None:
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


def test_only_what_is_wanted(faces: FaceTasks, load: Load) -> None:
    image = load("obama.jpg")
    read = described(faces, image, frozenset({"GENDER", "BEARD"})).attributes
    assert read is not None
    assert read.gender is not None
    assert read.age_range is read.emotions is read.smile is read.gaze is None
    assert "BEARD" not in faces.supported
    assert described(faces, image, frozenset({"BEARD"})).attributes is None


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


def test_without_a_mesh_model(pack: Pack, load: Load) -> None:
    sessions = {model.task: Session(model) for model in pack.models if model.task in ("detect", "embed", "emotion")}
    assert pack.calibration is not None
    bare = FaceTasks(sessions, pack.calibration)
    assert bare.supported == {"EMOTIONS", "SMILE"}
    face = described(bare, load("obama.jpg"), ALL)
    assert face.landmarks is not None
    assert len(face.landmarks) == 5
    assert Hub([pack]).faces.supported > bare.supported


def test_quality_falls_with_blur_and_darkness(faces: FaceTasks, load: Load) -> None:
    image = load("obama.jpg")
    face = faces.detect(image, 1)[0]
    sharp = faces.describe(image, face).quality
    soft = faces.describe(Image(np.asarray(cv2.GaussianBlur(image.pixels, (0, 0), 12)), ""), face).quality
    dark = faces.describe(Image(image.pixels // 8, ""), face).quality
    assert sharp is not None
    assert soft is not None
    assert dark is not None
    assert soft.sharpness < 0.1
    assert sharp.sharpness > 0.5
    assert dark.brightness < 0.1
    assert sharp.brightness > 0.3


def test_shortcomings(faces: FaceTasks, load: Load) -> None:
    image = load("obama.jpg")
    face = described(faces, image)
    for level in ("NONE", *quality.FLOORS):
        assert faces.shortcomings(face, image, level) == ()
    dark = Image(image.pixels // 20, "")
    assert "LOW_BRIGHTNESS" in faces.shortcomings(described(faces, image) and faces.detect(image)[0], dark, "AUTO")
    tiny = Image(np.asarray(cv2.resize(image.pixels, (95, 119), interpolation=cv2.INTER_AREA)), "")
    small = faces.detect(tiny)[0]
    assert "SMALL_BOUNDING_BOX" in faces.shortcomings(small, tiny, "AUTO")
    assert faces.shortcomings(small, tiny, "NONE") == ()
    unsure = Face(face.box, 0.7, face.points)
    assert faces.shortcomings(unsure, image, "AUTO") == ("LOW_CONFIDENCE",)
    odd = Face(face.box, 0.9, face.points[[3, 4, 2, 0, 1]])
    assert "LOW_FACE_QUALITY" in faces.shortcomings(odd, image, "AUTO") or "EXTREME_POSE" in faces.shortcomings(
        odd, image, "AUTO"
    )
