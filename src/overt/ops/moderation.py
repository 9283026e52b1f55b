# SPDX-License-Identifier: Apache-2.0
"""DetectModerationLabels: unsafe content, and a word about every category that nothing here can tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overt.engine import Engine
from overt.errors import InvalidParameterException, ResourceNotFoundException
from overt.models.taxonomy.unsafe import OLDER_VERSION, VERSION, as_older
from overt.ops import show
from overt.ops.registry import OMITTED, operation
from overt.types import Call

_LEAST = 50.0
"""MinConfidence where a caller gives none. Source: Rekognition's API reference."""


@operation("DetectModerationLabels")
def detect_moderation_labels(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Find unsafe content of the categories that the installed models can tell."""
    if call.get("HumanLoopConfig"):
        raise InvalidParameterException(detail="HumanLoopConfig is not offered by this version of overt")
    if call.get("ProjectVersion"):
        raise ResourceNotFoundException(detail="adapters (ProjectVersion) are not offered by this version of overt")
    least = call.get("MinConfidence", _LEAST) / 100
    moderator = engine.models.moderation
    with engine.looking_at(call["Image"]) as (image,):
        found = moderator.look(image, least)
    call.notes[OMITTED] = show.header(moderator.unsupported)
    older = engine.settings.moderation_version == OLDER_VERSION
    labels = as_older(found.labels) if older else found.labels
    return {
        "ModerationLabels": [show.unsafe(label) for label in labels],
        "ModerationModelVersion": OLDER_VERSION if older else VERSION,
        "ContentTypes": show.styles(found.styles),
    }
