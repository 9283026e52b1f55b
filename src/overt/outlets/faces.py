# SPDX-License-Identifier: Apache-2.0
"""Faces and boxes as AWS's documents write them, in answers and in what streams tell alike. Computes nothing."""

from __future__ import annotations

from typing import Any

from overt.types import Box, Face, Landmark, Pose, Quality, StoredFace


def percent(ratio: float) -> float:
    """0..1 as 0..100, to a ten-thousandth."""
    return round(ratio * 100, 4)


def box(item: Box) -> dict[str, Any]:
    """BoundingBox."""
    return {"Width": item.width, "Height": item.height, "Left": item.left, "Top": item.top}


def landmark(item: Landmark) -> dict[str, Any]:
    """Landmark."""
    return {"Type": item.name, "X": item.x, "Y": item.y}


def pose(item: Pose) -> dict[str, Any]:
    """Pose, degrees."""
    return {"Roll": item.roll, "Yaw": item.yaw, "Pitch": item.pitch}


def quality(item: Quality) -> dict[str, Any]:
    """ImageQuality."""
    return {"Brightness": percent(item.brightness), "Sharpness": percent(item.sharpness)}


def compared(face: Face) -> dict[str, Any]:
    """ComparedFace, and the part of FaceDetail that every face has. Members without a value stay None."""
    return {
        "BoundingBox": box(face.box),
        "Confidence": percent(face.confidence),
        "Landmarks": None if face.landmarks is None else [landmark(item) for item in face.landmarks],
        "Pose": None if face.pose is None else pose(face.pose),
        "Quality": None if face.quality is None else quality(face.quality),
    }


def entry(item: StoredFace) -> dict[str, Any]:
    """The part of Face, as it is enrolled, that every document has."""
    return {
        "FaceId": item.id,
        "BoundingBox": box(item.box),
        "ImageId": item.image_id,
        "ExternalImageId": item.external_image_id,
        "Confidence": percent(item.confidence),
    }
