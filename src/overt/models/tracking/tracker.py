# SPDX-License-Identifier: Apache-2.0
"""Gives boxes that follow one another in time the same number. Knows no picture, no model and no store.

Own code after ByteTrack (Zhang et al. 2022, arXiv:2110.06864): sure boxes are matched first with all tracks, then the
unsure ones with the tracks left over, as somebody half hidden still gets a low score. Three things differ. Time is in
seconds, as jobs look at few frames. Near is not overlap alone, which fails between rare frames, but also how likely the
filter holds a place. And how things look counts where it is known (Wojke et al. 2017, Deep SORT, arXiv:1703.07402).
A number is a path through one video, no identity: who leaves and comes back gets another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from overt.models.tracking.kalman import TINY, Doubles, Motion
from overt.types import Box, Floats

PEOPLE = 1.0
"""Pace of whole people: heights of the box a second. Walking is 1.4 m/s, or 0.8 heights."""
FACES = 4.0
"""Pace of faces: the same people, measured in faces of about 0.25 m."""

Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

_SURE, _UNSURE = 0.5, 0.1
"""Score from which a box is matched first and may begin a track, and below which it is not looked at. ByteTrack has
0.6 and 0.1; our detectors' confidences are calibrated, so half of the boxes at 0.5 are right."""
_KEPT = 3.0
"""Seconds that a track is kept without being seen. ByteTrack: 1. Made-up crowds at 1 frame a second: IDF1 0.70 with 2
seconds, 0.82 with 3, 0.84 with 4; at 5 frames a second they tie. Longer, who enters is taken for who has left."""
_KEPT_UNCONFIRMED = 0.5
"""The same after one sight only. ByteTrack drops it with the next frame."""
_FAR = 3.0
"""Standard deviations from where it was expected, beyond which a box is another thing: 99 % of a thing's sights are
nearer (chi-squared, two degrees of freedom)."""
_OVERLAP = 0.3
"""Overlap (IoU) that makes up for being far. Source: SORT's least."""
_UNSURE_OVERLAP = 0.4
"""Least overlap of an unsure box with its track. ByteTrack: 0.5, at 30 frames a second. 0.25..0.6 tie in crowds."""
_SHRUNK = 0.4
"""Least ratio of two heights of one thing: of a person the upper half is seen, then all. Chosen, not tuned."""
_LOOK = 0.5
"""Share of looks in what a pair is worth, where both looks are known; the rest is place. 0.3..0.7 tie in crowds."""
_UNLIKE = 0.65
"""Cosine of looks from which they count; below it a box that does not overlap is another thing. On vtest.avi `looks` of
one person 3 seconds apart are above 0.87 in 99 % of pairs, those of two people below 0.78 in half of them; from 0.7 on
people lose their numbers there when a sign hides their middle."""
_LASTING = 0.9
"""Share of a track's look that stays with each sight. Source: StrongSORT (Du et al. 2022, arXiv:2202.13514)."""
_COVERED = 0.2
"""Overlap with another box from which a sight's look is not learnt: it may be the other's. 0.05..0.5 tie in crowds."""


@dataclass(frozen=True, slots=True)
class _Tracks:
    """All tracks alive: n rows. looks: (n, d) unit vectors, or zeros where none is known. times: when last seen."""

    ids: Indices
    times: Doubles
    sights: Indices
    looks: Doubles
    motion: Motion

    def take(self, rows: Mask) -> _Tracks:
        """Some of them."""
        return _Tracks(self.ids[rows], self.times[rows], self.sights[rows], self.looks[rows], self.motion.take(rows))


