# SPDX-License-Identifier: Apache-2.0
"""Which parts of each person can be seen, and what protective equipment they wear. Knows no wire and no rules of work.

Parts come from the face detector and from the points of the body. A part that is not seen is not reported, so that
nobody is said to be without what could not have been seen. A face without a body is a person all the same: object
detectors miss people in groups whose faces are plain to see.

A face cover is told by a linear model over the embedding of the face in the slot `tags`; what it tells is that
something like a mask hides mouth and nose. Covers of heads and hands are not told: there were no pictures of helmets
and gloves, under clear terms, to show that it works.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from overt.models.pack import PackError
from overt.models.session import Session
from overt.models.tasks.align import rotated_square, warp
from overt.models.tasks.keypoints import (
    LEFT_EAR,
    LEFT_ELBOW,
    LEFT_EYE,
    LEFT_WRIST,
    NOSE,
    RIGHT_EAR,
    RIGHT_ELBOW,
    RIGHT_EYE,
    RIGHT_WRIST,
    BodyPoser,
)
from overt.models.tasks.tags import Classifier
from overt.types import BodyPart, Box, Claim, Detection, Equipment, Face, Floats, Image, Pixels, Wearer

FACE_COVER, HEAD_COVER, HAND_COVER = "FACE_COVER", "HEAD_COVER", "HAND_COVER"
KINDS = frozenset({FACE_COVER, HEAD_COVER, HAND_COVER})
COVERED, WORN = "Covered", "Worn"
"""The labels that count in the label map of a `face_cover`: over mouth and nose; worn, but not over both."""
PERSONS = 15
"""Source: Rekognition guide, quotas of DetectProtectiveEquipment."""
LEAST = 0.5
"""Confidence from which persons, parts and equipment are reported. Source: the same guide."""
_HEAD = (NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR)
_FIVE = (RIGHT_EYE, LEFT_EYE, NOSE)
"""The points of the body that are the first three of a face."""
_HANDS = {"LEFT_HAND": (LEFT_ELBOW, LEFT_WRIST), "RIGHT_HAND": (RIGHT_ELBOW, RIGHT_WRIST)}
_REACH = 0.37
"""From the wrist to the middle of the hand, in forearms. Source: Winter's body segments, hand 0.108, forearm 0.146."""
_AS_LIKELY, _DOUBT = 0.3, 0.08
"""MoveNet's score at which a point is as likely seen as not, and the width of the doubt around it; a guess."""
_UPPER = slice(NOSE, LEFT_ELBOW)
_SAME = 0.15
"""Mean distance of two bodies' heads and shoulders, as a share of their extent, up to which they are one body."""
_NEAR = 1.0
"""Sides of a face that its eyes and nose may lie from those of its body."""
_BODY = np.array([-2.5, -0.5, 2.5, 6.5], np.float32)
"""Where the body of a face may be: left, top, right, bottom from the middle of its upper edge, in its sides."""
_CUT, _MARGIN = 260, 1.3
"""Side of the cut-out that is embedded, in pixels and in sides of the face."""


