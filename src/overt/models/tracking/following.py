# SPDX-License-Identifier: Apache-2.0
"""Faces followed from picture to picture: each is numbered, and embedded when it is seen better than before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from overt.models.tasks.detect import FINEST
from overt.models.tasks.faces import FaceTasks
from overt.models.tracking.best import BestSights
from overt.models.tracking.tracker import FACES, Tracker
from overt.types import Embedding, Face, Image


@dataclass(frozen=True, slots=True)
class Followed:
    """A face in one picture. index: the same while it is followed, from 0. embedding: if never seen better."""

    index: int
    face: Face
    embedding: Embedding | None


class FaceFollower:
    """Follows the faces of one video or camera. Not thread-safe.

    Args: width, height: of the pictures, in pixels. state: of `state`, to go on from there. finest: see
        `FaceTasks.detect`.
    """

    def __init__(self, models: FaceTasks, width: int, height: int, state: Any = None, *, finest: int = FINEST) -> None:
        self._models = models
        self._finest = finest
        self._tracker = Tracker.of(state["tracker"]) if state else Tracker(width / height, FACES)
        self._best = BestSights.of(state["best"]) if state else BestSights(width, height)

    def glance(self, image: Image) -> list[Face]:
        """The faces of a picture, described, the largest first; knows no other picture, so any thread may ask."""
        return [self._models.describe(image, face) for face in self._models.detect(image, finest=self._finest)]

    def see(self, image: Image, time: float, faces: Sequence[Face]) -> tuple[Followed, ...]:
        """The faces of the next picture that are followed. Args: time: seconds. faces: what `glance` gave."""
        boxes, scores = [face.box for face in faces], [face.confidence for face in faces]
        numbers = self._tracker.update(boxes, scores, time)
        for index in self._tracker.ended():
            self._best.drop(index)
        return tuple(
            self._followed(image, face, index) for face, index in zip(faces, numbers, strict=True) if index is not None
        )

    def ended(self) -> tuple[int, ...]:
        """The faces that are followed no longer since the last picture."""
        return self._tracker.ended()

    def is_confirmed(self, index: int) -> bool:
        """Whether a face was seen more than once; one sight may be a mistake."""
        return self._tracker.is_confirmed(index)

    def state(self) -> Any:
        """Where it stands, as JSON knows it."""
        return {"tracker": self._tracker.state(), "best": self._best.state()}

    def _followed(self, image: Image, face: Face, index: int) -> Followed:
        is_best = self._best.offer(index, face)
        return Followed(index, face, self._models.embed(image, face) if is_best else None)
