# SPDX-License-Identifier: Apache-2.0
"""Labels in a video, frame by frame and in spans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from overt.jobs.spans import Spans
from overt.jobs.task import Tools, finding
from overt.models.filters import LabelFilter
from overt.models.tasks.scenes import SceneTasks
from overt.types import Finding, Footage, Frame, Label


@dataclass(frozen=True, slots=True)
class Labels:
    """Implements `Task`. least: confidence, 0..1."""

    least: float
    wanted: LabelFilter
    rate: ClassVar = 2.0
    side: ClassVar = None
    hears: ClassVar = False

    def begin(self, tools: Tools, footage: Footage, state: Any) -> _Watch:
        """See `Task.begin`."""
        spans = Spans(Label, 1 / self.rate, footage.duration, state)
        return _Watch(self, tools.models.scenes, spans)


class _Watch:
    def __init__(self, task: Labels, scenes: SceneTasks, spans: Spans[Label]) -> None:
        self._task = task
        self._scenes = scenes
        self._spans = spans

    def glance(self, frame: Frame) -> list[Label]:
        free = sorted(self._task.wanted.names - self._scenes.labels)
        found = self._scenes.labels_of(frame.image, self._task.least, free)
        return [label for label in found if self._task.wanted.passes(label)]

    def see(self, frame: Frame, glance: list[Label]) -> Iterator[Finding]:
        for label in glance:
            yield finding(frame.time, label.name, label)
        things = {label.name: (label.confidence, replace(label, instances=())) for label in glance}
        yield from self._spans.see(frame.time, things)

    def finish(self) -> Iterator[Finding]:
        return self._spans.finish()

    def state(self) -> Any:
        return self._spans.state()
