# SPDX-License-Identifier: Apache-2.0
"""A box is drawn where it is, however the photo is shaped, sized or turned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overt.cli import drawing
from overt.cli.drawing import GREEN, RED
from overt.engine import Engine

BOX = {"Left": 0.25, "Top": 0.5, "Width": 0.5, "Height": 0.25}
BLUE, PURE = (0, 0, 255), (0, 255, 0)  # colours that no photo here has


def white(path: Path, size: tuple[int, int], **options: object) -> Path:
    Image.new("RGB", size, "white").save(path, **options)
    return path


def where(picture: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of all pixels of about that colour."""
    near = np.abs(np.asarray(picture.convert("RGB")).astype(int) - colour).max(2) < 60
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    return (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) if rows.size else None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 640), (80, 160, 240, 240)),
        ((1280, 640), (80, 160, 240, 200)),  # wide: 320 x 160 in the middle
        ((500, 1000), (120, 160, 200, 240)),  # tall: 160 x 320 in the middle
        ((320, 240), (80, 160, 240, 220)),
        ((100, 100), (80, 160, 240, 240)),  # small photos are enlarged with their box
    ],
)
def test_the_box_is_where_it_is(tmp_path: Path, size: tuple[int, int], expected: tuple[int, ...]) -> None:
    drawn = drawing.framed(white(tmp_path / "a.png", size), BOX, GREEN)
    assert drawn.size == (320, 320)
    assert where(drawn, GREEN) == pytest.approx(expected, abs=5)
    left, top, right, bottom = expected
    middle = drawn.getpixel(((left + right) // 2, (top + bottom) // 2))
    assert middle == pytest.approx((255, 255, 255), abs=3)  # only its border is drawn


def test_the_box_has_the_colour_asked_for(tmp_path: Path) -> None:
    drawn = drawing.framed(white(tmp_path / "a.png", (640, 480)), BOX, RED)
    assert where(drawn, RED) is not None
    assert where(drawn, GREEN) is None


def test_without_a_box_nothing_is_drawn(tmp_path: Path) -> None:
    drawn = drawing.framed(white(tmp_path / "a.png", (320, 320)), None, GREEN)
    assert drawn.getcolors() == [(320 * 320, (255, 255, 255))]


def test_a_box_is_one_of_the_upright_photo(tmp_path: Path) -> None:
    """A telephone held upright stores the photo on its side; the server's boxes are of what people see."""
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = white(tmp_path / "upright.jpg", (480, 640))
    on_its_side = white(tmp_path / "side.jpg", (640, 480), exif=exif)
    first, second = (where(drawing.framed(path, BOX, GREEN), GREEN) for path in (upright, on_its_side))
    assert first is not None
    assert second == pytest.approx(first, abs=1)


def test_a_box_that_leaves_the_photo_is_drawn_as_far_as_it_goes(tmp_path: Path) -> None:
    box = {"Left": -0.25, "Top": 0.5, "Width": 0.5, "Height": 0.75}
    drawn = drawing.framed(white(tmp_path / "a.png", (640, 640)), box, GREEN)
    assert where(drawn, GREEN) == pytest.approx((0, 160, 80, 320), abs=2)


def test_the_photo_itself_is_left_alone(tmp_path: Path) -> None:
    path = white(tmp_path / "a.png", (100, 100))
    before = path.read_bytes()
    drawing.framed(path, BOX, GREEN)
    assert path.read_bytes() == before


def test_the_face_that_the_engine_finds_is_inside_its_frame(engine: Engine, photos: Path) -> None:
    """From the detector's ratios to the drawn square: eyes, nose and mouth lie in it, and it lies in the photo."""
    image = engine.media.decode((photos / "obama.jpg").read_bytes())
    face = engine.models.faces.detect(image, 1)[0]
    box = {"Left": face.box.left, "Top": face.box.top, "Width": face.box.width, "Height": face.box.height}
    left, top, right, bottom = where(drawing.framed(photos / "obama.jpg", box, PURE), PURE) or (0, 0, 0, 0)
    width = 320 * image.width / image.height  # a portrait fills the height of the square
    points = face.points * (width, 320) + ((320 - width) / 2, 0)
    assert (points > (left, top)).all()
    assert (points < (right, bottom)).all()
    assert right - left == pytest.approx(face.box.width * width, abs=6)
    assert bottom - top == pytest.approx(face.box.height * 320, abs=6)


def test_a_sheet_has_its_photos_in_rows_and_words_beside_them() -> None:
    red, green = Image.new("RGB", (320, 320), RED), Image.new("RGB", (320, 320), GREEN)
    drawn = drawing.sheet(
        [((red, red), [("both", (0, 0, 255))]), ((green,), [("one", (0, 0, 255)), ("two", (0, 0, 255))])]
    )
    assert where(drawn, RED) == (16, 16, 16 + 320 + 16 + 320, 16 + 320)
    assert where(drawn, GREEN) == (16, 16 + 320 + 16, 16 + 320, 16 + 320 + 16 + 320)
    left, top, right, _ = where(drawn, BLUE) or (0, 0, 0, 0)
    assert 2 * (320 + 16) < left < right < drawn.width
    assert 0 < top < 60
