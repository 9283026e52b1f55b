# SPDX-License-Identifier: Apache-2.0
"""Finds faces with YuNet at the scales a picture needs. Pixels in and out; knows nothing of who they show.

YuNet is made for faces of about 10 to 300 pixels, so a picture is looked at with its long side 640 first, and again
  - at 320, if nothing or a face of more than half the picture's short side was found;
  - at 320 inside a border, if still nothing was found (portraits cut at the chin or the ears);
  - at 1280, then 2560, while the picture has those pixels, fewer faces than asked for were found, and the
    smallest is small or none was found.
Why: of 350 faces that fill a 640-pixel square 276 were found at 640 alone and 345 with 320; with a fifth of each side
cut away as well, 255 with both and 308 with the border. A picture is never enlarged. Finer scales are cut into
overlapping tiles, so that memory stays that of one 640 x 640 run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from overt.models.session import Session
from overt.models.tasks.align import Points, back, rotated_square, warp
from overt.types import Floats, Pixels

FIRST, CLOSE, FINEST = 640, 320, 2560
"""Long sides at which a picture is looked at, in pixels; between FIRST and FINEST they double."""
SCORE, OVERLAP = 0.7, 0.3
"""Least score, and the most that two faces may overlap. Source: OpenCV's FaceDetectorYN for this model."""
_PART = 0.75
"""A box that lies inside a surer one by this share is a part of the same face, such as an eye in a close-up."""
_LARGE = 0.5
"""Share of the picture's short side from which a face may be too large for the first look."""
_SMALL = 24.0
"""Pixels at the scale looked at: while the smallest face found is smaller, there may be more that were too small."""
_GAIN = 1.25
"""A finer look must show at least this many times more pixels a side."""
_STRIDES = (8, 16, 32)
_TILE, _SHARED = 640, 96
"""Side of a tile, and how much neighbours share: a face up to that size lies whole in one of them."""
_AGAIN, _AGAIN_MARGIN = 256, 1.8
"""Side of the crop in which a tilted face is looked at again, in pixels and in boxes."""
_BORDER = 0.3
"""Width of the border around tight portraits, as a share of the long side."""


@dataclass(frozen=True, slots=True)
class Found:
    """Faces in pixels: boxes (n, 4) left top right bottom, scores (n,) 0..1, points (n, 5, 2); all float32."""

    boxes: Floats
    scores: Floats
    points: Points

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def sides(self) -> Floats:
        """(n,) shorter sides of the boxes."""
        return np.asarray((self.boxes[:, 2:] - self.boxes[:, :2]).min(1))

    def take(self, index: np.ndarray) -> Found:
        """Some of them."""
        return Found(self.boxes[index], self.scores[index], self.points[index])

    def mapped(self, scale: float, left: float = 0.0, top: float = 0.0) -> Found:
        """The same faces after adding (left, top) and multiplying by scale."""
        shift = np.array([left, top], np.float32)
        boxes = (self.boxes.reshape(-1, 2, 2) + shift) * np.float32(scale)
        return Found(boxes.reshape(-1, 4), self.scores, (self.points + shift) * np.float32(scale))


