# SPDX-License-Identifier: Apache-2.0
"""Which sight of a followed face shows it best so far, so that only better ones are embedded. Keeps no face.

A face is worth the product of four shares: how large it is, how much it faces the camera, how sharp it is, how surely
it is a face. One bad share cannot be made up for by another, as each by itself spoils an embedding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from overt.models.tasks import pose
from overt.types import Face

_ENOUGH = 112.0
"""Pixels of the shorter side from which size adds nothing. Source: the embedder's input is 112 x 112."""
_BETTER = 1.2
"""How many times the best a new sight must be worth. From a first sight at 0.1 to the perfect one these are 13 at most,
whatever a video's length."""


def worth(face: Face, width: int, height: int) -> float:
    """How good a sight of a face is, 0..1; 0 when it is turned away by 90 degrees.

    Where pose is not described the five points tell it; where sharpness is not, it counts as half: compare faces that
    were described alike. Args: width, height: of the picture, in pixels.
    """
    head = face.pose or pose.from_points(face.points * np.array([width, height], np.float32))
    frontal = max(math.cos(math.radians(head.yaw)), 0) * max(math.cos(math.radians(head.pitch)), 0)
    side = max(min(face.box.width * width, face.box.height * height), 0)
    sharpness = face.quality.sharpness if face.quality else 0.5
    # Square roots: a face of half the size, or of sharpness 0.25, is still half as good.
    return min(math.sqrt(side / _ENOUGH), 1) * frontal * math.sqrt(sharpness) * face.confidence


class BestSights:
    """The best of each track. Args: width, height: of the video's pictures, in pixels."""

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._best: dict[int, float] = {}

    def offer(self, track: int, face: Face) -> bool:
        """Whether this face is the track's first or clearly better than all before: then it is the best from now on."""
        new, best = worth(face, *self._size), self._best.get(track)
        if best is not None and new < _BETTER * best:
            return False
        self._best[track] = new
        return best is None or new > best

    def drop(self, track: int) -> None:
        """Forget a track that has ended, if it is known."""
        self._best.pop(track, None)

    def state(self) -> dict[str, Any]:
        """All it knows, for JSON."""
        return {"size": list(self._size), "best": [[track, value] for track, value in self._best.items()]}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> BestSights:
        """The one whose `state` this was."""
        made = cls(*state["size"])
        made._best = dict(state["best"])
        return made
