# SPDX-License-Identifier: Apache-2.0
"""Apparent age, gender, expression, and what eyes and mouth do. Pixels and mesh in, claims out; knows no person.

Appearances, not facts. There is no model for glasses, beard, moustache, occlusion or the emotion CONFUSED, so nothing
is said of them. How each confidence comes about stands with its function; none is calibrated.
"""

from __future__ import annotations

import math

import numpy as np

from overt.models.session import Session
from overt.models.tasks.align import rotated_square, similarity, warp
from overt.models.tasks.mesh import LEFT_CORNERS, RIGHT_CORNERS, Mesh
from overt.types import Claim, Emotion, Floats, Gaze, Pixels, Pose

_CHIP_POINTS = [263, 362, 33, 133, 2]
_CHIP = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
"""Outer and inner corner of the left eye, of the right eye, base of the nose, in the unit square.

Source: dlib's five-point mean shape (get_face_chip_details); any other crop is much worse.
"""
_CHIP_PADDING = 0.2
_CHIP_MEAN = np.array([122.782, 117.001, 104.298], np.float32)
_AGE_SIDE, _GENDER_SIDE = 64, 32
_AGES = np.r_[0.25, np.arange(1, 81)].astype(np.float32)
_LEAST_SPREAD = 4.0
"""Years that an age range reaches either way at the least."""
_EMOTION_SIDE, _EMOTION_MARGIN = 64, 1.15
_EMOTIONS = ("ANGRY", "DISGUSTED", "FEAR", "HAPPY", "SAD", "SURPRISED", "CALM")
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_RIGHT_LIDS, _LEFT_LIDS = ((160, 144), (158, 153)), ((385, 380), (387, 373))
_OPEN_EYE, _OPEN_MOUTH = (0.15, 0.025), (0.10, 0.03)
"""Ratio at which a claim is as likely as not, and the width of the doubt around it; guesses from 55 photos."""
_EYE_WIDTH, _EYE_RADIUS = 30.0, 12.0
"""Millimetres from corner to corner of an adult eye's opening, and of the eyeball."""


class AttributeReader:
    """Reads what has a model. Thread-safe. Args: age, gender, emotion: their sessions, None where there is no model."""

    def __init__(self, age: Session | None, gender: Session | None, emotion: Session | None) -> None:
        self._age = age
        self._gender = gender
        self._emotion = emotion

    def age_range(self, pixels: Pixels, mesh: Mesh) -> tuple[int, int] | None:
        """Apparent age, low and high, whole years 0..100: the expected age, plus and minus its standard deviation."""
        if self._age is None:
            return None
        probabilities = _only(self._age.run(_chip(pixels, mesh, _AGE_SIDE)))
        age = float(probabilities @ _AGES)
        spread = max(_LEAST_SPREAD, math.sqrt(float(probabilities @ (_AGES - age) ** 2)))
        return max(0, math.floor(age - spread)), min(100, math.ceil(age + spread))

    def gender(self, pixels: Pixels, mesh: Mesh) -> tuple[str, float] | None:
        """Apparent gender and the net's probability for it."""
        if self._gender is None:
            return None
        female, male = (float(p) for p in _only(self._gender.run(_chip(pixels, mesh, _GENDER_SIDE))))
        return ("Male", male) if male >= female else ("Female", female)

    def emotions(self, pixels: Pixels, box: Floats) -> tuple[Emotion, ...] | None:
        """Apparent expressions with the net's probabilities, highest first. Args: box: (4,) in pixels."""
        if self._emotion is None:
            return None
        side = float((box[2:] - box[:2]).max()) * _EMOTION_MARGIN
        matrix = rotated_square((box[:2] + box[2:]) / 2, side, 0.0, _EMOTION_SIDE)
        grey = warp(pixels, matrix, _EMOTION_SIDE, repeat_border=True) @ _LUMA
        probabilities = _only(self._emotion.run((grey / np.float32(127.5) - 1)[None, ..., None]))
        order = np.argsort(-probabilities, kind="stable")
        return tuple(Emotion(_EMOTIONS[i], float(probabilities[i])) for i in order)


