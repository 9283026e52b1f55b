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


def test_the_largest_face_must_pass_the_filter_asked_for(engine: Engine, photos: Path) -> None:
    image = engine.media.decode((photos / "obama.jpg").read_bytes())
    assert matching.largest_face(engine, image, "NONE").confidence > 0.8
    assert matching.largest_face(engine, image, "MEDIUM").confidence > 0.8
    empty = engine.media.decode((photos / "coffee.png").read_bytes())
    with pytest.raises(InvalidParameterException, match="There are no faces in the image"):
        matching.largest_face(engine, empty, "NONE")
