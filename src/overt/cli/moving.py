# SPDX-License-Identifier: Apache-2.0
"""Enrols the pictures of a migration: the faces that the source had, or without a source what the filter lets pass.

Knows how one group of pictures is done; what belongs together is `linking`'s, what is done already the ledger's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from typing import Any

from overt.cli import linking
from overt.cli.albums import Place
from overt.cli.ledger import Ledger
from overt.cli.linking import Group
from overt.cli.output import CommandError
from overt.cli.source import SourceFace, box_of
from overt.engine import Engine
from overt.errors import (
    ImageTooLargeException,
    InvalidImageFormatException,
    InvalidParameterException,
    WireError,
)
from overt.ops.faces import Choice, index_chosen
from overt.types import Box, Image
from overt.wire import local

_LASTING = (InvalidImageFormatException, ImageTooLargeException, InvalidParameterException)
"""What is wrong with a picture itself, and will be the next time too."""
_AHEAD = 4
"""Pictures fetched while all workers are busy, as S3 takes its time."""
_HOPELESS = 20
"""Groups failing one after another from which on it is not the pictures' fault."""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one face.

    source: its FaceId there, "" = enrolled without one. face: its FaceId here, "" = not enrolled. picture: place in
    the group, None = none is left for it. overlap: of the two boxes. clear: whether the picture could be told apart.
    """

    source: str
    face: str
    picture: int | None
    overlap: float = 0.0
    clear: bool = True


@dataclass(slots=True)
class Outcome:
    """What became of a group. problems: by place of the picture. settled: whether another try would change nothing."""

    rows: list[Row] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)
    settled: bool = True

    def fail(self, number: int, error: WireError, name: str) -> None:
        """A picture could not be worked on. name: what the error calls it, which is not told."""
        self.problems[number] = (error.detail or error.text).replace(name, "the picture")
        self.settled &= isinstance(error, _LASTING)


@dataclass(frozen=True, slots=True)
class Mover:
    """Enrols groups in a collection. Thread-safe. least: overlap of boxes of the same face."""

    engine: Engine
    place: Place
    collection: str
    least: float = linking.OVERLAP
    max_faces: int = 100
    quality: str = "AUTO"

    def follow(self, group: Group) -> Outcome:
        """Enrol the faces that the source had."""
        outcome = Outcome()
        for number, faces, clear in self._shares(group, outcome):
            if number is None or number in outcome.problems:
                outcome.rows += [Row(face.id, "", number) for face in faces]
            else:
                self._enrol(group, number, faces, outcome, clear=clear)
        return outcome

    def take(self, group: Group) -> Outcome:
        """Enrol what the quality filter lets pass of a group of one picture, the largest faces first."""
        outcome = Outcome()
        indexed = self._try(
            group, 0, outcome, "IndexFaces", MaxFaces=self.max_faces, QualityFilter=self.quality, **self._into(group)
        )
        if indexed:
            outcome.rows += [Row("", record["Face"]["FaceId"], 0) for record in indexed["FaceRecords"]]
            if not outcome.rows:
                reasons = sorted({reason for face in indexed["UnindexedFaces"] for reason in face["Reasons"]})
                outcome.problems[0] = ", ".join(reasons) or "no face was found"
        return outcome

    def _shares(self, group: Group, outcome: Outcome) -> Iterator[tuple[int | None, Sequence[SourceFace], bool]]:
        """Each picture of the source: which one it is here, its faces, and whether that is clear."""
        images = group.images
        if len(images) == len(group.pictures) == 1:
            yield 0, images[0], True
            return
        seen = {}
        for number in range(len(group.pictures)):
            found = self._try(group, number, outcome, "DetectFaces")
            if found:
                seen[number] = [box_of(face["BoundingBox"]) for face in found["FaceDetails"]]
        numbers = list(seen)
        deals = linking.deal(list(seen.values()), [[face.box for face in image] for image in images], self.least)
        dealt = {deal.image: (numbers[deal.picture], deal.clear) for deal in deals}
        for at, image in enumerate(images):
            where = dealt.get(at)
            yield (where[0], image, where[1]) if where else (None, image, True)

    def _enrol(self, group: Group, number: int, faces: Sequence[SourceFace], outcome: Outcome, *, clear: bool) -> None:
        """Find the source's faces in a picture and enrol those."""
        paired: list[tuple[SourceFace, linking.Pair]] = []

        def choose(_image: Image, boxes: Sequence[Box]) -> list[tuple[int, str | None]]:
            for members in linking.by_image(faces).values():
                pairs = linking.pair(boxes, [face.box for face in members], self.least)
                paired.extend((members[pair.wanted], pair) for pair in pairs)
            return [(place, None) for place in sorted({pair.found for _, pair in paired})]

        indexed = self._try(group, number, outcome, "IndexFaces", choice=choose, **self._into(group))
        ids: dict[int, str] = {}
        if indexed:
            places = sorted({pair.found for _, pair in paired})
            records = indexed["FaceRecords"]
            ids = {place: record["Face"]["FaceId"] for place, record in zip(places, records, strict=True)}
        found = {face.id: Row(face.id, ids[pair.found], number, pair.overlap, clear) for face, pair in paired if ids}
        outcome.rows += [found.get(face.id, Row(face.id, "", number)) for face in faces]

    def _into(self, group: Group) -> dict[str, Any]:
        named = {"ExternalImageId": group.external} if group.external else {}
        return {"CollectionId": self.collection, **named}

    def _try(
        self, group: Group, number: int, outcome: Outcome, operation: str, choice: Choice | None = None, **params: Any
    ) -> dict[str, Any] | None:
        """One call on a picture; None, and the outcome says why, when it failed."""
        picture = group.pictures[number]
        act = index_chosen(choice) if choice else None
        try:
            return local.call(self.engine, operation, act=act, Image=self.place.image(picture), **params)
        except WireError as error:
            outcome.fail(number, error, f"{self.place.bucket}/{picture.key}")
            return None


