# SPDX-License-Identifier: Apache-2.0
"""DetectProtectiveEquipment: who wears what, and the summary of who wears all that is required."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from overt.engine import Engine
from overt.errors import ImageTooLargeException, InvalidParameterException
from overt.models.tasks.equipment import KINDS, LEAST
from overt.models.tasks.scenes import PERSON
from overt.ops import show
from overt.ops.registry import OMITTED, operation
from overt.types import BodyPart, Call, Claim, Equipment, Image, Wearer

MODEL_VERSION = "1.0"
INLINE_BYTES = 4 << 20
SHORTEST_SIDE, LONGEST_SIDE = 64, 4096
"""Bytes sent and pixels a side. Source: Rekognition guide, guidelines and quotas; other operations allow more."""
_DOUBTFUL = 0.2
"""Confidence below which a box is not even looked at for a face that would make it a person."""
_WORN_ON = {"FACE_COVER": {"FACE"}, "HEAD_COVER": {"HEAD"}, "HAND_COVER": {"LEFT_HAND", "RIGHT_HAND"}}


@operation("DetectProtectiveEquipment")
def detect_protective_equipment(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Find up to 15 persons, the largest first, with the parts of their bodies and the equipment on them.

    Kinds of equipment that no installed model can tell are named in a response header, in every answer.
    """
    asked, models = call.get("SummarizationAttributes"), engine.models
    if asked is not None and not asked["RequiredEquipmentTypes"]:
        raise InvalidParameterException(detail="RequiredEquipmentTypes names no type")
    _check_bytes(call["Image"])
    with engine.looking_at(call["Image"], shortest=SHORTEST_SIDE) as (image,):
        _check_sides(image)
        persons = [item for item in models.scenes.objects(image, _DOUBTFUL) if item.label == PERSON]
        wearers = models.equipment.read(image, persons, models.faces.detect(image))
    supported = models.equipment.supported
    if KINDS - supported:
        call.notes[OMITTED] = show.header(sorted(KINDS - supported))
    answer: dict[str, Any] = {
        "ProtectiveEquipmentModelVersion": MODEL_VERSION,
        "Persons": [person(number, wearer) for number, wearer in enumerate(wearers)],
    }
    if asked is not None:
        required = frozenset(asked["RequiredEquipmentTypes"])
        answer["Summary"] = summary(wearers, required, asked["MinConfidence"] / 100, supported)
    return answer


def summary(
    wearers: Sequence[Wearer], required: frozenset[str], least: float, supported: frozenset[str]
) -> dict[str, list[int]]:
    """ProtectiveEquipmentSummary: each person's Id in one of three lists.

    Args: required, supported: kinds of equipment. least: confidence 0..1, at least LEAST, that everything a statement
    rests on must have. Nothing is stated of anybody where a required kind is not supported.
    """
    least = max(least, LEAST)
    lists: dict[str, list[int]] = {
        "PersonsWithRequiredEquipment": [],
        "PersonsWithoutRequiredEquipment": [],
        "PersonsIndeterminate": [],
    }
    for number, wearer in enumerate(wearers):
        known = required <= supported and wearer.confidence >= least
        worn = {_wears(wearer, kind, least) for kind in required} if known else {None}
        if False in worn:
            name = "PersonsWithoutRequiredEquipment"
        elif None in worn:
            name = "PersonsIndeterminate"
        else:
            name = "PersonsWithRequiredEquipment"
        lists[name].append(number)
    return lists


def _wears(wearer: Wearer, kind: str, least: float) -> bool | None:
    """Whether a person wears a kind of equipment on every part seen that it belongs on; None = cannot be said."""
    told = {_covered(part, kind, least) for part in wearer.parts if part.name in _WORN_ON[kind]}
    if False in told:
        return False
    return None if None in told or not told else True


def _covered(part: BodyPart, kind: str, least: float) -> bool | None:
    """Whether a part is covered by a kind of equipment; None = cannot be said."""
    items = [item for item in part.equipment if item.kind == kind]
    if part.confidence < least:
        return None
    if not items:
        return False
    item = max(items, key=lambda item: item.confidence)
    return item.covers.value if min(item.confidence, item.covers.confidence) >= least else None


def _check_bytes(picture: Mapping[str, Any]) -> None:
    sent = len(picture.get("Bytes") or b"")
    if sent > INLINE_BYTES:
        raise ImageTooLargeException(detail=f"Bytes has {sent} bytes; at most {INLINE_BYTES} for this operation")


def _check_sides(image: Image) -> None:
    if max(image.width, image.height) > LONGEST_SIDE:
        raise ImageTooLargeException(
            detail=f"{image.width} x {image.height} pixels; at most {LONGEST_SIDE} a side for this operation"
        )


def person(number: int, wearer: Wearer) -> dict[str, Any]:
    """ProtectiveEquipmentPerson. Args: number: its Id."""
    return {
        "Id": number,
        "BoundingBox": show.box(wearer.box),
        "Confidence": show.percent(wearer.confidence),
        "BodyParts": [_part(part) for part in wearer.parts],
    }


def _part(part: BodyPart) -> dict[str, Any]:
    return {
        "Name": part.name,
        "Confidence": show.percent(part.confidence),
        "EquipmentDetections": [_equipment(item) for item in part.equipment],
    }


def _equipment(item: Equipment) -> dict[str, Any]:
    return {
        "Type": item.kind,
        "BoundingBox": show.box(item.box),
        "Confidence": show.percent(item.confidence),
        "CoversBodyPart": _claim(item.covers),
    }


def _claim(item: Claim) -> dict[str, Any]:
    return {"Value": item.value, "Confidence": show.percent(item.confidence)}