class Tracker:
    """Follows things of one kind through one video. Not thread-safe: one video has one caller.

    Args: shape: the picture's width over its height. pace: how fast things may usually be, in heights of their boxes a
    second: PEOPLE or FACES.
    """

    def __init__(self, shape: float = 1.0, pace: float = PEOPLE) -> None:
        self._shape, self._pace = shape, pace
        self._before = self._time = -math.inf
        self._next = 0
        self._ended: dict[int, bool] = {}
        nothing = np.empty((0, 4))
        self._tracks = _Tracks(
            np.empty(0, np.intp), np.empty(0), np.empty(0, np.intp), np.empty((0, 0)), Motion.begin(nothing, pace)
        )

    def update(
        self, boxes: Sequence[Box], scores: Sequence[float], time: float, looks: Floats | None = None
    ) -> tuple[int | None, ...]:
        """The number of each box of the next frame; None for an unsure box that is no known thing's.

        Tell frames without boxes too. A frame from before the last one, or long after it, begins anew.

        Args: scores: of the boxes, 0..1. time: seconds. looks: (n, d) unit vectors, zeros where one is not known; d is
        the same in all frames. Raises: ValueError when lengths differ or a number is not finite.
        """
        places, sure = self._places(boxes), np.asarray(scores, np.float64)
        if sure.shape != (len(boxes),) or not math.isfinite(time + places.sum() + sure.sum()):
            raise ValueError("a tracker needs a score for each box, and a finite time, boxes and scores")
        seen = self._seen(looks, len(boxes))
        self._go_to(time)
        corners = _corners(places)
        rows, columns = self._matched(places, sure, seen, _overlaps(_corners(self._tracks.motion.places), corners))
        ids: list[int | None] = [None] * len(boxes)
        for number, column in zip(self._tracks.ids[rows].tolist(), columns.tolist(), strict=True):
            ids[column] = number
        self._see(rows, places[columns], _uncovered(seen, corners)[columns])
        self._forget()
        free = sure >= _SURE
        free[columns] = False
        for number, column in enumerate(np.flatnonzero(free).tolist(), self._next):
            ids[column] = number
        self._begin(places[free], seen[free])
        return tuple(ids)

    def ended(self) -> tuple[int, ...]:
        """The tracks that the last update ended: not seen for so long that they will not go on."""
        return tuple(self._ended)

    def is_confirmed(self, number: int) -> bool:
        """Whether a track that is alive, or has just ended, was seen more than once; one sight may be a mistake."""
        alive = dict(zip(self._tracks.ids.tolist(), (self._tracks.sights > 1).tolist(), strict=True))
        return bool((self._ended | alive).get(number, False))

    def state(self) -> dict[str, Any]:
        """Everything it knows, for JSON: a tracker made `of` it goes on as if it had never stopped."""
        tracks = self._tracks
        return {
            "shape": self._shape,
            "pace": self._pace,
            "time": self._time if math.isfinite(self._time) else None,
            "next": self._next,
            "ended": [[number, confirmed] for number, confirmed in self._ended.items()],
            "ids": tracks.ids.tolist(),
            "times": tracks.times.tolist(),
            "sights": tracks.sights.tolist(),
            "looks": tracks.looks.tolist(),
            "motion": tracks.motion.beliefs.tolist(),
        }

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Tracker:
        """The tracker whose `state` this was."""
        made = cls(state["shape"], state["pace"])
        made._time = -math.inf if state["time"] is None else state["time"]
        made._next = state["next"]
        made._ended = dict(state["ended"])
        count = len(state["ids"])
        motion = Motion(np.array(state["motion"], np.float64).reshape(count, 5, 4))
        looks = np.array(state["looks"], np.float64).reshape(count, -1 if count else 0)
        made._tracks = _Tracks(
            np.array(state["ids"], np.intp),
            np.array(state["times"], np.float64),
            np.array(state["sights"], np.intp),
            looks,
            motion,
        )
        return made

    def _places(self, boxes: Sequence[Box]) -> Doubles:
        """(n, 4) as the filter wants them, in heights of the picture."""
        corners = np.array([(one.left, one.top, one.width, one.height) for one in boxes], np.float64).reshape(-1, 4)
        left, top, width, height = corners.T
        wide, high = np.maximum(width * self._shape, TINY), np.maximum(height, TINY)
        corners[:, 0] = left * self._shape + wide / 2
        corners[:, 1] = top + high / 2
        corners[:, 2] = wide / high
        corners[:, 3] = high
        return corners

    def _seen(self, looks: Floats | None, count: int) -> Doubles:
        """(count, d) looks, zeros where none was given. The first looks ever tell d."""
        if looks is None:
            return np.zeros((count, self._tracks.looks.shape[1]))
        seen = np.asarray(looks, np.float64)
        known = self._tracks.looks
        if not np.isfinite(seen).all():
            raise ValueError("a tracker needs finite looks")
        if seen.ndim != 2 or len(seen) != count or (known.any() and known.shape[1] != seen.shape[1]):  # noqa: PLR2004
            raise ValueError("a tracker needs one look for each box, all of them of one length")
        if known.shape[1] != seen.shape[1]:
            self._tracks = replace(self._tracks, looks=np.zeros((len(known), seen.shape[1])))
        return seen

    def _go_to(self, time: float) -> None:
        """Expect every track where it will be at a time; end those that have no future."""
        seconds = time - self._time
        self._before, self._time = self._time, time
        self._ended = {}
        self._end((time - self._tracks.times > _KEPT) | (seconds < 0))
        if len(self._tracks.ids):
            self._tracks = replace(self._tracks, motion=self._tracks.motion.after(seconds, self._pace))

    def _matched(self, places: Doubles, sure: Doubles, looks: Doubles, overlaps: Doubles) -> tuple[Indices, Indices]:
        """Which tracks go on with which boxes: sure ones first, then unsure ones with tracks seen in the last frame."""
        strong, weak = np.flatnonzero(sure >= _SURE), np.flatnonzero((sure >= _UNSURE) & (sure < _SURE))
        rows, columns = _pairs(self._worth(places[strong], looks[strong], overlaps[:, strong]))
        columns = strong[columns]
        left = self._tracks.times == self._before
        left[rows] = False
        if not (len(weak) and left.any()):
            return rows, columns
        rest = np.flatnonzero(left)
        shares = overlaps[np.ix_(rest, weak)]
        more, others = _pairs(np.where(shares >= _UNSURE_OVERLAP, shares, 0))
        return np.concatenate([rows, rest[more]]), np.concatenate([columns, weak[others]])

    def _worth(self, places: Doubles, looks: Doubles, overlaps: Doubles) -> Doubles:
        """(tracks, boxes) how well they fit, 0 for not at all to 1."""
        tracks = self._tracks
        near = (1 - tracks.motion.distances(places) / _FAR).clip(0)
        heights, now = tracks.motion.places[:, 3, None], places[None, :, 3]
        fits = np.minimum(heights, now) >= _SHRUNK * np.maximum(heights, now)
        overlapping = overlaps >= _OVERLAP
        worth = (near + overlaps) / 2
        if looks.shape[1]:
            known = np.logical_and.outer(tracks.looks.any(1), looks.any(1))
            cosines = tracks.looks @ looks.T
            alike = ((cosines - _UNLIKE) / (1 - _UNLIKE)).clip(0)
            worth = np.where(known, (1 - _LOOK) * worth + _LOOK * alike, worth)
            fits &= ~known | overlapping | (alike > 0)
        return np.asarray(np.where(fits & ((near > 0) | overlapping), worth, 0))

    def _see(self, rows: Indices, places: Doubles, looks: Doubles) -> None:
        """Correct tracks by their sights. Args: looks: zeros where nothing is to be learnt."""
        tracks = self._tracks
        times, sights, known = tracks.times.copy(), tracks.sights.copy(), tracks.looks.copy()
        times[rows] = self._time
        sights[rows] += 1
        learnt = looks.any(1)
        which = rows[learnt]
        mixed = _LASTING * known[which] + (1 - _LASTING) * looks[learnt]  # where nothing was known, all that is now
        known[which] = mixed / np.sqrt(np.square(mixed).sum(1, keepdims=True))
        self._tracks = _Tracks(tracks.ids, times, sights, known, tracks.motion.seen(rows, places))

    def _forget(self) -> None:
        """End the unseen tracks that have most likely left the picture, or were not seen for too long."""
        unseen = self._time - self._tracks.times
        if not unseen.any():
            return
        limits = np.where(self._tracks.sights > 1, _KEPT, _KEPT_UNCONFIRMED)
        x, y = self._tracks.motion.places[:, :2].T
        has_left = (x < 0) | (x > self._shape) | (y < 0) | (y > 1)
        self._end((unseen > 0) & (has_left | (unseen >= limits)))

    def _end(self, rows: Mask) -> None:
        if rows.any():
            gone = self._tracks.take(rows)
            self._ended |= dict(zip(gone.ids.tolist(), (gone.sights > 1).tolist(), strict=True))
            self._tracks = self._tracks.take(~rows)

    def _begin(self, places: Doubles, looks: Doubles) -> None:
        count, tracks = len(places), self._tracks
        if not count:
            return
        self._tracks = _Tracks(
            np.concatenate([tracks.ids, np.arange(self._next, self._next + count)]),
            np.concatenate([tracks.times, np.full(count, self._time)]),
            np.concatenate([tracks.sights, np.ones(count, np.intp)]),
            np.concatenate([tracks.looks, looks]),
            tracks.motion.joined(Motion.begin(places, self._pace)),
        )
        self._next += count


