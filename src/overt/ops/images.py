# SPDX-License-Identifier: Apache-2.0
"""Operations on pictures that leave nothing behind: DetectFaces and CompareFaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overt.engine import Engine
from overt.errors import InvalidParameterException
from overt.ops import show
from overt.ops.matching import good_faces, largest_face, threshold
from overt.ops.registry import OMITTED, operation
from overt.types import Call

ATTRIBUTES = frozenset(
    {
        "AGE_RANGE",
        "BEARD",
        "EMOTIONS",
        "EYE_DIRECTION",
        "EYEGLASSES",
        "EYES_OPEN",
        "FACE_OCCLUDED",
        "GENDER",
        "MOUTH_OPEN",
        "MUSTACHE",
        "SMILE",
        "SUNGLASSES",
    }
)
_NOTHING: frozenset[str] = frozenset()


def unsupported_attributes(engine: Engine) -> frozenset[str]:
    """The attributes of the contract that no installed model can tell."""
    return ATTRIBUTES - engine.models.faces.supported


def wanted_attributes(call: Call, engine: Engine, name: str) -> frozenset[str]:
    """The attributes a request asks for; notes in a response header those that no installed model supports."""
    asked = frozenset(call.get(name, ())) - {"DEFAULT"}
    omitted = unsupported_attributes(engine) & (ATTRIBUTES if "ALL" in asked else asked)
    if omitted:
        call.notes[OMITTED] = ",".join(sorted(omitted))
    return asked


@operation("DetectFaces")
def detect_faces(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Find up to 100 faces in a picture, the largest first, and describe them."""
    wanted = wanted_attributes(call, engine, "Attributes")
    models = engine.models.faces
    with engine.looking_at(call["Image"]) as (image,):
        faces = [models.describe(image, face, wanted) for face in models.detect(image)]
    return {"FaceDetails": [show.detail(face) for face in faces]}


@operation("CompareFaces")
def compare_faces(call: Call, engine: Engine) -> Mapping[str, Any]:
    """Compare the largest face of one picture with up to 100 faces of another."""
    models = engine.models.faces
    level, least = call.get("QualityFilter", "NONE"), threshold(call, "SimilarityThreshold")
    with engine.looking_at(call["SourceImage"], call["TargetImage"]) as (source, target):
        probe = largest_face(engine, source, level)
        targets = good_faces(engine, target, level)
        if not targets:
            raise InvalidParameterException(detail="no face was found in the target image")
        embedding = models.embed(source, probe)
        scored = []
        for face in targets:
            similarity = models.calibration.similarity(embedding.cosine(models.embed(target, face)))
            scored.append((similarity, models.describe(target, face, _NOTHING)))
    scored.sort(key=lambda pair: -pair[0])
    return {
        "SourceImageFace": {"BoundingBox": show.box(probe.box), "Confidence": show.percent(probe.confidence)},
        "FaceMatches": [
            {"Similarity": show.percent(similarity), "Face": show.compared(face)}
            for similarity, face in scored
            if similarity >= least
        ],
        "UnmatchedFaces": [show.compared(face) for similarity, face in scored if similarity < least],
    }
