# SPDX-License-Identifier: Apache-2.0
"""Quality falls as a picture gets worse, and every shortcoming has its reason."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overt.models.tasks import quality
from overt.models.tasks.embed import TEMPLATE
from overt.models.tasks.faces import FaceTasks
from overt.types import Face, Image

Load = Callable[[str | Path], Image]
Describe = Callable[..., Face]


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


def test_shortcomings(faces: FaceTasks, load: Load, described: Describe) -> None:
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


@pytest.mark.parametrize("name", ["obama.jpg", "obama_partial_face.jpg", "astronaut.png"])
def test_a_stricter_level_never_lets_more_through(faces: FaceTasks, load: Load, name: str) -> None:
    """Whatever LOW leaves out, AUTO, MEDIUM and HIGH leave out too; over ever worse copies of a photo."""
    photo = load(name)
    face = faces.detect(photo, 1)[0]
    for worse in (0, 2, 5, 10):
        image = Image(np.asarray(cv2.GaussianBlur(photo.pixels, (0, 0), worse)), "") if worse else photo
        reasons = [quality.shortcomings(face, image, level) for level in ("NONE", "LOW", "AUTO", "MEDIUM", "HIGH")]
        assert reasons[0] == ()
        assert all(strict or not mild for mild, strict in itertools.pairwise(reasons))


@given(st.floats(-3, 3), st.floats(0.2, 20), st.floats(-99, 99))
def test_a_frontal_face_fits_however_it_is_turned_and_sized(angle: float, scale: float, shift: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert quality.misfit(np.float32(TEMPLATE @ turn.T + shift)) == pytest.approx(0, abs=1e-3)
    assert quality.misfit(np.float32(TEMPLATE[[1, 0, 2, 3, 4]] @ turn.T + shift)) > 0.4


def test_plain_crops_are_as_bright_as_they_look_and_never_sharp() -> None:
    for value in (0, 51, 255):
        measured = quality.measure(np.full((112, 112, 3), value, np.uint8))
        assert measured.brightness == pytest.approx(value / 255, abs=1e-4)
        assert measured.sharpness == pytest.approx(0, abs=1e-4)
    stripes = np.zeros((112, 112, 3), np.uint8)
    stripes[:, ::2] = 255
    assert quality.measure(stripes).sharpness > 0.95
