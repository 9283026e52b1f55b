# SPDX-License-Identifier: Apache-2.0
"""The five operations on the faces of a collection."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from overt.engine import Engine
from overt.errors import ServiceQuotaExceededException
from overt.models.matching import cosine_floor, matches
from overt.ops import paging, show
from overt.ops.collections import DEFAULT_PAGE
from overt.ops.finding import find_collection, find_embedding, find_gallery, find_user
from overt.ops.images import wanted_attributes
from overt.ops.matching import largest_face, threshold
from overt.ops.registry import Operation, operation
from overt.stores.base import NewFace
from overt.types import Box, Call, Embedding, Face, Image

MOST_MATCHES = 4096  # also when MaxFaces is not given

# Names of faces and pictures are derived, so that the same picture gives the same ids on every server.
_IDS = uuid.UUID("7a1f1a54-6f0e-5c1f-9d7c-3a4e8f0b2c61")


Choice = Callable[[Image, Sequence[Box]], Sequence[tuple[int, str | None]]]
"""Picks among the boxes of a picture's faces, largest first: the places of those to enrol, each with the id that it
is to have, None = the one that is derived."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The faces of a picture that will be enrolled, and those that will not, each with Rekognition's reasons.

    ids: of the faces kept, where they are not to be derived.
    """

    kept: Sequence[tuple[Face, Embedding]]
    left: Sequence[tuple[Face, tuple[str, ...]]]
    ids: Mapping[int, str] = field(default_factory=dict)


@operation("IndexFaces")
def index_faces(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Enrol the faces of a picture in a collection."""
    wanted = wanted_attributes(call, engine, "DetectionAttributes")
    return _index(call, engine, lambda image: _select(call, engine, image, wanted))


def index_chosen(choice: Choice) -> Operation:
    """IndexFaces for callers in this process that know which faces of the picture are to be enrolled.

    The others are never embedded. QualityFilter, MaxFaces and DetectionAttributes have no effect.
    """

    def act(call: Call, engine: Engine) -> Mapping[str, Any]:
        return _index(call, engine, lambda image: _pick(engine, image, choice))

    return act


def _index(call: Call, engine: Engine, select: Callable[[Image], Selection]) -> Mapping[str, Any]:
    with engine.stores.read() as unit:
        find_gallery(unit, call, engine)  # before the work on the picture
    with engine.looking_at(call["Image"]) as (image,):
        selection = select(image)
    stored = _enrol(call, engine, image, selection)
    return {
        "FaceRecords": [
            {"Face": show.face(face), "FaceDetail": show.detail(seen)}
            for face, (seen, _) in zip(stored, selection.kept, strict=True)
        ],
        "UnindexedFaces": [
            {"FaceDetail": show.detail(face), "Reasons": list(reasons)} for face, reasons in selection.left
        ],
        "FaceModelVersion": engine.models.faces.model,
    }


def _select(call: Call, engine: Engine, image: Image, wanted: frozenset[str]) -> Selection:
    models = engine.models.faces
    level, most = call.get("QualityFilter", "AUTO"), call.get("MaxFaces", MOST_MATCHES)
    kept: list[tuple[Face, Embedding]] = []
    left: list[tuple[Face, tuple[str, ...]]] = []
    for found in models.detect(image):  # largest first, so MaxFaces leaves the smallest
        face = models.describe(image, found, wanted)
        reasons = models.shortcomings(face, image, level)
        if reasons:
            left.append((face, reasons))
        elif len(kept) == most:
            left.append((face, ("EXCEEDS_MAX_FACES",)))
        else:
            kept.append((face, models.embed(image, face)))
    return Selection(kept, left)


def _pick(engine: Engine, image: Image, choice: Choice) -> Selection:
    models = engine.models.faces
    found = models.detect(image)
    chosen = choice(image, [face.box for face in found])
    places = [place for place, _ in chosen]
    vectors = {place: models.embed(image, found[place]) for place in dict.fromkeys(places)}
    return Selection(
        kept=[(found[place], vectors[place]) for place in places],
        left=[(face, ()) for place, face in enumerate(found) if place not in vectors],
        ids={number: face_id for number, (_, face_id) in enumerate(chosen) if face_id is not None},
    )


def image_id(sha256: str) -> str:
    """The ImageId, on every server, of a picture whose encoded bytes have this digest (hex)."""
    return str(uuid.uuid5(_IDS, sha256))


