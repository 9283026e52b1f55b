# SPDX-License-Identifier: Apache-2.0
"""The shots and technical cues of a video, as a task: every frame, small, with its sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from overt.jobs.segments import KINDS, SIDE, Kind
from overt.jobs.segments import Segments as Maker
from overt.jobs.task import Tools, finding
from overt.types import Finding, Footage, Frame

SHOT, CUE = "SHOT", "TECHNICAL_CUE"


@dataclass(frozen=True, slots=True)
class Segments:
    """Implements `Task`.

    types: SHOT, TECHNICAL_CUE or both. least_shot, least_cue: confidence, 0..1. threshold, coverage: of black frames,
    see `jobs.segments.Segments`.
    """

    types: tuple[str, ...]
    least_shot: float
    least_cue: float
    threshold: float
    coverage: float
    rate: ClassVar = None
    side: ClassVar = SIDE

    @property
    def hears(self) -> bool:
        """See `Task.hears`: black frames with sound are content."""
        return CUE in self.types

    def begin(self, tools: Tools, footage: Footage, state: Any) -> _Watch:  # noqa: ARG002 - as `Task.begin`
        """See `Task.begin`."""
        kinds: list[Kind] = [kind for kind in KINDS if (SHOT if kind == SHOT else CUE) in self.types]
        return _Watch(self, Maker.of(state) if state else Maker(kinds, self.threshold, self.coverage))


class _Watch:
    def __init__(self, task: Segments, maker: Maker) -> None:
        self._task = task
        self._maker = maker

    def glance(self, frame: Frame) -> None:
        pass

    def see(self, frame: Frame, _glance: None) -> tuple[Finding, ...]:
        self._maker.see(frame)
        return ()

    def finish(self) -> Iterator[Finding]:
        for segment in self._maker.finish():
            is_shot = segment.kind == SHOT
            if segment.confidence >= (self._task.least_shot if is_shot else self._task.least_cue):
                yield finding(segment.start, SHOT if is_shot else CUE, segment)

    def state(self) -> Any:
        return self._maker.state()