def _corners(places: Doubles) -> Doubles:
    """(4, n) left, top, right, bottom of middles, aspects and heights."""
    corners = np.empty((4, len(places)))
    down = places[:, 3] / 2
    across = places[:, 2] * down
    corners[0], corners[1] = places[:, 0] - across, places[:, 1] - down
    corners[2], corners[3] = places[:, 0] + across, places[:, 1] + down
    return corners


def _overlaps(a: Doubles, b: Doubles) -> Doubles:
    """(n, m) intersection over union of corners (4, n) and (4, m)."""
    across = np.minimum(a[2, :, None], b[2]) - np.maximum(a[0, :, None], b[0])
    down = np.minimum(a[3, :, None], b[3]) - np.maximum(a[1, :, None], b[1])
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    areas = [(one[2] - one[0]) * (one[3] - one[1]) for one in (a, b)]
    return np.asarray(shared / (areas[0][:, None] + areas[1] - shared))


def _uncovered(looks: Doubles, corners: Doubles) -> Doubles:
    """The looks of boxes that no other box covers; zeros for the rest."""
    if not looks.size:
        return looks
    shared = _overlaps(corners, corners)
    np.fill_diagonal(shared, 0)
    return np.where((shared < _COVERED).all(1, keepdims=True), looks, 0)


def _pairs(worth: Doubles) -> tuple[Indices, Indices]:
    """The pairing of the highest sum; pairs worth nothing are left out."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - slow to import, and not everybody has videos

    rows, columns = linear_sum_assignment(worth, maximize=True)
    kept = worth[rows, columns] > 0
    return rows[kept], columns[kept]