def _enrol(call: Call, engine: Engine, image: Image, selection: Selection) -> Sequence[Any]:
    external = call.get("ExternalImageId")
    faces = [
        NewFace(
            selection.ids.get(number) or _face_id(image, face.box, embedding.model, external),
            face.box,
            face.confidence,
            embedding,
        )
        for number, (face, embedding) in enumerate(selection.kept)
    ]
    with engine.stores.write() as unit:
        collection = find_gallery(unit, call, engine)  # it may have gone meanwhile
        if collection.face_count + len(faces) > engine.settings.faces_per_collection:
            raise ServiceQuotaExceededException(
                detail=f"a collection may hold {engine.settings.faces_per_collection} faces (faces_per_collection)"
            )
        return unit.faces.add(collection, image_id(image.sha256), external, faces)


def _face_id(image: Image, box: Box, model: str, external: str | None) -> str:
    # A thousandth of the picture tells faces apart, and leaves room for the last digits to differ between processors.
    place = f"{box.left:.3f},{box.top:.3f},{box.width:.3f},{box.height:.3f}"
    return str(uuid.uuid5(_IDS, f"{model}/{image.sha256}/{place}/{external or ''}"))


@operation("ListFaces")
def list_faces(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The faces of a collection in the order of their enrolment, a page at a time."""
    limit = call.get("MaxResults") or DEFAULT_PAGE
    with engine.stores.read() as unit:
        collection = find_collection(unit, call)
        if call.get("UserId"):
            find_user(unit, collection, call["UserId"])
        rows = unit.faces.page(
            collection,
            paging.after(call, engine, 0),
            limit + 1,
            user_id=call.get("UserId"),
            face_ids=call.get("FaceIds"),
        )
    page = paging.cut(call, engine, rows, limit, lambda face: face.sequence)
    return {
        "Faces": [show.face(face) for face in page.rows],
        "FaceModelVersion": collection.model,
        "NextToken": page.token,
    }


@operation("DeleteFaces")
def delete_faces(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Remove faces; one that belongs to a user stays and is named with the reason."""
    wanted = list(dict.fromkeys(call["FaceIds"]))
    with engine.stores.write() as unit:
        collection = find_collection(unit, call)
        there = unit.faces.get(collection, wanted)
        free = [face_id for face_id in wanted if face_id in there and there[face_id].user_id is None]
        unit.faces.delete(collection, free)
    return {
        "DeletedFaces": free,
        "UnsuccessfulFaceDeletions": [_undeleted(face_id, there) for face_id in wanted if face_id not in free],
    }


def _undeleted(face_id: str, there: Mapping[str, Any]) -> dict[str, Any]:
    face = there.get(face_id)
    if face is None:
        return {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]}
    return {"FaceId": face_id, "UserId": face.user_id, "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}


@operation("SearchFaces")
def search_faces(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Faces of the collection that look like one of its faces, that face itself left out."""
    least = threshold(call, "FaceMatchThreshold")
    with engine.stores.read() as unit:
        collection = find_gallery(unit, call, engine)
        probe = find_embedding(unit, collection, call["FaceId"])
        hits = unit.faces.search(
            collection,
            probe,
            call.get("MaxFaces", MOST_MATCHES),
            cosine_floor(engine.models.faces.calibration, least),
            without=[call["FaceId"]],
        )
    return {
        "SearchedFaceId": call["FaceId"],
        "FaceMatches": [show.face_match(match) for match in matches(engine.models.faces.calibration, hits, least)],
        "FaceModelVersion": collection.model,
    }


@operation("SearchFacesByImage")
def search_faces_by_image(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Faces of the collection that look like the largest face in a picture."""
    least = threshold(call, "FaceMatchThreshold")
    with engine.stores.read() as unit:
        find_gallery(unit, call, engine)
    with engine.looking_at(call["Image"]) as (image,):
        face = largest_face(engine, image, call.get("QualityFilter", "NONE"))
        probe = engine.models.faces.embed(image, face)
    with engine.stores.read() as unit:
        collection = find_gallery(unit, call, engine)
        hits = unit.faces.search(
            collection, probe, call.get("MaxFaces", MOST_MATCHES), cosine_floor(engine.models.faces.calibration, least)
        )
    return {
        "SearchedFaceBoundingBox": show.box(face.box),
        "SearchedFaceConfidence": show.percent(face.confidence),
        "FaceMatches": [show.face_match(match) for match in matches(engine.models.faces.calibration, hits, least)],
        "FaceModelVersion": collection.model,
    }