class EquipmentReader:
    """Reads persons' parts and covers. Thread-safe.

    Args: keypoints: a MoveNet, as `BodyPoser` takes it. tags: the classifier whose embedding `face_cover` reads.
        face_cover: a model from that embedding to probabilities; its label map has COVERED and perhaps WORN, and
        `space_sha256` in its [models.output] is the digest of the weights that make the embedding. With any other
        `tags` it is not used. Raises: PackError when its manifest lacks one of these.
    """

    def __init__(self, keypoints: Session, tags: Session | None = None, face_cover: Session | None = None) -> None:
        self._poser = BodyPoser(keypoints)
        self._masks = _Masks(tags, face_cover) if tags and face_cover and _made_for(face_cover, tags) else None
        self.supported = frozenset({FACE_COVER} if self._masks else ())
        """The kinds of equipment that `read` can tell: where a kind is not among them, its absence says nothing."""

    def read(self, image: Image, persons: Sequence[Detection], faces: Sequence[Face]) -> tuple[Wearer, ...]:
        """The largest persons of a picture, largest first, at most PERSONS.

        Args: persons: boxes of whole persons. faces: all that were found in the picture, of whomever.
        """
        size = _size(image)
        boxes: list[Floats] = []
        bodies: list[Floats] = []
        sureness: list[float] = []
        largest = sorted(persons, key=lambda person: -person.box.area)[:PERSONS]
        for person in sorted(largest, key=lambda person: -person.confidence):
            box = _corners(person.box, size)
            body = self._poser.read(image.pixels, box)
            if not any(_same(body, other) for other in bodies):
                boxes.append(box)
                bodies.append(body)
                sureness.append(person.confidence)
        owned = _owners(size, boxes, bodies, faces)
        wearers = [
            self._wearer(image, box, sure, body, owned.get(place))
            for place, (box, sure, body) in enumerate(zip(boxes, sureness, bodies, strict=True))
        ]
        owners = {id(face) for face in owned.values()}
        strays = sorted((face for face in faces if id(face) not in owners), key=lambda face: -face.box.area)
        wearers += [self._below(image, face) for face in strays[:PERSONS]]
        wearers.sort(key=lambda wearer: -wearer.box.area)
        return tuple(wearer for wearer in wearers if wearer.confidence >= LEAST)[:PERSONS]

    def _below(self, image: Image, face: Face) -> Wearer:
        """The person of a face without a body: the face and what is surely seen of the body around and below it."""
        size = _size(image)
        near = _corners(face.box, size)
        middle, side = (near[0] + near[2]) / 2, (near[2:] - near[:2]).max()
        reach = np.tile([middle, near[1]], 2) + _BODY * side
        body = self._poser.read(image.pixels, np.asarray(reach.clip(0, np.tile(size, 2)), np.float32))
        if _gap(size, body, face) > _NEAR:
            body = np.zeros_like(body)  # somebody else's
        sure = [point[:2] for point in body if _sureness(point) >= LEAST]
        points = np.stack([near[:2], near[2:], *sure])
        return self._wearer(image, np.concatenate([points.min(0), points.max(0)]), face.confidence, body, face)

    def _wearer(self, image: Image, box: Floats, confidence: float, body: Floats, face: Face | None) -> Wearer:
        """A person, as sure as its box or its face, whichever is surer. Args: box: (4,) in pixels."""
        size = _size(image)
        shown = face.confidence if face else 0.0
        seen = {
            "FACE": shown,
            "HEAD": max(shown, *(_sureness(body[point]) for point in _HEAD)),
            **{name: _hand(size, body[elbow], body[wrist]) for name, (elbow, wrist) in _HANDS.items()},
        }
        worn = {"FACE": self._masks.read(image, face)} if self._masks and face else {}
        parts = tuple(
            BodyPart(name, min(sure, 1.0), worn.get(name, ())) for name, sure in seen.items() if sure >= LEAST
        )
        left, top, right, bottom = (box.reshape(2, 2) / size).ravel().tolist()
        return Wearer(Box(left, top, right - left, bottom - top), min(max(confidence, shown), 1.0), parts)


def face_part(pixels: Pixels, box: Floats) -> Pixels:
    """The cut-out that is embedded to tell a face cover: an upright square around the face.

    Args: pixels: (h, w, 3) RGB. box: (4,) of the face: left top right bottom in pixels. Returns: (260, 260, 3).
    """
    side = float((box[2:] - box[:2]).max()) * _MARGIN
    return warp(pixels, rotated_square((box[:2] + box[2:]) / 2, side, 0.0, _CUT), _CUT)


def _made_for(face_cover: Session, tags: Session) -> bool:
    """Whether a linear model reads the embedding of these very weights. Raises: PackError."""
    space = face_cover.model.output.get("space_sha256")
    if not isinstance(space, str):
        raise PackError(f"{face_cover.model.name}: [models.output] must name its embedding's model with space_sha256")
    return space == tags.model.sha256


