# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from overt.engine import Engine
from overt.errors import InvalidParameterException
from overt.ops import matching
from overt.types import Call, Caller


def call(**params: Any) -> Call:
    return Call("1", "SearchFaces", params, Caller("KEY", "000000000001", "owner"), "us-east-1", "digest")


def test_the_default_threshold_is_80_and_0_is_a_threshold_too() -> None:
    assert matching.threshold(call(), "FaceMatchThreshold") == 0.8
    assert matching.threshold(call(FaceMatchThreshold=0.0), "FaceMatchThreshold") == 0.0
    assert matching.threshold(call(), "UserMatchThreshold", 75) == 0.75


@pytest.mark.parametrize("similarity", [0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.99, 1.0])
def test_a_face_exactly_at_the_threshold_is_a_match(engine: Engine, similarity: float) -> None:
    cosine = engine.models.faces.calibration.cosine(similarity)
    assert cosine >= matching.cosine_floor(engine, similarity)
    (match,) = matching.matches(engine, [("somebody", cosine)], similarity)
    assert match.similarity == pytest.approx(similarity, abs=1e-6)
    assert (match.subject, match.rank) == ("somebody", 1)


def test_what_is_less_alike_is_no_match(engine: Engine) -> None:
    cosine = engine.models.faces.calibration.cosine(0.8) - 1e-4
    assert matching.matches(engine, [("somebody", cosine)], 0.8) == []


def test_the_largest_face_must_pass_the_filter_asked_for(engine: Engine, photos: Path) -> None:
    image = engine.media.decode((photos / "obama.jpg").read_bytes())
    assert matching.largest_face(engine, image, "NONE").confidence > 0.8
    assert matching.largest_face(engine, image, "MEDIUM").confidence > 0.8
    empty = engine.media.decode((photos / "coffee.png").read_bytes())
    with pytest.raises(InvalidParameterException, match="There are no faces in the image"):
        matching.largest_face(engine, empty, "NONE")
