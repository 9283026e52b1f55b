# SPDX-License-Identifier: Apache-2.0
"""A picture reaches a model as its manifest says, and points find their way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from overt.models.inputs import Input, resized

BASE: dict[str, Any] = {
    "shape": [1, 3, 40, 80],
    "layout": "NCHW",
    "colour": "RGB",
    "mean": [0.0, 0.0, 0.0],
    "std": [1.0, 1.0, 1.0],
    "fit": "stretch",
}


def made(**changes: Any) -> Input:
    return Input.read({**BASE, **changes})


def halves(height: int, width: int) -> np.ndarray[Any, Any]:
    """Red on the left, blue on the right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = 250
    pixels[:, width // 2 :, 2] = 250
    return pixels


def test_colour_order_mean_std_and_layout() -> None:
    pixels = np.full((40, 80, 3), (10, 20, 30), np.uint8)
    data, _ = made(colour="BGR", mean=[1.0, 2.0, 3.0], std=[2.0, 2.0, 2.0]).prepare(pixels)
    assert data.shape == (1, 3, 40, 80)
    assert data.dtype == np.float32
    assert data[0, :, 0, 0].tolist() == pytest.approx([(30 - 1) / 2, (20 - 2) / 2, (10 - 3) / 2])
    data, _ = made(shape=[1, 40, 80, 3], layout="NHWC", dtype="int32").prepare(pixels)
    assert data.shape == (1, 40, 80, 3)
    assert data.dtype == np.int32
    assert data[0, 0, 0].tolist() == [10, 20, 30]


def test_grey_is_luma() -> None:
    data, _ = made(shape=[1, 1, 40, 80], colour="grey", mean=[0.0], std=[255.0]).prepare(halves(40, 80))
    assert data.shape == (1, 1, 40, 80)
    assert data[0, 0, 0, 0] == pytest.approx(0.299 * 250 / 255, abs=0.01)


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
@pytest.mark.parametrize("place", ["centre", "top-left"])
@pytest.mark.parametrize(("height", "width"), [(60, 60), (30, 200), (200, 30), (4000, 90)])
def test_points_go_back_to_where_they_came_from(fit: str, place: str, height: int, width: int) -> None:
    _, placement = made(fit=fit, place=place).prepare(np.zeros((height, width, 3), np.uint8))
    corners = np.array([[0, 0], [width, height], [width / 2, height / 4]], np.float32)
    there = corners * np.float32(placement.scale) + np.float32(placement.offset)
    assert placement.ratios(there) == pytest.approx(corners / np.float32([width, height]), abs=1e-5)


def test_a_letterbox_keeps_the_shape_and_fills_the_rest() -> None:
    data, _ = made(fit="letterbox", fill=114).prepare(np.full((40, 40, 3), 200, np.uint8))
    assert data[0, 0, :, :20].tolist() == np.full((40, 20), 114).tolist()
    assert (data[0, 0, :, 20:60] == 200).all()
    assert (data[0, 0, :, 60:] == 114).all()


def test_the_middle_is_cut_as_in_training() -> None:
    """Of a square shrunk to 100 pixels the middle 80 are seen, so a tenth of each side is not."""
    pixels = np.zeros((1000, 1000, 3), np.uint8)
    pixels[100:900, 100:900] = 255
    square: dict[str, Any] = {"shape": [1, 3, 80, 80], "resize": 100}
    for fit in ("centre crop", "stretch"):
        data, placement = made(**square, fit=fit).prepare(pixels)
        assert data[0, 0, 2:-2, 2:-2].min() > 250
        assert placement.ratios(np.float32([[0, 0], [80, 80]])) == pytest.approx(
            np.float32([[0.1, 0.1], [0.9, 0.9]]), abs=0.01
        )


def test_files_leave_their_traces() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 80, 3), np.uint8)
    clean, _ = made().prepare(noise)
    recoded, _ = made(recode="jpeg").prepare(noise)
    assert 1 < np.abs(clean - recoded).mean() < 60
    assert np.array_equal(recoded, made(recode="jpeg").prepare(noise)[0])


def test_far_too_large_a_picture_is_averaged_not_sampled() -> None:
    stripes = np.zeros((900, 900, 3), np.uint8)
    stripes[:, ::2] = 255
    assert resized(stripes, (30, 30)).std() < 4


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"layout": "CHWN"}, "layout"),
        ({"colour": "rgb"}, "colour"),
        ({"fit": "squash"}, "fit"),
        ({"dtype": "float64"}, "dtype"),
        ({"shape": [1, 3, 40]}, "shape"),
        ({"shape": [1, 3, 0, 40]}, "shape"),
        ({"mean": [1.0]}, "mean"),
        ({"std": [1.0, 0, 1.0]}, "std"),
        ({"std": [1.0, float("nan"), 1.0]}, "std"),
        ({"resize": -1}, "resize"),
        ({"fill": 300}, "fill"),
    ],
)
def test_what_no_input_can_be_is_refused(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        made(**changes)


def test_a_free_size_takes_no_pictures() -> None:
    free = made(shape=[1, 3, "h", "w"])
    assert not free.takes_pictures
    with pytest.raises(ValueError, match="height and width"):
        _ = free.size
    assert made().takes_pictures
    assert not made(fit="none").takes_pictures
