# SPDX-License-Identifier: Apache-2.0
"""The paths of people through a video, by their bodies and the colours of their clothes. Knows nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from overt.jobs.task import Tools, finding
from overt.jobs.tasks.sights import Sight, name
from overt.models.hub import Hub
from overt.models.tasks.scenes import PERSON
from overt.models.tracking.looks import looks
from overt.models.tracking.tracker import PEOPLE, Tracker
from overt.types import Box, Face, Finding, Floats, Footage, Frame

_LEAST = 0.1
"""Confidence from which a body may go on with a path that surer sights began."""


@dataclass(frozen=True, slots=True)
class People:
    """Implements `Task`."""

    rate: ClassVar = 5.0
    side: ClassVar = None
    hears: ClassVar = False

    def begin(self, tools: Tools, footage: Footage, state: Any) -> _Watch:
        """See `Task.begin`."""
        tracker = Tracker.of(state["tracker"]) if state else Tracker(footage.width / footage.height, PEOPLE)
        first = {index: Finding(*rest) for index, *rest in state["first"]} if state else {}
        return _Watch(tools.models, tracker, first)


@dataclass(frozen=True, slots=True)
class _Glance:
    """The bodies of a frame, surer ones and others. faces: of those that show one, by the body's place."""

    boxes: Sequence[Box]
    scores: Sequence[float]
    looks: Floats
    faces: Mapping[int, Face]


class _Watch:
    def __init__(self, models: Hub, tracker: Tracker, first: dict[int, Finding]) -> None:
        """Args: first: the first sights of paths that were seen only once as yet: what is never seen again is no one's.

        Detectors take a cone, or two people, for a person once in a while.
        """
        self._scenes = models.scenes
        self._faces = models.faces
        self._tracker = tracker
        self._first = first

    def glance(self, frame: Frame) -> _Glance:
        found = [each for each in self._scenes.objects(frame.image, _LEAST) if each.label == PERSON]
        boxes = [each.box for each in found]
        faces = self._faces.detect(frame.image) if boxes else ()
        owned = {place: self._faces.describe(frame.image, face) for place, face in _owners(boxes, faces).items()}
        return _Glance(boxes, [each.confidence for each in found], looks(frame.image, boxes), owned)

    def see(self, frame: Frame, glance: _Glance) -> Iterator[Finding]:
        numbers = self._tracker.update(glance.boxes, glance.scores, frame.time, glance.looks)
        for place, index in enumerate(numbers):
            if index is not None:
                seen = finding(frame.time, name(index), Sight(index, glance.boxes[place], glance.faces.get(place)))
                if self._tracker.is_confirmed(index):
                    yield from (each for each in (self._first.pop(index, None), seen) if each)
                else:
                    self._first[index] = seen
        for index in self._tracker.ended():
            self._first.pop(index, None)

    def finish(self) -> tuple[Finding, ...]:
        return ()

    def state(self) -> Any:
        first = [[index, each.time, each.name, each.view, each.body] for index, each in self._first.items()]
        return {"tracker": self._tracker.state(), "first": first}


def _owners(bodies: Sequence[Box], faces: Sequence[Face]) -> dict[int, Face]:
    """The face of each body that has one: a face is of the smallest body around its middle, and a body has one."""
    owners: dict[int, Face] = {}
    for face in faces:  # the largest first
        x, y = face.box.left + face.box.width / 2, face.box.top + face.box.height / 2
        around = [
            place
            for place, body in enumerate(bodies)
            if 0 <= x - body.left <= body.width and 0 <= y - body.top <= body.height
        ]
        if around:
            owners.setdefault(min(around, key=lambda place: bodies[place].area), face)
    return owners
