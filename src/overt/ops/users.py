# SPDX-License-Identifier: Apache-2.0
"""The seven operations on users: several faces of a collection, one identity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from overt.engine import Engine
from overt.errors import (
    ConflictException,
    InvalidParameterException,
    ServiceQuotaExceededException,
)
from overt.models.matching import cosine_floor, matches
from overt.ops import paging, show
from overt.ops.finding import find_collection, find_embedding, find_gallery, find_user
from overt.ops.idempotency import once
from overt.ops.matching import threshold
from overt.ops.registry import operation
from overt.stores.base import ExistsError, Unit
from overt.types import Call, Collection, Embedding, Person

FACES_PER_USER = 100
MOST_USERS = 500  # the largest page and the most matches
ASSOCIATION_THRESHOLD = 75.0  # unlike every other threshold's default of 80
_NOTHING: frozenset[str] = frozenset()


@operation("CreateUser")
def create_user(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Make a user without faces."""

    def act(unit: Unit) -> Mapping[str, Any]:
        try:
            unit.users.create(find_collection(unit, call), call["UserId"])
        except ExistsError:
            raise ConflictException(f"The user id: {call['UserId']} already exists") from None
        return {}

    return once(call, engine, act)


@operation("DeleteUser")
def delete_user(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Remove a user; its faces stay in the collection."""

    def act(unit: Unit) -> Mapping[str, Any]:
        collection = find_collection(unit, call)
        find_user(unit, collection, call["UserId"])
        unit.users.delete(collection, call["UserId"])
        return {}

    return once(call, engine, act)


@operation("ListUsers")
def list_users(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The users of a collection by id, a page at a time."""
    limit = call.get("MaxResults", MOST_USERS)
    with engine.stores.read() as unit:
        collection = find_collection(unit, call)
        rows = unit.users.page(collection, paging.after(call, engine, ""), limit + 1)
    page = paging.cut(call, engine, rows, limit, lambda person: person.id)
    return {"Users": [show.user(person) for person in page.rows], "NextToken": page.token}


@operation("AssociateFaces")
def associate_faces(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Give faces to a user. Once it has one, a further face must look like it."""

    def act(unit: Unit) -> Mapping[str, Any]:
        collection = find_gallery(unit, call, engine)
        person = find_user(unit, collection, call["UserId"])
        sorting = _sort_faces(call, engine, unit, collection)
        if person.face_count + len(sorting.accepted) > FACES_PER_USER:
            raise ServiceQuotaExceededException(detail=f"a user may have {FACES_PER_USER} faces")
        if sorting.accepted:
            person = unit.users.associate(collection, person.id, sorting.accepted)
        return {
            "AssociatedFaces": [{"FaceId": face_id} for face_id in sorting.accepted],
            "UnsuccessfulFaceAssociations": sorting.refused,
            "UserStatus": person.status,
        }

    return once(call, engine, act)


@dataclass(slots=True)
class _Sorting:
    accepted: list[str] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)


def _sort_faces(call: Call, engine: Engine, unit: Unit, collection: Collection) -> _Sorting:
    """Which of the faces may be given to the user; those that are its own already are passed over."""
    user_id, face_ids = call["UserId"], list(dict.fromkeys(call["FaceIds"]))
    least = threshold(call, "UserMatchThreshold", ASSOCIATION_THRESHOLD)
    there, vectors = unit.faces.get(collection, face_ids), unit.faces.embeddings(collection, face_ids)
    known: Embedding | None = unit.users.vector(collection, user_id)
    sorting = _Sorting()
    for face_id in face_ids:
        if face_id not in there:
            sorting.refused.append({"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]})
        elif there[face_id].user_id not in {None, user_id}:
            owner = there[face_id].user_id
            sorting.refused.append({"FaceId": face_id, "UserId": owner, "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]})
        elif there[face_id].user_id is None:
            known = known or vectors[face_id]  # the first face of a user without any is what the others must resemble
            similarity = engine.models.faces.calibration.similarity(known.cosine(vectors[face_id]))
            if similarity >= least:
                sorting.accepted.append(face_id)
            else:
                reason = {"Confidence": show.percent(similarity), "Reasons": ["LOW_MATCH_CONFIDENCE"]}
                sorting.refused.append({"FaceId": face_id, **reason})
    return sorting


@operation("DisassociateFaces")
def disassociate_faces(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Take faces away from a user; they stay in the collection."""

    def act(unit: Unit) -> Mapping[str, Any]:
        collection = find_collection(unit, call)
        person = find_user(unit, collection, call["UserId"])
        face_ids = list(dict.fromkeys(call["FaceIds"]))
        there = unit.faces.get(collection, face_ids)
        own = [face_id for face_id in face_ids if face_id in there and there[face_id].user_id == person.id]
        if own:
            person = unit.users.disassociate(collection, person.id, own)
        return {
            "DisassociatedFaces": [{"FaceId": face_id} for face_id in own],
            "UnsuccessfulFaceDisassociations": [
                _not_taken(face_id, there) for face_id in face_ids if face_id not in own
            ],
            "UserStatus": person.status,
        }

    return once(call, engine, act)


def _not_taken(face_id: str, there: Mapping[str, Any]) -> dict[str, Any]:
    face = there.get(face_id)
    if face is None or face.user_id is None:
        return {"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]}
    return {"FaceId": face_id, "UserId": face.user_id, "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]}


@operation("SearchUsers")
def search_users(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Users that look like a user (that user left out) or like an enrolled face."""
    user_id, face_id = call.get("UserId"), call.get("FaceId")
    if (user_id is None) == (face_id is None):
        raise InvalidParameterException(detail="give exactly one of UserId and FaceId")
    least = threshold(call, "UserMatchThreshold")
    with engine.stores.read() as unit:
        collection = find_gallery(unit, call, engine)
        if user_id is not None:
            find_user(unit, collection, user_id)
            probe = unit.users.vector(collection, user_id)
        else:
            probe = find_embedding(unit, collection, str(face_id))
        without = [user_id] if user_id is not None else []
        found = _search(call, engine, unit, collection, probe=probe, without=without) if probe else []
    searched = {"SearchedUser": {"UserId": user_id}} if user_id is not None else {"SearchedFace": {"FaceId": face_id}}
    return {
        "UserMatches": [show.user_match(match) for match in matches(engine.models.faces.calibration, found, least)],
        "FaceModelVersion": collection.model,
        **searched,
    }


@operation("SearchUsersByImage")
def search_users_by_image(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Users that look like the largest face in a picture. A picture without a face is no error here."""
    models, level = engine.models.faces, call.get("QualityFilter", "NONE")
    with engine.stores.read() as unit:
        find_gallery(unit, call, engine)
    with engine.looking_at(call["Image"]) as (image,):
        faces = [models.describe(image, face, _NOTHING) for face in models.detect(image)]
        judged = [(face, models.shortcomings(face, image, level)) for face in faces]
        good = [face for face, reasons in judged if not reasons]
        probe = models.embed(image, good[0]) if good else None
    with engine.stores.read() as unit:
        collection = find_gallery(unit, call, engine)
        found = _search(call, engine, unit, collection, probe=probe, without=[]) if probe else []
    least = threshold(call, "UserMatchThreshold")
    return {
        "UserMatches": [show.user_match(match) for match in matches(engine.models.faces.calibration, found, least)],
        "FaceModelVersion": collection.model,
        "SearchedFace": {"FaceDetail": show.detail(good[0])} if good else None,
        "UnsearchedFaces": [
            {"FaceDetails": show.detail(face), "Reasons": list(reasons) or ["FACE_NOT_LARGEST"]}
            for face, reasons in judged
            if not good or face is not good[0]
        ],
    }


def _search(
    call: Call, engine: Engine, unit: Unit, collection: Collection, *, probe: Embedding, without: list[str]
) -> list[tuple[Person, float]]:
    floor = cosine_floor(engine.models.faces.calibration, threshold(call, "UserMatchThreshold"))
    return list(unit.users.search(collection, probe, call.get("MaxUsers", MOST_USERS), floor, without=without))
