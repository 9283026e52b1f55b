# SPDX-License-Identifier: Apache-2.0
"""Which way a head is turned, from mesh points or, more roughly, from five. Geometry only; signs as `Pose` documents.

No photo with a measured head pose was at hand: turning and mirroring photos is checked, absolute angles are not.
"""

from __future__ import annotations

import numpy as np

from overt.models.tasks.mesh import Mesh
from overt.types import Floats, Pose

_PAIRS = ((33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (70, 300), (48, 278))
"""Points of the mesh that mirror one another: eye corners, mouth corners, cheeks, temples, brows, nose wings."""
_UP, _DOWN = (10, 151, 9, 8), (152, 175, 199, 200)
"""Points down the middle of the forehead, and of the chin."""
_PITCH_AT_REST = -6.6
"""Degrees that the axis above shows for a face looking ahead: the median of 666 adults (FairFace)."""
_YAW_GAIN, _PITCH_GAIN, _NOSE_AT_REST = 99.0, 39.0, 0.53
"""Degrees of yaw and pitch for one unit of the nose's offset, and where the nose lies at rest, between eyes (0) and
mouth (1). Fitted to the mesh's pose on the same faces."""


def from_mesh(mesh: Mesh) -> Pose:
    """Head pose from the face's own axes in the mesh: across from mirrored pairs, down along the middle."""
    points = mesh.points.astype(np.float64)
    left, right = zip(*_PAIRS, strict=True)
    across = _unit((points[list(right)] - points[list(left)]).sum(0))
    down = points[list(_DOWN)].mean(0) - points[list(_UP)].mean(0)
    down = _unit(down - (down @ across) * across)
    roll = np.arctan2(across[1], across[0])
    yaw = np.arcsin(np.clip(across[2], -1, 1))
    # In the frame that roll and yaw leave, `down` lies in the plane of picture-down and depth.
    upright = np.array([-np.sin(roll), np.cos(roll), 0.0])
    forward = np.cross(across, upright)
    pitch = np.arctan2(-down @ forward, down @ upright)
    return Pose(float(np.degrees(roll)), float(np.degrees(yaw)), _turn(float(np.degrees(pitch)) - _PITCH_AT_REST))


def from_points(points: Floats) -> Pose:
    """Head pose from right eye, left eye, nose tip and mouth corners: an approximation.

    Against the mesh its yaw has a standard error of 6 degrees, its pitch one of 10, which is little better than none.
    Seen along the eye line, the nose tip moves sideways with yaw, and between eyes and mouth with pitch.
    Args: points: (5, 2) in pixels.
    """
    right_eye, left_eye, nose, right_mouth, left_mouth = points.astype(np.float64)
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    across = _unit((left_eye - right_eye) + (left_mouth - right_mouth))
    down = np.array([-across[1], across[0]])
    height = max(float((mouth - eyes) @ down), 1e-6)
    sideways = float((nose - (eyes + mouth) / 2) @ across) / height
    along = float((nose - eyes) @ down) / height
    roll = np.degrees(np.arctan2(across[1], across[0]))
    yaw = np.clip(_YAW_GAIN * sideways, -90, 90)
    pitch = np.clip(_PITCH_GAIN * (_NOSE_AT_REST - along), -90, 90)
    return Pose(float(roll), float(yaw), float(pitch))


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))


def _turn(degrees: float) -> float:
    """The same angle in -180..180."""
    return (degrees + 180) % 360 - 180
