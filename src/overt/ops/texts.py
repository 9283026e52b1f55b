# SPDX-License-Identifier: Apache-2.0
"""DetectText: the lines and words of a picture, filtered as the caller asks. Knows no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from overt.engine import Engine
from overt.errors import InvalidParameterException
from overt.ops import show
from overt.ops.registry import operation
from overt.types import Box, Call, Floats, Text

MODEL_VERSION = "3.0"
_LEAST = 80.0
"""MinConfidence where a caller gives none. Source: Rekognition's API reference, DetectionFilter."""
_INSIDE = 0.5
"""A word belongs to a region when more than this share of it lies inside. Source: the same, RegionOfInterest."""
_POINTS = 1000
"""Most points of a region, so that comparing it with every word takes no time to speak of."""
_FAR = 1e6
"""Largest coordinate of a region: beyond it sums lose the picture."""
_PICTURE = shapely.box(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which words a caller wants. confidence, height, width: at least, 0..1. regions: in any of them; none: all."""

    confidence: float
    height: float
    width: float
    regions: tuple[BaseGeometry, ...]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Filters:
        """Read DetectTextFilters. Raises: InvalidParameterException naming the region that is of no use, and why."""
        word = settings.get("WordFilter") or {}
        return cls(
            confidence=word.get("MinConfidence", _LEAST) / 100,
            height=word.get("MinBoundingBoxHeight", 0.0),
            width=word.get("MinBoundingBoxWidth", 0.0),
            regions=tuple(_region(item, at) for at, item in enumerate(settings.get("RegionsOfInterest") or (), 1)),
        )

    def touches(self, corners: Floats) -> bool:
        """Whether any word of the line at (4, 2) corners could lie in a region."""
        line = _shape(corners)
        return not self.regions or any(region.intersects(line) for region in self.regions)

    def passes(self, word: Text) -> bool:
        """Whether the caller wants this word."""
        frame = _frame(word.corners)
        sure, large = word.confidence >= self.confidence, frame.height >= self.height and frame.width >= self.width
        return sure and large and (not self.regions or any(_holds(region, word) for region in self.regions))


@operation("DetectText")
def detect_text(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Read up to 100 words of a picture, or of the parts of it that the caller names."""
    filters = Filters.of(call.get("Filters") or {})
    reader = engine.models.text
    with engine.looking_at(call["Image"]) as (image,):
        lines, words = reader.read(image, where=filters.touches)
    return {"TextDetections": _detections(lines, words, filters), "TextModelVersion": MODEL_VERSION}


def _detections(lines: Sequence[Text], words: Sequence[Text], filters: Filters) -> list[dict[str, Any]]:
    """Lines that have a wanted word, then those words. A line stays as it was read, with all its words."""
    kept = [word for word in words if filters.passes(word)]
    parents = {
        line: number for number, line in enumerate(sorted({word.line for word in kept if word.line is not None}))
    }
    return [
        *(_detection(lines[line], "LINE", number, None) for line, number in parents.items()),
        *(
            _detection(word, "WORD", number, None if word.line is None else parents[word.line])
            for number, word in enumerate(kept, len(parents))
        ),
    ]


def _detection(item: Text, kind: str, number: int, parent: int | None) -> dict[str, Any]:
    """TextDetection."""
    return {
        "DetectedText": item.text,
        "Type": kind,
        "Id": number,
        "ParentId": parent,
        "Confidence": show.percent(item.confidence),
        "Geometry": {
            "BoundingBox": show.box(_frame(item.corners)),
            "Polygon": [{"X": x, "Y": y} for x, y in item.corners.tolist()],
        },
    }


def _frame(corners: Floats) -> Box:
    """The upright box around corners (4, 2)."""
    (left, top), (right, bottom) = corners.min(0).tolist(), corners.max(0).tolist()
    return Box(left, top, right - left, bottom - top)


def _holds(region: BaseGeometry, word: Text) -> bool:
    """Whether more than half of a word lies in a region."""
    shape = _shape(word.corners)
    return bool(region.intersection(shape).area > _INSIDE * shape.area)


def _shape(corners: Floats) -> BaseGeometry:
    """Corners (4, 2) as a shape; the hull, as corners moved to the picture's edge may lie on one another."""
    return shapely.MultiPoint(corners).convex_hull


def _region(item: Mapping[str, Any], number: int) -> BaseGeometry:
    """The part of the picture that a RegionOfInterest covers, in ratios. Raises: InvalidParameterException."""
    outline = _outline(item, number)
    if not all(abs(value) <= _FAR for point in outline for value in point):
        raise InvalidParameterException(
            detail=_told(number, f"its coordinates are ratios of the picture; one is beyond {_FAR:g}")
        )
    shape = shapely.make_valid(shapely.Polygon(outline))
    if not shape.area:
        raise InvalidParameterException(detail=_told(number, "it has no area"))
    covered = shape.intersection(_PICTURE)
    if not covered.area:
        raise InvalidParameterException(detail=_told(number, "it lies outside the picture"))
    shapely.prepare(covered)
    return covered


def _outline(item: Mapping[str, Any], number: int) -> list[tuple[float, float]]:
    """The corners of a region. Raises: InvalidParameterException."""
    box, points = item.get("BoundingBox"), item.get("Polygon")
    if (box is None) == (points is None):
        raise InvalidParameterException(detail=_told(number, "give either a BoundingBox or a Polygon"))
    if box is not None:
        missing = [name for name in ("Left", "Top", "Width", "Height") if name not in box]
        if missing:
            raise InvalidParameterException(detail=_told(number, f"its BoundingBox lacks {', '.join(missing)}"))
        if box["Width"] <= 0 or box["Height"] <= 0:
            raise InvalidParameterException(detail=_told(number, "it has no area"))
        left, top = box["Left"], box["Top"]
        right, bottom = left + box["Width"], top + box["Height"]
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    corners = points or []
    if not 3 <= len(corners) <= _POINTS:  # noqa: PLR2004 - a triangle
        raise InvalidParameterException(
            detail=_told(number, f"a Polygon needs 3 to {_POINTS} points, not {len(corners)}")
        )
    if any("X" not in point or "Y" not in point for point in corners):
        raise InvalidParameterException(detail=_told(number, "every point of its Polygon needs X and Y"))
    return [(point["X"], point["Y"]) for point in corners]


def _told(number: int, reason: str) -> str:
    return f"RegionsOfInterest, number {number}: {reason}"
