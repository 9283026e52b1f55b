# SPDX-License-Identifier: Apache-2.0
"""Tags of resources; collections and stream processors have them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from overt.engine import Engine
from overt.errors import ResourceNotFoundException, ServiceQuotaExceededException
from overt.ops import show
from overt.ops.finding import find_collection, find_stream
from overt.ops.registry import operation
from overt.stores.base import Unit
from overt.types import Call

TAGS_PER_RESOURCE = 200
_ARN = re.compile(
    r"arn:aws[a-z-]*:rekognition:[a-z0-9-]+:(?P<account>\d{12}):"
    r"(?P<kind>collection|streamprocessor)/(?P<id>[a-zA-Z0-9_.\-]{1,255})"
)


@operation("TagResource")
def tag_resource(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Add tags to a resource, or change them."""
    with engine.stores.write() as unit:
        resource = _resource(unit, call)
        tags = {**unit.tags.of(resource), **call["Tags"]}
        if len(tags) > TAGS_PER_RESOURCE:
            raise ServiceQuotaExceededException(detail=f"a resource may have {TAGS_PER_RESOURCE} tags")
        unit.tags.put(resource, call["Tags"])
    return {}


@operation("UntagResource")
def untag_resource(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Remove tags from a resource; keys it does not have are passed over."""
    with engine.stores.write() as unit:
        unit.tags.remove(_resource(unit, call), call["TagKeys"])
    return {}


@operation("ListTagsForResource")
def list_tags_for_resource(call: Call, engine: Engine) -> Mapping[str, Any]:
    """All tags of a resource."""
    with engine.stores.read() as unit:
        return {"Tags": show.tags(unit.tags.of(_resource(unit, call)))}


def _resource(unit: Unit, call: Call) -> str:
    """The name under which the store keeps a resource's tags. Raises: ResourceNotFoundException."""
    match = _ARN.fullmatch(call["ResourceArn"])
    if not match or match["account"] != call.caller.account:
        raise ResourceNotFoundException(
            f"The resource {call['ResourceArn']} does not exist",
            detail="only collections and stream processors of your own account have tags in this version",
        )
    if match["kind"] == "streamprocessor":
        return find_stream(unit, call, match["id"]).arn()
    return show.resource(find_collection(unit, call, match["id"]))
