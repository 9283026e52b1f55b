# SPDX-License-Identifier: Apache-2.0
"""Loudness is exact to the sample, wherever one begins to listen."""

from __future__ import annotations

import io
import math

import av
import numpy as np
import pytest
from films import film

from overt.media.hearing import Ear


def ear(sound: np.ndarray | None, kind: str = "mov") -> Ear:
    raw = film(kind, "mpeg4", count=50, sound=sound)
    return Ear(lambda: av.open(io.BytesIO(raw)), 0.0)


STEPS = np.repeat(np.float32([0.5, 0.25, 0.0, 0.125]), 24000)  # half a second each


def decibels(value: float) -> float:
    return 20 * math.log10(value)


def test_windows_need_not_fit_packets() -> None:
    listening = ear(STEPS)
    listening.turn(0.0)
    for begin, until, expected in ((0.0, 0.01, 0.5), (0.01, 0.5, 0.5), (0.5, 0.51, 0.25), (0.6, 1.0, 0.25)):
        assert listening.loudness(begin, until) == pytest.approx(decibels(expected), abs=0.01)
    assert listening.loudness(1.0, 1.5) == -math.inf
    listening.turn(1.2)
    assert listening.loudness(1.25, 1.75) == pytest.approx(decibels(0.125 / math.sqrt(2)), abs=0.01)


def test_it_may_turn_anywhere() -> None:
    listening = ear(STEPS)
    for begin, expected in ((1.6, 0.125), (0.6, 0.25), (0.0, 0.5), (1.6, 0.125)):
        listening.turn(begin)
        assert listening.loudness(begin, begin + 0.3) == pytest.approx(decibels(expected), abs=0.01)


def test_after_the_sound_is_silence_and_without_a_track_nothing() -> None:
    listening = ear(STEPS)
    listening.turn(1.9)
    assert listening.loudness(5.0, 6.0) == -math.inf
    deaf = ear(None)
    deaf.turn(0.0)
    assert deaf.loudness(0.0, 1.0) is None
