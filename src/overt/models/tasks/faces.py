# SPDX-License-Identifier: Apache-2.0
"""The front of all face tasks: find faces, describe them, turn them into embeddings. Speaks ratios and overt's nouns.

What no installed model supports stays None; where the mesh sees no face, what rests on it does too, and pose and
landmarks fall back to the detector's five points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from overt.models.calibration import Calibration
from overt.models.session import Session
from overt.models.tasks import attributes, landmarks, pose, quality
from overt.models.tasks.attributes import AttributeReader
from overt.models.tasks.detect import FINEST, Detector
from overt.models.tasks.embed import Embedder, chip
from overt.models.tasks.mesh import Mesh, MeshReader
from overt.types import Attributes, Box, Embedding, Face, Floats, Gaze, Image, Landmark

_NEEDS = {
    "AGE_RANGE": {"mesh", "age"},
    "GENDER": {"mesh", "gender"},
    "EMOTIONS": {"emotion"},
    "SMILE": {"emotion"},
    "EYES_OPEN": {"mesh"},
    "MOUTH_OPEN": {"mesh"},
    "EYE_DIRECTION": {"mesh", "iris"},
}
ALL = "ALL"
_SEEMS_TILTED, _TILTED = np.radians(1.5), np.radians(12)
"""Lean of the detector's eye line from which the mesh is asked, and of the mesh from which points are sought again."""
_BATCH = 4
"""Faces embedded in one run: more would only take memory."""
_LEAST_LEVELLED = 32.0
"""Pixels of the box's shorter side below which a second look shows nothing new."""


