# SPDX-License-Identifier: Apache-2.0
"""The parts of the picture that a stream looks at, and whether something lies in them. Knows no model and no camera."""

from __future__ import annotations

import math
from collections.abc import Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from overt.types import Box, Region

_INSIDE = 0.5
"""A thing lies in the regions when at least this share of what is seen of it does."""
_CORNERS = 3
_SLACK = 1e-6
"""How far beyond the picture a corner may lie: the sums of ratios that fill it are not always 1."""
_PICTURE = shapely.box(0, 0, 1, 1)


class Regions:
    """Several regions as one shape; none are the whole picture.

    Raises: ValueError, saying which region is of no use and why.
    """

    def __init__(self, regions: Sequence[Region] = ()) -> None:
        shapes = [_shape(region, number) for number, region in enumerate(regions, 1)]
        self._shape = shapely.union_all(shapes) if shapes else None
        if self._shape is not None:
            shapely.prepare(self._shape)

    def holds(self, box: Box) -> bool:
        """Whether at least half of a thing, as far as the picture shows it, lies in the regions taken together."""
        if self._shape is None:
            return True
        thing = _rectangle(box).intersection(_PICTURE)
        return bool(thing.area > 0 and self._shape.intersection(thing).area >= _INSIDE * thing.area)


def _shape(region: Region, number: int) -> BaseGeometry:
    """Raises: ValueError."""
    box, corners = region.box, region.polygon
    if (box is None) == (not corners):
        raise _bad(number, "it is either a box or a polygon")
    if box is not None:
        corners = ((box.left, box.top), (box.left + box.width, box.top + box.height))
    if not all(math.isfinite(value) and -_SLACK <= value <= 1 + _SLACK for point in corners for value in point):
        raise _bad(number, "it reaches beyond the picture: its numbers are ratios of the picture's size, from 0 to 1")
    if box is not None:
        if box.width <= 0 or box.height <= 0:
            raise _bad(number, "it has no area")
        return _rectangle(box)
    if len(set(corners)) < _CORNERS:
        raise _bad(number, f"a polygon needs at least {_CORNERS} different corners, not {len(set(corners))}")
    shape = shapely.Polygon(corners)
    if not shape.is_valid:
        raise _bad(number, "the sides of the polygon cross or lie on one another: give its corners in their order")
    return shape


def _rectangle(box: Box) -> BaseGeometry:
    return shapely.box(box.left, box.top, box.left + box.width, box.top + box.height)


def _bad(number: int, reason: str) -> ValueError:
    return ValueError(f"region {number} is of no use: {reason}")
