# SPDX-License-Identifier: Apache-2.0
"""Looking up what a request names, with Rekognition's words when it is not there."""

from __future__ import annotations

from overt.engine import Engine
from overt.errors import InvalidParameterException, ResourceNotFoundException
from overt.stores.base import NotFoundError, Unit
from overt.types import Call, Collection, Embedding, Person, Stream

UNKNOWN_FACE = "faceId was not found in the collection."


def find_collection(unit: Unit, call: Call, collection_id: str | None = None) -> Collection:
    """The collection a request names (CollectionId unless given). Raises: ResourceNotFoundException."""
    wanted = collection_id or call["CollectionId"]
    try:
        return unit.collections.get(call.caller.account, wanted)
    except NotFoundError:
        raise ResourceNotFoundException(f"The collection id: {wanted} does not exist") from None


def find_gallery(unit: Unit, call: Call, engine: Engine, collection_id: str | None = None) -> Collection:
    """The collection, for comparing faces.

    Raises: ResourceNotFoundException. InvalidParameterException when its faces were embedded by another model than
    the one installed: new vectors mean nothing beside them, nor does this model's similarity between them.
    """
    collection = find_collection(unit, call, collection_id)
    if collection.model != engine.models.faces.model:
        raise InvalidParameterException(
            detail=f"the collection's faces are of model {collection.model}, the installed one is "
            f"{engine.models.faces.model}; `overt collections reindex` embeds the pictures again"
        )
    return collection


def find_stream(unit: Unit, call: Call, name: str | None = None) -> Stream:
    """The stream processor that a request names (Name unless given). Raises: ResourceNotFoundException."""
    wanted = name or call["Name"]
    try:
        return unit.streams.get(call.caller.account, wanted)
    except NotFoundError:
        raise ResourceNotFoundException(f"The stream processor {wanted} does not exist") from None


def find_user(unit: Unit, collection: Collection, user_id: str) -> Person:
    """A user of a collection. Raises: ResourceNotFoundException."""
    try:
        return unit.users.get(collection, user_id)
    except NotFoundError:
        raise ResourceNotFoundException(f"The user id: {user_id} does not exist") from None


def find_embedding(unit: Unit, collection: Collection, face_id: str) -> Embedding:
    """The vector of an enrolled face. Raises: InvalidParameterException, as Rekognition does, when there is none."""
    embedding = unit.faces.embeddings(collection, [face_id]).get(face_id)
    if embedding is None:
        raise InvalidParameterException(UNKNOWN_FACE)
    return embedding