def each(
    groups: Sequence[Group], move: Callable[[Group], Outcome], engine: Engine, ledger: Ledger
) -> Iterator[tuple[Group, Outcome, bool]]:
    """Do the groups that the ledger has not settled, several at a time, and note them.

    Yields: every group, what became of it, and whether it was done before; in no order.
    Raises: CommandError when nothing works any more.
    """
    todo = []
    for group in groups:
        kept = ledger.get(_told(group))
        if kept is None:
            todo.append(group)
        else:
            yield group, _read(kept), True
    most = min(engine.settings.workers + _AHEAD, engine.settings.workers + engine.settings.image_queue)
    failed = 0
    with ThreadPoolExecutor(most) as threads:
        for group, outcome in _in_turn(threads, move, todo, most):
            if outcome.settled:
                ledger.note(_told(group), _written(outcome))
            failed = 0 if outcome.settled else failed + 1
            if failed == _HOPELESS:
                told = next(iter(outcome.problems.values()))
                raise CommandError(f"stopped, as {_HOPELESS} pictures one after another failed; the last: {told}")
            yield group, outcome, False


def _in_turn(
    threads: ThreadPoolExecutor, move: Callable[[Group], Outcome], groups: Sequence[Group], most: int
) -> Iterator[tuple[Group, Outcome]]:
    """Never more at once than `most`, so that stopping is quick and a million groups are no million tasks."""
    waiting: dict[Future[Outcome], Group] = {}
    rest = iter(groups)
    while True:
        while len(waiting) < most and (group := next(rest, None)) is not None:
            waiting[threads.submit(move, group)] = group
        if not waiting:
            return
        for done in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield waiting.pop(done), done.result()


def _told(group: Group) -> str:
    pictures = [(picture.key, picture.version) for picture in group.pictures]
    return repr((group.external, pictures, sorted((face.id, *asdict(face.box).values()) for face in group.faces)))


def _written(outcome: Outcome) -> Any:
    rows = [[row.source, row.face, row.picture, round(row.overlap, 4), row.clear] for row in outcome.rows]
    return [rows, list(outcome.problems.items())]


def _read(kept: Any) -> Outcome:
    rows, problems = kept
    return Outcome([Row(*row) for row in rows], dict(problems))
