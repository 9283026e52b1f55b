# SPDX-License-Identifier: Apache-2.0
"""Which labels and which words a caller wants to hear of. Plain values, so that they can be kept with a job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import shapely
from shapely.geometry.base import BaseGeometry

from overt.types import Floats, Label, Text, Written

_INSIDE = 0.5
"""A word belongs to a region when more than this share of it lies inside. Source: Rekognition's API reference,
RegionOfInterest."""


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Labels of any name or category included, where there are some, and of none excluded."""

    names: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    not_names: frozenset[str] = frozenset()
    not_categories: frozenset[str] = frozenset()

    def passes(self, label: Label) -> bool:
        """Whether a caller wants this label."""
        categories = self.categories.intersection(label.categories)
        wanted = not (self.names or self.categories) or label.name in self.names or bool(categories)
        return wanted and label.name not in self.not_names and not self.not_categories.intersection(label.categories)


@dataclass(frozen=True, slots=True)
class WordFilter:
    """Words at least so sure and large (0..1), in any of the regions where there are some.

    regions: shapes in ratios of the picture, as well-known text (OGC 06-103r4), each with an area.
    """

    confidence: float = 0.0
    height: float = 0.0
    width: float = 0.0
    regions: tuple[str, ...] = ()

    def touches(self, corners: Floats) -> bool:
        """Whether any word of the line at (4, 2) corners could lie in a region."""
        line = _hull(corners)
        return not self.regions or any(_shape(region).intersects(line) for region in self.regions)

    def passes(self, word: Text) -> bool:
        """Whether the caller wants this word."""
        frame = word.frame
        sure, large = word.confidence >= self.confidence, frame.height >= self.height and frame.width >= self.width
        return sure and large and (not self.regions or any(_holds(region, word) for region in self.regions))

    def kept(self, lines: Sequence[Text], words: Iterable[Text]) -> tuple[Written, ...]:
        """Lines that have a wanted word, then those words, numbered. A line keeps all its words."""
        wanted = [word for word in words if self.passes(word)]
        parents = {
            line: number for number, line in enumerate(sorted({word.line for word in wanted if word.line is not None}))
        }
        return (
            *(Written(lines[line], number) for line, number in parents.items()),
            *(
                Written(word, number, None if word.line is None else parents[word.line])
                for number, word in enumerate(wanted, len(parents))
            ),
        )


@lru_cache(256)
def _shape(region: str) -> BaseGeometry:
    shape = shapely.from_wkt(region)
    shapely.prepare(shape)
    return shape


def _holds(region: str, word: Text) -> bool:
    """Whether more than half of a word lies in a region."""
    shape = _hull(word.corners)
    return bool(_shape(region).intersection(shape).area > _INSIDE * shape.area)


def _hull(corners: Floats) -> BaseGeometry:
    """Corners (4, 2) as a shape; the hull, as corners moved to the picture's edge may lie on one another."""
    return shapely.MultiPoint(corners).convex_hull
