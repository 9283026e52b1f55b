# SPDX-License-Identifier: Apache-2.0
"""From sights to visits: somebody of the list is there, once, from when to when, however often the face is seen.

A person is a user of the list, or all faces under one ExternalImageId, or one face. Knows no camera and no store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from overt.streams.watch import Sight
from overt.types import Box, Match, StoredFace

_UNKNOWN = 2.0
"""Seconds that a face must have been in sight before it counts as nobody of the list: first sights are often bad."""


class Stage(Enum):
    """What is new of a visit: that it has begun, that a sight was better than all before, that it is over."""

    BEGUN = "begun"
    BETTER = "better"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Visit:
    """One person in front of one camera. match: the best so far; None = of nobody of the list.

    start, end: seconds of the first and of the last sight. box: where the face was at its best sight.
    """

    number: int
    match: Match[StoredFace] | None
    start: float
    end: float
    box: Box
    stage: Stage = Stage.BEGUN


class Visits:
    """Tells visits when they begin, get better and are over. Not thread-safe."""

    def __init__(self, quiet: float = 10.0, *, tells_unknown: bool = False) -> None:
        """Args: quiet: seconds out of sight that end a visit. tells_unknown: whether strangers are visitors, too."""
        self._quiet = quiet
        self._tells_unknown = tells_unknown
        self._there: dict[str, Visit] = {}
        self._strangers: dict[int, float] = {}  # since when they are in sight
        self._next = 0

    def resume(self, match: Match[StoredFace], box: Box) -> int:
        """A visit that had begun before an interruption goes on at second 0, if they are still there; its number."""
        visit = Visit(self._next, match, 0.0, 0.0, box)
        self._next += 1
        self._there[person(match.subject)] = visit
        return visit.number

    def see(self, sights: Sequence[Sight], time: float) -> Iterator[Visit]:
        """The sights of a frame, at a time in seconds: the visits of which there is news."""
        for sight in sights:
            if sight.is_confirmed:
                yield from self._visit(sight, time)
        yield from self._end([key for key, visit in self._there.items() if time - visit.end > self._quiet])
        in_sight = {sight.index for sight in sights}
        self._strangers = {index: since for index, since in self._strangers.items() if index in in_sight}

    def finish(self) -> Iterator[Visit]:
        """The camera is off: the visits that this ends."""
        yield from self._end(list(self._there))

    def _visit(self, sight: Sight, time: float) -> Iterator[Visit]:
        match = sight.matches[0] if sight.matches else None
        if match is None:
            since = self._strangers.setdefault(sight.index, time)
            if not self._tells_unknown or time - since < _UNKNOWN:
                return
            key = f"unknown {sight.index}"
        else:
            key = person(match.subject)
        before = self._there.get(key)
        if before is None:
            visit = Visit(self._next, match, time, time, sight.face.box)
            self._next += 1
            yield visit
        else:
            visit = replace(before, end=time)
            if match and before.match and match.similarity > before.match.similarity:
                visit = replace(visit, match=match, box=sight.face.box)
                yield replace(visit, stage=Stage.BETTER)
        self._there[key] = visit

    def _end(self, keys: Sequence[str]) -> Iterator[Visit]:
        for key in keys:
            yield replace(self._there.pop(key), stage=Stage.OVER)


def person(face: StoredFace) -> str:
    """Whom a face is of, as far as the list tells."""
    if face.user_id is not None:
        return f"user {face.user_id}"
    return f"external {face.external_image_id}" if face.external_image_id is not None else f"face {face.id}"
