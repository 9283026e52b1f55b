# SPDX-License-Identifier: Apache-2.0
"""Two photos of one person are near, of two people far; colour order matters and is right."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from overt.models.tasks.faces import FaceTasks
from overt.types import Embedding, Image

Load = Callable[[str | Path], Image]


def embedding(faces: FaceTasks, image: Image) -> Embedding:
    return faces.embed(image, faces.detect(image, 1)[0])


def test_same_and_other(faces: FaceTasks, load: Load) -> None:
    obama = [embedding(faces, load(name)) for name in ("obama.jpg", "obama2.jpg", "obama3.jpg")]
    biden = embedding(faces, load("biden.jpg"))
    assert all(a.cosine(b) > 0.5 for a, b in itertools.combinations(obama, 2))
    assert all(a.cosine(biden) < 0.35 for a in obama)


def test_azure_faces(faces: FaceTasks, load: Load, shared_data: Path) -> None:
    labels = (shared_data / "azure_faces" / "labels.csv").read_text().splitlines()
    people = [row for row in csv.DictReader(labels) if "+" not in row["person"] and "other" not in row["person"]]
    vectors = [
        (row["person"], embedding(faces, load(shared_data / "azure_faces" / "images" / row["file"]))) for row in people
    ]
    genuine, impostor = [], []
    for (a, x), (b, y) in itertools.combinations(vectors, 2):
        (genuine if a == b else impostor).append(x.cosine(y))
    assert len(genuine) == 10
    assert min(genuine) >= 0.6
    assert max(impostor) <= 0.35


def test_red_is_red(faces: FaceTasks, load: Load) -> None:
    first, second = load("obama.jpg"), load("obama2.jpg")
    swapped = Image(np.ascontiguousarray(second.pixels[:, :, ::-1]), "")
    face = faces.detect(second, 1)[0]
    reference = embedding(faces, first)
    assert reference.cosine(faces.embed(second, face)) > reference.cosine(faces.embed(swapped, face))


def test_size_hardly_matters(faces: FaceTasks, load: Load) -> None:
    large = load("obama.jpg")
    half = Image(np.ascontiguousarray(large.pixels[::2, ::2]), "")
    assert embedding(faces, large).cosine(embedding(faces, half)) > 0.95


def test_unit_length(faces: FaceTasks, load: Load) -> None:
    assert_allclose(np.linalg.norm(embedding(faces, load("biden.jpg")).vector), 1, atol=1e-6)


@pytest.mark.parametrize("degrees", [-30, -20, 20, 30])
def test_a_tilted_head_is_still_the_same(faces: FaceTasks, load: Load, degrees: float) -> None:
    image = load("obama.jpg")
    matrix = cv2.getRotationMatrix2D((image.width / 2, image.height / 2), degrees, 1)
    turned = Image(np.asarray(cv2.warpAffine(image.pixels, matrix, (image.width, image.height))), "")
    assert embedding(faces, image).cosine(embedding(faces, turned)) > 0.85
