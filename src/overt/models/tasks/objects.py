# SPDX-License-Identifier: Apache-2.0
"""Finds things in a picture, with boxes. Knows families of detectors by their outputs, and no class by name.

decoder = "gfl": NanoDet, NanoDet-Plus and their kin: for each cell of each stride class scores (sigmoid done) and four
    distributions over distances; as one map for each stride and kind (distances from the cell's middle), or as one
    joined map, as NanoDet-Plus has it (distances from the cell's corner).
decoder = "yolox": rows of x, y, width, height, objectness, class scores for each cell of each stride.
decoder = "detr": boxes (centre, size, in ratios of the input) and class logits for a fixed number of queries.
The manifest's [models.output] gives `classes`, `strides` (not for detr), `score_threshold`, `iou_threshold`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from overt.models.inputs import Array, Placement
from overt.models.pack import PackError
from overt.models.session import Session
from overt.models.tasks.detect import iou
from overt.types import Box, Detection, Floats, Image

MOST = 100
"""Objects given of one picture. Source: COCO's evaluation counts no more."""
_CANDIDATES = 1000
"""Cells that go into the suppression, surest first: a picture of noise must not cost a quadratic bill."""
_STRIDES = (8, 16, 32)
_QUADS = 4  # left, top, right, bottom; or x, y, width, height

Rows = tuple[Floats, Floats]
"""Boxes (n, 4) left top right bottom in input pixels, and class scores (n, classes) 0..1. A decoder may leave out rows
without a score of at least the float it is given, as most cells of a picture are empty."""


class ObjectDetector:
    """Finds objects. Thread-safe.

    Args: session: a model of the task `objects`. Raises: PackError when its manifest lacks what is needed.
    """

    def __init__(self, session: Session) -> None:
        model = session.model
        if model.input is None or not model.input.takes_pictures or not any(model.classes):
            raise PackError(f"{model.name}: a detector needs [models.input] with fit and size, and classes")
        self._session, self._input = session, model.input
        self._decode = _DECODERS[model.decoder]
        self._strides = tuple(model.output.get("strides", _STRIDES))
        self._overlap = float(model.output.get("iou_threshold", 0.6))
        self._least = float(model.output.get("score_threshold", 0.05))
        self._classes, self._confidences = model.classes, model.confidences
        self._named = np.array([bool(name) for name in model.classes], np.float32)

    @property
    def labels(self) -> frozenset[str]:
        """Every label it can give."""
        return frozenset(filter(None, self._classes))

    def detect(self, image: Image, least: float = 0.0) -> tuple[Detection, ...]:
        """Objects with at least this confidence, surest first. Raises: PackError when the outputs do not fit."""
        raw = max(self._least, self._confidences.raw(least))
        data, placement = self._input.prepare(image.pixels)
        outputs = self._session.run(data)
        try:
            boxes, scores = self._decode(outputs, self._strides, self._input.size, raw)
            scores = scores * self._named
        except (ValueError, IndexError, KeyError) as error:
            model = self._session.model
            raise PackError(f"{model.name}: its outputs are not those of decoder {model.decoder!r}") from error
        return self._kept(*_suppressed(boxes, scores, raw, self._overlap), placement)

    def _kept(self, boxes: Floats, scores: Floats, classes: Array, placement: Placement) -> tuple[Detection, ...]:
        ratios = placement.ratios(boxes.reshape(-1, 2, 2)).clip(0, 1).reshape(-1, _QUADS).tolist()
        confidences = self._confidences.of(scores).tolist()
        return tuple(
            Detection(Box(left, top, right - left, bottom - top), self._classes[index], confidence)
            for (left, top, right, bottom), confidence, index in zip(ratios, confidences, classes, strict=True)
            if right > left and bottom > top
        )


