# SPDX-License-Identifier: Apache-2.0
"""How usable a face is: brightness, sharpness, and Rekognition's reasons for leaving one out. Rules, no model.

There is no published scale to match: brightness is mean luma, sharpness a monotone map of the variance of the
Laplacian, both on the aligned crop, so that they speak of what the embedder sees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from overt.models.tasks import pose
from overt.models.tasks.align import Points
from overt.models.tasks.embed import TEMPLATE, chip
from overt.types import Face, Image, Pixels, Quality

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Source: ITU-R BT.601."""
_FACE = np.s_[34:96, 30:82]
"""The part of the crop from brows to mouth: never hair, background, or black from outside the picture."""
_HALF_SHARP = 150.0
"""Variance of the Laplacian that counts as sharpness 0.5."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The least a face must have. side: shorter side of the box, pixels. yaw, pitch: most degrees either way.

    misfit: most that the five points may miss the frontal template by, as a share of the distance of its eyes.
    """

    side: float
    yaw: float
    pitch: float
    brightness: float
    sharpness: float
    confidence: float
    misfit: float


FLOORS = {
    "LOW": Floor(24, 75, 60, 0.06, 0.015, 0.72, 0.50),
    "AUTO": Floor(32, 65, 50, 0.10, 0.03, 0.75, 0.45),
    "MEDIUM": Floor(48, 45, 40, 0.15, 0.12, 0.80, 0.30),
    "HIGH": Floor(80, 30, 30, 0.20, 0.30, 0.85, 0.25),
}
"""What QualityFilter asks for, chosen by us. Below 24 to 32 pixels, and from a blur of sigma 6 in 150 pixels on,
comparison suffers; on 350 photos that blur has a median sharpness of 0.025, sigma 4 of 0.065, none of 0.53."""


def measure(crop: Pixels) -> Quality:
    """Brightness and sharpness of an aligned face. Args: crop: (112, 112, 3) uint8 RGB, as `embed.chip` cuts it."""
    luma = crop[_FACE].astype(np.float32) @ _LUMA
    laplacian = 4 * luma[1:-1, 1:-1] - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:]
    variance = float(laplacian.var())
    return Quality(float(luma.mean()) / 255, variance / (variance + _HALF_SHARP))


def misfit(points: Points) -> float:
    """How far five points are from a frontal face's, least squares, as a share of the distance between its eyes."""
    z, w = np.asarray(points, np.float64) @ (1, 1j), TEMPLATE @ (1, 1j)
    z, w = z - z.mean(), w - w.mean()
    left_over = w - z * np.vdot(z, w) / max(np.vdot(z, z).real, 1e-9)
    return float(np.sqrt(np.mean(np.abs(left_over) ** 2)) / np.abs(TEMPLATE[1, 0] - TEMPLATE[0, 0]))


def shortcomings(face: Face, image: Image, level: str) -> tuple[str, ...]:
    """Rekognition's reasons to leave a face out; empty when it may stay.

    Args: face: pose and quality are used where it has them, else worked out. level: NONE, AUTO, LOW, MEDIUM or HIGH.
    Returns: of SMALL_BOUNDING_BOX, EXTREME_POSE, LOW_BRIGHTNESS, LOW_SHARPNESS, LOW_CONFIDENCE, LOW_FACE_QUALITY;
    the last means that the five points do not lie as a face's do, though the pose would allow it.
    """
    if level == "NONE":
        return ()
    floor = FLOORS[level]
    scale = np.array([image.width, image.height], np.float32)
    points = face.points * scale
    head = face.pose or pose.from_points(points)
    shown = face.quality or measure(chip(image.pixels, points))
    is_turned = abs(head.yaw) > floor.yaw or abs(head.pitch) > floor.pitch
    reasons = {
        "SMALL_BOUNDING_BOX": min(face.box.width * scale[0], face.box.height * scale[1]) < floor.side,
        "EXTREME_POSE": is_turned,
        "LOW_BRIGHTNESS": shown.brightness < floor.brightness,
        "LOW_SHARPNESS": shown.sharpness < floor.sharpness,
        "LOW_CONFIDENCE": face.confidence < floor.confidence,
        "LOW_FACE_QUALITY": not is_turned and misfit(points) > floor.misfit,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)
