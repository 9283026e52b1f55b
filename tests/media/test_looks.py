# SPDX-License-Identifier: Apache-2.0
"""How pictures look: drawn ones with known answers, and real photos."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageColor

from overt.media import looks
from overt.types import Look

FAMILIES = {
    *("black", "blue", "brown", "cyan", "green", "grey"),
    *("orange", "pink", "purple", "red", "white", "yellow"),
}


def plain(colour: str, height: int = 80, width: int = 80) -> np.ndarray:
    return np.full((height, width, 3), ImageColor.getrgb(colour), np.uint8)


def photo(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def noise(height: int, width: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("colour", "family"),
    [
        ("black", "black"),
        ("white", "white"),
        ("red", "red"),
        ("navy", "blue"),
        ("gray", "grey"),
        ("darkslategrey", "grey"),
        ("dimgrey", "grey"),
        ("darkolivegreen", "green"),
        ("saddlebrown", "brown"),
        ("hotpink", "pink"),
        ("orange", "orange"),
        ("gold", "yellow"),
        ("purple", "purple"),
        ("teal", "cyan"),
    ],
)
def test_a_named_colour_is_told_by_its_name(colour: str, family: str) -> None:
    (found,) = looks.dominant_colours(plain(colour))
    assert (found.name, found.family, found.share) == (colour, family, 1.0)
    assert (found.red, found.green, found.blue) == ImageColor.getrgb(colour)


def test_every_value_named_by_css_has_one_name_and_one_of_twelve_families() -> None:
    seen = {}
    for value in sorted({ImageColor.getrgb(name) for name in ImageColor.colormap}):
        (found,) = looks.dominant_colours(np.full((4, 4, 3), value, np.uint8))
        assert (found.red, found.green, found.blue) == pytest.approx(value, abs=1)
        assert ImageColor.getrgb(found.name) == value
        seen[found.name] = found.family
    assert len(seen) == 139
    assert set(seen.values()) == FAMILIES


def test_colours_come_by_their_share_of_the_pixels() -> None:
    picture = plain("white")
    picture[:24] = ImageColor.getrgb("blue")
    picture[24:32] = ImageColor.getrgb("red")
    found = looks.dominant_colours(picture)
    assert [colour.name for colour in found] == ["white", "blue", "red"]
    assert [colour.share for colour in found] == pytest.approx([0.6, 0.3, 0.1])
    assert [colour.name for colour in looks.dominant_colours(picture, limit=1)] == ["white"]
    assert looks.dominant_colours(picture, limit=0) == ()


def test_shades_that_look_alike_are_one_colour() -> None:
    shaded = np.full((60, 60, 3), (200, 30, 30), np.uint8)
    shaded[:, 30:] = (205, 34, 32)
    (found,) = looks.dominant_colours(shaded)
    assert (found.family, found.share) == ("red", 1.0)
    assert 200 <= found.red <= 205


def test_only_pixels_under_the_mask_count() -> None:
    picture, mask = plain("green", 300, 400), np.zeros((300, 400), np.bool_)
    picture[100:110, 200:210] = ImageColor.getrgb("orange")
    mask[100:110, 200:210] = True
    assert [colour.name for colour in looks.dominant_colours(picture, mask)] == ["orange"]
    assert [colour.name for colour in looks.dominant_colours(picture, ~mask)] == ["green"]
    assert looks.dominant_colours(picture, np.zeros_like(mask)) == ()


def test_a_thin_mask_is_not_lost_when_the_picture_is_shrunk() -> None:
    picture, mask = plain("navy", 2000, 2000), np.eye(2000, dtype=np.bool_)
    assert [colour.name for colour in looks.dominant_colours(picture, mask)] == ["navy"]


@pytest.mark.parametrize(("colour", "brightness"), [("black", 0), ("white", 1), ("gray", 128 / 255)])
def test_a_picture_of_one_colour_is_all_background(colour: str, brightness: float) -> None:
    whole, foreground, background = looks.looks(plain(colour))
    assert foreground is None
    assert whole == background == looks.look(plain(colour))
    assert (whole.brightness, whole.sharpness, whole.contrast) == pytest.approx((brightness, 0, 0), abs=1e-6)
    assert not looks.ground(plain(colour)).any()


def test_contrast_is_whole_between_halves_of_black_and_white() -> None:
    halves = plain("black", 100, 100)
    halves[:, 50:] = 255
    assert looks.look(halves).contrast == pytest.approx(1)
    assert looks.look(halves // 2 + 60).contrast == pytest.approx(0.5, abs=0.01)


def test_blur_lowers_sharpness_step_by_step(photos: Path) -> None:
    picture = photo(photos / "coffee.png")
    steps = [picture, *(cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (1, 2, 4, 8))]
    found = [looks.look(step).sharpness for step in steps]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.5
    assert found[-1] < 0.02


def test_light_raises_brightness_and_haze_lowers_contrast(photos: Path) -> None:
    picture = photo(photos / "coffee.png").astype(np.float32)
    plain_look, lit, hazy = (
        looks.look(values.clip(0, 255).astype(np.uint8)) for values in (picture, picture + 60, picture * 0.4 + 120)
    )
    assert lit.brightness > plain_look.brightness + 0.15
    assert hazy.contrast < plain_look.contrast / 2


def test_a_larger_copy_looks_the_same(photos: Path) -> None:
    picture = photo(photos / "coffee.png")
    once = looks.look(picture)
    large = looks.look(cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC))
    assert (large.brightness, large.contrast) == pytest.approx((once.brightness, once.contrast), abs=0.02)
    assert large.sharpness == pytest.approx(once.sharpness, abs=0.1)


def test_a_disc_on_a_plain_ground_is_the_foreground() -> None:
    picture = plain("skyblue", 300, 400)
    cv2.circle(picture, (190, 150), 70, ImageColor.getrgb("firebrick"), -1)
    disc = (picture == ImageColor.getrgb("firebrick")).all(2)
    mask = looks.ground(picture)
    assert mask.shape == (300, 400)
    assert mask.dtype == np.bool_
    assert (mask & disc).sum() / (mask | disc).sum() > 0.9
    _, foreground, background = looks.looks(picture)
    assert foreground.colours[0].family == "red"
    assert background.colours[0].name == "skyblue"
    assert background.brightness > foreground.brightness


def test_a_cup_of_coffee_stands_out_from_its_table(photos: Path) -> None:
    picture = photo(photos / "coffee.png")
    mask = looks.ground(picture)
    assert mask[200, 280]  # the saucer and the cup
    assert mask[150, 300]
    assert not mask[:40, :40].any()
    whole, foreground, background = looks.looks(picture)
    assert foreground.colours[0].family == "red"  # the saucer
    assert background.colours[0].family == "brown"  # the wood
    assert {"brown", "black"} <= {colour.family for colour in whole.colours}


def test_a_dog_stands_out_from_its_pier(shared_data: Path) -> None:
    picture = photo(shared_data / "azure_vision" / "images" / "dog.jpg")
    mask = looks.ground(picture)
    dog = np.s_[150:300, 300:400]
    assert mask[dog].mean() > 0.8
    assert mask.mean() < 0.4


def check(look: Look, limit: int) -> None:
    assert all(0 <= value <= 1 for value in (look.brightness, look.sharpness, look.contrast))
    shares = [colour.share for colour in look.colours]
    assert 0 < len(shares) <= limit
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 0.01
    assert sum(shares) <= 1 + 1e-9
    assert len({colour.name for colour in look.colours}) == len(shares)
    assert {colour.family for colour in look.colours} <= FAMILIES


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 5), (3, 3), (80, 80), (20, 10_000), (10_000, 1), (15, 17), (750, 1000)]
)
def test_every_shape_of_picture_has_looks(height: int, width: int) -> None:
    for picture in (noise(height, width), cv2.GaussianBlur(noise(height, width), (0, 0), 9)):
        whole, foreground, background = looks.looks(picture, 20)
        for part in (whole, background, *([foreground] if foreground else [])):
            check(part, 20)
        assert looks.ground(picture).shape == (height, width)


def test_equal_pictures_get_equal_answers_in_any_thread(photos: Path) -> None:
    pictures = [photo(photos / name) for name in ("coffee.png", "astronaut.png")] * 3
    alone = [looks.looks(picture) for picture in pictures]
    cv2.setRNGSeed(99)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(looks.looks, pictures)) == alone
    for whole, foreground, background in alone:
        assert foreground is not None
        check(whole, 10)
        check(foreground, 10)
        check(background, 10)


def test_a_picture_is_not_changed(photos: Path) -> None:
    picture = photo(photos / "coffee.png").copy()
    before = picture.copy()
    looks.looks(picture)
    assert (picture == before).all()
    picture.flags.writeable = False
    looks.looks(picture)