def _gfl(outputs: Mapping[str, Array], strides: tuple[int, ...], size: tuple[int, int], least: float) -> Rows:
    """Source: Generalized Focal Loss (Li et al. 2020), as in NanoDet: a box side is the mean of a distribution."""
    middle = 0.0 if len(outputs) == 1 else 0.5  # NanoDet-Plus, whose map is one, counts from a cell's corner
    cells = {stride: -(-size[0] // stride) * -(-size[1] // stride) for stride in strides}
    if len(outputs) == 1:
        (joined,) = (value[0] for value in outputs.values())
        classes = joined.shape[1] - _QUADS * _bins(joined.shape[1])
        parts = np.split(joined, np.cumsum(list(cells.values()))[:-1])
        maps = {stride: (part[:, :classes], part[:, classes:]) for stride, part in zip(strides, parts, strict=True)}
    else:
        found = [value[0] for value in outputs.values()]
        maps = {stride: _pair([value for value in found if len(value) == cells[stride]]) for stride in strides}
    boxes, scores = [], []
    for stride, (score, distances) in maps.items():
        kept = np.flatnonzero(score.max(1) >= least)
        spread = distances[kept].reshape(len(kept), _QUADS, distances.shape[1] // _QUADS)
        weights = np.exp(spread - spread.max(-1, keepdims=True))
        sides = (weights @ np.arange(spread.shape[-1])) / weights.sum(-1) * stride
        centre = (_grid(size, stride)[kept] + middle) * stride
        boxes.append(np.concatenate([centre - sides[:, :2], centre + sides[:, 2:]], 1))
        scores.append(score[kept])
    return np.concatenate(boxes).astype(np.float32), np.concatenate(scores)


def _bins(width: int) -> int:
    """Bins of each distance in a joined map of this width. Source: reg_max = 7 of NanoDet-Plus, so bins 0..7."""
    bins = 8
    if width <= _QUADS * bins:
        raise ValueError(width)
    return bins


def _pair(found: list[Array]) -> tuple[Array, Array]:
    """Class scores and distances of one stride: the scores lie in 0..1, whatever the order of the outputs."""
    first, second = found
    scores, distances = (first, second) if first.min() >= 0 and first.max() <= 1 else (second, first)
    if distances.shape[1] % _QUADS:
        raise ValueError(distances.shape)
    return scores, distances


def _yolox(outputs: Mapping[str, Array], strides: tuple[int, ...], size: tuple[int, int], _least: float) -> Rows:
    """Source: YOLOX (Ge et al. 2021), its ONNX export without decoding in the graph."""
    (rows,) = (value[0] for value in outputs.values())
    grids = [_grid(size, stride) for stride in strides]
    steps = np.concatenate([np.full(len(grid), stride) for grid, stride in zip(grids, strides, strict=True)])[:, None]
    centre = (rows[:, :2] + np.concatenate(grids)) * steps
    half = np.exp(rows[:, 2:4]) * steps / 2
    boxes = np.concatenate([centre - half, centre + half], 1)
    return boxes.astype(np.float32), rows[:, 4:5] * rows[:, 5:]


def _detr(outputs: Mapping[str, Array], _strides: tuple[int, ...], size: tuple[int, int], _least: float) -> Rows:
    """Source: RF-DETR's ONNX export (`dets`, `labels`); any model with one output of four columns and one of logits."""
    first, second = (value[0] for value in outputs.values())
    boxes, logits = (first, second) if first.shape[1] == _QUADS else (second, first)
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    scale = np.array([size[1], size[0]] * 2, np.float32)
    corners = np.concatenate([centre - half, centre + half], 1) * scale
    return np.asarray(corners, np.float32), np.asarray(1 / (1 + np.exp(-logits)), np.float32)


_DECODERS: Mapping[str, Callable[[Mapping[str, Array], tuple[int, ...], tuple[int, int], float], Rows]] = {
    "gfl": _gfl,
    "yolox": _yolox,
    "detr": _detr,
}


@cache
def _grid(size: tuple[int, int], stride: int) -> Floats:
    """(n, 2) column and row of every cell, row by row."""
    rows, columns = -(-size[0] // stride), -(-size[1] // stride)
    column, row = np.meshgrid(np.arange(columns), np.arange(rows))
    return np.stack([column.ravel(), row.ravel()], 1).astype(np.float32)


def _suppressed(boxes: Floats, scores: Floats, least: float, overlap: float) -> tuple[Floats, Floats, Array]:
    """Of boxes of one class that overlap keep the surest.

    Returns: boxes (n, 4), scores (n,), classes (n,), surest first, at most MOST.
    """
    cells, classes = np.nonzero(scores >= least)
    found = scores[cells, classes]
    order = np.argsort(-found, kind="stable")[:_CANDIDATES]
    cells, classes, found = cells[order], classes[order], found[order]
    rest = np.arange(len(order))
    keep: list[int] = []
    while rest.size and len(keep) < MOST:
        first, rest = rest[0], rest[1:]
        keep.append(first)
        shared = iou(boxes[cells[[first]]], boxes[cells[rest]])[0]
        rest = rest[(shared <= overlap) | (classes[rest] != classes[first])]
    return boxes[cells[keep]], found[keep], classes[keep]
