# SPDX-License-Identifier: Apache-2.0
"""The pictures that benchmarks look at: photos brought to one size, and a sign drawn here."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from overt.cli.output import CommandError

STILL = "coffee.png"
"""A sample photo beside the portraits: nobody and no letter in it."""
SIDE = 640  # pixels of the longer side of every photo
SIGN_SIDE = 500
SIGN = (
    ("HARBOUR MUSEUM", 50),
    ("Open Tuesday to Sunday", 36),
    ("10:00 - 17:30", 44),
    ("Adults 12.50, children free", 32),
    ("Last entry 45 minutes before closing", 24),
    ("Please leave large bags at the desk", 24),
)
"""Lines of the sign, with their type sizes in pixels."""


def still(folder: Path) -> bytes:
    """The photo STILL, as `at_side` gives it. Raises: CommandError when it is missing."""
    path = folder / STILL
    if not path.is_file():
        raise CommandError(f"{folder} lacks {STILL}. `make photos` in a clone of overt fetches it")
    return at_side(path)


def at_side(path: Path) -> bytes:
    """A photo as a JPEG whose longer side has SIDE pixels."""
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    ratio = SIDE / max(picture.size)
    size = round(picture.width * ratio), round(picture.height * ratio)
    return _jpeg(picture.resize(size, Image.Resampling.LANCZOS))


def sign() -> bytes:
    """A square sign with the lines of SIGN, as a JPEG."""
    drawn = Image.new("RGB", (SIGN_SIDE, SIGN_SIDE), (246, 243, 232))
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((12, 12, SIGN_SIDE - 13, SIGN_SIDE - 13), outline=(30, 60, 90), width=5)
    step = (SIGN_SIDE - 60) / len(SIGN)
    for number, (text, size) in enumerate(SIGN):
        middle = (SIGN_SIDE / 2, 30 + (number + 0.5) * step)
        pen.text(middle, text, fill=(25, 45, 70), font=ImageFont.load_default(size), anchor="mm")
    return _jpeg(drawn)


def _jpeg(picture: Image.Image) -> bytes:
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=90)
    return encoded.getvalue()
