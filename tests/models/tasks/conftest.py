# SPDX-License-Identifier: Apache-2.0
"""Photos turned and mirrored, and their largest face described."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from overt.models.tasks.faces import FaceTasks
from overt.types import Face, Image


@pytest.fixture(scope="session")
def described() -> Callable[..., Face]:
    def described(faces: FaceTasks, image: Image, wanted: frozenset[str] = frozenset()) -> Face:
        return faces.describe(image, faces.detect(image, 1)[0], wanted)

    return described


@pytest.fixture(scope="session")
def mirrored() -> Callable[[Image], Image]:
    return lambda image: Image(np.ascontiguousarray(image.pixels[:, ::-1]), "")


@pytest.fixture(scope="session")
def turned() -> Callable[[Image, float], Image]:
    """Turned clockwise about its middle."""

    def turned(image: Image, degrees: float) -> Image:
        size = image.width, image.height
        matrix = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), -degrees, 1)
        return Image(np.asarray(cv2.warpAffine(image.pixels, matrix, size), np.uint8), "")

    return turned
