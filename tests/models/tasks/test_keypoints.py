# SPDX-License-Identifier: Apache-2.0
"""The points lie on the body, follow it through the picture, and know left from right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from overt.models.hub import Hub
from overt.models.tasks.faces import FaceTasks
from overt.models.tasks.keypoints import (
    LEFT_EYE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NOSE,
    RIGHT_EYE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    BodyPoser,
)
from overt.types import Floats, Image

Load = Callable[[str | Path], Image]
PEOPLE = {
    "obama.jpg": (45, 0, 830, 1137),
    "biden.jpg": (0, 20, 970, 2204),
    "astronaut.png": (10, 0, 365, 512),
}


@pytest.fixture(scope="module")
def poser() -> BodyPoser:
    return BodyPoser(Hub.discover().session("keypoints"))


@pytest.mark.parametrize("name", PEOPLE)
def test_eyes_and_nose_lie_where_the_face_detector_sees_them(
    poser: BodyPoser, faces: FaceTasks, load: Load, name: str
) -> None:
    image = load(name)
    body = poser.read(image.pixels, np.float32(PEOPLE[name]))
    assert body.shape == (17, 3)
    assert body.dtype == np.float32
    assert ((body[:, 2] >= 0) & (body[:, 2] <= 1)).all()
    points = faces.detect(image, 1)[0].points * np.float32([image.width, image.height])
    gap = np.hypot(*(points[1] - points[0]))
    for own, five in ((RIGHT_EYE, 0), (LEFT_EYE, 1), (NOSE, 2)):
        assert np.hypot(*(body[own, :2] - points[five])) < 0.35 * gap


def test_a_box_that_cuts_the_body_off_changes_little(poser: BodyPoser, load: Load) -> None:
    image = load("obama.jpg")
    upper = [NOSE, LEFT_EYE, RIGHT_EYE, LEFT_SHOULDER, RIGHT_SHOULDER]
    whole = poser.read(image.pixels, np.float32([45, 0, 830, 1137]))[upper, :2]
    cut = poser.read(image.pixels, np.float32([150, 60, 780, 900]))[upper, :2]
    assert np.hypot(*(whole - cut).T).max() < 60


def test_points_move_with_the_body(poser: BodyPoser, load: Load) -> None:
    image, box = load("astronaut.png"), np.float32([10, 0, 365, 512])
    there = np.pad(image.pixels, ((200, 100), (300, 50), (0, 0)))
    moved = poser.read(np.ascontiguousarray(there), box + np.float32([300, 200, 300, 200]))
    here = poser.read(image.pixels, box)
    gap = np.abs(moved[:9] - here[:9] - np.float32([300, 200, 0])).max(0)
    assert gap[:2].max() < 4  # a pixel of what the net sees has 3.2 of the picture's
    assert gap[2] < 0.2


def test_left_is_the_persons_own_left(poser: BodyPoser, load: Load, mirrored: Callable[[Image], Image]) -> None:
    image = load("obama.jpg")

    def across(seen: Image, box: tuple[int, ...]) -> Floats:
        body = poser.read(seen.pixels, np.float32(box))
        return np.array([body[LEFT_EYE, 0] - body[RIGHT_EYE, 0], body[LEFT_SHOULDER, 0] - body[RIGHT_SHOULDER, 0]])

    assert (across(image, (45, 0, 830, 1137)) > 0).all()
    assert (across(mirrored(image), (910 - 830, 0, 910 - 45, 1137)) > 0).all()


def test_hands_stretched_out_are_found(poser: BodyPoser, load: Load, shared_data: Path) -> None:
    image = load(shared_data / "azure_vision" / "images" / "objects.jpg")
    body = poser.read(image.pixels, np.float32([106, 60, 420, 408]))
    for wrist, place in ((RIGHT_WRIST, (120, 140)), (LEFT_WRIST, (385, 95))):
        assert body[wrist, 2] > 0.4
        assert np.hypot(*(body[wrist, :2] - place)) < 40


def test_points_that_cannot_be_seen_are_unsure(poser: BodyPoser) -> None:
    empty = np.full((300, 300, 3), 127, np.uint8)
    assert poser.read(empty, np.float32([50, 50, 250, 250]))[:, 2].max() < 0.3
