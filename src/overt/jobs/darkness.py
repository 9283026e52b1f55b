# SPDX-License-Identifier: Apache-2.0
"""Black frames without sound: what separates programmes and adverts. Knows one frame after the other."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np

from overt.jobs.stretches import Stretch, Stretches
from overt.types import Frame, Pixels

SILENCE = -60.0
"""dB below full scale (RMS) above which sound counts as heard: ten above the gate below which loudness meters call a
programme silent, as tracks have hiss. Source of the gate, -70: ITU-R BS.1770."""
_PAUSE = 1.0
"""Seconds of silence that end what is heard over black; shorter ones are pauses of speech or music."""
_BT709 = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
"""Weights of red, green and blue in luma. Source: ITU-R BT.709-6, 3.2."""


def luma(pixels: Pixels) -> Pixels:
    """BT.709 luma of RGB pixels, (h, w) uint8: 0 = black and 255 = white."""
    return cast("Pixels", cv2.transform(pixels, _BT709))


class Darkness:
    """Finds stretches of black and silent frames. Its state is JSON, to go on from."""

    def __init__(self, threshold: float = 0.2, coverage: float = 99.0) -> None:
        """Make one.

        Args: threshold: MaxPixelThreshold, 0..1. A pixel is black up to min_luma + threshold * (max_luma - min_luma);
        pixels are RGB, where black is 0 and white 255 whether the footage runs over 0..255 or 16..235, so both ranges
        come to one rule. coverage: MinCoveragePercentage, 0..100: pixels that must be black.
        """
        self._threshold = threshold
        self._coverage = coverage
        self._stretches = Stretches()
        self._heard = False  # at the frame before, over black
        self._beside_sound = False  # the stretch in hand began as sound over black ended

    def see(self, number: int, frame: Frame, brightness: Pixels) -> None:
        """The next frame. brightness: its `luma`."""
        limit = self._threshold * 255
        black = cv2.countNonZero(cv2.inRange(brightness, 0, int(limit)))
        is_black = 100 * black >= self._coverage * brightness.size
        heard = is_black and frame.loudness is not None and frame.loudness > SILENCE
        if is_black and not heard:
            if self._stretches.open is None:
                self._beside_sound = self._heard
            depth = 1 - min(cv2.mean(brightness)[0] / max(limit, 1), 1) / 2
            self._stretches.see(number, frame.time, depth)
        else:
            self._end(beside_sound=heard)
        self._heard = heard

    def finish(self) -> list[Stretch]:
        """Every stretch; the score is how black it is, 0.5..1."""
        self._end(beside_sound=False)
        return self._stretches.all()

    def state(self) -> dict[str, Any]:
        """All that it goes on from, as JSON."""
        return {
            "threshold": self._threshold,
            "coverage": self._coverage,
            "stretches": self._stretches.state(),
            "heard": self._heard,
            "beside_sound": self._beside_sound,
        }

    @classmethod
    def of(cls, state: dict[str, Any]) -> Darkness:
        """One that goes on where `state()` was taken."""
        darkness = cls(state["threshold"], state["coverage"])
        darkness._stretches = Stretches.of(state["stretches"])
        darkness._heard, darkness._beside_sound = state["heard"], state["beside_sound"]
        return darkness

    def _end(self, *, beside_sound: bool) -> None:
        held = self._stretches.open
        if held and (beside_sound or self._beside_sound) and held.end - held.start < _PAUSE:
            self._stretches.open = None
        self._stretches.close()