class Detector:
    """Finds faces in pictures of any size. Thread-safe. Args: session: a YuNet with symbolic height and width."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def detect(self, pixels: Pixels, limit: int, finest: int = FINEST) -> Found:
        """The faces of a picture, largest first.

        Args: pixels: (h, w, 3) RGB. limit: how many are wanted; with fewer wanted, fewer scales are looked at. finest:
            the longest side at which it is looked at. At FIRST or less a picture without faces gets one look alone,
            as most pictures of a camera are.
        """
        native, size = max(pixels.shape[:2]), min(FIRST, finest)
        found = self._look(pixels, size)
        is_close = bool(len(found)) and found.sides.max() > _LARGE * min(pixels.shape[:2])
        if native > CLOSE * _GAIN and (is_close or (not len(found) and finest > FIRST)):
            found = merge(found, self._look(pixels, CLOSE))
        if not len(found) and finest > FIRST:
            found = self._look_bordered(pixels)
        while size < finest and size * _GAIN < native and len(found) < limit:
            if len(found) and found.sides.min() * size / native >= _SMALL:
                break
            size *= 2
            found = merge(found, self._look_tiled(pixels, size))
        width, height = (found.boxes[:, 2:] - found.boxes[:, :2]).T
        return found.take(np.argsort(-(width * height), kind="stable")[:limit])

    def points_again(self, pixels: Pixels, box: Floats, angle: float) -> Points | None:
        """The five points of a tilted face, found once more in a level crop; None where no face is found there.

        Args: box: (4,) in pixels. angle: radians by which the head leans clockwise. Returns: (5, 2) in pixels.
        """
        centre = (box[:2] + box[2:]) / 2
        matrix = rotated_square(centre, float((box[2:] - box[:2]).max()) * _AGAIN_MARGIN, angle, _AGAIN)
        found = suppress(self._run(warp(pixels, matrix, _AGAIN)))
        if not len(found):
            return None
        middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
        nearest = int(np.abs(middles - _AGAIN / 2).sum(1).argmin())
        return back(matrix, found.points[nearest])

    def _look(self, pixels: Pixels, size: int) -> Found:
        """Look once with the long side at most `size`."""
        small, scale = shrink(pixels, size)
        return suppress(self._run(small)).mapped(1 / scale)

    def _look_bordered(self, pixels: Pixels) -> Found:
        small, scale = shrink(pixels, CLOSE)
        width = round(_BORDER * max(small.shape[:2]))
        framed = np.asarray(cv2.copyMakeBorder(small, width, width, width, width, cv2.BORDER_CONSTANT), np.uint8)
        return suppress(self._run(framed)).mapped(1 / scale, -width, -width)

    def _look_tiled(self, pixels: Pixels, size: int) -> Found:
        small, scale = shrink(pixels, size)
        height, width = small.shape[:2]
        parts = []
        for top, bottom in _tiles(height):
            for left, right in _tiles(width):
                part = self._run(small[top:bottom, left:right])
                # A face cut by an inner edge lies whole in the neighbour, or was found at a coarser scale.
                edges = np.array(
                    [2 if left else -np.inf, 2 if top else -np.inf,
                     right - left - 2 if right < width else np.inf, bottom - top - 2 if bottom < height else np.inf]
                )  # fmt: skip
                whole = (part.boxes[:, :2] >= edges[:2]).all(1) & (part.boxes[:, 2:] <= edges[2:]).all(1)
                parts.append(part.take(np.flatnonzero(whole)).mapped(1.0, left, top))
        return merge(*parts).mapped(1 / scale)

    def _run(self, pixels: Pixels) -> Found:
        """Every anchor above the score. Source: libfacedetection, YuNet (Wu et al. 2023); decoder as in OpenCV."""
        data = _input(pixels)
        columns = data.shape[3]
        out = self._session.run(data)
        boxes, scores, points = [], [], []
        for stride in _STRIDES:
            classes, objects = (out[f"{name}_{stride}"][0, :, 0].clip(0, 1) for name in ("cls", "obj"))
            index = np.flatnonzero(classes * objects > SCORE * SCORE)
            row, column = np.divmod(index, columns // stride)
            cell = np.stack([column, row], 1).astype(np.float32)
            shape = out[f"bbox_{stride}"][0, index]
            centre, half = (cell + shape[:, :2]) * stride, np.exp(shape[:, 2:]) * (stride / 2)
            boxes.append(np.concatenate([centre - half, centre + half], 1))
            scores.append(np.sqrt(classes[index] * objects[index]))
            points.append((out[f"kps_{stride}"][0, index].reshape(-1, 5, 2) + cell[:, None]) * stride)
        return Found(*(np.concatenate(part).astype(np.float32) for part in (boxes, scores, points)))


def shrink(pixels: Pixels, size: int) -> tuple[Pixels, float]:
    """A picture whose long side is at most `size`, and the factor it was shrunk by (1 = as it is)."""
    height, width = pixels.shape[:2]
    scale = min(1.0, size / max(height, width))
    if scale == 1.0:
        return pixels, 1.0
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA), np.uint8), scale


def iou(a: Floats, b: Floats) -> Floats:
    """Overlap of every box in a with every box in b.

    Args: a (n, 4) and b (m, 4), float32, left top right bottom, any one unit.
    Returns: (n, m) float32 in 0..1; an empty box overlaps nothing.
    """
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clip(0).prod(2)
    areas = [(box[:, 2:] - box[:, :2]).clip(0).prod(1) for box in (a, b)]
    union = areas[0][:, None] + areas[1][None] - shared
    return np.asarray(shared / np.maximum(union, np.finfo(np.float32).tiny), np.float32)


def _inside(a: Floats, b: Floats) -> Floats:
    """(n, m) what two boxes share, as a share of the smaller one; arguments as for `iou`."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    areas = [(box[:, 2:] - box[:, :2]).clip(0).prod(1) for box in (a, b)]
    smaller = np.minimum(areas[0][:, None], areas[1][None])
    return np.asarray((high - low).clip(0).prod(2) / np.maximum(smaller, np.finfo(np.float32).tiny), np.float32)


def suppress(found: Found) -> Found:
    """Of faces that overlap, or lie one inside the other, keep the surest; surest first."""
    rest = np.argsort(-found.scores, kind="stable")
    keep = []
    while rest.size:
        keep.append(rest[0])
        first, others = found.boxes[rest[:1]], found.boxes[rest[1:]]
        rest = rest[1:][(iou(first, others)[0] <= OVERLAP) & (_inside(first, others)[0] <= _PART)]
    return found.take(np.array(keep, np.intp))


def merge(*parts: Found) -> Found:
    """Faces of several looks as one, each face once."""
    return suppress(
        Found(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.points for part in parts]),
        )
    )


def _input(pixels: Pixels) -> Floats:
    """(1, 3, h, w) float32 BGR 0..255, padded right and below with black to multiples of 32."""
    height, width = pixels.shape[:2]
    data = np.zeros((1, 3, -(-height // 32) * 32, -(-width // 32) * 32), np.float32)
    for channel in range(3):
        data[0, channel, :height, :width] = pixels[:, :, 2 - channel]
    return data


def _tiles(length: int) -> Iterator[tuple[int, int]]:
    """Spans of equal length that cover 0..length, neighbours sharing at least _SHARED."""
    count = max(1, -(-(length - _SHARED) // (_TILE - _SHARED)))
    span = min(length, _TILE)
    for at in range(count):
        start = round(at * (length - span) / max(1, count - 1))
        yield start, start + span
