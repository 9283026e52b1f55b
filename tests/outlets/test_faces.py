# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from overt.outlets.faces import compared, entry, percent
from overt.types import Box, Face, Landmark, Pose, Quality, StoredFace

BOX = Box(0.1, 0.2, 0.3, 0.4)


def test_ratios_become_percent_to_a_ten_thousandth() -> None:
    assert percent(0.123456789) == 12.3457


def test_a_face_that_was_seen_has_what_is_known_of_it() -> None:
    seen = Face(BOX, 0.5, np.zeros((5, 2), np.float32), (Landmark("nose", 0.1, 0.2),), Pose(1, 2, 3), Quality(0.25, 1))
    assert compared(seen) == {
        "BoundingBox": {"Width": 0.3, "Height": 0.4, "Left": 0.1, "Top": 0.2},
        "Confidence": 50.0,
        "Landmarks": [{"Type": "nose", "X": 0.1, "Y": 0.2}],
        "Pose": {"Roll": 1, "Yaw": 2, "Pitch": 3},
        "Quality": {"Brightness": 25.0, "Sharpness": 100.0},
    }
    bare = compared(Face(BOX, 0.5, np.zeros((5, 2), np.float32)))
    assert (bare["Landmarks"], bare["Pose"], bare["Quality"]) == (None, None, None)


def test_a_face_that_is_enrolled_has_its_names() -> None:
    told = entry(StoredFace("face", "image", "smith", BOX, 0.99, "model-1", "user", 7))
    assert (told["FaceId"], told["ImageId"], told["ExternalImageId"], told["Confidence"]) == (
        "face",
        "image",
        "smith",
        99.0,
    )
