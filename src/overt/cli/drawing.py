# SPDX-License-Identifier: Apache-2.0
"""Pictures with boxes and words on them, for people to look at. Knows the wire's boxes, no models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

GREEN, RED, GREY, INK = (22, 128, 60), (200, 30, 30), (110, 110, 110), (20, 20, 20)
_SIDE, _MARGIN, _LINE = 320, 16, 26
_WORDS = 420  # width of the column of words


def framed(path: Path, box: Mapping[str, float] | None, colour: tuple[int, int, int]) -> Image.Image:
    """A photo, upright and fitted into a square, with one BoundingBox of the wire drawn in."""
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    picture.thumbnail((_SIDE, _SIDE))
    if box is not None:
        left, top = box["Left"] * picture.width, box["Top"] * picture.height
        corner = (left + box["Width"] * picture.width, top + box["Height"] * picture.height)
        ImageDraw.Draw(picture).rectangle(((left, top), corner), outline=colour, width=4)
    return ImageOps.pad(picture, (_SIDE, _SIDE), color=(245, 245, 245))


def sheet(rows: Sequence[tuple[Sequence[Image.Image], Sequence[tuple[str, Any]]]]) -> Image.Image:
    """One picture of rows; a row is photos side by side and lines of (text, colour) beside them."""
    columns = max(len(photos) for photos, _ in rows)
    width = columns * (_SIDE + _MARGIN) + _WORDS + _MARGIN
    drawn = Image.new("RGB", (width, len(rows) * (_SIDE + _MARGIN) + _MARGIN), "white")
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(size=20)
    for number, (photos, words) in enumerate(rows):
        top = _MARGIN + number * (_SIDE + _MARGIN)
        for column, photo in enumerate(photos):
            drawn.paste(photo, (_MARGIN + column * (_SIDE + _MARGIN), top))
        for at, (text, colour) in enumerate(words):
            pen.text((columns * (_SIDE + _MARGIN) + _MARGIN, top + at * _LINE), text, fill=colour, font=font)
    return drawn
