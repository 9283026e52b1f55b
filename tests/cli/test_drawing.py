# SPDX-License-Identifier: Apache-2.0
"""A box is drawn where it is, however the photo is shaped, sized or turned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overt.cli import drawing
from overt.cli.drawing import GREEN, RED, Mark
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


# --- everything in one picture ---

PANEL = (40, 40, 200)  # of marks here; the pictures are white


def mark(caption: str, box: dict[str, float] = BOX, ink: tuple[int, int, int] = PANEL, **how: bool) -> Mark:
    return Mark.of_box(box, caption, ink, **how)


def plain(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 480), (960, 720)),  # enlarged, so that captions fit
        ((4000, 3000), (1600, 1200)),
        ((1200, 1000), (1200, 1000)),
        ((4000, 100), (1600, 320)),  # a panorama gets room for captions
        ((1, 1), (960, 960)),
        ((3, 900), (320, 960)),
    ],
)
def test_pictures_of_any_size_are_drawn_at_a_good_one(size: tuple[int, int], expected: tuple[int, int]) -> None:
    drawn = drawing.annotated(plain(*size), [mark("Something 98")], [], [])
    assert drawn.size == expected
    assert where(drawn, PANEL) is not None


def test_a_mark_is_around_its_box() -> None:
    drawn = drawing.annotated(plain(1000, 1000), [mark("")], [], [])
    assert where(drawn, PANEL) == pytest.approx((250, 500, 750, 750), abs=3)
    assert drawn.getpixel((500, 625)) == (255, 255, 255)


def test_brackets_are_the_corners_of_a_box() -> None:
    drawn = drawing.annotated(plain(1000, 1000), [mark("", brackets=True)], [], [])
    assert where(drawn, PANEL) == pytest.approx((250, 500, 750, 750), abs=8)
    assert where(drawn.crop((400, 490, 600, 510)), PANEL) is None


def test_text_is_marked_by_its_own_outline() -> None:
    leaning = Mark(((0.2, 0.5), (0.7, 0.3), (0.75, 0.4), (0.25, 0.6)), "", PANEL)
    drawn = drawing.annotated(plain(1000, 1000), [leaning], [], [])
    assert where(drawn, PANEL) == pytest.approx((200, 300, 750, 600), abs=4)
    assert where(drawn.crop((200, 300, 400, 380)), PANEL) is None  # the corner of the upright box around it


def test_a_caption_is_filled_in_and_its_words_are_light() -> None:
    without, drawn = (
        np.asarray(drawing.annotated(plain(1000, 1000), [mark(words)], [], [])).astype(int)
        for words in ("", "Bicycle 97")
    )
    rows, columns = np.nonzero(np.abs(drawn - without).max(2) > 60)
    label = drawn[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    filled = (np.abs(label - PANEL).max(2) < 30).mean()
    light = (label.min(2) > 200).mean()
    assert 15 < label.shape[0] < 40
    assert filled > 0.5
    assert 0.02 < light < 0.4


def test_captions_do_not_lie_on_each_other() -> None:
    """The same box three times: three captions, each of full size."""
    inks = [PANEL, (200, 40, 40), (40, 140, 40)]
    alone = [np.asarray(drawing.annotated(plain(1000, 1000), [mark("Dog 1", ink=ink)], [], [])) for ink in inks]
    together = np.asarray(drawing.annotated(plain(1000, 1000), [mark("Dog 1", ink=ink) for ink in inks], [], []))
    for ink, picture in zip(inks, alone, strict=True):
        outline = np.asarray(drawing.annotated(plain(1000, 1000), [mark("", ink=ink)], [], []))
        full = (picture == ink).all(2).sum() - (outline == ink).all(2).sum()
        assert (together == ink).all(2).sum() >= full * 0.9


def test_where_no_place_is_free_captions_are_left_out_and_outlines_are_not() -> None:
    crowd = [mark(f"Number {number}") for number in range(200)]
    drawn = drawing.annotated(plain(300, 300), crowd, [], [])
    assert drawn.size == (960, 960)
    assert where(drawn, PANEL) is not None


def test_a_long_caption_ends_inside_the_picture() -> None:
    drawn = drawing.annotated(plain(500, 1000), [mark("words " * 100)], [], [])
    assert drawn.size == (500, 1000)
    _, top, right, _ = where(drawn, PANEL) or (0, 0, 0, 0)
    assert right <= 500
    assert top > 400  # one line above its box


def test_letters_of_other_scripts_are_drawn() -> None:
    """A font that lacked them would draw one and the same sign for each."""
    drawn = [
        np.asarray(drawing.annotated(plain(1000, 1000), [mark(text)], [], [])) for text in ("市", "本", "Ж", "Ω", "?")
    ]
    assert len({picture.tobytes() for picture in drawn}) == 5


def test_notes_and_colours_are_below_the_picture() -> None:
    drawn = drawing.annotated(
        plain(1000, 1000), [], [("labels: " + "Word 98, " * 60, BLUE), ("faces: 1", RED)], [(PURE, 0.6), (GREEN, 0.2)]
    )
    blue, red = where(drawn, BLUE), where(drawn, RED)
    assert blue is not None
    assert red is not None
    assert 1000 < blue[1] < blue[3] <= red[1] < red[3]
    assert blue[3] - blue[1] > 40  # wrapped
    assert blue[2] <= 1000
    left, top, right, bottom = where(drawn, PURE) or (0, 0, 0, 0)
    assert (left, right, bottom) == (0, 750, drawn.height)  # three quarters of what is told
    assert top > red[3]
    assert (where(drawn, GREEN) or (0,))[0] == 750


def test_the_pixels_given_are_left_alone() -> None:
    pixels = plain(1000, 1000)
    drawing.annotated(pixels, [mark("Dog 98")], [], [])
    assert (pixels == 255).all()
