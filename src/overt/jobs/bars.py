# SPDX-License-Identifier: Apache-2.0
"""Colour bars in one small frame, by their template: upright bars of saturated colours in the order of standards."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from overt.types import Floats, Pixels

_BARS = np.array(
    [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1), (0, 0, 0)], dtype=np.float32
)
"""White or grey, yellow, cyan, green, magenta, red, blue, and black where there is an eighth: by luma, falling.
Source: SMPTE EG 1, SMPTE RP 219 and ITU-R BT.471 (100/0/75/0 and 100/0/100/0 bars)."""
_LAYOUTS = ((7, 0.0), (8, 0.0), (7, 0.125), (8, 0.125))
"""Bars, and the share of the width left and right of them: 4:3 bars in a 16:9 frame, or the grey sides of RP 219."""
_TOP, _BOTTOM = 0.08, 0.5
"""The band of rows that all patterns fill with the bars; below, SMPTE's have more rows, and idents are shown there."""
_INNER = 0.6
"""Share of a bar's width that is looked at: its edges are smeared by compression and scaling."""
_LEAST_DEPTH = 80.0
"""Levels between the colours' high and low channels at least; 75 % bars have 191."""
_OFF = 0.2
"""How far a bar may lie from its colour, and its rows from each other, as a share of that depth."""


def bars(pixels: Pixels) -> float | None:
    """How surely a frame, (h, w, 3) RGB at least 32 pixels wide, shows colour bars: 0.5..1; None = it does not."""
    height, width = pixels.shape[:2]
    band = pixels[int(_TOP * height) : max(int(_BOTTOM * height), int(_TOP * height) + 1)]
    line = cv2.reduce(band, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F)[0]
    # Almost no other frame has colours this saturated over half its width.
    if np.count_nonzero(line.max(1) - line.min(1) >= _LEAST_DEPTH) < width / 2:
        return None
    for count, aside in _LAYOUTS:
        worst = _worst(line, count, aside)
        if worst <= 1:
            apart = cv2.absdiff(band, np.broadcast_to(np.rint(line).astype(np.uint8), band.shape).copy())
            side = round(aside * width)
            if float(apart[:, side : width - side].mean()) <= _OFF / 2 * _depth(_means(line, count, aside)):
                return 1 - worst / 2
    return None


def _worst(line: Floats, count: int, aside: float) -> float:
    """How far off the bar most unlike its template is: 0 = as it should be, 1 = just allowed."""
    means = _means(line, count, aside)
    depth = _depth(means)
    if depth < _LEAST_DEPTH:
        return np.inf
    wanted = _BARS[:count]
    low = float(np.median(means[1:7][wanted[1:7] == 0]))
    high = float(np.median(means[1:7][wanted[1:7] == 1]))
    off = np.abs(means - np.where(wanted == 1, high, low))
    # White has a level of its own: 75 % like the colours, or 100 %.
    off[0] = np.minimum(off[0], np.abs(means[0] - 255))
    return float(off.max()) / (_OFF * depth)


def _means(line: Floats, count: int, aside: float) -> Floats:
    """The mean colour of each bar, (count, 3)."""
    width = len(line) * (1 - 2 * aside) / count
    starts = aside * len(line) + (np.arange(count) + (1 - _INNER) / 2) * width
    return cast(
        "Floats", np.array([line[round(at) : max(round(at + _INNER * width), round(at) + 1)].mean(0) for at in starts])
    )


def _depth(means: Floats) -> float:
    """Levels between the channels of the six colours that should be high and those that should be low, at least."""
    colours, wanted = means[1:7], _BARS[1:7]
    return float(colours[wanted == 1].min() - colours[wanted == 0].max())
