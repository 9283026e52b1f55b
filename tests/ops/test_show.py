# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from overt.ops import show
from overt.types import Attributes, Box, Claim, Collection, Emotion, Face, StoredFace


def test_ratios_become_percent() -> None:
    assert show.percent(0.12345678) == 12.3457
    assert show.percent(1.0) == 100.0


@pytest.mark.parametrize(
    ("region", "arn"),
    [
        ("eu-west-1", "arn:aws:rekognition:eu-west-1:000000000001:collection/people"),
        ("", "arn:aws:rekognition::000000000001:collection/people"),
    ],
)
def test_a_collection_has_an_arn_in_each_region(region: str, arn: str) -> None:
    collection = Collection("000000000001", "people", "model", dt.datetime.now(dt.UTC), 0, 0)
    assert show.arn(region, collection) == arn


def test_a_face_shows_what_is_known_and_nothing_else() -> None:
    face = Face(Box(0.1, 0.2, 0.3, 0.4), 0.9, np.zeros((5, 2), np.float32))
    shown = {name: value for name, value in show.detail(face).items() if value is not None}
    assert shown == {"BoundingBox": {"Width": 0.3, "Height": 0.4, "Left": 0.1, "Top": 0.2}, "Confidence": 90.0}


def test_attributes_are_shown_as_rekognition_names_them() -> None:
    attributes = Attributes(
        age_range=(30, 40),
        gender=("Female", 0.75),
        smile=Claim(value=False, confidence=0.5),
        emotions=(Emotion("CALM", 0.8),),
    )
    shown = show.detail(Face(Box(0, 0, 1, 1), 1.0, np.zeros((5, 2), np.float32), attributes=attributes))
    assert shown["AgeRange"] == {"Low": 30, "High": 40}
    assert shown["Gender"] == {"Value": "Female", "Confidence": 75.0}
    assert shown["Smile"] == {"Value": False, "Confidence": 50.0}
    assert shown["Emotions"] == [{"Type": "CALM", "Confidence": 80.0}]
    assert shown["EyesOpen"] is None


def test_an_enrolled_face_names_its_model_and_user() -> None:
    shown = show.face(StoredFace("f", "i", None, Box(0, 0, 1, 1), 0.5, "model-1", user_id="u"))
    assert (shown["IndexFacesModelVersion"], shown["UserId"], shown["ExternalImageId"]) == ("1", "u", None)
