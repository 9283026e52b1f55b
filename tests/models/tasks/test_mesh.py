# SPDX-License-Identifier: Apache-2.0
"""The mesh lies on the face, moves with it, and is refused where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from overt.models.pack import Pack
from overt.models.session import Session
from overt.models.tasks.faces import FaceTasks
from overt.models.tasks.mesh import LEFT_CORNERS, RIGHT_CORNERS, Mesh, MeshReader
from overt.types import Floats, Image

Load = Callable[[str | Path], Image]
Turn = Callable[[Image, float], Image]
PHOTOS = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")


@pytest.fixture(scope="module")
def reader(pack: Pack) -> MeshReader:
    mesh, iris = pack.model("mesh"), pack.model("iris")
    assert mesh is not None
    assert iris is not None
    return MeshReader(Session(mesh), Session(iris))


@pytest.fixture(scope="module")
def fit(reader: MeshReader, faces: FaceTasks) -> Callable[[Image], tuple[Mesh | None, Floats, Floats]]:
    """The mesh of the largest face, with its box and five points, in pixels."""

    def fit(image: Image) -> tuple[Mesh | None, Floats, Floats]:
        face = faces.detect(image, 1)[0]
        size = np.float32([image.width, image.height])
        box, points = face.box, face.points * size
        corners = np.float32([box.left, box.top, box.left + box.width, box.top + box.height]) * np.tile(size, 2)
        return reader.read(image.pixels, corners, points[:2]), corners, points

    return fit


Fit = Callable[[Image], tuple[Mesh, Floats, Floats]]


@pytest.mark.parametrize("name", PHOTOS)
def test_the_mesh_covers_the_face(fit: Fit, load: Load, name: str) -> None:
    mesh, box, five = fit(load(name))
    assert mesh.points.shape == (468, 3)
    gap = float(np.hypot(*(five[1] - five[0])))
    low, high = mesh.points[:, :2].min(0), mesh.points[:, :2].max(0)
    assert np.abs(np.concatenate([low, high]) - box).max() < 0.6 * gap
    for corners, eye in ((RIGHT_CORNERS, five[0]), (LEFT_CORNERS, five[1])):
        assert np.hypot(*(mesh.points[list(corners), :2].mean(0) - eye)) < 0.25 * gap
    assert np.hypot(*(mesh.points[1, :2] - five[2])) < 0.3 * gap


def test_the_nose_is_nearer_than_the_ears(fit: Fit, load: Load) -> None:
    mesh, _, _ = fit(load("obama.jpg"))
    assert mesh.points[1, 2] < mesh.points[[234, 454], 2].min()


@pytest.mark.parametrize("degrees", [-25, 25])
def test_the_mesh_leans_as_the_picture_does(fit: Fit, load: Load, turned: Turn, degrees: float) -> None:
    image = load("obama.jpg")
    upright, leaning = fit(image)[0], fit(turned(image, degrees))[0]
    assert np.degrees(leaning.angle - upright.angle) == pytest.approx(degrees, abs=4)


@pytest.mark.parametrize("name", PHOTOS)
def test_pupils_lie_between_the_corners_of_their_eyes(fit: Fit, reader: MeshReader, load: Load, name: str) -> None:
    image = load(name)
    mesh, _, _ = fit(image)
    for pupil, corners in zip(reader.pupils(image.pixels, mesh), (RIGHT_CORNERS, LEFT_CORNERS), strict=True):
        left, right = mesh.points[list(corners), :2]
        width = float(np.hypot(*(right - left)))
        across = (right - left) / width
        along, beside = (pupil - left) @ across, (pupil - left) @ (-across[1], across[0])
        assert 0.1 * width < along < 0.9 * width
        assert abs(beside) < 0.3 * width


def test_where_there_is_no_face_there_is_no_mesh(reader: MeshReader) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    for pixels in (noise, np.zeros_like(noise), np.full_like(noise, 255)):
        assert reader.read(pixels, np.float32([50, 50, 250, 250]), np.float32([[110, 120], [190, 120]])) is None


def test_a_box_that_leaves_the_picture_is_no_error(reader: MeshReader, load: Load) -> None:
    pixels = load("obama.jpg").pixels
    for box in ([-900, -900, -800, -800], [0, 0, 0, 0], [-500, -500, 5000, 5000]):
        reader.read(pixels, np.float32(box), np.float32([[10, 10], [20, 10]]))


def test_without_an_iris_model_there_are_no_pupils(pack: Pack, fit: Fit, load: Load) -> None:
    model = pack.model("mesh")
    assert model is not None
    bare = MeshReader(Session(model))
    image = load("obama.jpg")
    mesh, _, _ = fit(image)
    assert not bare.has_iris
    with pytest.raises(LookupError, match="iris"):
        bare.pupils(image.pixels, mesh)
