# SPDX-License-Identifier: Apache-2.0
"""Lines and words in a video. Each frame is read by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from overt.jobs.task import Tools, finding
from overt.models.filters import WordFilter
from overt.models.tasks.text import TextReader
from overt.types import Finding, Footage, Frame, Written


@dataclass(frozen=True, slots=True)
class Texts:
    """Implements `Task`."""

    wanted: WordFilter
    rate: ClassVar = 2.0
    side: ClassVar = None
    hears: ClassVar = False

    def begin(self, tools: Tools, footage: Footage, state: Any) -> _Watch:  # noqa: ARG002 - as `Task.begin`
        """See `Task.begin`."""
        return _Watch(self.wanted, tools.models.text)


class _Watch:
    def __init__(self, wanted: WordFilter, reader: TextReader) -> None:
        self._wanted = wanted
        self._reader = reader

    def glance(self, frame: Frame) -> Sequence[Written]:
        lines, words = self._reader.read(frame.image, where=self._wanted.touches)
        return self._wanted.kept(lines, words)

    def see(self, frame: Frame, glance: Sequence[Written]) -> Iterator[Finding]:
        for item in glance:
            yield finding(frame.time, "", item)

    def finish(self) -> tuple[Finding, ...]:
        return ()

    def state(self) -> Any:
        return None
