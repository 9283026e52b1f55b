# SPDX-License-Identifier: Apache-2.0
"""Matches the faces in front of a camera with a watch list. Knows no camera and no alert.

Faces that match nobody leave nothing behind here: the vector of a face in sight is let go once it was searched for.
"""

from __future__ import annotations

from dataclasses import dataclass

from overt.models.matching import cosine_floor, matches
from overt.models.tasks.faces import FaceTasks
from overt.models.tracking.following import FaceFollower
from overt.stores.base import Stores
from overt.types import Embedding, Face, Image, Match, StoredFace

MOST = 5
"""Matches told of one face, best first."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A face in one frame. index: the same while it is followed. matches: of its best sight so far, best first.

    is_best: whether this sight is that one. is_confirmed: whether it was seen more than once.
    """

    index: int
    face: Face
    matches: tuple[Match[StoredFace], ...]
    is_best: bool
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class WatchList:
    """A collection that a camera is watched for. least: similarity, 0..1."""

    account: str
    collection: str
    least: float


class Watch:
    """One camera's. Not thread-safe."""

    def __init__(self, models: FaceTasks, stores: Stores, watch_list: WatchList) -> None:
        self._models = models
        self._stores = stores
        self._list = watch_list
        self._follower: FaceFollower | None = None
        self._size = (0, 0)
        self._known: dict[int, tuple[Match[StoredFace], ...]] = {}

    def see(self, image: Image, time: float) -> tuple[Sight, ...]:
        """The faces of the next frame, the largest first.

        Args: time: seconds. Raises: NotFoundError when the list has gone; WrongModelError.
        """
        follower = self._following(image)
        followed = follower.see(image, time, follower.glance(image))
        for index in follower.ended():
            self._known.pop(index, None)
        for each in followed:
            if each.embedding is not None:
                self._known[each.index] = self._matches(each.embedding)
        return tuple(
            Sight(
                each.index,
                each.face,
                self._known.get(each.index, ()),
                each.embedding is not None,
                follower.is_confirmed(each.index),
            )
            for each in followed
        )

    def _following(self, image: Image) -> FaceFollower:
        """The follower; another one when the pictures have changed their size."""
        size = image.width, image.height
        if self._follower is None or size != self._size:
            self._follower, self._size, self._known = FaceFollower(self._models, *size), size, {}
        return self._follower

    def _matches(self, embedding: Embedding) -> tuple[Match[StoredFace], ...]:
        calibration = self._models.calibration
        with self._stores.read() as unit:
            collection = unit.collections.get(self._list.account, self._list.collection)
            hits = unit.faces.search(collection, embedding, MOST, cosine_floor(calibration, self._list.least))
        return matches(calibration, hits, self._list.least)
