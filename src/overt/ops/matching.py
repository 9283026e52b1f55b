# SPDX-License-Identifier: Apache-2.0
"""What comparing and searching have in common: thresholds, similarity, the largest face. Knows no store."""

from __future__ import annotations

from collections.abc import Sequence

from overt.engine import Engine
from overt.errors import InvalidParameterException
from overt.types import Call, Face, Image, Match, Subject

NO_FACE = "There are no faces in the image. Should be at least 1."

DEFAULT_THRESHOLD = 80.0  # similarity, 0..100: a false-match rate of 1e-3 by the pack's calibration
_SLACK = 1e-6  # of cosine: a threshold and its inverse may differ by float rounding


def threshold(call: Call, name: str, default: float = DEFAULT_THRESHOLD) -> float:
    """A similarity threshold of the request as 0..1."""
    return float(call.get(name, default)) / 100


def cosine_floor(engine: Engine, similarity: float) -> float:
    """The least cosine that can reach a similarity (0..1)."""
    return engine.models.faces.calibration.cosine(similarity) - _SLACK


def matches(engine: Engine, hits: Sequence[tuple[Subject, float]], least: float) -> list[Match[Subject]]:
    """Search hits (subject, cosine), best first, as matches of at least that similarity (0..1)."""
    calibration = engine.models.faces.calibration
    found = []
    for rank, (subject, cosine) in enumerate(hits, 1):
        similarity = calibration.similarity(cosine)
        if similarity >= least - _SLACK:
            found.append(Match(subject, similarity, cosine, rank))
    return found


def good_faces(engine: Engine, image: Image, level: str) -> list[Face]:
    """The faces of a picture, largest first, without those the quality filter turns away."""
    models = engine.models.faces
    return [face for face in models.detect(image) if not models.shortcomings(face, image, level)]


def largest_face(engine: Engine, image: Image, level: str) -> Face:
    """The largest face that passes the quality filter. Raises: InvalidParameterException when there is none."""
    # Without a filter nothing but the largest face counts, and looking for one face only is quicker.
    faces = engine.models.faces.detect(image, 1) if level == "NONE" else good_faces(engine, image, level)
    if not faces:
        detail = "no face was found" if level == "NONE" else f"no face was found that passes QualityFilter {level}"
        raise InvalidParameterException(NO_FACE, detail=detail)
    return faces[0]
