# SPDX-License-Identifier: Apache-2.0
"""`overt collections reindex`: a collection's faces embedded anew by the installed model, from their pictures.

A second collection is filled beside the first, which serves until the second has all and takes its name in one
transaction. Vectors of the two models never meet.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from overt.cli import levelling, linking, moving, output, progress
from overt.cli.albums import Place
from overt.cli.collections import find
from overt.cli.home import engine
from overt.cli.ledger import Ledger
from overt.cli.linking import Group
from overt.cli.moving import Outcome, Row
from overt.cli.record import recorded
from overt.engine import Engine
from overt.errors import WireError
from overt.media.fetch import INLINE_BYTES
from overt.ops import show
from overt.ops.faces import image_id, index_chosen
from overt.types import Box, Collection, Image, StoredFace
from overt.wire import local

_LONGEST = 255
_SHOWN = 20
_SUFFIX = ".reindex"


def reindex(
    collection: Annotated[str, typer.Argument(metavar="NAME", help="The collection.")],
    pictures: Annotated[str, typer.Option("--from", help="Its pictures: s3://bucket/prefix, or a folder.")],
    name: Annotated[
        str | None, typer.Option("--as", help="Leave it as it is, and call the new one this [default: replace it].")
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Also when faces are left without a picture: those are lost.")
    ] = False,
    overlap: Annotated[
        float, typer.Option(min=0.05, max=0.95, help="Least overlap of a face's boxes then and now.")
    ] = linking.OVERLAP,
    again: Annotated[bool, typer.Option("--again", help="Also do pictures that an earlier run has done.")] = False,
    home: output.HomeOption = None,
    as_json: output.JsonOption = False,
) -> None:
    """Embed a collection's faces anew with the installed model, keeping FaceIds, ExternalImageIds, users and tags.

    Pictures are known by their content, whatever they are called. Interrupted, it goes on where it stopped when run
    again, also with the rest of the pictures from another place. Until all is there the collection stays as it is.
    """
    place = Place.parse(pictures)
    with engine(home, place.mounts, **place.changes) as opened:
        old = find(opened, collection)
        target = name or f"{collection[: _LONGEST - len(_SUFFIX)]}{_SUFFIX}"
        if old.model == opened.models.faces.model:
            cleared = not name and _clear_away(opened, target, old.model)
            told = {"collection": collection, "model": old.model, "changed": cleared}
            output.show(told, lambda: output.line(f"{collection} is of model {old.model}: done"), as_json=as_json)
            return
        with recorded(opened, "ReindexCollection", repr((collection, target, place.written))):
            new, ledger = _prepare(opened, old, target, place, overlap, fresh=again)
            work = _Work(opened, place, old, new, overlap)
            outcome = _embed(work, ledger, quiet=as_json)
            outcome.missing = levelling.level(opened, old, new, replace=not name, allow_missing=allow_missing)
        whole = allow_missing or not outcome.missing
        if whole and not name:
            local.call(opened, "DeleteCollection", CollectionId=target)  # by now it has the old vectors
        _tell(work, outcome, name or collection, whole=whole, as_json=as_json)
    if not whole:
        raise typer.Exit(1)


# --- two collections ---


def _mark(opened: Engine, target: Collection) -> Ledger:
    """Whether a collection was made by this command; a namesake made later is another one."""
    return Ledger.open(opened, f"reindexed into {target.id} of {target.created.timestamp()}")


def _clear_away(opened: Engine, target: str, model: str) -> bool:
    """Remove the old vectors that an interrupted run has left under the name of its second collection."""
    try:
        left = find(opened, target)
    except output.CommandError:
        return False
    if left.model == model or _mark(opened, left).get("begun") is None:
        return False
    local.call(opened, "DeleteCollection", CollectionId=target)
    return True


def _prepare(
    opened: Engine, old: Collection, target: str, place: Place, overlap: float, *, fresh: bool
) -> tuple[Collection, Ledger]:
    """The second collection, made unless an earlier run has, and what has been done for it with these pictures.

    Raises: CommandError when another one has that name.
    """
    try:
        new = find(opened, target)
    except output.CommandError:
        with opened.stores.read() as unit:
            tags = dict(unit.tags.of(show.resource(old)))
        local.call(opened, "CreateCollection", CollectionId=target, Tags=tags)
        new = find(opened, target)
        _mark(opened, new).note("begun", 1)
    if _mark(opened, new).get("begun") is None:
        raise output.CommandError(f"there is a collection {target} already; choose another name with --as")
    if new.model != opened.models.faces.model:
        raise output.CommandError(
            f"{target} was begun with model {new.model}, and the installed one is {opened.models.faces.model}: "
            f"remove it with `overt collections delete {target}` and run this again"
        )
    whole = f"{old.id} of {old.created.timestamp()} into {target} of {new.created.timestamp()}"
    return new, Ledger.open(opened, f"reindex {place.written} {whole} by {overlap}", fresh=fresh)


# --- faces ---


@dataclass(slots=True)
class _Work:
    """One collection's way from a model to another. Thread-safe once made. faces: to be found, by ImageId."""

    engine: Engine
    place: Place
    old: Collection
    new: Collection
    least: float
    faces: dict[str, list[StoredFace]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        with self.engine.stores.read() as unit:
            for face in levelling.faces_of(unit, self.old):
                self.faces[face.image_id].append(face)

    def embed(self, group: Group) -> Outcome:
        """Find the faces that were enrolled of a picture (a group of one) and embed them, under their ids."""
        outcome, picture = Outcome(), group.pictures[0]
        try:
            raw = self.engine.media.fetch(self.place.image(picture))
            digest = hashlib.sha256(raw).hexdigest()
            source = {"Bytes": raw} if len(raw) <= INLINE_BYTES else self.place.image(picture)
            by_external: dict[str | None, list[StoredFace]] = defaultdict(list)
            for face in self.faces.get(image_id(digest), ()):
                by_external[face.external_image_id].append(face)
            for external, members in by_external.items():
                outcome.rows += self._enrol(source, digest, external, members)
        except WireError as error:
            outcome.fail(0, error, f"{self.place.bucket}/{picture.key}")
        return outcome

    def _enrol(
        self, source: Mapping[str, Any], digest: str, external: str | None, members: Sequence[StoredFace]
    ) -> list[Row]:
        def choose(image: Image, boxes: Sequence[Box]) -> list[tuple[int, str | None]]:
            # Read a second time it may be another picture.
            return _chosen(boxes, members, self.least) if image.sha256 == digest else []

        named = {"ExternalImageId": external} if external else {}
        indexed = local.call(
            self.engine, "IndexFaces", act=index_chosen(choose), CollectionId=self.new.id, Image=source, **named
        )
        found = {record["Face"]["FaceId"] for record in indexed["FaceRecords"]}
        return [Row(face.id, face.id if face.id in found else "", 0) for face in members]


def _chosen(boxes: Sequence[Box], members: Sequence[StoredFace], least: float) -> list[tuple[int, str | None]]:
    """Which of the boxes is which face; faces with one and the same box are one."""
    places: dict[Box, list[str]] = defaultdict(list)
    for face in members:
        places[face.box].append(face.id)
    wanted = list(places)
    return [
        (pair.found, face_id) for pair in linking.pair(boxes, wanted, least) for face_id in places[wanted[pair.wanted]]
    ]


@dataclass(slots=True)
class _Outcome:
    """What became of the pictures. missing: ids of faces that the new collection lacks."""

    pictures: int
    done_before: int = 0
    strays: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def _embed(work: _Work, ledger: Ledger, *, quiet: bool) -> _Outcome:
    pictures = work.place.pictures(work.engine.settings)
    told = _Outcome(len(pictures))
    groups = [Group("", (picture,), ()) for picture in pictures]
    with progress.bars(quiet=quiet) as bar:
        task = bar.add_task("embedding", total=len(groups))
        for group, outcome, before in moving.each(groups, work.embed, work.engine, ledger):
            bar.advance(task)
            told.done_before += before
            told.strays += not outcome.rows and not outcome.problems
            if outcome.problems:
                told.problems[group.pictures[0].key] = outcome.problems[0]
    return told


# --- telling ---


def _tell(work: _Work, outcome: _Outcome, name: str, *, whole: bool, as_json: bool) -> None:
    total, model = sum(map(len, work.faces.values())), work.new.model
    result = {
        "collection": name,
        "model": model,
        "model_before": work.old.model,
        "changed": whole,
        "pictures": outcome.pictures,
        "done_before": outcome.done_before,
        "pictures_of_no_face": outcome.strays,
        "failed": [{"key": key, "reason": told} for key, told in sorted(outcome.problems.items())],
        "faces": total,
        "missing": outcome.missing,
    }

    def people() -> None:
        output.line(
            f"{outcome.pictures} pictures, {outcome.done_before} done before, "
            f"{outcome.strays} without an enrolled face: {total - len(outcome.missing)} of {total} faces embedded"
        )
        for key, told in sorted(outcome.problems.items())[:_SHOWN]:
            output.line(f"  {key}: {told}")
        for face_id in outcome.missing[:_SHOWN]:
            output.line(f"  no picture: face {face_id}")
        if whole:
            output.line(f"{name} is of model {model} now; restart servers that were started before it was installed")
        else:
            output.line(
                f"{len(outcome.missing)} faces have no picture here, so {work.old.id} was left as it was. Run it again "
                "--from where the rest is, or give them up with --allow-missing"
            )

    output.show(result, people, as_json=as_json)
