# SPDX-License-Identifier: Apache-2.0
"""How people in boxes are dressed, as vectors to compare within one video: colours of clothes. Knows nobody.

Nothing here tells who somebody is: two people in black coats look the same, and one who takes the coat off looks like
another. It is enough to keep paths apart that cross, for some seconds and under one camera, and good for nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from overt.types import Box, Floats, Image, Pixels

_PARTS = ((0.16, 0.48), (0.52, 0.9))
"""Upper and lower body: rows of a standing person's box, as shares of its height, without head, belt and shoes."""
_SIDES = (0.22, 0.78)
"""Columns that are body rather than background."""
_DOWN, _ACROSS = 20, 12
"""Pixels looked at of each part, on a grid: enough for shares of a hundredth, and large boxes cost no more."""
_LIGHTS, _TINTS = 8, 6
"""Bins of lightness, and of a and b each. Chosen small, as every track's vector is part of a job's state."""
_TINT_RANGE = (96.0, 160.0)
"""The a and b of clothes, as OpenCV has them in 8 bits (128 is grey); what lies beyond counts as the outermost."""
_LIGHT_SHARE = 0.5
"""Weight of lightness beside tint: it tells black from white, but changes with shade."""
DIMENSION = len(_PARTS) * (_LIGHTS + _TINTS**2)


def looks(image: Image, boxes: Sequence[Box]) -> Floats:
    """What people wear: (n, DIMENSION) float32 unit vectors, none of them negative; the cosine of two is 0..1.

    Square roots of histograms in CIE Lab, so that a cosine is a Bhattacharyya coefficient (Comaniciu et al. 2003,
    Kernel-based object tracking). A box that is empty, or a part of which lies outside the picture, gets
    zeros: look not known.
    """
    corners = np.array([(one.left, one.top, one.width, one.height) for one in boxes], np.float64).reshape(-1, 4)
    left, top, width, height = corners.T
    columns = image.width * (left[:, None] + width[:, None] * np.linspace(*_SIDES, _ACROSS))
    places = np.concatenate([np.linspace(*part, _DOWN) for part in _PARTS])
    rows = image.height * (top[:, None] + height[:, None] * places)
    inside = _within(columns, image.width) & _within(rows, image.height) & (width > 0) & (height > 0)
    found = np.zeros((len(corners), DIMENSION), np.float32)
    if inside.any():
        across, down = columns[inside].astype(np.intp), rows[inside].astype(np.intp)
        pixels = image.pixels[down[:, :, None], across[:, None, :]]
        colours = np.asarray(cv2.cvtColor(pixels.reshape(1, -1, 3), cv2.COLOR_RGB2LAB), np.uint8)
        found[inside] = _histograms(colours.reshape(-1, _DOWN * _ACROSS, 3)).reshape(-1, DIMENSION)
    return found


def _within(at: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.bool_]:
    """(n,) whether all of a box's places are in the picture. Args: at: (n, m), rising. size: of the picture."""
    return np.asarray((at[:, 0] >= 0) & (at[:, -1] < size))


def _histograms(colours: Pixels) -> Floats:
    """(n, lights and tints) square roots of shares, all of a box of length 1. Args: colours: (n, m, 3) uint8 Lab."""
    lights = _SOFT_LIGHTS[colours[:, :, 0]].mean(1)
    a, b = (_SOFT_TINTS[colours[:, :, axis]] for axis in (1, 2))
    tints = (a.transpose(0, 2, 1) @ b).reshape(-1, _TINTS**2) / np.float32(colours.shape[1])
    shares = np.concatenate([_LIGHT_SHARE * lights, (1 - _LIGHT_SHARE) * tints], 1)
    return np.asarray(np.sqrt(shares / len(_PARTS)), np.float32)


def _soft(low: float, high: float, bins: int) -> Floats:
    """(256, bins) shares of each value in the two bins nearest: a little more light must not change a whole bin."""
    at = ((np.arange(256) - low) / (high - low)).clip(0, 1)[:, None] * (bins - 1)
    return np.asarray((1 - np.abs(at - np.arange(bins))).clip(0), np.float32)


_SOFT_LIGHTS, _SOFT_TINTS = _soft(0, 255, _LIGHTS), _soft(*_TINT_RANGE, _TINTS)
