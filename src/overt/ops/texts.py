# SPDX-License-Identifier: Apache-2.0
"""DetectText: the lines and words of a picture, filtered as the caller asks. Knows no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import shapely

from overt.engine import Engine
from overt.errors import InvalidParameterException
from overt.models.filters import WordFilter
from overt.ops import show
from overt.ops.registry import operation
from overt.types import Call

MODEL_VERSION = "3.0"
_LEAST = 80.0
"""MinConfidence where a caller gives none. Source: Rekognition's API reference, DetectionFilter."""
_POINTS = 1000
"""Most points of a region, so that comparing it with every word takes no time to speak of."""
_FAR = 1e6
"""Largest coordinate of a region: beyond it sums lose the picture."""
_PICTURE = shapely.box(0, 0, 1, 1)


@operation("DetectText")
def detect_text(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Read up to 100 words of a picture, or of the parts of it that the caller names."""
    wanted = word_filter(call.get("Filters") or {})
    reader = engine.models.text
    with engine.looking_at(call["Image"]) as (image,):
        lines, words = reader.read(image, where=wanted.touches)
    return {
        "TextDetections": [show.written(item) for item in wanted.kept(lines, words)],
        "TextModelVersion": MODEL_VERSION,
    }


def word_filter(settings: Mapping[str, Any]) -> WordFilter:
    """Read DetectTextFilters. Raises: InvalidParameterException naming the region that is of no use, and why."""
    word = settings.get("WordFilter") or {}
    return WordFilter(
        confidence=word.get("MinConfidence", _LEAST) / 100,
        height=word.get("MinBoundingBoxHeight", 0.0),
        width=word.get("MinBoundingBoxWidth", 0.0),
        regions=tuple(_region(item, at) for at, item in enumerate(settings.get("RegionsOfInterest") or (), 1)),
    )


def _region(item: Mapping[str, Any], number: int) -> str:
    """The part of the picture that a RegionOfInterest covers, as `WordFilter` has it.

    Raises: InvalidParameterException.
    """
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
    return shapely.to_wkt(covered, rounding_precision=-1)


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
