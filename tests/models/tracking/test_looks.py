# SPDX-License-Identifier: Apache-2.0
"""Colours of clothes are told apart; light, size and what is beside the person matter less."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overt.models.tracking.looks import DIMENSION, looks
from overt.types import Box, Image

WHOLE = Box(0.25, 0.1, 0.5, 0.8)
RED, BLUE, BLACK, WHITE, GRASS = (180, 30, 40), (30, 50, 160), (25, 25, 28), (225, 225, 220), (90, 140, 60)


def person(upper: tuple, lower: tuple, ground: tuple = GRASS, height: int = 100, light: float = 1.0) -> Image:
    pixels = np.full((height, height, 3), ground, np.float64)
    top, waist, bottom = int(0.1 * height), height // 2, int(0.9 * height)
    left, right = int(0.33 * height), int(0.67 * height)
    pixels[top:waist, left:right], pixels[waist:bottom, left:right] = upper, lower
    noise = np.random.default_rng(0).normal(0, 6, pixels.shape)
    return Image((pixels * light + noise).clip(0, 255).astype(np.uint8), "")


def alike(a: Image, b: Image) -> float:
    return float(looks(a, [WHOLE])[0] @ looks(b, [WHOLE])[0])


def test_a_look_is_a_unit_vector() -> None:
    rows = looks(person(RED, BLACK), [WHOLE, Box(0.5, 0.5, 0.5, 0.5), Box(0.7, 0.7, 0.3, 0.3)])
    assert rows.shape == (3, DIMENSION)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert (rows >= 0).all()
    assert looks(person(RED, BLACK), []).shape == (0, DIMENSION)


def test_clothes_of_other_colours_are_unlike() -> None:
    one = person(RED, BLACK)
    assert alike(one, person(BLUE, BLACK)) < 0.85
    assert alike(one, person(BLACK, RED)) < 0.7
    assert alike(one, person(WHITE, BLUE)) < 0.6


def test_light_size_and_ground_matter_less_than_clothes() -> None:
    one = person(RED, BLACK)
    same = [person(RED, BLACK, light=0.8), person(RED, BLACK, height=400), person(RED, BLACK, ground=(130, 130, 130))]
    assert min(alike(one, other) for other in same) > 0.9


@given(
    sides=st.tuples(*[st.floats(-2, 3) for _ in range(2)], *[st.floats(-0.5, 3) for _ in range(2)]),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_any_box_of_any_picture_has_a_look_or_none(sides: tuple, shape: tuple) -> None:
    image = Image(np.full((*shape, 3), 90, np.uint8), "")
    norm = float(np.linalg.norm(looks(image, [Box(*sides)])))
    assert norm == pytest.approx(1, abs=1e-5) or norm == 0


def test_a_box_outside_the_picture_has_no_look() -> None:
    outside = [Box(1.2, 0.1, 0.2, 0.5), Box(-0.5, 0.1, 0.4, 0.5), Box(0.1, 3.0, 0.2, 0.5), Box(0.5, 0.5, 0.0, 0.2)]
    assert not looks(person(RED, BLACK), outside).any()


def test_people_of_a_photo_are_more_like_themselves_mirrored(load: Callable[[str], Image]) -> None:
    photo = load("astronaut.png")
    mirrored = Image(np.ascontiguousarray(photo.pixels[:, ::-1]), "")
    body = Box(0.15, 0.0, 0.6, 1.0)
    turned = Box(1 - body.left - body.width, body.top, body.width, body.height)
    itself = float(looks(photo, [body])[0] @ looks(mirrored, [turned])[0])
    assert itself > 0.98
    assert itself > float(looks(photo, [body])[0] @ looks(load("obama.jpg"), [Box(0.1, 0.1, 0.8, 0.9)])[0]) + 0.1