class FaceTasks:
    """What can be asked of faces. Thread-safe; models load when first needed.

    Args: sessions: by task; at least detect and embed. calibration: of the embedder.
    """

    def __init__(self, sessions: Mapping[str, Session], calibration: Calibration) -> None:
        self.calibration = calibration
        self._sessions = dict(sessions)
        self._detector = Detector(sessions["detect"])
        self._embedder = Embedder(sessions["embed"])
        self._mesh = MeshReader(sessions["mesh"], sessions.get("iris")) if "mesh" in sessions else None
        self._attributes = AttributeReader(*(sessions.get(task) for task in ("age", "gender", "emotion")))
        self.supported = frozenset(name for name, needs in _NEEDS.items() if needs <= sessions.keys())
        """Names of the attributes that `describe` can fill, as the wire spells them."""

    @property
    def model(self) -> str:
        """Version of the face model, which names the space that embeddings lie in."""
        return self._embedder.model

    def load(self) -> None:
        """Load what finds, describes and compares faces now, for callers that cannot wait. Raises: PackError."""
        for task in ("detect", "embed", "mesh", "iris"):
            if task in self._sessions:
                self._sessions[task].load()

    def detect(self, image: Image, limit: int = 100, finest: int = FINEST) -> tuple[Face, ...]:
        """The largest faces of a picture, largest first. Ask for as few as are needed: fewer are found faster.

        Args: finest: pixels of the longest side at which it is looked at; see `detect.Detector`.
        """
        found = self._detector.detect(image.pixels, limit, finest)
        size = np.array([image.width, image.height], np.float32)
        made = []
        for box, score, points in zip(found.boxes, found.scores, found.points, strict=True):
            left, top, right, bottom = (box.reshape(2, 2) / size).ravel().tolist()
            five = self._levelled(image, box, points) / size
            made.append(Face(Box(left, top, right - left, bottom - top), min(float(score), 1.0), five))
        return tuple(made)

    def _levelled(self, image: Image, box: Floats, points: Floats) -> Floats:
        """The five points, looked for again with the face level where it is tilted.

        The detector draws the points of a tilted face towards level, which costs the embedding: turned by 20 degrees,
        22 photos had a mean cosine of 0.84 with themselves unturned, by 45 degrees 0.53; so 0.90 and 0.87. Where the
        mesh refuses the face nothing is gained.
        """
        across = points[1] - points[0]
        seems_tilted = abs(np.arctan2(across[1], across[0])) > _SEEMS_TILTED
        if self._mesh is None or not seems_tilted or (box[2:] - box[:2]).min() < _LEAST_LEVELLED:
            return points
        mesh = self._mesh.read(image.pixels, box, points[:2])
        if mesh is None or abs(mesh.angle) < _TILTED:
            return points
        again = self._detector.points_again(image.pixels, box, mesh.angle)
        return points if again is None else again

    def embed(self, image: Image, face: Face) -> Embedding:
        """The unit vector of one face."""
        return self.embed_all(((image, face),))[0]

    def embed_all(self, pairs: Sequence[tuple[Image, Face]]) -> tuple[Embedding, ...]:
        """The unit vectors of several faces (at least one), a few at a time; on a CPU no faster than singly."""
        chips = np.stack([chip(image.pixels, _pixels(image, face)) for image, face in pairs])
        parts = [self._embedder.vectors(chips[at : at + _BATCH]) for at in range(0, len(chips), _BATCH)]
        return tuple(Embedding(vector, self.model) for part in parts for vector in part)

    def describe(self, image: Image, face: Face, wanted: frozenset[str] = frozenset()) -> Face:
        """The face with landmarks, pose, quality, and the attributes wanted.

        Args: wanted: names of `supported`, or "ALL", which also asks for all 30 landmarks. Other names are ignored:
        who answers says that they are not supported.
        """
        names = self.supported if ALL in wanted else wanted & self.supported
        points, box = _pixels(image, face), _corners(image, face)
        mesh = self._mesh.read(image.pixels, box, points[:2]) if self._mesh else None
        head = pose.from_mesh(mesh) if mesh else pose.from_points(points)
        pupils = None
        if mesh and self._mesh and self._mesh.has_iris and (ALL in wanted or "EYE_DIRECTION" in names):
            pupils = self._mesh.pupils(image.pixels, mesh)
        look = attributes.gaze(mesh, pupils, head) if mesh and pupils is not None else None
        if mesh and pupils is not None and ALL in wanted:
            named = landmarks.thirty(mesh, pupils)
        else:
            named = landmarks.five(points)
        return replace(
            face,
            landmarks=tuple(
                Landmark(n, float(x) / image.width, float(y) / image.height) for n, (x, y) in named.items()
            ),
            pose=head,
            quality=quality.measure(chip(image.pixels, points)),
            attributes=self._read(image, box, mesh, look, names) if names else face.attributes,
        )

    def shortcomings(self, face: Face, image: Image, level: str) -> tuple[str, ...]:
        """Rekognition's reasons to leave the face out under a QualityFilter; see `quality.shortcomings`."""
        return quality.shortcomings(face, image, level)

    def _read(
        self, image: Image, box: Floats, mesh: Mesh | None, look: Gaze | None, names: frozenset[str]
    ) -> Attributes:
        pixels, reader = image.pixels, self._attributes
        emotions = reader.emotions(pixels, box) if names & {"EMOTIONS", "SMILE"} else None
        read = Attributes(
            emotions=emotions if "EMOTIONS" in names else None,
            smile=attributes.smile(emotions) if emotions and "SMILE" in names else None,
        )
        if mesh is None:
            return read
        return replace(
            read,
            age_range=reader.age_range(pixels, mesh) if "AGE_RANGE" in names else None,
            gender=reader.gender(pixels, mesh) if "GENDER" in names else None,
            eyes_open=attributes.eyes_open(mesh) if "EYES_OPEN" in names else None,
            mouth_open=attributes.mouth_open(mesh) if "MOUTH_OPEN" in names else None,
            gaze=look if "EYE_DIRECTION" in names else None,
        )


def _pixels(image: Image, face: Face) -> Floats:
    """(5, 2) points in pixels."""
    return np.asarray(face.points * np.array([image.width, image.height], np.float32), np.float32)


def _corners(image: Image, face: Face) -> Floats:
    """(4,) left top right bottom in pixels."""
    box = face.box
    ratios = np.array([box.left, box.top, box.left + box.width, box.top + box.height], np.float32)
    return np.asarray(ratios * np.array([image.width, image.height] * 2, np.float32), np.float32)
