# SPDX-License-Identifier: Apache-2.0
"""The four operations on collections."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from overt.engine import Engine
from overt.errors import ResourceAlreadyExistsException, ResourceNotFoundException
from overt.ops import paging, show
from overt.ops.finding import find_collection
from overt.ops.matching import RISK, risk
from overt.ops.registry import operation
from overt.stores.base import ExistsError, NotFoundError
from overt.types import Call

DEFAULT_PAGE = 1000


@operation("CreateCollection")
def create_collection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Make an empty collection for faces of the installed embedding model."""
    name, model = call["CollectionId"], engine.models.faces.model
    with engine.stores.write() as unit:
        try:
            collection = unit.collections.create(call.caller.account, name, model, dt.datetime.now(dt.UTC))
        except ExistsError:
            raise ResourceAlreadyExistsException(f"The collection id: {name} already exists") from None
        unit.tags.put(show.resource(collection), call.get("Tags", {}))
    return {"StatusCode": 200, "CollectionArn": show.arn(call.region, collection), "FaceModelVersion": model}


@operation("DescribeCollection")
def describe_collection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Counts, model and age of a collection; in a header, what its size does to searches."""
    name = call["CollectionId"]
    with engine.stores.read() as unit:
        try:
            collection = unit.collections.get(call.caller.account, name)
        except NotFoundError:
            raise ResourceNotFoundException(f"Collection:{name} not found!") from None
    if collection.model == engine.models.faces.model:
        call.notes[RISK] = risk(engine, collection.face_count)
    return {
        "FaceCount": collection.face_count,
        "FaceModelVersion": collection.model,
        "CollectionARN": show.arn(call.region, collection),
        "CreationTimestamp": collection.created,
        "UserCount": collection.user_count,
    }


@operation("ListCollections")
def list_collections(call: Call, engine: Engine) -> Mapping[str, Any]:
    """The account's collections by id, a page at a time."""
    limit = call.get("MaxResults") or DEFAULT_PAGE  # 0 is allowed and means the default
    with engine.stores.read() as unit:
        rows = unit.collections.page(call.caller.account, paging.after(call, engine, ""), limit + 1)
    page = paging.cut(call, engine, rows, limit, lambda collection: collection.id)
    return {
        "CollectionIds": [collection.id for collection in page.rows],
        "FaceModelVersions": [collection.model for collection in page.rows],
        "NextToken": page.token,
    }


@operation("DeleteCollection")
def delete_collection(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Remove a collection with all its faces, users and tags."""
    with engine.stores.write() as unit:
        resource = show.resource(find_collection(unit, call))
        unit.tags.remove(resource, unit.tags.of(resource))
        unit.collections.delete(call.caller.account, call["CollectionId"])
    return {"StatusCode": 200}
