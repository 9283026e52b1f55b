# SPDX-License-Identifier: Apache-2.0
"""Faces in a video, described. Each frame is looked at by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from overt.jobs.task import Tools, finding
from overt.models.tasks.faces import FaceTasks
from overt.types import Face, Finding, Footage, Frame


@dataclass(frozen=True, slots=True)
class Faces:
    """Implements `Task`. attributes: as `FaceTasks.describe` has them."""

    attributes: frozenset[str]
    rate: ClassVar = 5.0
    side: ClassVar = None
    hears: ClassVar = False

    def begin(self, tools: Tools, footage: Footage, state: Any) -> _Watch:  # noqa: ARG002 - as `Task.begin`
        """See `Task.begin`."""
        return _Watch(self.attributes, tools.models.faces)


class _Watch:
    def __init__(self, attributes: frozenset[str], models: FaceTasks) -> None:
        self._attributes = attributes
        self._models = models

    def glance(self, frame: Frame) -> list[Face]:
        faces = self._models.detect(frame.image)
        return [self._models.describe(frame.image, face, self._attributes) for face in faces]

    def see(self, frame: Frame, glance: list[Face]) -> Iterator[Finding]:
        for face in glance:
            yield finding(frame.time, "", face)

    def finish(self) -> tuple[Finding, ...]:
        return ()

    def state(self) -> Any:
        return None
