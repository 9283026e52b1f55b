# SPDX-License-Identifier: Apache-2.0
"""Faces of a collection in a video: each face is followed, and its best sight is searched for once."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from overt.jobs.task import MATCHES, Tools, finding
from overt.jobs.tasks.sights import Sight, name
from overt.models.matching import cosine_floor, matches
from overt.models.tracking.following import FaceFollower
from overt.types import Embedding, Face, Finding, Floats, Footage, Frame, Match, StoredFace

MOST = 10
"""Matches told of one person, best first."""


@dataclass(frozen=True, slots=True)
class Search:
    """Implements `Task`. least: similarity, 0..1."""

    account: str
    collection: str
    least: float
    rate: ClassVar = 5.0
    side: ClassVar = None
    hears: ClassVar = False

    def begin(self, tools: Tools, footage: Footage, state: Any) -> _Watch:
        """See `Task.begin`."""
        return _Watch(self, tools, footage, state)


class _Watch:
    def __init__(self, task: Search, tools: Tools, footage: Footage, state: Any) -> None:
        self._task = task
        self._models = tools.models.faces
        self._stores = tools.stores
        going = state["follower"] if state else None
        self._follower = FaceFollower(self._models, footage.width, footage.height, going)
        self._vectors: dict[int, Floats] = {index: _vector(text) for index, text in state["vectors"]} if state else {}

    def glance(self, frame: Frame) -> list[Face]:
        return self._follower.glance(frame.image)

    def see(self, frame: Frame, glance: list[Face]) -> Iterator[Finding]:
        followed = self._follower.see(frame.image, frame.time, glance)
        yield from self._end(frame.time, self._follower.ended())
        for each in followed:
            if each.embedding is not None:
                self._vectors[each.index] = each.embedding.vector
            yield finding(frame.time, name(each.index), Sight(each.index, None, each.face))

    def finish(self) -> Iterator[Finding]:
        yield from self._end(0.0, list(self._vectors))

    def state(self) -> Any:
        vectors = [[index, base64.b64encode(vector.tobytes()).decode()] for index, vector in self._vectors.items()]
        return {"follower": self._follower.state(), "vectors": vectors}

    def _end(self, time: float, indices: Iterable[int]) -> Iterator[Finding]:
        for index in indices:
            vector = self._vectors.pop(index, None)
            if vector is not None:
                yield finding(time, name(index), self._matches(vector), MATCHES)

    def _matches(self, vector: Floats) -> tuple[Match[StoredFace], ...]:
        calibration = self._models.calibration
        with self._stores.read() as unit:
            collection = unit.collections.get(self._task.account, self._task.collection)
            probe = Embedding(vector, self._models.model)
            hits = unit.faces.search(collection, probe, MOST, cosine_floor(calibration, self._task.least))
        return matches(calibration, hits, self._task.least)


def _vector(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text), np.float32)
