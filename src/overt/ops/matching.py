# SPDX-License-Identifier: Apache-2.0
"""What comparing and searching have in common: thresholds, risks, the largest face. Knows no store."""

from __future__ import annotations

import math

from overt.engine import Engine
from overt.errors import InvalidParameterException
from overt.types import Call, Face, Image

NO_FACE = "There are no faces in the image. Should be at least 1."

DEFAULT_THRESHOLD = 80.0  # similarity, 0..100: a false-match rate of 1e-3 by the pack's calibration


RISK = "x-overt-false-positives"
"""Response header: how likely a search for somebody who is not enrolled finds a match, by threshold; see `risk`."""
THRESHOLDS = (80, 90, 95, 99)
"""Similarities, 0..100, at which it is told."""


def risk(engine: Engine, size: int) -> str:
    """What a collection's size does to searches, in one line.

    At each of some thresholds the predicted false-positive identification rate (FPIR); and the threshold that keeps to
    the operator's (setting `false_positive_rate`), or that none was measured that does.
    """
    calibration, wanted = engine.models.faces.calibration, engine.settings.false_positive_rate
    rates = [f"{at}={calibration.false_positive_rate(at / 100, size):.3g}" for at in THRESHOLDS]
    least = calibration.similarity_for(wanted, size)
    kept = "none measured" if least is None else f"{math.ceil(least * 1e4 - 1e-6) / 100:g}"
    return f"faces={size}; {', '.join(rates)}; for {wanted:g}: {kept}"


def threshold(call: Call, name: str, default: float = DEFAULT_THRESHOLD) -> float:
    """A similarity threshold of the request as 0..1."""
    return float(call.get(name, default)) / 100


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
