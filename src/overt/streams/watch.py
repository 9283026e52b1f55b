# SPDX-License-Identifier: Apache-2.0
"""Matches the faces in front of a camera with a watch list. Knows no camera and no alert.

Faces that match nobody leave nothing behind here: the vector of a face goes when the face leaves. Until then it is
searched for again when the list changes, so that who is enrolled, or taken off the list, while standing there counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from overt.models.matching import cosine_floor, matches
from overt.models.tasks.detect import FINEST
from overt.models.tasks.faces import FaceTasks
from overt.models.tracking.following import FaceFollower
from overt.stores.base import Stores
from overt.types import Embedding, Face, Image, Match, StoredFace

MOST = 5
"""Matches told of one face, best first."""
_LOOK_AGAIN = 1.0
"""Seconds between two looks at whether the list has changed."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A face in one frame. index: the same while it is followed. matches: of its best sight so far, best first.

    embedding: where this sight is that one. is_confirmed: whether it was seen more than once.
    """

    index: int
    face: Face
    matches: tuple[Match[StoredFace], ...]
    embedding: Embedding | None
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class WatchList:
    """A collection that a camera is watched for. least: similarity, 0..1."""

    account: str
    collection: str
    least: float


@dataclass(slots=True)
class _Known:
    """What is known of a face in sight. head: of the list, when it was searched."""

    embedding: Embedding
    matches: tuple[Match[StoredFace], ...]
    head: int


class Watch:
    """One camera's. Not thread-safe. Args: finest: pixels of the longest side at which faces are looked for."""

    def __init__(self, models: FaceTasks, stores: Stores, watch_list: WatchList, finest: int = FINEST) -> None:
        self.list_size = 0
        """Faces on the list when it was last searched."""
        self._models = models
        self._stores = stores
        self._list = watch_list
        self._finest = finest
        self._follower: FaceFollower | None = None
        self._size = (0, 0)
        self._known: dict[int, _Known] = {}
        self._looked = float("-inf")

    @property
    def ended(self) -> tuple[int, ...]:
        """The faces that are in sight no longer since the last frame."""
        return self._follower.ended() if self._follower else ()

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
                self._known[each.index] = self._searched(each.embedding)
        self._renew(time)
        return tuple(
            Sight(
                each.index,
                each.face,
                self._known[each.index].matches if each.index in self._known else (),
                each.embedding,
                follower.is_confirmed(each.index),
            )
            for each in followed
        )

    def _following(self, image: Image) -> FaceFollower:
        """The follower; another one when the pictures have changed their size."""
        size = image.width, image.height
        if self._follower is None or size != self._size:
            self._follower = FaceFollower(self._models, *size, finest=self._finest)
            self._size, self._known = size, {}
        return self._follower

    def _renew(self, time: float) -> None:
        """Search again for those in sight when the list is another than they were searched in."""
        if not self._known or time - self._looked < _LOOK_AGAIN:
            return
        self._looked = time
        with self._stores.read() as unit:
            head = unit.collections.head(self._list.account, self._list.collection)
        for index, known in self._known.items():
            if known.head != head:
                self._known[index] = self._searched(known.embedding)

    def _searched(self, embedding: Embedding) -> _Known:
        calibration = self._models.calibration
        with self._stores.read() as unit:
            head = unit.collections.head(self._list.account, self._list.collection)
            collection = unit.collections.get(self._list.account, self._list.collection)
            self.list_size = collection.face_count
            hits = unit.faces.search(collection, embedding, MOST, cosine_floor(calibration, self._list.least))
        return _Known(embedding, matches(calibration, hits, self._list.least), head)