def smile(emotions: tuple[Emotion, ...]) -> Claim:
    """Whether the face seems to smile: the probability of HAPPY, at least half."""
    happy = next(emotion.confidence for emotion in emotions if emotion.name == "HAPPY")
    return Claim(happy >= 0.5, max(happy, 1 - happy))  # noqa: PLR2004


def eyes_open(mesh: Mesh) -> Claim:
    """Whether the eyes are open: logistic in the mean eye aspect ratio.

    Source: Soukupova and Cech 2016, eye aspect ratio.
    """
    return _claim(
        (_eye_ratio(mesh, RIGHT_CORNERS, _RIGHT_LIDS) + _eye_ratio(mesh, LEFT_CORNERS, _LEFT_LIDS)) / 2, _OPEN_EYE
    )


def mouth_open(mesh: Mesh) -> Claim:
    """Whether the mouth is open: logistic in the height of its opening over its width."""
    return _claim(_distance(mesh, 13, 14) / max(_distance(mesh, 78, 308), 1e-6), _OPEN_MOUTH)


def gaze(mesh: Mesh, pupils: Floats, head: Pose) -> Gaze:
    """Where the eyes look: the head's direction plus the eyeballs' turn, from how far the irises are off centre.

    Coarse. The confidence falls with closed eyes and with the head's yaw; it is 0 in profile.
    Args: pupils: (2, 2), right and left, pixels.
    """
    offsets = []
    for pupil, corners in zip(pupils, (RIGHT_CORNERS, LEFT_CORNERS), strict=True):
        a, b = mesh.points[list(corners), :2].astype(np.float64)
        across = (b - a) / max(float(np.hypot(*(b - a))), 1e-6)
        down = np.array([-across[1], across[0]])
        offset = (pupil - (a + b) / 2) / max(float(np.hypot(*(b - a))), 1e-6)
        offsets.append((offset @ across, offset @ down))
    sideways, downwards = np.mean(offsets, 0) * (_EYE_WIDTH / _EYE_RADIUS)
    turn, lift = (math.degrees(math.asin(min(1.0, max(-1.0, float(v))))) for v in (sideways, -downwards))
    opened = eyes_open(mesh)
    seen = opened.confidence if opened.value else 1 - opened.confidence
    confidence = seen * max(0.0, math.cos(math.radians(head.yaw)))
    return Gaze(_within(head.yaw + turn), _within(head.pitch + lift), confidence)


def _chip(pixels: Pixels, mesh: Mesh, side: int) -> Floats:
    """(1, 3, side, side) float32, the crop of dlib's age and gender nets."""
    target = (_CHIP_PADDING + _CHIP) / (2 * _CHIP_PADDING + 1) * side
    crop = warp(pixels, similarity(mesh.points[_CHIP_POINTS, :2], target), side)
    return np.asarray(((crop - _CHIP_MEAN) * np.float32(1 / 256)).transpose(2, 0, 1)[None], np.float32)


def _only(out: dict[str, Floats]) -> Floats:
    """The first row of a model's one output."""
    (values,) = out.values()
    return np.asarray(values[0])


def _distance(mesh: Mesh, a: int, b: int) -> float:
    return float(np.linalg.norm(mesh.points[a, :2] - mesh.points[b, :2]))


def _eye_ratio(mesh: Mesh, corners: tuple[int, int], lids: tuple[tuple[int, int], ...]) -> float:
    return sum(_distance(mesh, *pair) for pair in lids) / max(2 * _distance(mesh, *corners), 1e-6)


def _claim(ratio: float, doubt: tuple[float, float]) -> Claim:
    middle, width = doubt
    probability = 1 / (1 + math.exp(min(60.0, max(-60.0, (middle - ratio) / width))))
    return Claim(probability >= 0.5, max(probability, 1 - probability))  # noqa: PLR2004


def _within(degrees: float) -> float:
    return min(180.0, max(-180.0, degrees))
