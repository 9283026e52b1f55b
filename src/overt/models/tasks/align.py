# SPDX-License-Identifier: Apache-2.0
"""Similarity transforms between a picture and the small crops that models take. Knows no model.

Matrices are (2, 3) float64 and map picture pixels (x, y) to crop pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from overt.types import Pixels

Matrix = npt.NDArray[np.float64]
Points = npt.NDArray[np.float32]

cv2.setNumThreads(1)  # parallel callers use the cores; threads inside a call only slow them down

_FINEST = 0.5
"""Bilinear sampling skips pixels when it shrinks more than this."""


def similarity(source: npt.ArrayLike, target: npt.ArrayLike) -> Matrix:
    """The rotation, scale and shift (no mirror) that brings points nearest to others, by least squares.

    Args: source, target: (n, 2), n >= 2, not all equal. Returns: (2, 3).
    Source: Umeyama 1991; in two dimensions its minimum is the complex regression target = a * source + b.
    """
    z = np.asarray(source, np.float64) @ (1, 1j)
    w = np.asarray(target, np.float64) @ (1, 1j)
    z_mean, w_mean = z.mean(), w.mean()
    a = np.vdot(z - z_mean, w - w_mean) / np.vdot(z - z_mean, z - z_mean)
    b = w_mean - a * z_mean
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]], np.float64)


def rotated_square(centre: npt.ArrayLike, side: float, angle: float, size: int) -> Matrix:
    """The transform that turns a square of the picture into a crop.

    Args: centre: (2,) of the square. side: its side, pixels. angle: radians by which its upper edge leans clockwise.
    size: side of the crop.
    """
    scale = size / max(side, 1e-6)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    rotation = np.array([[cos, sin], [-sin, cos]])
    shift = size / 2 - rotation @ np.asarray(centre, np.float64)
    return np.asarray(np.c_[rotation, shift], np.float64)


def warp(pixels: Pixels, matrix: Matrix, size: int, *, repeat_border: bool = False) -> Pixels:
    """Cut a crop out of a picture.

    What lies outside the picture is black, or its border pixels repeated. A crop much smaller than its part of the
    picture is cut from a shrunk copy of that part, averaged, so that no pixel is skipped.
    Args: pixels: (h, w, 3). Returns: (size, size, 3) uint8.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < _FINEST:
        pixels, matrix = _shrunk(pixels, matrix, size, scale)
    border = cv2.BORDER_REPLICATE if repeat_border else cv2.BORDER_CONSTANT
    return np.asarray(cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border), np.uint8)


def back(matrix: Matrix, points: npt.NDArray[np.floating]) -> Points:
    """Points of a crop, (n, 2), as points of the picture."""
    inverse = cv2.invertAffineTransform(matrix)
    return np.asarray(points @ inverse[:, :2].T + inverse[:, 2], np.float32)


def _shrunk(pixels: Pixels, matrix: Matrix, size: int, scale: float) -> tuple[Pixels, Matrix]:
    """The part of the picture under the crop, shrunk by a whole factor, and the matrix that fits it."""
    corners = back(matrix, np.array([[0, 0], [size, 0], [0, size], [size, size]], np.float64))
    height, width = pixels.shape[:2]
    factor = int(1 / scale)
    left, top = np.maximum(np.floor(corners.min(0)).astype(int) - factor, 0)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int) + factor, (width, height))
    columns, rows = (right - left) // factor, (bottom - top) // factor
    if columns < 2 or rows < 2:  # noqa: PLR2004 - the crop lies outside the picture
        return pixels, matrix
    part = pixels[top : top + rows * factor, left : left + columns * factor]
    small = np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    # Pixel centres: x_picture = left + factor * x_small + (factor - 1) / 2.
    rotation = matrix[:, :2] * factor
    shift = matrix[:, 2] + matrix[:, :2] @ (np.array([left, top]) + (factor - 1) / 2)
    return small, np.c_[rotation, shift]