class _Masks:
    """Tells face covers. Args: as of `EquipmentReader`. Raises: PackError."""

    def __init__(self, tags: Session, face_cover: Session) -> None:
        self._tagger, self._linear = Classifier(tags), face_cover
        classes = face_cover.model.classes
        self._covered, self._worn = (
            [at for at, name in enumerate(classes) if name == label] for label in (COVERED, WORN)
        )
        if not self._covered:
            raise PackError(f"{face_cover.model.name}: the label map has no class {COVERED!r}")

    def read(self, image: Image, face: Face) -> tuple[Equipment, ...]:
        """The cover of a face, if there is one: as sure as both labels together, from the bridge of the nose down."""
        scores = self._scores(image, face)
        covered, worn = float(scores[self._covered].sum()), float(scores[self._worn].sum())
        both = covered + worn
        sure = float(self._linear.model.confidences.of(np.array([min(both, 1.0)], np.float32))[0])
        if not both or sure < LEAST:
            return ()
        covers = Claim(covered >= worn, max(covered, worn) / both)
        bottom = face.box.top + face.box.height
        bridge = min(float((face.points[:2].mean(0) + face.points[2])[1]) / 2, bottom)
        below = Box(face.box.left, bridge, face.box.width, bottom - bridge)
        return (Equipment(FACE_COVER, below, sure, covers),)

    def _scores(self, image: Image, face: Face) -> Floats:
        """(classes,) probabilities. Raises: PackError when a model does not give what its manifest says."""
        embedding = self._tagger.read_parts([face_part(image.pixels, _corners(face.box, _size(image)))]).embedding
        if embedding is None:
            raise PackError(f"{self._linear.model.name}: the model in the slot tags gives no embedding to read")
        scores = next(iter(self._linear.run(embedding).values()))[0]
        if scores.shape != (len(self._linear.model.classes),):
            raise PackError(f"{self._linear.model.name}: its output has not the classes of its label map")
        return np.asarray(scores, np.float32)


def _owners(size: Floats, boxes: Sequence[Floats], bodies: Sequence[Floats], faces: Sequence[Face]) -> dict[int, Face]:
    """The face of each body that has one, by the body's place.

    A face belongs to the body whose eyes and nose lie nearest to its own; failing that, to one in whose box it lies.
    """
    pairs = []
    for number, face in enumerate(faces):
        x, y = (face.box.left + face.box.width / 2, face.box.top + face.box.height / 2) * size
        for place, (box, body) in enumerate(zip(boxes, bodies, strict=True)):
            gap = _gap(size, body, face)
            if gap <= _NEAR or (box[0] <= x <= box[2] and box[1] <= y <= box[3]):
                pairs.append((gap > _NEAR, gap, place, number))
    found: dict[int, Face] = {}
    taken: set[int] = set()
    for *_, place, number in sorted(pairs):
        if place not in found and number not in taken:
            found[place] = faces[number]
            taken.add(number)
    return found


def _same(body: Floats, other: Floats) -> bool:
    """Whether two bodies are one person's, who has two boxes: their heads and shoulders lie on each other."""
    one, two = body[_UPPER, :2], other[_UPPER, :2]
    return bool(np.hypot(*(one - two).T).mean() < _SAME * np.hypot(*np.ptp(one, 0)))


def _gap(size: Floats, body: Floats, face: Face) -> float:
    """Mean distance between a body's eyes and nose and a face's, in sides of the face."""
    side = float((size * (face.box.width, face.box.height)).max())
    return float(np.hypot(*(body[list(_FIVE), :2] - face.points[:3] * size).T).mean()) / max(side, 1.0)


def _hand(size: Floats, elbow: Floats, wrist: Floats) -> float:
    """How surely a hand is seen: as surely as its wrist, unless it lies outside the picture."""
    middle = wrist[:2] + (wrist[:2] - elbow[:2]) * _REACH
    return _sureness(wrist) if ((middle >= 0) & (middle < size)).all() else 0.0


def _sureness(point: Floats) -> float:
    """How surely a point of the body is seen, 0..1, not calibrated."""
    return 1 / (1 + math.exp((_AS_LIKELY - float(point[2])) / _DOUBT))


def _size(image: Image) -> Floats:
    """(2,) width and height in pixels."""
    return np.array([image.width, image.height], np.float32)


def _corners(box: Box, size: Floats) -> Floats:
    """(4,) left top right bottom in pixels."""
    ratios = np.array([box.left, box.top, box.left + box.width, box.top + box.height], np.float32)
    return ratios * np.tile(size, 2)
