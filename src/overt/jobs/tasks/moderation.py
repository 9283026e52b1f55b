# SPDX-License-Identifier: Apache-2.0
"""Unsafe content in a video, frame by frame and in spans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from overt.jobs.spans import Spans
from overt.jobs.task import Tools, finding
from overt.models.tasks.moderation import Moderator, Verdicts
from overt.models.taxonomy.unsafe import as_older
from overt.types import Finding, Footage, Frame, Unsafe


@dataclass(frozen=True, slots=True)
class Judged:
    """A label, and the style of the picture it was seen in: (name, confidence 0..1) each."""

    label: Unsafe
    styles: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Moderation:
    """Implements `Task`. least: confidence, 0..1. is_older: whether labels have their names of version 6.1."""

    least: float
    is_older: bool
    rate: ClassVar = 2.0
    side: ClassVar = None
    hears: ClassVar = False

    def begin(self, tools: Tools, footage: Footage, state: Any) -> _Watch:
        """See `Task.begin`."""
        return _Watch(self, tools.models.moderation, Spans(Judged, 1 / self.rate, footage.duration, state))


class _Watch:
    def __init__(self, task: Moderation, moderator: Moderator, spans: Spans[Judged]) -> None:
        self._task = task
        self._moderator = moderator
        self._spans = spans

    def glance(self, frame: Frame) -> Verdicts:
        return self._moderator.look(frame.image, self._task.least)

    def see(self, frame: Frame, glance: Verdicts) -> Iterator[Finding]:
        labels = as_older(glance.labels) if self._task.is_older else glance.labels
        judged = {label.name: (label.confidence, Judged(label, glance.styles)) for label in labels}
        for name, (_, each) in judged.items():
            yield finding(frame.time, name, each)
        yield from self._spans.see(frame.time, judged)

    def finish(self) -> Iterator[Finding]:
        return self._spans.finish()

    def state(self) -> Any:
        return self._spans.state()
