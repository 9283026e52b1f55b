# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from overt.media.crops import LONGEST, around, picture
from overt.types import Box, Image


def ramp(height: int = 100, width: int = 200) -> Image:
    """Red tells the column, green the row."""
    rows, columns = np.mgrid[:height, :width]
    return Image(np.stack([columns, rows, np.zeros_like(rows)], -1).astype(np.uint8), "a digest")


def extent(image: Image) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a part of the ramp."""
    red, green = image.pixels[..., 0], image.pixels[..., 1]
    return int(red.min()), int(green.min()), int(red.max()) + 1, int(green.max()) + 1


def test_the_margin_is_the_same_on_all_sides() -> None:
    assert extent(around(ramp(), Box(0.25, 0.3, 0.25, 0.2), margin=0)) == (50, 30, 100, 50)
    assert extent(around(ramp(), Box(0.25, 0.3, 0.25, 0.2), margin=0.2)) == (40, 20, 110, 60)


def test_the_picture_ends_where_it_ends() -> None:
    assert extent(around(ramp(), Box(-0.1, 0.8, 0.3, 0.4))) == (0, 65, 55, 100)
    whole = around(ramp(), Box(0, 0, 1, 1))
    assert (whole.width, whole.height) == (200, 100)


@pytest.mark.parametrize("box", [Box(0.5, 0.5, 0, 0), Box(2, 2, 0.1, 0.1), Box(-3, 0.5, 1, 0.1), Box(1, 1, 0, 0)])
def test_it_is_never_empty(box: Box) -> None:
    cut = around(ramp(), box, margin=0)
    assert cut.width >= 1
    assert cut.height >= 1
    assert Pillow.open(io.BytesIO(picture(cut))).size == (cut.width, cut.height)


def test_a_large_part_is_shrunk_and_a_small_one_stays() -> None:
    large = Image(np.zeros((1080, 1920, 3), np.uint8), "")
    cut = around(large, Box(0, 0, 1, 1))
    assert (cut.width, cut.height) == (LONGEST, 360)
    assert around(large, Box(0, 0, 1, 0.001), margin=0, longest=100).height == 1
    small = around(large, Box(0.5, 0.5, 0.05, 0.1), margin=0)
    assert (small.width, small.height) == (96, 108)


def test_a_part_keeps_no_memory_of_the_whole() -> None:
    image = ramp()
    for box in (Box(0.25, 0.3, 0.25, 0.2), Box(0, 0, 1, 1), Box(0, 0.2, 1, 0.5)):
        cut = around(image, box)
        assert not np.shares_memory(cut.pixels, image.pixels)
        assert cut.sha256 == ""


def test_a_picture_is_a_jpeg_that_looks_like_it() -> None:
    image = ramp()
    with Pillow.open(io.BytesIO(picture(image))) as opened:
        assert opened.format == "JPEG"
        again = np.asarray(opened.convert("RGB"))
    assert np.abs(again.astype(int) - image.pixels).mean() < 3


def test_a_part_of_an_array_can_be_written() -> None:
    cut = Image(ramp().pixels[10:40, 20:60], "")
    assert Pillow.open(io.BytesIO(picture(cut))).size == (40, 30)
