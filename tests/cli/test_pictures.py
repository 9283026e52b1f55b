# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from overt.cli import pictures
from overt.cli.output import CommandError
from overt.engine import Engine


def opened(raw: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(raw))
    assert picture.format == "JPEG"
    return picture


@pytest.mark.parametrize(("size", "expected"), [((1000, 500), (640, 320)), ((90, 300), (192, 640))])
def test_a_photo_is_brought_to_one_size(tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]) -> None:
    Image.new("RGB", size, "teal").save(tmp_path / "a.png")
    assert opened(pictures.at_side(tmp_path / "a.png")).size == expected


def test_the_sign_can_be_read_line_by_line(engine: Engine) -> None:
    assert opened(pictures.sign()).size == (500, 500)
    lines, _ = engine.models.text.read(engine.media.decode(pictures.sign()))
    assert [line.text for line in lines] == [text for text, _ in pictures.SIGN]


def test_the_still_holds_no_text(engine: Engine, photos: Path) -> None:
    assert engine.models.text.read(engine.media.decode(pictures.still(photos))) == ((), ())


def test_a_missing_still_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"lacks coffee\.png.*make photos"):
        pictures.still(tmp_path)
