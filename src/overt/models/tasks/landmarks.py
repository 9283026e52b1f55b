# SPDX-License-Identifier: Apache-2.0
"""Rekognition's named landmarks, from five points or from the mesh. Knows names and indices; runs nothing.

Left and right are those of the *picture*, as in Rekognition's answers (eyeLeft.X < eyeRight.X in a frontal face), so
eyeLeft is the subject's right eye.
"""

from __future__ import annotations

import numpy as np

from overt.models.tasks.mesh import LEFT_CORNERS, RIGHT_CORNERS, Mesh
from overt.types import Floats

FIVE = ("eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight")
"""In the order of a `Face`'s five points."""

MESH = {
    "nose": (1,), "mouthLeft": (61,), "mouthRight": (291,),
    "leftEyeBrowLeft": (70,), "leftEyeBrowRight": (107,), "leftEyeBrowUp": (105,),
    "rightEyeBrowLeft": (336,), "rightEyeBrowRight": (300,), "rightEyeBrowUp": (334,),
    "leftEyeLeft": (33,), "leftEyeRight": (133,), "leftEyeUp": (159,), "leftEyeDown": (145,),
    "rightEyeLeft": (362,), "rightEyeRight": (263,), "rightEyeUp": (386,), "rightEyeDown": (374,),
    "noseLeft": (64,), "noseRight": (294,), "mouthUp": (0,), "mouthDown": (17,),
    "upperJawlineLeft": (234,), "midJawlineLeft": (172,), "chinBottom": (152,),
    "midJawlineRight": (397,), "upperJawlineRight": (454,),
    "eyeLeft": (*RIGHT_CORNERS, 159, 145), "eyeRight": (*LEFT_CORNERS, 386, 374),
}  # fmt: skip
"""Points of the mesh whose mean is the landmark. Source: MediaPipe's canonical face model; looked at on photos."""


def five(points: Floats) -> dict[str, Floats]:
    """Name -> (2,) point. Args: points: (5, 2), in any unit."""
    return dict(zip(FIVE, points, strict=True))


def thirty(mesh: Mesh, pupils: Floats) -> dict[str, Floats]:
    """Name -> (2,) point in pixels of the picture. Args: pupils: (2, 2), the subject's right one first."""
    named = {name: np.asarray(mesh.points[list(index), :2].mean(0)) for name, index in MESH.items()}
    named["leftPupil"], named["rightPupil"] = pupils
    return named
