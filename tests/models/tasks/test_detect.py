# SPDX-License-Identifier: Apache-2.0
"""Faces are found whatever their size, once each, and boxes lie where the faces are."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from overt.models.tasks import detect
from overt.models.tasks.detect import Found
from overt.models.tasks.faces import FaceTasks
from overt.types import Box, Image, Pixels

Load = Callable[[str | Path], Image]


def test_iou() -> None:
    a = np.float32([[0, 0, 2, 2], [5, 5, 5, 5]])
    b = np.float32([[1, 1, 3, 3], [0, 0, 2, 2], [9, 9, 10, 10]])
    assert detect.iou(a, b) == pytest.approx(np.array([[1 / 7, 1, 0], [0, 0, 0]]))


@given(hnp.arrays(np.float32, (12, 4), elements=st.floats(0, 100, width=32)))
def test_what_is_kept_does_not_overlap(boxes: np.ndarray) -> None:
    boxes[:, 2:] += boxes[:, :2]
    kept = detect.suppress(Found(boxes, np.linspace(1, 0.7, 12, dtype=np.float32), np.zeros((12, 5, 2), np.float32)))
    overlaps = detect.iou(kept.boxes, kept.boxes) - np.eye(len(kept))
    assert len(kept) >= 1
    assert overlaps.max() <= detect.OVERLAP + 1e-6


@pytest.mark.parametrize("length", [1, 96, 640, 641, 1280, 2560, 5120])
def test_tiles_cover_and_share(length: int) -> None:
    tiles = list(detect._tiles(length))
    assert tiles[0][0] == 0
    assert tiles[-1][1] == length
    assert all(right - left <= 640 for left, right in tiles)
    assert all(first[1] - second[0] >= 95 for first, second in itertools.pairwise(tiles))


def test_photos(faces: FaceTasks, load: Load) -> None:
    for name in ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "obama_partial_face.jpg", "32bit.png"):
        found = faces.detect(load(name))
        assert len(found) == 1, name
        assert found[0].confidence > 0.85
        right_eye, left_eye, nose, right_mouth, left_mouth = found[0].points
        assert right_eye[0] < nose[0] < left_eye[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_the_same_face_in_every_size(faces: FaceTasks, load: Load) -> None:
    whole = load("obama.jpg")
    (expected,) = faces.detect(whole)
    for width in (90, 150, 300, 640, 1800):
        height = round(whole.height * width / whole.width)
        small = np.asarray(cv2.resize(whole.pixels, (width, height), interpolation=cv2.INTER_AREA))
        (face,) = faces.detect(Image(small, ""))
        assert overlap(face.box, expected.box) > 0.7, width


def overlap(a: Box, b: Box) -> float:
    corners = [np.float32([[x.left, x.top, x.left + x.width, x.top + x.height]]) for x in (a, b)]
    return float(detect.iou(corners[0], corners[1])[0, 0])


def head(faces: FaceTasks, image: Image, margin: float) -> Pixels:
    """A square around the largest face."""
    box = faces.detect(image, 1)[0].box
    x, y = (box.left + box.width / 2) * image.width, (box.top + box.height / 2) * image.height
    half = max(box.width * image.width, box.height * image.height) * margin / 2
    left, top, right, bottom = (int(v) for v in (x - half, y - half, x + half, y + half))
    return image.pixels[max(top, 0) : bottom, max(left, 0) : right]


def test_a_face_that_fills_the_picture(faces: FaceTasks, load: Load) -> None:
    for name in ("obama.jpg", "biden.jpg"):
        tight = cv2.resize(head(faces, load(name), 1.0), (1200, 1200), interpolation=cv2.INTER_CUBIC)
        (face,) = faces.detect(Image(np.asarray(tight), ""))
        assert face.box.area > 0.4


@pytest.mark.parametrize("side", [40, 24])
def test_a_crowd_of_a_hundred(faces: FaceTasks, load: Load, side: int) -> None:
    names = ("obama.jpg", "biden.jpg", "obama3.jpg", "obama2.jpg")
    cells = [cv2.resize(head(faces, load(n), 2.0), (2 * side,) * 2, interpolation=cv2.INTER_AREA) for n in names]
    sheet = np.vstack([np.hstack([cells[(row + column) % 4] for column in range(10)]) for row in range(10)])
    scale = 200 // side  # the crowd is a part of a large photo, so its faces are small at 640
    canvas = np.full((sheet.shape[0] * scale // 2, sheet.shape[1] * scale // 2, 3), 90, np.uint8)
    canvas[40 : 40 + sheet.shape[0], 60 : 60 + sheet.shape[1]] = sheet
    found = faces.detect(Image(canvas, ""))
    assert len(found) == 100
    areas = [face.box.area for face in found]
    assert areas == pytest.approx(sorted(areas, reverse=True), rel=1e-5)
    assert len(faces.detect(Image(canvas, ""), 7)) == 7


def test_two_people(faces: FaceTasks, load: Load, shared_data: Path) -> None:
    found = faces.detect(load(shared_data / "azure_faces" / "images" / "detection6.jpg"))
    assert len(found) == 2


def test_tight_crops(faces: FaceTasks, load: Load, shared_data: Path) -> None:
    pictures = sorted((shared_data / "fairface_adults_700" / "images").iterdir())[:100]
    assert sum(bool(faces.detect(load(path), 1)) for path in pictures) >= 98


def test_pictures_without_people(faces: FaceTasks, load: Load, shared_data: Path) -> None:
    for name in ("house.jpg", "landmark.jpg", "printed_text.jpg", "dog.jpg", "handwritten_text.jpg"):
        assert faces.detect(load(shared_data / "azure_vision" / "images" / name)) == ()
