# SPDX-License-Identifier: Apache-2.0
"""Turns a face into a unit vector, so that cosines compare faces. Knows five points, not who they show."""

from __future__ import annotations

import numpy as np

from overt.models.pack import PackError
from overt.models.session import Session
from overt.models.tasks.align import Points, similarity, warp
from overt.types import Floats, Pixels

SIDE = 112
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""(5, 2) pixels where right eye, left eye, nose tip, right and left mouth corner go.

Source: ArcFace (Deng et al. 2019), as in OpenCV's FaceRecognizerSF. Another order or place silently ruins the vector.
"""


def chip(pixels: Pixels, points: Points) -> Pixels:
    """The aligned face, (112, 112, 3) uint8 RGB. Args: points: (5, 2) in pixels of the picture."""
    return warp(pixels, similarity(points, TEMPLATE), SIDE)


class Embedder:
    """Embeds aligned faces. Thread-safe.

    Args: session: a model of the task `embed`; its pack names the space of its vectors. Raises: PackError when it does
    not take chips of this size.
    """

    def __init__(self, session: Session) -> None:
        model = session.model
        if model.input is None or model.input.size != (SIDE, SIDE):
            raise PackError(f"{model.name}: an embedder takes faces of {SIDE} x {SIDE} pixels, aligned as ArcFace does")
        self._session, self._input = session, model.input
        self.model = session.model.face_model_version or session.model.name

    def vectors(self, chips: Pixels) -> Floats:
        """(n, dimension) float32 of length 1. Args: chips: (n, 112, 112, 3) uint8 RGB, as `chip` cuts them."""
        outputs = self._session.run(self._input.feed(chips)).values()
        vectors = next((value for value in outputs if value.ndim == 2), None)  # noqa: PLR2004 - a row for each face
        if vectors is None:
            raise PackError(f"{self._session.model.name}: no output is one vector for each face")
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
