# SPDX-License-Identifier: Apache-2.0
"""Which face of a source is which face of a picture: by ExternalImageId, then by where it lies. Looks at no picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from overt.cli.albums import Picture
from overt.cli.source import SourceFace
from overt.models.tasks.detect import iou
from overt.types import Box, Floats

OVERLAP = 0.3
"""Least intersection over union of one face's boxes by two detectors; two faces of a picture share far less."""
_CLEAR = 0.1
"""By how much a picture's boxes must fit better than the next picture's before it counts as told apart."""


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures, and the source's faces that are in them. external: their ExternalImageId, "" = none."""

    external: str
    pictures: tuple[Picture, ...]
    faces: tuple[SourceFace, ...]

    @property
    def images(self) -> list[tuple[SourceFace, ...]]:
        """The faces by picture of the source; a picture that was enrolled twice has the same boxes twice."""
        by_boxes: dict[frozenset[Box], list[SourceFace]] = defaultdict(list)
        for faces in by_image(self.faces).values():
            by_boxes[frozenset(face.box for face in faces)] += faces
        return [tuple(faces) for faces in by_boxes.values()]


@dataclass(slots=True)
class Links:
    """What belongs together. strays: pictures without a source face; orphans: source faces without a picture."""

    groups: list[Group] = field(default_factory=list)
    strays: list[Picture] = field(default_factory=list)
    orphans: list[SourceFace] = field(default_factory=list)


def link(named: Sequence[tuple[Picture, str]], faces: Iterable[SourceFace], known: Mapping[str, Picture]) -> Links:
    """Sort pictures and source faces into groups.

    Args: named: pictures with the ExternalImageId each would have. known: pictures of faces (by FaceId) whose picture
    is known without; all faces of their ImageId go with them, and the picture with no others.
    """
    links = Links()
    free: dict[str, list[SourceFace]] = defaultdict(list)
    pinned: dict[tuple[str, Picture], list[SourceFace]] = defaultdict(list)
    for members in by_image(faces).values():
        picture = next((known[face.id] for face in members if face.id in known), None)
        if picture is None:
            free[members[0].external] += members
        else:
            pinned[members[0].external, picture] += members
    links.groups += [Group(external, (picture,), tuple(members)) for (external, picture), members in pinned.items()]
    taken = {picture for _, picture in pinned}
    pictures: dict[str, list[Picture]] = defaultdict(list)
    for picture, external in named:
        if picture not in taken:
            pictures[external].append(picture)
    pictures.pop("", None)  # faces without an ExternalImageId are of any picture
    for external, alike in pictures.items():
        if external in free:
            links.groups.append(Group(external, tuple(alike), tuple(free[external])))
    enrolled = taken | {picture for group in links.groups for picture in group.pictures}
    links.strays = [picture for picture in dict.fromkeys(picture for picture, _ in named) if picture not in enrolled]
    links.orphans = [face for external, members in free.items() if external not in pictures for face in members]
    return links


def by_image(faces: Iterable[SourceFace]) -> dict[str, list[SourceFace]]:
    """Faces by the source's ImageId."""
    images: dict[str, list[SourceFace]] = defaultdict(list)
    for face in faces:
        images[face.image].append(face)
    return images


@dataclass(frozen=True, slots=True)
class Pair:
    """A face found (by its place in the list) and the wanted one it is. overlap: 0..1."""

    found: int
    wanted: int
    overlap: float


def pair(found: Sequence[Box], wanted: Sequence[Box], least: float) -> list[Pair]:
    """The one-to-one pairs of boxes with the greatest overlap in all, each at least `least`."""
    if not found or not wanted:
        return []
    overlaps = iou(_corners(found), _corners(wanted))
    rows, columns = _assigned(np.where(overlaps >= least, overlaps, 0))
    return [
        Pair(int(row), int(column), float(overlaps[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if overlaps[row, column] >= least
    ]


@dataclass(frozen=True, slots=True)
class Deal:
    """Which pictures are which. image: place in the list of the source's; picture: in that of the pictures.

    clear: whether no other picture fits nearly as well.
    """

    image: int
    picture: int
    clear: bool


def deal(pictures: Sequence[Sequence[Box]], images: Sequence[Sequence[Box]], least: float) -> list[Deal]:
    """Tell pictures under one ExternalImageId apart by where their faces lie; those that fit none are left out.

    Args: pictures: boxes found in each. images: boxes of each picture of the source.
    """
    if not pictures or not images:
        return []
    scores = np.stack([_fit(pictures, boxes) for boxes in images])
    if scores.size == 1:  # nothing to tell apart
        return [Deal(0, 0, clear=True)]
    rows, columns = _assigned(scores)
    dealt = []
    for row, column in zip(rows, columns, strict=True):
        score = scores[row, column]
        if score >= least:
            rest = np.concatenate([np.delete(scores[row], column), np.delete(scores[:, column], row)])
            dealt.append(Deal(int(row), int(column), clear=bool(rest.max() < score - _CLEAR)))
    return dealt


def _assigned(scores: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The one-to-one pairs of rows and columns with the greatest sum of scores."""
    from scipy.optimize import linear_sum_assignment  # slow to import, and every command imports this module

    return linear_sum_assignment(scores, maximize=True)


def _fit(pictures: Sequence[Sequence[Box]], wanted: Sequence[Box]) -> npt.NDArray[np.float64]:
    """How well each picture's faces lie where these do: the mean over these of the best overlap, 0..1."""
    filled = [number for number, boxes in enumerate(pictures) if boxes]
    fits = np.zeros(len(pictures))
    if filled:
        starts = np.cumsum([0] + [len(pictures[number]) for number in filled[:-1]])
        overlaps = iou(_corners(wanted), _corners([box for number in filled for box in pictures[number]]))
        fits[filled] = np.maximum.reduceat(overlaps, starts, axis=1).mean(axis=0)
    return fits


def _corners(boxes: Sequence[Box]) -> Floats:
    """(n, 4) left, top, right, bottom."""
    return np.array([(box.left, box.top, box.left + box.width, box.top + box.height) for box in boxes], np.float32)
