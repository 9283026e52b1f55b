# SPDX-License-Identifier: Apache-2.0
"""How well text is found and read, from labelled pictures. Knows outlines and letters, not models.

A word found is matched with at most one word of the truth, and the other way round: pairs by falling overlap, while
it is over one half. Truth marked as illegible is asked of nobody, and what is found on it counts neither way.
Source: D. Karatzas et al., "ICDAR 2015 competition on robust reading" (2015), tasks of text localisation and end-to-end
reading, whose measures these are; there the first overlap over one half is taken, here the largest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

Outline = Sequence[Sequence[float]] | npt.NDArray[np.floating]
"""(n, 2) corners, n >= 3, in any one unit."""
Labelled = tuple[str, Outline]
"""What a word says, and where. In the truth, ILLEGIBLE as text says that nobody can read it."""

ILLEGIBLE = "###"
"""Source: the ground truth of ICDAR 2015."""
OVERLAP = 0.5
"""Least intersection over union of a match. Source: the same."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one or more pictures; tallies add up. truth, answers: words that count. found: matched pairs.

    exact, alike: matched pairs that say the same, with letters of the same case, or of any.
    """

    truth: int = 0
    answers: int = 0
    found: int = 0
    exact: int = 0
    alike: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.truth + other.truth,
            self.answers + other.answers,
            self.found + other.found,
            self.exact + other.exact,
            self.alike + other.alike,
        )

    @property
    def recall(self) -> float:
        """Share of the truth that was found, 0..1; NaN when there is none."""
        return _share(self.found, self.truth)

    @property
    def precision(self) -> float:
        """Share of the answers that are in the truth, 0..1; NaN when there are none."""
        return _share(self.found, self.answers)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two, of finding alone, 0..1; NaN without truth and answers."""
        return _share(2 * self.found, self.truth + self.answers)

    @property
    def accuracy(self) -> float:
        """Share of the truth that was found and read letter by letter, 0..1; NaN when there is none."""
        return _share(self.exact, self.truth)

    @property
    def accuracy_any_case(self) -> float:
        """The same where capitals and small letters are as good as each other."""
        return _share(self.alike, self.truth)


def tally(truth: Iterable[Labelled], answers: Iterable[Labelled]) -> Tally:
    """Compare the words of one picture with those that were read in it.

    Raises: ValueError for an outline of fewer than three corners, without area, or with a number that is not finite.
    """
    asked, given = list(truth), list(answers)
    wanted, shown = ([_shape(text, outline) for text, outline in words] for words in (asked, given))
    legible = np.array([text != ILLEGIBLE for text, _ in asked], bool)
    overlaps = np.array([[_overlap(one, other) for other in shown] for one in wanted]).reshape(len(asked), len(given))
    on_illegible = [
        any(other.intersection(one).area > OVERLAP * other.area for one in _where(wanted, ~legible)) for other in shown
    ]
    matches: dict[int, int] = {}
    for place in np.argsort(-overlaps, axis=None, kind="stable").tolist():
        row, column = divmod(place, len(given))
        if overlaps[row, column] <= OVERLAP:
            break
        if legible[row] and row not in matches and column not in matches.values():
            matches[row] = column
    counted = [column for column in range(len(given)) if column in matches.values() or not on_illegible[column]]
    pairs = [(asked[row][0], given[column][0]) for row, column in matches.items()]
    return Tally(
        truth=int(legible.sum()),
        answers=len(counted),
        found=len(pairs),
        exact=sum(one == other for one, other in pairs),
        alike=sum(one.casefold() == other.casefold() for one, other in pairs),
    )


def _where(shapes: Sequence[BaseGeometry], chosen: npt.NDArray[np.bool_]) -> list[BaseGeometry]:
    return [shape for shape, take in zip(shapes, chosen.tolist(), strict=True) if take]


def _overlap(one: BaseGeometry, other: BaseGeometry) -> float:
    """Intersection over union."""
    shared = one.intersection(other).area
    return float(shared / (one.area + other.area - shared))


def _shape(text: str, outline: Outline) -> BaseGeometry:
    corners = np.asarray(outline, np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3:  # noqa: PLR2004 - corners of a triangle
        msg = f"the outline of {text!r} is no list of three or more (x, y)"
        raise ValueError(msg)
    if not np.isfinite(corners).all():
        msg = f"the outline of {text!r} has a number that is not finite"
        raise ValueError(msg)
    shape = shapely.make_valid(shapely.Polygon(corners))
    if not shape.area:
        msg = f"the outline of {text!r} has no area"
        raise ValueError(msg)
    return shape


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
