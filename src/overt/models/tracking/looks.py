# SPDX-License-Identifier: Apache-2.0
"""How people in boxes are dressed, as vectors to compare within one video: colours of clothes. Knows nobody.

Nothing here tells who somebody is: two people in black coats look the same, and one who takes the coat off looks like
another. It is enough to keep paths apart that cross, for some seconds and under one camera, and good for nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from overt.types import Box, Floats, Image

_PARTS = ((0.16, 0.48), (0.52, 0.9))
"""Upper and lower body: rows of a standing person's box, as shares of its height, without head, belt and shoes."""
_SIDES = (0.22, 0.78)
"""Columns that are body rather than background."""
_SIZE = (16, 24)
"""Width and height that each part is scaled to, in pixels: noise and cloth's pattern go, and large boxes cost no more
than small ones."""
_LIGHTS, _TINTS = 8, 6
"""Bins of lightness, and of a and b each."""
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
    rows = [_look(image, box) for box in boxes]
    return np.array(rows, np.float32).reshape(-1, DIMENSION)


def _look(image: Image, box: Box) -> Floats:
    """One person's vector."""
    if box.area <= 0:
        return np.zeros(DIMENSION, np.float32)
    columns = [box.left + side * box.width for side in _SIDES]
    left, right = _span(columns[0], columns[1], image.width)
    parts = []
    for low, high in _PARTS:
        top, bottom = _span(box.top + low * box.height, box.top + high * box.height, image.height)
        if right <= left or bottom <= top:
            return np.zeros(DIMENSION, np.float32)
        part = cv2.resize(image.pixels[top:bottom, left:right], _SIZE, interpolation=cv2.INTER_AREA)
        parts.append(_histogram(np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)))
    return np.asarray(np.sqrt(np.concatenate(parts) / len(parts)), np.float32)


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    """From which pixel to which, those the picture has."""
    first = round(low * size)
    return max(first, 0), min(max(round(high * size), first + 1), size)


def _histogram(colours: Floats) -> Floats:
    """Shares of lightness and of tint, sum 1. Args: colours: (n, 3) Lab, each 0..255."""
    low, high = _TINT_RANGE
    lights = _soft(colours[:, 0] / 255, _LIGHTS)
    a, b = (_soft((colours[:, axis] - low) / (high - low), _TINTS) for axis in (1, 2))
    both = (_LIGHT_SHARE * lights.mean(0), (1 - _LIGHT_SHARE) * (a.T @ b).ravel() / len(colours))
    return np.asarray(np.concatenate(both), np.float32)


def _soft(values: npt.NDArray[Any], bins: int) -> Floats:
    """(n, bins) shares of values 0..1 in the two bins nearest: a little more light must not change a whole bin."""
    at = values.clip(0, 1)[:, None] * (bins - 1) - np.arange(bins, dtype=np.float32)
    return np.asarray((1 - np.abs(at)).clip(0), np.float32)
