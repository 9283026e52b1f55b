# SPDX-License-Identifier: Apache-2.0
"""Cuts a thing out of a picture with some of what is around it, and writes pictures as JPEG. Knows no model."""

from __future__ import annotations

import math

import cv2
import numpy as np
import simplejpeg

from overt.types import Box, Image, Pixels

LONGEST = 640
"""Longest side of a cut-out in pixels: enough for a person to see who or what it is, and some 60 kB."""
_QUALITY = 85

cv2.setNumThreads(1)  # parallel callers use the cores; threads inside a call only slow them down


def around(image: Image, box: Box, margin: float = 0.25, longest: int = LONGEST) -> Image:
    """What lies in a box and around it, as far as the picture shows it; at least one pixel. Never enlarged.

    Args: margin: added on each side, as a share of the box's longer side in pixels. longest: side in pixels that it is
    shrunk to. Returns: a picture of its own, which keeps no memory of the other.
    """
    rim = max(margin, 0.0) * max(box.width * image.width, box.height * image.height, 0.0)
    left, right = _span(box.left * image.width - rim, (box.left + box.width) * image.width + rim, image.width)
    top, bottom = _span(box.top * image.height - rim, (box.top + box.height) * image.height + rim, image.height)
    return Image(_fitted(image.pixels[top:bottom, left:right], longest).copy(), "")


def picture(image: Image) -> bytes:
    """The picture as a JPEG file of quality 85, with a colour for every four pixels, as cameras write them."""
    encoded: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(image.pixels), quality=_QUALITY, colorspace="RGB", colorsubsampling="420"
    )
    return encoded


def _span(start: float, end: float, size: int) -> tuple[int, int]:
    """The pixels between two places, of a row or column of that many: within it, and at least one."""
    first = min(max(math.floor(start), 0), size - 1)
    return first, max(min(math.ceil(end), size), first + 1)


def _fitted(pixels: Pixels, longest: int) -> Pixels:
    height, width = pixels.shape[:2]
    share = longest / max(height, width)
    if share >= 1:
        return pixels
    size = max(1, round(width * share)), max(1, round(height * share))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
