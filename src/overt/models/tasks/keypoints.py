# SPDX-License-Identifier: Apache-2.0
"""Seventeen points of a person's body, with MoveNet. Pixels in and out; knows neither people nor what they wear.

Left and right are the person's own. Points that cannot be seen are guessed by the net and get a low score.
"""

from __future__ import annotations

import numpy as np

from overt.models.session import Session
from overt.models.tasks.align import back, rotated_square, warp
from overt.types import Floats, Pixels

NOSE = 0
LEFT_EYE, RIGHT_EYE = 1, 2
LEFT_EAR, RIGHT_EAR = 3, 4
LEFT_SHOULDER, RIGHT_SHOULDER = 5, 6
LEFT_ELBOW, RIGHT_ELBOW = 7, 8
LEFT_WRIST, RIGHT_WRIST = 9, 10
LEFT_HIP, RIGHT_HIP = 11, 12
LEFT_KNEE, RIGHT_KNEE = 13, 14
LEFT_ANKLE, RIGHT_ANKLE = 15, 16
"""Rows of what `read` returns. Source: the keypoints of COCO, in their order."""
_SIDE = 192
_MARGIN = 1.2
"""Side of what the net sees, in boxes: detectors cut off hands and feet."""


class BodyPoser:
    """Fits the points. Thread-safe. Args: session: a MoveNet for one person in a picture of 192 x 192."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, pixels: Pixels, box: Floats) -> Floats:
        """The points of one person.

        Args: pixels: (h, w, 3) RGB. box: (4,) left top right bottom in pixels of the picture.
        Returns: (17, 3) float32: x and y in pixels of the picture, score 0..1. Points may lie outside the box.
        Source: MoveNet SinglePose Lightning 4; its input is int32 RGB, its output y, x, score in ratios of the input.
        """
        matrix = rotated_square((box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()) * _MARGIN, 0.0, _SIDE)
        crop = warp(pixels, matrix, _SIDE)
        (out,) = self._session.run(crop[None].astype(np.int32)).values()
        points = out.reshape(-1, 3)
        places = back(matrix, points[:, 1::-1] * np.float32(_SIDE))
        return np.concatenate([places, points[:, 2:].clip(0, 1)], 1)
