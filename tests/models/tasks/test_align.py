# SPDX-License-Identifier: Apache-2.0
"""Transforms put points where they are said to, and crops keep what is there at any scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overt.models.tasks import align


@given(st.floats(-3, 3), st.floats(0.1, 10), st.floats(-99, 99), st.floats(-99, 99))
def test_similarity_is_recovered(angle: float, scale: float, x: float, y: float) -> None:
    points = np.array([[0, 0], [10, 0], [3, 8], [7, 7.0]])
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    expected = np.array([[cos, -sin, x], [sin, cos, y]])
    moved = points @ expected[:, :2].T + expected[:, 2]
    assert align.similarity(points, moved) == pytest.approx(expected, abs=1e-6)


def test_similarity_never_mirrors() -> None:
    points = np.array([[0, 0], [10, 0], [3, 8.0]])
    matrix = align.similarity(points, points * [-1, 1])
    assert np.linalg.det(matrix[:, :2]) > 0


def test_back_undoes() -> None:
    matrix = align.rotated_square((40, 30), 25, 0.4, 100)
    assert align.back(matrix, np.array([[50.0, 50.0]])) == pytest.approx(np.array([[40, 30]]), abs=1e-3)


@pytest.mark.parametrize("side", [50, 112, 300, 1500])
def test_crops_agree_at_every_scale(side: int) -> None:
    y, x = np.mgrid[:1600, :1600]
    ramp = np.stack([x / 1600 * 255, y / 1600 * 255, np.full_like(x, 9)], 2).astype(np.uint8)
    matrix = align.rotated_square((800, 700), side, 0.3, 112)
    crop = align.warp(ramp, matrix, 112)
    where = align.back(matrix, np.array([[20.0, 30.0], [90.0, 60.0]]))
    for (cx, cy), (px, py) in zip(((20, 30), (90, 60)), where, strict=True):
        assert crop[cy, cx] == pytest.approx((px / 1600 * 255, py / 1600 * 255, 9), abs=2)


def test_fine_stripes_become_grey_not_noise() -> None:
    stripes = np.zeros((1120, 1120, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = align.warp(stripes, align.rotated_square((560, 560), 1000, 0.0, 112), 112)
    assert np.abs(crop.astype(int) - 127).max() < 30


def test_outside_is_black_or_repeated() -> None:
    white = np.full((50, 50, 3), 255, np.uint8)
    matrix = align.rotated_square((200, 200), 40, 0.0, 64)
    assert align.warp(white, matrix, 64).max() == 0
    assert align.warp(white, matrix, 64, repeat_border=True).min() == 255
