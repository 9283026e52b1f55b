# SPDX-License-Identifier: Apache-2.0
"""How long something was seen: the same name in one look after another becomes one span."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from overt.jobs.task import SPANS, finding
from overt.stores import plain
from overt.types import Finding

Seen = TypeVar("Seen")


@dataclass(frozen=True, slots=True)
class Span(Generic[Seen]):
    """Something seen from start to end, in milliseconds. what: as it was when it was seen most surely."""

    start: int
    end: int
    what: Seen


class Spans(Generic[Seen]):
    """Spans that are still going on. A look tells of the time up to the next one, at most up to the video's end."""

    def __init__(self, kind: type[Seen], step: float, length: float, state: Any = None) -> None:
        """Args: step: seconds between looks. length: of the video, in seconds. state: of `state`."""
        self._kind = kind
        self._step = step
        self._length = length
        self._going: dict[str, tuple[float, float, float, Seen]] = {
            name: (start, last, sure, plain.read(kind, what)) for name, start, last, sure, what in state or ()
        }

    def see(self, time: float, things: Mapping[str, tuple[float, Seen]]) -> Iterator[Finding]:
        """A look at a time, in seconds: what it showed, by name, and how surely (0..1). Gives the spans that ended."""
        # Frames come a little late on their grid, never by a whole step.
        over = [name for name, (_, last, _, _) in self._going.items() if time - last > 2 * self._step]
        yield from self._end([*over, *(name for name in self._going if name not in things and name not in over)])
        for name, (sure, what) in things.items():
            start, _, best, kept = self._going.get(name, (time, time, -1.0, what))
            self._going[name] = (start, time, max(sure, best), what if sure > best else kept)

    def finish(self) -> Iterator[Finding]:
        """The spans that go on to the end."""
        yield from self._end(list(self._going))

    def state(self) -> Any:
        """Where it stands, as JSON knows it."""
        return [[name, start, last, sure, plain.write(what)] for name, (start, last, sure, what) in self._going.items()]

    def _end(self, names: Iterable[str]) -> Iterator[Finding]:
        for name in names:
            start, last, _, what = self._going.pop(name)
            end = min(last + self._step, max(self._length, last))
            yield finding(start, name, Span(int(start * 1000), int(end * 1000), what), SPANS)
