# SPDX-License-Identifier: Apache-2.0
"""468 points on a face and the centres of both irises, with MediaPipe's nets. Knows geometry, not what points mean.

`RIGHT` and `LEFT` are the subject's own; the right eye lies left in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from overt.models.session import Session
from overt.models.tasks.align import back, rotated_square, warp
from overt.types import Floats, Pixels

_SIDE, _IRIS_SIDE = 192, 64
_MARGIN, _IRIS_MARGIN = 1.5, 2.3
"""Side of the crops, in face boxes and in distances between the corners of an eye. Source: MediaPipe's graphs."""
_PRESENT = 0.5
_TILT = 0.12
"""Radians that the crop may be off level before it is cut again."""
RIGHT_CORNERS, LEFT_CORNERS = (33, 133), (362, 263)
"""Corners of the eyes, from left to right in the picture."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """points: (468, 3) float32, x and y in pixels of the picture, z on the same scale, smaller = nearer to the camera.

    angle: radians by which the line through the eyes' outer corners leans clockwise.
    """

    points: Floats
    angle: float


class MeshReader:
    """Fits the mesh. Thread-safe. Args: mesh, iris: sessions of the two nets; without iris, no pupils."""

    def __init__(self, mesh: Session, iris: Session | None = None) -> None:
        self._mesh = mesh
        self._iris = iris

    @property
    def has_iris(self) -> bool:
        """Whether `pupils` can be called."""
        return self._iris is not None

    def read(self, pixels: Pixels, box: Floats, eyes: Floats) -> Mesh | None:
        """The mesh of one face, or None where the net sees no face.

        Args: box: (4,) left top right bottom. eyes: (2, 2) right and left eye. All in pixels of the picture.
        """
        angle = _lean(eyes)
        mesh = self._read(pixels, box, angle)
        if mesh is not None and abs(mesh.angle - angle) > _TILT:
            # The detector's eyes make a tilted head look straighter than it is; a level crop puts that right.
            mesh = self._read(pixels, box, mesh.angle)
        return mesh

    def _read(self, pixels: Pixels, box: Floats, angle: float) -> Mesh | None:
        side = float((box[2:] - box[:2]).max()) * _MARGIN
        matrix = rotated_square((box[:2] + box[2:]) / 2, side, angle, _SIDE)
        out = self._mesh.run(_input(warp(pixels, matrix, _SIDE)))
        logit = next(float(value.item()) for value in out.values() if value.size == 1)
        if 1 / (1 + np.exp(-logit)) < _PRESENT:
            return None
        raw = next(value for value in out.values() if value.size > 1).reshape(-1, 3)
        points = np.c_[back(matrix, raw[:, :2]), raw[:, 2:] * (side / _SIDE)].astype(np.float32)
        return Mesh(points, _lean(points[[RIGHT_CORNERS[0], LEFT_CORNERS[1]], :2]))

    def pupils(self, pixels: Pixels, mesh: Mesh) -> Floats:
        """(2, 2) float32 centres of the right and the left iris, in pixels of the picture."""
        if self._iris is None:
            msg = "no iris model"
            raise LookupError(msg)
        centres = []
        for corners, is_left in ((RIGHT_CORNERS, False), (LEFT_CORNERS, True)):
            a, b = mesh.points[list(corners), :2]
            side = float(np.hypot(*(b - a))) * _IRIS_MARGIN
            matrix = rotated_square((a + b) / 2, side, mesh.angle, _IRIS_SIDE)
            crop = warp(pixels, matrix, _IRIS_SIDE)
            # The net knows right eyes only: a left one is shown to it in the mirror.
            out = self._iris.run(_input(np.asarray(cv2.flip(crop, 1)) if is_left else crop))
            x, y = next(value for value in out.values() if value.size == 15).ravel()[:2]  # noqa: PLR2004 - 5 points
            centres.append(back(matrix, np.array([[_IRIS_SIDE - x if is_left else x, y]]))[0])
        return np.stack(centres)


def _lean(eyes: Floats) -> float:
    """Radians by which the line from the right to the left eye leans clockwise. Args: eyes: (2, 2)."""
    x, y = eyes[1] - eyes[0]
    return float(np.arctan2(y, x))


def _input(crop: Pixels) -> Floats:
    """(1, n, n, 3) float32 RGB 0..1."""
    return crop[None].astype(np.float32) * np.float32(1 / 255)
